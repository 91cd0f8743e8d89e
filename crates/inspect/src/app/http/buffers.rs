//! The buffers of a head.

use policy::{Buffer, Way};

use super::head::{Field, Head};
use super::line::{RequestLine, StatusLine};
use super::uri::Uri;
use crate::app::{Anomalies, Anomaly, Facts, Transaction, Wanted};

/// What the log tells of every transaction, whoever asks for it or not.
const TOLD: [Buffer; 9] = [
    Buffer::HttpContentType,
    Buffer::HttpHost,
    Buffer::HttpLocation,
    Buffer::HttpMethod,
    Buffer::HttpProtocol,
    Buffer::HttpReferer,
    Buffer::HttpStatCode,
    Buffer::HttpUriRaw,
    Buffer::HttpUserAgent,
];

/// Buffers that are one field's value, to the server.
const OF_REQUEST: [(Buffer, &str); 9] = [
    (Buffer::HttpUserAgent, "user-agent"),
    (Buffer::HttpCookie, "cookie"),
    (Buffer::HttpReferer, "referer"),
    (Buffer::HttpContentType, "content-type"),
    (Buffer::HttpContentLen, "content-length"),
    (Buffer::HttpAccept, "accept"),
    (Buffer::HttpAcceptLang, "accept-language"),
    (Buffer::HttpAcceptEnc, "accept-encoding"),
    (Buffer::HttpConnection, "connection"),
];

/// Buffers that are one field's value, to the client.
const OF_RESPONSE: [(Buffer, &str); 6] = [
    (Buffer::HttpCookie, "set-cookie"),
    (Buffer::HttpContentType, "content-type"),
    (Buffer::HttpContentLen, "content-length"),
    (Buffer::HttpLocation, "location"),
    (Buffer::HttpServer, "server"),
    (Buffer::HttpConnection, "connection"),
];

/// The transaction of a message, and who asks for what.
struct Room<'a> {
    open: &'a mut Transaction,
    way: Way,
    wanted: Wanted,
}

impl Room<'_> {
    fn put(&mut self, buffer: Buffer, value: &[u8]) {
        if self.wanted.has(buffer) {
            self.open.put(buffer, self.way, value);
        }
    }

    fn put_with(&mut self, buffer: Buffer, write: impl FnOnce(&mut Vec<u8>)) {
        if self.wanted.has(buffer) {
            self.open.put_with(buffer, self.way, write);
        }
    }

    fn values(&mut self, head: &Head<'_>, buffers: &[(Buffer, &str)]) {
        for (buffer, name) in buffers {
            if self.wanted.has(*buffer)
                && let Some(value) = head.value(name)
            {
                self.open.put(*buffer, self.way, value);
            }
        }
    }

    fn fields(&mut self, head: &Head<'_>, each: Buffer, cookie: &str) {
        let is_cookie = |field: &&Field<'_>| field.name.eq_ignore_ascii_case(cookie.as_bytes());
        self.put_with(Buffer::HttpHeader, |to| {
            head.fields.iter().filter(|field| !is_cookie(field)).for_each(|field| line(field, to));
        });
        self.put(Buffer::HttpHeaderRaw, head.raw);
        if self.wanted.has(each) {
            for field in &head.fields {
                self.open.put_with(each, self.way, |to| name_and_value(field, to));
            }
        }
    }

    fn names_and_start(&mut self, head: &Head<'_>) {
        self.put_with(Buffer::HttpHeaderNames, |to| {
            to.extend_from_slice(b"\r\n");
            for field in &head.fields {
                to.extend_from_slice(field.name);
                to.extend_from_slice(b"\r\n");
            }
            to.extend_from_slice(b"\r\n");
        });
        self.put_with(Buffer::HttpStart, |to| {
            to.extend_from_slice(head.line);
            to.extend_from_slice(b"\r\n");
            head.fields.iter().for_each(|field| line(field, to));
            to.extend_from_slice(b"\r\n");
        });
    }
}

/// Fill the buffers of a request.
pub(super) fn request(
    open: &mut Transaction,
    head: &Head<'_>,
    line: &RequestLine<'_>,
    wanted: Wanted,
    anomalies: &mut Anomalies,
) {
    let uri = Uri::split(line.uri, line.method == b"CONNECT");
    let mut room = Room { open, way: Way::ToServer, wanted: TOLD.into_iter().fold(wanted, Wanted::and) };
    room.put(Buffer::HttpMethod, line.method);
    room.put(Buffer::HttpUriRaw, line.uri);
    room.put(Buffer::HttpProtocol, line.protocol);
    room.put(Buffer::HttpRequestLine, head.line);
    room.put_with(Buffer::HttpUri, |to| uri.normalise(to));
    host(&mut room, head, line, &uri, anomalies);
    room.values(head, &OF_REQUEST);
    room.fields(head, Buffer::HttpRequestHeader, "cookie");
    room.names_and_start(head);
}

/// Fill the buffers of a response.
pub(super) fn response(open: &mut Transaction, head: &Head<'_>, line: &StatusLine<'_>, wanted: Wanted) {
    if let Facts::Http(facts) = &mut open.facts {
        facts.status = line.status;
    }
    let mut room = Room { open, way: Way::ToClient, wanted: TOLD.into_iter().fold(wanted, Wanted::and) };
    room.put(Buffer::HttpProtocol, line.protocol);
    room.put(Buffer::HttpStatCode, line.code);
    room.put(Buffer::HttpStatMsg, line.message);
    room.put(Buffer::HttpResponseLine, head.line);
    room.values(head, &OF_RESPONSE);
    room.fields(head, Buffer::HttpResponseHeader, "set-cookie");
    room.names_and_start(head);
}

/// Fill the buffers of the fields behind a chunked body: further values of those of the head.
pub(super) fn trailer(open: &mut Transaction, way: Way, trailer: &Head<'_>, wanted: Wanted) {
    if trailer.fields.is_empty() {
        return;
    }
    let (each, cookie) = match way {
        Way::ToServer => (Buffer::HttpRequestHeader, "cookie"),
        Way::ToClient => (Buffer::HttpResponseHeader, "set-cookie"),
    };
    Room { open, way, wanted }.fields(trailer, each, cookie);
}

/// The host: the URI's, if it names one, else that of the field.
fn host(
    room: &mut Room<'_>,
    head: &Head<'_>,
    line: &RequestLine<'_>,
    uri: &Uri<'_>,
    anomalies: &mut Anomalies,
) {
    let named = head.value("host");
    if named.is_none() && line.protocol.ends_with(b"/1.1") {
        anomalies.note(Anomaly::HttpHostMissing);
    }
    if let (Some(named), Some(authority)) = (named, uri.authority)
        && !split_host(named).0.eq_ignore_ascii_case(split_host(authority).0)
    {
        anomalies.note(Anomaly::HttpHostAmbiguous);
    }
    let Some(raw) = uri.authority.or(named) else { return };
    let (name, number) = split_host(raw);
    if named.is_some_and(|named| named.contains(&b',')) {
        anomalies.note(Anomaly::HttpHostAmbiguous);
    }
    if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%[]:, ".contains(byte)) {
        anomalies.note(Anomaly::HttpHostInvalid);
    }
    room.put(Buffer::HttpHostRaw, raw);
    room.put_with(Buffer::HttpHost, |to| to.extend(name.iter().map(u8::to_ascii_lowercase)));
    if let Facts::Http(facts) = &mut room.open.facts {
        facts.host_port = number;
    }
}

/// A host without its port, and the port. An IPv6 address stands in brackets (RFC 3986 §3.2.2).
fn split_host(host: &[u8]) -> (&[u8], Option<u16>) {
    let colon = match host.iter().position(|byte| *byte == b']') {
        Some(bracket) => bracket + 1,
        None => host.iter().position(|byte| *byte == b':').unwrap_or(host.len()),
    };
    match host.get(colon..) {
        Some([b':', digits @ ..]) if digits.iter().all(u8::is_ascii_digit) => {
            (&host[..colon], str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()))
        }
        _ => (host, None),
    }
}

fn line(field: &Field<'_>, to: &mut Vec<u8>) {
    name_and_value(field, to);
    to.extend_from_slice(b"\r\n");
}

fn name_and_value(field: &Field<'_>, to: &mut Vec<u8>) {
    to.extend_from_slice(field.name);
    if !field.name.is_empty() {
        to.extend_from_slice(b": ");
    }
    to.extend_from_slice(&field.value);
}
