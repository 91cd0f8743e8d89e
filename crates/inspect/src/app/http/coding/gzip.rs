//! gzip (RFC 1952) and deflate (RFC 1951, in zlib's format of RFC 1950 or raw).

use flate2::{Decompress, FlushDecompress, Status};

use super::{Broken, Step};

/// Bytes that an inflating codec holds: a window of 32 KB, and its tables.
pub(super) const INFLATE: usize = 48 * 1024;

/// Bytes of a gzip header before what is optional.
const FIXED: usize = 10;
/// Bytes behind the coded content: checksum and length.
const TRAILER: usize = 8;
/// Longest header that is taken; names and comments in it have no bound of their own.
const HEADER_MAX: usize = 1000;

/// gzip: members behind each other.
#[derive(Default)]
pub(super) struct Gzip {
    at: Member,
}

enum Member {
    /// In the header.
    Header {
        held: Vec<u8>,
        is_first: bool,
    },
    Content(Decompress),
    /// In the trailer: so many bytes are left. Whether it is right does not matter to who reads along.
    Trailer(usize),
}

impl Default for Member {
    fn default() -> Self {
        Self::Header { held: Vec::new(), is_first: true }
    }
}

impl Gzip {
    pub(super) fn step(&mut self, bytes: &[u8], scratch: &mut [u8]) -> Step {
        match &mut self.at {
            Member::Header { held, is_first } => {
                let before = held.len();
                held.extend_from_slice(bytes);
                match header(held) {
                    Ok(Some(length)) => {
                        self.at = Member::Content(Decompress::new(false));
                        Step { used: length - before, ..Step::default() }
                    }
                    Ok(None) if held.len() <= HEADER_MAX => Step { used: bytes.len(), ..Step::default() },
                    // Behind a member anything may follow, and means nothing.
                    Ok(None) | Err(Broken) => {
                        let end = if *is_first { Err(Broken) } else { Ok(()) };
                        Step { used: bytes.len(), made: 0, end: Some(end) }
                    }
                }
            }
            Member::Content(inflate) => {
                let mut step = step(inflate, bytes, scratch);
                if step.end == Some(Ok(())) {
                    step.end = None;
                    self.at = Member::Trailer(TRAILER);
                }
                step
            }
            Member::Trailer(left) => {
                let used = bytes.len().min(*left);
                *left -= used;
                if *left == 0 {
                    self.at = Member::Header { held: Vec::new(), is_first: false };
                }
                Step { used, ..Step::default() }
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Self>()
            + match &self.at {
                Member::Header { held, .. } => held.capacity(),
                Member::Content(_) => INFLATE,
                Member::Trailer(_) => 0,
            }
    }
}

/// The length of the header that bytes begin with, if it is all there (RFC 1952 §2.3).
fn header(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let magic = [0x1F, 0x8B, 8];
    if bytes.iter().zip(&magic).any(|(byte, expected)| byte != expected) {
        return Err(Broken);
    }
    let Some(flags) = bytes.get(3).copied() else { return Ok(None) };
    let mut at = FIXED;
    if flags & 4 != 0 {
        let (Some(low), Some(high)) = (bytes.get(at), bytes.get(at + 1)) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    // A name and a comment, each up to a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(length) = bytes.get(at..).and_then(|rest| memchr::memchr(0, rest)) else {
                return Ok(None);
            };
            at += length + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    Ok((at <= bytes.len()).then_some(at))
}

/// `deflate` is meant to be zlib's format (RFC 9110 §8.4.1.2), but is the raw one from some servers.
#[derive(Default)]
pub(super) struct Deflate {
    /// The first byte, if only that has come.
    first: Option<u8>,
    inflate: Option<Decompress>,
}

impl Deflate {
    pub(super) fn step(&mut self, bytes: &[u8], scratch: &mut [u8]) -> Step {
        if let Some(inflate) = &mut self.inflate {
            return step(inflate, bytes, scratch);
        }
        let (first, used) = match (self.first, bytes) {
            (Some(first), _) => (first, 0),
            (None, [first, ..]) => (*first, 1),
            (None, []) => return Step::default(),
        };
        let Some(second) = bytes.get(used) else {
            self.first = Some(first);
            return Step { used, ..Step::default() };
        };
        // RFC 1950 §2.2: the method is 8, and both bytes together a multiple of 31.
        let is_zlib = first & 0xF == 8 && u16::from_be_bytes([first, *second]).is_multiple_of(31);
        let inflate = self.inflate.insert(Decompress::new(is_zlib));
        // One byte makes nothing yet, but may be wrong.
        let begun = step(inflate, &[first], scratch);
        if begun.end.is_some() {
            return Step { used: bytes.len(), ..begun };
        }
        let more = step(inflate, &bytes[used..], scratch);
        Step { used: used + more.used, ..more }
    }
}

fn step(inflate: &mut Decompress, bytes: &[u8], scratch: &mut [u8]) -> Step {
    let before = (inflate.total_in(), inflate.total_out());
    let done = inflate.decompress(bytes, scratch, FlushDecompress::None);
    let used = usize::try_from(inflate.total_in() - before.0).unwrap_or(bytes.len());
    let made = usize::try_from(inflate.total_out() - before.1).unwrap_or_default();
    match done {
        Ok(Status::Ok | Status::BufError) => Step { used, made, end: None },
        Ok(Status::StreamEnd) => Step { used, made, end: Some(Ok(())) },
        Err(_) => Step { used: bytes.len(), made, end: Some(Err(Broken)) },
    }
}
