//! One pattern, ready to be looked for in a text.

use memchr::memmem::Finder;
use memchr::{memchr, memchr2};

use super::context::{Spent, Steps};

/// Bytes of text that count as one step; finding is that fast.
const BYTES_PER_STEP: usize = 1024;

/// One pattern, ready to be looked for.
#[derive(Debug)]
pub(super) enum Needle {
    /// Bytes as they are.
    Exact(Box<Finder<'static>>),
    /// Letters in either case: the rarest byte is looked for, and the rest compared there.
    Caseless {
        /// In lower case.
        bytes: Box<[u8]>,
        /// Where the rarest byte stands in it.
        rarest: usize,
    },
}

impl Needle {
    /// Makes a pattern of at least one byte ready.
    pub(super) fn new(bytes: &[u8], nocase: bool) -> Self {
        match nocase && bytes.iter().any(u8::is_ascii_alphabetic) {
            false => Self::Exact(Box::new(Finder::new(bytes).into_owned())),
            true => {
                let bytes: Box<[u8]> = bytes.to_ascii_lowercase().into();
                let rarest = (0..bytes.len()).min_by_key(|at| commonness(bytes[*at])).unwrap_or_default();
                Self::Caseless { bytes, rarest }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Exact(finder) => finder.needle().len(),
            Self::Caseless { bytes, .. } => bytes.len(),
        }
    }

    /// Whether the text is the pattern.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        match self {
            Self::Exact(finder) => text == finder.needle(),
            Self::Caseless { bytes, .. } => text.eq_ignore_ascii_case(bytes),
        }
    }

    /// Where it first starts in the text.
    pub(super) fn find(&self, text: &[u8], steps: &mut Steps) -> Result<Option<usize>, Spent> {
        if text.len() <= self.len() {
            return Ok((text.len() == self.len() && self.is(text)).then_some(0));
        }
        steps.take(text.len() / BYTES_PER_STEP)?;
        match self {
            Self::Exact(finder) => Ok(finder.find(text)),
            Self::Caseless { bytes, rarest } => caseless(text, bytes, *rarest, steps),
        }
    }
}

fn caseless(text: &[u8], bytes: &[u8], rarest: usize, steps: &mut Steps) -> Result<Option<usize>, Spent> {
    let (anchor, behind) = (bytes[rarest], bytes.len() - rarest - 1);
    // Where the rarest byte may stand so that the rest has room.
    let (mut at, last) = (rarest, text.len() - behind);
    let per_candidate = bytes.len() / 64;
    while let Some(window) = text.get(at..last) {
        let found = match anchor.is_ascii_alphabetic() {
            true => memchr2(anchor, anchor.to_ascii_uppercase(), window),
            false => memchr(anchor, window),
        };
        let Some(found) = found else { return Ok(None) };
        let start = at + found - rarest;
        if text[start..start + bytes.len()].eq_ignore_ascii_case(bytes) {
            return Ok(Some(start));
        }
        at += found + 1;
        if per_candidate > 0 {
            steps.take(per_candidate)?;
        }
    }
    Ok(None)
}

/// How common a byte is in what networks carry, by rule of thumb: of text, zeros and spaces there is much.
fn commonness(byte: u8) -> u8 {
    match byte {
        0 | b' ' | b'e' => 9,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 8,
        b'\r' | b'\n' | b'/' | b'.' | b'c' | b'd' | b'h' | b'l' | b'm' | b'p' | b'u' => 7,
        b'0'..=b'9' | b'a'..=b'y' => 5,
        b'=' | b'-' | b':' | b'%' | b'&' | b'"' | 0xff | 1 => 4,
        b'!'..=b'~' => 2,
        _ => 1,
    }
}
