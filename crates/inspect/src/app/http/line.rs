//! The first line of a request and of a response.

use policy::Way;

use crate::app::{Anomalies, Anomaly};

/// A request's first line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    /// As sent, white space within it included.
    pub(super) uri: &'a [u8],
    /// `HTTP/1.1`; nothing for HTTP/0.9.
    pub(super) protocol: &'a [u8],
}

impl<'a> RequestLine<'a> {
    /// Read a line without its end. The method ends where white space begins, the protocol is what stands last and
    /// begins as `HTTP/`, the URI is all between.
    pub(super) fn read(line: &'a [u8], anomalies: &mut Anomalies) -> Self {
        let rest = line.trim_ascii_start();
        if rest.len() < line.len() {
            anomalies.note(Anomaly::HttpLeadingWhitespace);
        }
        let (method, rest) = split_at_space(rest);
        let uri = rest.trim_ascii_start();
        if rest.len() != uri.len() + 1 || rest.first() != Some(&b' ') {
            anomalies.note(Anomaly::HttpMethodDelimiter);
        }
        let uri = uri.trim_ascii_end();
        let start_of_last = uri.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
        let (before, last) = uri.split_at(start_of_last);
        let (uri, protocol) = match last.get(..5) {
            Some(start) if start.eq_ignore_ascii_case(b"HTTP/") => (before.trim_ascii_end(), last),
            _ => (uri, &b""[..]),
        };
        if uri.is_empty() {
            anomalies.note(Anomaly::HttpRequestLineIncomplete);
        } else if uri.iter().any(u8::is_ascii_whitespace) {
            anomalies.note(Anomaly::HttpUriDelimiter);
        }
        Self { method, uri, protocol }
    }
}

/// A response's first line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct StatusLine<'a> {
    pub(super) protocol: &'a [u8],
    /// The status as sent.
    pub(super) code: &'a [u8],
    pub(super) message: &'a [u8],
    /// The status, 100 to 999.
    pub(super) status: Option<u16>,
}

impl<'a> StatusLine<'a> {
    /// Read a line without its end.
    pub(super) fn read(line: &'a [u8], anomalies: &mut Anomalies) -> Self {
        let (protocol, rest) = split_at_space(line.trim_ascii_start());
        let (code, rest) = split_at_space(rest.trim_ascii_start());
        if !matches!(
            protocol,
            [b'H' | b'h', b'T' | b't', b'T' | b't', b'P' | b'p', b'/', b'0'..=b'1', b'.', _]
        ) {
            anomalies.note(Anomaly::HttpResponseProtocol);
        }
        let status = match code {
            [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
                Some([a, b, c].into_iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
            }
            _ => {
                anomalies.note(Anomaly::HttpResponseStatus);
                None
            }
        };
        Self { protocol, code, message: rest.trim_ascii(), status }
    }
}

/// Whether a line, its end perhaps with it, is the first of a message beyond reasonable doubt.
pub(super) fn begins_message(line: &[u8], way: Way) -> bool {
    let mut anomalies = Anomalies::default();
    match way {
        Way::ToServer => {
            let read = RequestLine::read(line.trim_ascii_end(), &mut anomalies);
            let is_method =
                (3..=20).contains(&read.method.len()) && read.method.iter().all(u8::is_ascii_uppercase);
            is_method && read.protocol.len() == 8 && anomalies.is_empty()
        }
        Way::ToClient => {
            StatusLine::read(line.trim_ascii_end(), &mut anomalies);
            anomalies.is_empty()
        }
    }
}

fn split_at_space(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(u8::is_ascii_whitespace).unwrap_or(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> ([&str; 3], Vec<Anomaly>) {
        let mut anomalies = Anomalies::default();
        let read = RequestLine::read(line.as_bytes(), &mut anomalies);
        let parts = [read.method, read.uri, read.protocol].map(|part| str::from_utf8(part).unwrap());
        (parts, anomalies.iter().collect())
    }

    #[test]
    fn a_request_line_is_method_uri_and_protocol() {
        assert_eq!(request("GET /a?b HTTP/1.1"), (["GET", "/a?b", "HTTP/1.1"], vec![]));
        assert_eq!(request("GET /a"), (["GET", "/a", ""], vec![]));
    }

    #[test]
    fn odd_request_lines_are_read_and_noted() {
        let rows = [
            ("  GET / HTTP/1.0", ["GET", "/", "HTTP/1.0"], Anomaly::HttpLeadingWhitespace),
            ("GET\t/ HTTP/1.0", ["GET", "/", "HTTP/1.0"], Anomaly::HttpMethodDelimiter),
            ("GET   / HTTP/1.0", ["GET", "/", "HTTP/1.0"], Anomaly::HttpMethodDelimiter),
            ("GET /a b c HTTP/1.0", ["GET", "/a b c", "HTTP/1.0"], Anomaly::HttpUriDelimiter),
            ("GET  HTTP/1.0", ["GET", "", "HTTP/1.0"], Anomaly::HttpRequestLineIncomplete),
            ("GET", ["GET", "", ""], Anomaly::HttpRequestLineIncomplete),
        ];
        for (line, parts, anomaly) in rows {
            let (read, noted) = request(line);
            assert_eq!(read, parts, "{line}");
            assert!(noted.contains(&anomaly), "{line}: {noted:?}");
        }
    }

    #[test]
    fn a_status_line_is_protocol_code_and_message() {
        let mut anomalies = Anomalies::default();
        let read = StatusLine::read(b"HTTP/1.1 404 Not Found", &mut anomalies);
        assert_eq!(
            (read.protocol, read.code, read.message),
            (&b"HTTP/1.1"[..], &b"404"[..], &b"Not Found"[..])
        );
        assert_eq!(read.status, Some(404));
        assert!(anomalies.is_empty());
        let read = StatusLine::read(b"HTTP/2.0 20x", &mut anomalies);
        assert_eq!((read.status, read.code, read.message), (None, &b"20x"[..], &b""[..]));
        assert!(anomalies.has(Anomaly::HttpResponseProtocol) && anomalies.has(Anomaly::HttpResponseStatus));
    }
}
