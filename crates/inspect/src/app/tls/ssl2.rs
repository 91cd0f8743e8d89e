//! The hello of SSL 2, which old clients send for every version (RFC 6101 appendix E, RFC 5246 appendix E.2).

use crate::app::reader::Reader;

/// Longest hello that is read, in bytes.
const HELLO_MAX: usize = 1024;

/// A hello of SSL 2 that comes in pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Ssl2 {
    kept: Vec<u8>,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ssl2Hello {
    Unfinished,
    Invalid,
    /// The highest version that the client speaks.
    Client(u16),
    /// The server speaks SSL 2 itself.
    Server,
}

impl Ssl2 {
    /// Whether a stream that starts with this byte starts with such a hello: length in two bytes, no padding.
    pub(super) const fn is_start(first: u8) -> bool {
        first & 0x80 != 0
    }

    /// Take what belongs to the hello.
    pub(super) fn push(&mut self, bytes: &mut &[u8]) -> Ssl2Hello {
        while let Some((byte, rest)) = bytes.split_first() {
            self.kept.push(*byte);
            *bytes = rest;
            let Some([high, low]) = self.kept.first_chunk() else { continue };
            let length = usize::from(u16::from_be_bytes([high & 0x7f, *low]));
            if !(9..=HELLO_MAX).contains(&length) {
                return Ssl2Hello::Invalid;
            }
            if self.kept.len() == length + 2 {
                let hello = read(&self.kept).unwrap_or(Ssl2Hello::Invalid);
                self.kept = Vec::new();
                return hello;
            }
        }
        Ssl2Hello::Unfinished
    }

    /// Bytes that it holds.
    pub(super) fn memory(&self) -> usize {
        self.kept.capacity()
    }
}

/// ```text
/// length(2) 1 version(2) ciphers(2) session(2) challenge(2) …
/// length(2) 4 session-hit(1) certificate-kind(1) version(2) …
/// ```
fn read(hello: &[u8]) -> Option<Ssl2Hello> {
    let mut reader = Reader::new(hello);
    reader.u16()?;
    if reader.u8()? == 4 {
        return Some(Ssl2Hello::Server);
    }
    let version = reader.u16()?;
    let lengths = [reader.u16()?, reader.u16()?, reader.u16()?];
    let fits = lengths.into_iter().map(usize::from).sum::<usize>() == reader.rest().len();
    let known = version == 2 || version >> 8 == 3;
    (fits && known && hello.get(2) == Some(&1)).then_some(Ssl2Hello::Client(version))
}
