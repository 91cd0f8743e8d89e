//! `content` and its modifiers: bytes to look for, and where.

use std::fmt;

use crate::fault::{Fault, Why, quoted};
use crate::option::field::Amount;
use crate::option::raw::RawOption;

/// Longest pattern, in bytes; the reference's lengths have 16 bits, its matcher takes 255 at most per chunk.
pub(crate) const PATTERN_MAX: usize = 8192;

/// Bytes to look for in a buffer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    /// The bytes.
    pub bytes: Box<[u8]>,
    /// `!`: the bytes must not be found where they are looked for.
    pub negated: bool,
    /// ASCII letters match in either case.
    pub nocase: bool,
    /// The match starts at the buffer's start.
    pub startswith: bool,
    /// The match ends at the buffer's end.
    pub endswith: bool,
    /// The match starts this many bytes into the buffer, or later.
    pub offset: Option<Amount>,
    /// The match ends within this many bytes, counted from `offset`.
    pub depth: Option<Amount>,
    /// The match starts this many bytes after the last match's end, or later.
    pub distance: Option<Amount>,
    /// The match ends within this many bytes after the last match's end.
    pub within: Option<Amount>,
    /// The pattern by which the rule is found among all rules.
    pub fast_pattern: Option<FastPattern>,
}

/// How a pattern serves to find its rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FastPattern {
    /// `fast_pattern`: the whole pattern, checked again in place.
    Whole,
    /// `fast_pattern:only`: the whole pattern, wherever it stands.
    Only,
    /// `fast_pattern:offset,length`: a piece of it.
    Piece(u16, u16),
}

impl Content {
    /// Reads `[!]"pattern"`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "a pattern in double quotes";
        let value = option.needed(expected)?;
        let (negated, rest) = match value.strip_prefix(b"!") {
            Some(rest) => (true, rest.trim_ascii_start()),
            None => (false, value),
        };
        let inner_option =
            RawOption { value: Some(rest), value_at: option.value_at + value.len() - rest.len(), ..*option };
        let inner = inner_option.in_quotes(expected)?;
        let bytes = pattern(inner, inner_option.value_at + 1)?;
        Ok(Self {
            bytes: bytes.into(),
            negated,
            nocase: false,
            startswith: false,
            endswith: false,
            offset: None,
            depth: None,
            distance: None,
            within: None,
            fast_pattern: None,
        })
    }

    /// Whether its place depends on where the last match ended.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.distance.is_some() || self.within.is_some()
    }

    /// What is impossible about the modifiers given so far.
    pub(crate) fn check(&self) -> Result<(), Why> {
        let absolute = self.offset.is_some() || self.depth.is_some();
        let length = self.bytes.len();
        let shorter = |amount: &Option<Amount>| matches!(amount, Some(Amount::Fixed(n)) if usize::try_from(*n).is_ok_and(|n| n < length));
        let conflict = if self.startswith && (absolute || self.is_relative()) {
            "startswith cannot be combined with offset, depth, distance or within"
        } else if absolute && self.is_relative() {
            "offset and depth count from the buffer's start, distance and within from the last match: not both"
        } else if shorter(&self.depth) {
            "depth is less than the pattern's length"
        } else if shorter(&self.within) {
            "within is less than the pattern's length"
        } else {
            return self.check_fast_pattern();
        };
        Err(Why::Conflict(conflict))
    }

    fn check_fast_pattern(&self) -> Result<(), Why> {
        let placed = self.startswith || self.offset.is_some() || self.depth.is_some() || self.is_relative();
        match self.fast_pattern {
            Some(FastPattern::Only) if placed || self.negated => {
                Err(Why::Conflict("fast_pattern:only is for patterns without a place or a negation"))
            }
            Some(_) if self.negated && placed => {
                Err(Why::Conflict("a negated pattern with a place cannot be the fast pattern"))
            }
            Some(FastPattern::Piece(offset, piece))
                if usize::from(offset) + usize::from(piece) > self.bytes.len() =>
            {
                Err(Why::Conflict("the piece for fast_pattern reaches beyond the pattern"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "content:{}\"{}\";", if self.negated { "!" } else { "" }, Quoted(&self.bytes))?;
        for (set, name) in
            [(self.nocase, "nocase"), (self.startswith, "startswith"), (self.endswith, "endswith")]
        {
            if set {
                write!(f, " {name};")?;
            }
        }
        for (amount, name) in [
            (&self.offset, "offset"),
            (&self.depth, "depth"),
            (&self.distance, "distance"),
            (&self.within, "within"),
        ] {
            if let Some(amount) = amount {
                write!(f, " {name}:{amount};")?;
            }
        }
        match self.fast_pattern {
            None => Ok(()),
            Some(FastPattern::Whole) => f.write_str(" fast_pattern;"),
            Some(FastPattern::Only) => f.write_str(" fast_pattern:only;"),
            Some(FastPattern::Piece(offset, length)) => write!(f, " fast_pattern:{offset},{length};"),
        }
    }
}

/// Prints bytes as patterns write them: letters and digits plain, the rest between bars.
pub(crate) struct Quoted<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut in_bars = false;
        for byte in self.0 {
            let plain = (byte.is_ascii_graphic() || *byte == b' ') && !b"|\";:\\".contains(byte);
            match (in_bars, plain) {
                (false, true) => write!(f, "{}", char::from(*byte))?,
                (true, true) => write!(f, "|{}", char::from(*byte))?,
                (false, false) => write!(f, "|{byte:02x}")?,
                (true, false) => write!(f, " {byte:02x}")?,
            }
            in_bars = !plain;
        }
        if in_bars { f.write_str("|") } else { Ok(()) }
    }
}

/// The bytes that a pattern between quotes stands for; `at` is where it starts.
pub(crate) fn pattern(text: &[u8], at: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().enumerate();
    while let Some((offset, byte)) = rest.next() {
        match byte {
            b'|' => hex(&mut rest, &mut bytes, at + offset)?,
            b'\\' => match rest.next() {
                Some((_, escaped @ (b'\\' | b'"' | b';' | b':'))) => bytes.push(*escaped),
                _ => return Err(escape(text, offset, at)),
            },
            b'"' => {
                let why = Why::Conflict("a double quote in a pattern must be escaped");
                return Err(Fault::new(at + offset, why).suggest(Some("write `\\\"` or `|22|`".to_owned())));
            }
            _ => bytes.push(*byte),
        }
    }
    match bytes.len() {
        0 => Err(Fault::new(at, Why::Conflict("the pattern is empty"))),
        1..=PATTERN_MAX => Ok(bytes),
        _ => Err(Fault::new(at, Why::TooMuch { what: "the bytes of a pattern", limit: PATTERN_MAX })),
    }
}

/// Reads hexadecimal digits up to the closing bar; the opening one, at `at`, has been read.
fn hex<'a>(
    rest: &mut impl Iterator<Item = (usize, &'a u8)>,
    bytes: &mut Vec<u8>,
    at: usize,
) -> Result<(), Fault> {
    let wrong = |value: &[u8]| {
        let expected = "pairs of hexadecimal digits between bars";
        Fault::new(at, Why::Value { value: quoted(value), expected })
    };
    let mut high: Option<u8> = None;
    for (_, byte) in rest {
        match (byte, char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())) {
            (b'|', _) if high.is_none() => return Ok(()),
            (b' ', _) => {}
            (_, Some(digit)) => match high.take() {
                Some(high) => bytes.push(high << 4 | digit),
                None => high = Some(digit),
            },
            _ => return Err(wrong(&[*byte])),
        }
    }
    let why = Why::Missing("the closing `|` of hexadecimal digits");
    Err(Fault::new(at, why))
}

fn escape(text: &[u8], offset: usize, at: usize) -> Fault {
    let found = quoted(text.get(offset..(offset + 2).min(text.len())).unwrap_or_default());
    let why = Why::Expected { expected: "one of `\\\\`, `\\\"`, `\\;`, `\\:`", found };
    Fault::new(at + offset, why).suggest(Some("a backslash itself is written `\\\\` or `|5c|`".to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Quoted, pattern};

    #[test]
    fn patterns_hold_text_hex_and_escapes() {
        assert_eq!(pattern(br#"a|41 4243|\"\;\:\\|0d0A|z"#, 0).unwrap(), b"aABC\";:\\\r\nz");
        assert_eq!(pattern(b"caf\xe9", 0).unwrap(), b"caf\xe9");
    }

    #[test]
    fn a_broken_pattern_says_where() {
        for (text, at, why) in [
            ("", 10, "the pattern is empty"),
            ("||", 10, "the pattern is empty"),
            ("ab|4|", 12, "`|` is not pairs of hexadecimal digits between bars"),
            ("ab|41", 12, "the closing `|` of hexadecimal digits is missing"),
            ("ab|4x|", 12, "`x` is not pairs of hexadecimal digits between bars"),
            ("a\\nb", 11, "expected one of `\\\\`, `\\\"`, `\\;`, `\\:`, found `\\n`"),
            ("a\"b", 11, "a double quote in a pattern must be escaped"),
        ] {
            let fault = pattern(text.as_bytes(), 10).unwrap_err();
            assert_eq!((fault.at, fault.why.to_string().as_str()), (at, why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_print_to_a_pattern_that_reads_back(bytes in prop::collection::vec(any::<u8>(), 1..60)) {
            prop_assert_eq!(pattern(Quoted(&bytes).to_string().as_bytes(), 0).unwrap(), bytes);
        }
    }
}
