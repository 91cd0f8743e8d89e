//! A message's head: its first line and its header fields, as lenient readers take them.
//!
//! What servers and clients of all sorts understand must be understood here, or they talk past us: lines may end with a
//! line feed alone, fields may have no colon, no name, or go on in further lines. What is odd is noted.

use std::borrow::Cow;

use policy::Way;

use crate::app::{Anomalies, Anomaly};

/// Where a head ends, looked for as its bytes come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct HeadEnd {
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Bytes that were looked at.
    seen: usize,
    /// The first line is a request without protocol, so it may be all there is.
    simple: bool,
    /// There is no first line: an empty one ends it at once.
    is_trailer: bool,
}

impl HeadEnd {
    /// Of fields without a first line.
    pub(super) fn of_trailer() -> Self {
        Self { is_trailer: true, ..Self::default() }
    }

    /// Go on looking in `bytes`, which are those of before and some more; gives the length of the head.
    pub(super) fn find(&mut self, bytes: &[u8], way: Way) -> Option<usize> {
        while let Some(feed) = memchr::memchr(b'\n', bytes.get(self.seen..)?) {
            let end = self.seen + feed + 1;
            let line = without_end(bytes.get(self.line..end)?);
            if line.is_empty() && (self.line > 0 || self.is_trailer) {
                return Some(end);
            }
            if self.line == 0 {
                self.simple = way == Way::ToServer && !self.is_trailer && is_simple(line);
            } else if self.simple && !line.contains(&b':') {
                return Some(self.line);
            } else {
                self.simple = false;
            }
            (self.line, self.seen) = (end, end);
        }
        self.seen = bytes.len();
        None
    }

    /// Whether what has come may be a whole request of HTTP/0.9: a line without protocol.
    pub(super) fn is_simple(self) -> bool {
        self.simple
    }
}

/// Whether a request line names no protocol.
fn is_simple(line: &[u8]) -> bool {
    let last = line.trim_ascii_end().rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    !last.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/"))
}

/// A line without its line feed and the carriage returns before it.
fn without_end(line: &[u8]) -> &[u8] {
    let mut line = line.strip_suffix(b"\n").unwrap_or(line);
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

/// A header field. Its name is as sent; its value has no white space round it, and no line ends within.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Cow<'a, [u8]>,
    hash: u32,
}

/// A head, read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Head<'a> {
    /// The first line, without its end.
    pub(super) line: &'a [u8],
    /// All behind the first line, as sent.
    pub(super) raw: &'a [u8],
    /// One for each name: the values of a repeated one are joined by a comma and a space (RFC 9110 §5.3), where the
    /// first of them stood.
    pub(super) fields: Vec<Field<'a>>,
}

impl<'a> Head<'a> {
    /// Read the bytes of a head: up to and with the empty line, or less of it.
    pub(super) fn read(bytes: &'a [u8], way: Way, fields_max: usize, anomalies: &mut Anomalies) -> Self {
        let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |feed| feed + 1);
        let (line, raw) = bytes.split_at(end);
        let fields = fields(raw, way, fields_max, anomalies);
        Self { line: without_end(line), raw, fields: joined(fields, way, anomalies) }
    }

    /// Read fields alone: those behind a chunked body.
    pub(super) fn trailer(raw: &'a [u8], way: Way, fields_max: usize, anomalies: &mut Anomalies) -> Self {
        let fields = fields(raw, way, fields_max, anomalies);
        Self { line: b"", raw, fields: joined(fields, way, anomalies) }
    }

    /// The value of a field; `name` in lower case.
    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        let hash = hash(name.as_bytes());
        let is_it =
            |field: &&Field<'_>| field.hash == hash && field.name.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().find(is_it).map(|field| field.value.as_ref())
    }
}

fn fields<'a>(raw: &'a [u8], way: Way, max: usize, anomalies: &mut Anomalies) -> Vec<Field<'a>> {
    let (no_colon, unfit, folding) = match way {
        Way::ToServer => (
            Anomaly::HttpRequestFieldMissingColon,
            Anomaly::HttpRequestFieldInvalid,
            Anomaly::HttpRequestFoldingInvalid,
        ),
        Way::ToClient => (
            Anomaly::HttpResponseFieldMissingColon,
            Anomaly::HttpResponseFieldInvalid,
            Anomaly::HttpResponseFoldingInvalid,
        ),
    };
    let mut fields: Vec<Field<'a>> = Vec::with_capacity(16);
    for line in raw.split_inclusive(|byte| *byte == b'\n').map(without_end) {
        if line.is_empty() {
            break;
        }
        if matches!(line[0], b' ' | b'\t') {
            match fields.last_mut() {
                Some(before) => {
                    anomalies.note(Anomaly::HttpFolded);
                    unfold(&mut before.value, trimmed(line));
                    continue;
                }
                None => anomalies.note(folding),
            }
        }
        if fields.len() == max {
            anomalies.note(Anomaly::HttpTooManyFields);
            break;
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => (trimmed(&line[..colon]), trimmed(&line[colon + 1..])),
            None => {
                anomalies.note(no_colon);
                (&b""[..], trimmed(line))
            }
        };
        if memchr::memchr(b':', line).is_some_and(|colon| colon != name.len()) || !name.iter().all(is_token) {
            anomalies.note(unfit);
        }
        fields.push(Field { name, value: Cow::Borrowed(value), hash: hash(name) });
    }
    fields
}

fn unfold<'a>(value: &mut Cow<'a, [u8]>, more: &'a [u8]) {
    if !more.is_empty() {
        let value = value.to_mut();
        value.push(b' ');
        value.extend_from_slice(more);
    }
}

/// Join the values of fields that stand there repeatedly.
fn joined<'a>(mut fields: Vec<Field<'a>>, way: Way, anomalies: &mut Anomalies) -> Vec<Field<'a>> {
    // By hash, so that many fields cost no more than sorting them; the first of a name first.
    let mut order: Vec<(u32, usize)> =
        fields.iter().enumerate().map(|(at, field)| (field.hash, at)).collect();
    order.sort_unstable();
    let mut repeated = false;
    let mut first = 0;
    for at in 1..order.len() {
        let (leader, (hash, index)) = (order[first], order[at]);
        if hash != leader.0
            || fields[index].name.is_empty()
            || !fields[leader.1].name.eq_ignore_ascii_case(fields[index].name)
        {
            first = at;
            continue;
        }
        repeated = true;
        let more = std::mem::take(&mut fields[index].value);
        fields[index].name = JOINED;
        let value = fields[leader.1].value.to_mut();
        value.extend_from_slice(b", ");
        value.extend_from_slice(&more);
    }
    if repeated {
        anomalies.note(match way {
            Way::ToServer => Anomaly::HttpRequestFieldRepeated,
            Way::ToClient => Anomaly::HttpResponseFieldRepeated,
        });
        fields.retain(|field| field.name != JOINED);
    }
    fields
}

/// In place of the name of a field whose value went to another: no name has a line feed.
const JOINED: &[u8] = b"\n";

/// Of a name in lower case (FNV-1a).
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811C_9DC5, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    })
}

/// Whether a byte may stand in a name (RFC 9110 §5.6.2).
fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// Without the white space of HTTP at either end.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (Vec<u8>, Vec<u8>);

    fn read(bytes: &[u8]) -> (Vec<Pair>, Anomalies) {
        let mut anomalies = Anomalies::default();
        let head = Head::read(bytes, Way::ToServer, 100, &mut anomalies);
        let pairs = head.fields.iter().map(|field| (field.name.to_vec(), field.value.to_vec()));
        (pairs.collect(), anomalies)
    }

    fn pair(name: &str, value: &str) -> Pair {
        (name.into(), value.into())
    }

    #[test]
    fn fields_are_read_whatever_their_line_ends() {
        let (fields, anomalies) = read(b"GET / HTTP/1.1\nHost:  a.example \t\r\r\nX:\n\n");
        assert_eq!(fields, [pair("Host", "a.example"), pair("X", "")]);
        assert!(anomalies.is_empty());
    }

    #[test]
    fn repeated_fields_are_joined_where_the_first_stood() {
        let (fields, anomalies) = read(b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\na: 3\r\nA: 4\r\n\r\n");
        assert_eq!(fields, [pair("A", "1, 3, 4"), pair("B", "2")]);
        assert_eq!(anomalies.iter().collect::<Vec<_>>(), [Anomaly::HttpRequestFieldRepeated]);
    }

    #[test]
    fn odd_fields_are_read_and_noted() {
        let (fields, anomalies) =
            read(b"GET / HTTP/1.1\r\n fold\r\nA : 1\r\n  more\r\n\t\r\nnone\r\n: x\r\n\r\n");
        let expected = [pair("", "fold"), pair("A", "1 more"), pair("", "none"), pair("", "x")];
        assert_eq!(fields, expected);
        let noted = [
            Anomaly::HttpRequestFieldMissingColon,
            Anomaly::HttpRequestFieldInvalid,
            Anomaly::HttpRequestFoldingInvalid,
            Anomaly::HttpFolded,
        ];
        assert_eq!(anomalies.iter().collect::<Vec<_>>(), noted);
    }

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        let cases: [(&[u8], usize); 5] = [
            (b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest", 24),
            (b"GET / HTTP/1.1\nA: b\n\nrest", 21),
            (b"GET / HTTP/1.1\r\n\r\n", 18),
            (b"GET /simple\r\nGET /next HTTP/1.1\r\n\r\n", 13),
            (b"GET /odd\r\nHost: a\r\n\r\n", 21),
        ];
        for (bytes, length) in cases {
            assert_eq!(HeadEnd::default().find(bytes, Way::ToServer), Some(length));
            let mut end = HeadEnd::default();
            let found = (0..=bytes.len()).find_map(|to| end.find(&bytes[..to], Way::ToServer));
            assert_eq!(found, Some(length));
        }
    }
}
