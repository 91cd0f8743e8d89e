//! Where a message's body ends, and which of its bytes are content.

use std::borrow::Cow;

use policy::Way;

use super::head::Head;
use crate::app::{Anomalies, Anomaly};

/// Longest chunk length in digits that still fits.
const DIGITS_MAX: u32 = 16;

/// How a body is delimited (RFC 9112 §6.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// In chunks, each behind its length.
    Chunked(Chunk),
    /// Until the connection ends.
    Close,
}

/// Where in a chunked body we are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Chunk {
    /// In the length: its value, and digits seen. Not a length unless there is a digit.
    Length { value: u64, digits: u32 },
    /// Behind the length, in its line.
    Line { value: u64 },
    /// In the content: so many bytes are left.
    Content(u64),
    /// Behind the content, before its line end.
    #[default]
    Between,
}

/// What some bytes of a body are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// So many bytes of content.
    Content(usize),
    /// So many bytes that only delimit.
    Delimiter(usize),
    /// So many bytes of delimiters, and the chunks are over: a trailer follows.
    Trailer(usize),
    /// The body is over before these bytes.
    Over,
}

impl Framing {
    /// What is next in `bytes`, which are not empty.
    pub(super) fn next(&mut self, way: Way, bytes: &[u8], anomalies: &mut Anomalies) -> Part {
        match self {
            Self::Close => Part::Content(bytes.len()),
            Self::Length(0) => Part::Over,
            Self::Length(left) => Part::Content(take(left, bytes.len())),
            Self::Chunked(chunk) => match chunk.next(way, bytes, anomalies) {
                Ok(part) => part,
                Err(before) => {
                    // Readers that do not refuse such a body take the rest as it is.
                    *self = Self::Close;
                    if before == 0 { Part::Content(bytes.len()) } else { Part::Delimiter(before) }
                }
            },
        }
    }

    /// Whether the body is over without any more bytes.
    pub(super) fn is_over(&self) -> bool {
        *self == Self::Length(0)
    }

    /// So many bytes are missing. Whether what follows them is still body.
    pub(super) fn skip(&mut self, missing: u64) -> bool {
        match self {
            Self::Close => true,
            Self::Length(left) | Self::Chunked(Chunk::Content(left)) if *left >= missing => {
                *left -= missing;
                true
            }
            Self::Length(_) | Self::Chunked(_) => false,
        }
    }
}

impl Chunk {
    /// Before the first chunk.
    pub(super) fn first() -> Self {
        Self::Length { value: 0, digits: 0 }
    }

    /// An error says how many bytes are before what cannot be read.
    fn next(&mut self, way: Way, bytes: &[u8], anomalies: &mut Anomalies) -> Result<Part, usize> {
        if let Self::Content(left) = self {
            let length = take(left, bytes.len());
            if *left == 0 {
                *self = Self::Between;
            }
            return Ok(Part::Content(length));
        }
        for (at, byte) in bytes.iter().enumerate() {
            // A line end is due, but a length at once is read, too.
            if *self == Self::Between && *byte != b'\r' {
                *self = Self::first();
            }
            match (&mut *self, byte) {
                (Self::Length { value, digits }, byte) if byte.is_ascii_hexdigit() => {
                    let digit = char::from(*byte).to_digit(16).unwrap_or_default();
                    *value = *value << 4 | u64::from(digit);
                    *digits += u32::from(*value > 0 || *digits == 0);
                    if *digits > DIGITS_MAX {
                        anomalies.note(invalid(way));
                        return Err(at);
                    }
                }
                // Empty lines and white space before a length.
                (Self::Length { digits: 0, .. }, b'\r' | b'\n' | b' ' | b'\t') => {}
                (Self::Length { digits: 0, .. }, _) => {
                    anomalies.note(invalid(way));
                    return Err(at);
                }
                (Self::Length { value, .. } | Self::Line { value }, b'\n') => {
                    let value = *value;
                    *self = Self::Content(value);
                    return Ok(if value == 0 { Part::Trailer(at + 1) } else { Part::Delimiter(at + 1) });
                }
                (Self::Length { value, .. }, byte) => {
                    let value = *value;
                    match byte {
                        b'\r' | b' ' | b'\t' => {}
                        b';' => anomalies.note(Anomaly::HttpChunkExtension),
                        _ => anomalies.note(invalid(way)),
                    }
                    *self = Self::Line { value };
                }
                (Self::Line { .. } | Self::Between | Self::Content(_), _) => {}
            }
        }
        Ok(Part::Delimiter(bytes.len()))
    }
}

fn invalid(way: Way) -> Anomaly {
    match way {
        Way::ToServer => Anomaly::HttpRequestChunkLength,
        Way::ToClient => Anomaly::HttpResponseChunkLength,
    }
}

/// Take of `left` as much as there is.
fn take(left: &mut u64, there: usize) -> usize {
    let taken = usize::try_from(*left).map_or(there, |left| left.min(there));
    *left -= taken as u64;
    taken
}

/// The names of the codings that the content behind a head has, the last applied last.
pub(super) fn codings<'a>(head: &'a Head<'_>) -> Option<Cow<'a, [u8]>> {
    match (head.value("content-encoding"), head.value("transfer-encoding")) {
        (content, None) => content.map(Cow::Borrowed),
        (content, Some(transfer)) if transfer.eq_ignore_ascii_case(b"chunked") => content.map(Cow::Borrowed),
        (content, Some(transfer)) => Some([content.unwrap_or_default(), b",", transfer].concat().into()),
    }
}

/// How the body behind a head is delimited, if it may have one at all.
pub(super) fn framing(head: &Head<'_>, way: Way, is_old: bool, anomalies: &mut Anomalies) -> Framing {
    let coding = head.value("transfer-encoding");
    let length = head.value("content-length").map(|value| content_length(value, way, anomalies));
    if let Some(coding) = coding {
        if length.is_some() {
            anomalies.note(Anomaly::HttpLengthAndEncoding);
        }
        if is_chunked(coding, way, anomalies) {
            if is_old {
                anomalies.note(Anomaly::HttpChunkedOldProtocol);
            }
            return Framing::Chunked(Chunk::first());
        }
    }
    match (length.flatten(), way) {
        (Some(length), _) => Framing::Length(length),
        (None, Way::ToServer) => Framing::Length(0),
        (None, Way::ToClient) => Framing::Close,
    }
}

/// A Content-Length, perhaps of several values: the first number counts.
fn content_length(value: &[u8], way: Way, anomalies: &mut Anomalies) -> Option<u64> {
    let mut first = None;
    for part in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        let digits = part.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = str::from_utf8(&part[..digits]).ok().and_then(|digits| digits.parse::<u64>().ok());
        if digits < part.len() || number.is_none() {
            anomalies.note(match way {
                Way::ToServer => Anomaly::HttpRequestLengthInvalid,
                Way::ToClient => Anomaly::HttpResponseLengthInvalid,
            });
        }
        if first.is_some_and(|first| Some(first) != number) {
            anomalies.note(Anomaly::HttpLengthsDiffer);
        }
        first = first.or(number);
    }
    first
}

/// Whether a Transfer-Encoding says that there are chunks: lenient readers look for the word alone.
fn is_chunked(value: &[u8], way: Way, anomalies: &mut Anomalies) -> bool {
    let lower = value.to_ascii_lowercase();
    let last = lower.split(|byte| *byte == b',').next_back().unwrap_or_default();
    let is_usual =
        last.trim_ascii() == b"chunked" && lower.windows(7).filter(|word| word == b"chunked").count() == 1;
    if !is_usual {
        anomalies.note(match way {
            Way::ToServer => Anomaly::HttpRequestTransferEncoding,
            Way::ToClient => Anomaly::HttpResponseTransferEncoding,
        });
    }
    lower.windows(7).any(|word| word == b"chunked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut framing: Framing, bytes: &[u8], step: usize) -> (Vec<u8>, usize, Anomalies) {
        let (mut content, mut at, mut anomalies) = (Vec::new(), 0, Anomalies::default());
        while at < bytes.len() {
            let next = &bytes[at..bytes.len().min(at + step)];
            match framing.next(Way::ToServer, next, &mut anomalies) {
                Part::Content(length) => {
                    content.extend_from_slice(&next[..length]);
                    at += length;
                }
                Part::Delimiter(length) => at += length,
                Part::Trailer(length) => return (content, at + length, anomalies),
                Part::Over => break,
            }
        }
        (content, at, anomalies)
    }

    #[test]
    fn chunks_are_read_however_they_come() {
        let bytes = b"5\r\nhello\r\n006 ;a=b\r\n world\r\n0\r\nrest";
        for step in 1..bytes.len() {
            let (content, end, anomalies) = read(Framing::Chunked(Chunk::first()), bytes, step);
            assert_eq!((content.as_slice(), end), (&b"hello world"[..], bytes.len() - 4), "{step}");
            assert!(anomalies.is_empty() || anomalies.has(Anomaly::HttpChunkExtension));
        }
    }

    #[test]
    fn what_is_no_chunk_is_the_rest_of_the_body() {
        let (content, _, anomalies) = read(Framing::Chunked(Chunk::first()), b"<html>", 6);
        assert_eq!(content, b"<html>");
        assert!(anomalies.has(Anomaly::HttpRequestChunkLength));
        let (_, _, anomalies) = read(Framing::Chunked(Chunk::first()), b"fffffffffffffffff\r\n", 6);
        assert!(anomalies.has(Anomaly::HttpRequestChunkLength));
    }

    #[test]
    fn lengths_that_readers_disagree_about_are_noted() {
        let rows: [(&str, Framing, Option<Anomaly>); 9] = [
            ("Content-Length: 5", Framing::Length(5), None),
            ("Content-Length: 5, 5", Framing::Length(5), None),
            ("Content-Length: 5\r\nContent-Length: 6", Framing::Length(5), Some(Anomaly::HttpLengthsDiffer)),
            ("Content-Length: +5", Framing::Length(0), Some(Anomaly::HttpRequestLengthInvalid)),
            ("Content-Length: 5x", Framing::Length(5), Some(Anomaly::HttpRequestLengthInvalid)),
            (
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                Framing::Chunked(Chunk::first()),
                Some(Anomaly::HttpLengthAndEncoding),
            ),
            ("Transfer-Encoding: gzip, Chunked", Framing::Chunked(Chunk::first()), None),
            (
                "Transfer-Encoding:\r\n xchunked",
                Framing::Chunked(Chunk::first()),
                Some(Anomaly::HttpRequestTransferEncoding),
            ),
            ("Transfer-Encoding: identity", Framing::Length(0), Some(Anomaly::HttpRequestTransferEncoding)),
        ];
        for (fields, expected, anomaly) in rows {
            let mut anomalies = Anomalies::default();
            let head = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n");
            let head = Head::read(head.as_bytes(), Way::ToServer, 10, &mut anomalies);
            assert_eq!(framing(&head, Way::ToServer, false, &mut anomalies), expected, "{fields}");
            assert!(anomaly.is_none_or(|anomaly| anomalies.has(anomaly)), "{fields}");
        }
    }
}
