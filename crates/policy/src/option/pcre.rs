//! `pcre`: a regular expression, split into its text, its flags and the buffer that a flag may name.
//!
//! Only split here: the matcher compiles the expression, and refuses what it cannot bound.

use std::fmt;

use crate::fault::{Fault, Why, quoted};
use crate::option::buffer::Buffer;
use crate::option::raw::RawOption;

/// A regular expression to match in a buffer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pcre {
    /// The expression between the slashes, escapes untouched.
    pub expression: Box<[u8]>,
    /// `!`: it must not match.
    pub negated: bool,
    /// `R`: matching starts where the last match ended.
    pub relative: bool,
    /// What the flags say of the expression.
    pub flags: PcreFlags,
    /// What `, flow:name` after the flags wants kept of the groups.
    pub captures: Vec<String>,
}

/// The flags that change what an expression means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PcreFlags {
    /// `i`: letters match in either case.
    pub caseless: bool,
    /// `s`: a dot matches a newline too.
    pub dot_all: bool,
    /// `m`: `^` and `$` match at lines.
    pub multi_line: bool,
    /// `x`: white space and comments in the expression do not count.
    pub extended: bool,
    /// `A`: matches at the start alone.
    pub anchored: bool,
    /// `E`: `$` matches at the very end alone.
    pub dollar_end_only: bool,
    /// `G`: repetitions take as little as they can.
    pub ungreedy: bool,
}

const BUFFERS: [(u8, Buffer); 13] = [
    (b'U', Buffer::HttpUri),
    (b'I', Buffer::HttpUriRaw),
    (b'P', Buffer::HttpRequestBody),
    (b'Q', Buffer::FileData),
    (b'H', Buffer::HttpHeader),
    (b'D', Buffer::HttpHeaderRaw),
    (b'M', Buffer::HttpMethod),
    (b'C', Buffer::HttpCookie),
    (b'S', Buffer::HttpStatCode),
    (b'Y', Buffer::HttpStatMsg),
    (b'V', Buffer::HttpUserAgent),
    (b'W', Buffer::HttpHost),
    (b'Z', Buffer::HttpHostRaw),
];

impl Pcre {
    /// Reads `[!]"/expression/flags[,captures]"`. Also gives the buffer that a flag names.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<(Self, Option<Buffer>), Fault> {
        let expected = "an expression `\"/…/flags\"`";
        let value = option.needed(expected)?;
        let (negated, rest) = match value.strip_prefix(b"!") {
            Some(rest) => (true, rest.trim_ascii_start()),
            None => (false, value),
        };
        let quoted_option = RawOption { value: Some(rest), ..*option };
        let inner = quoted_option.in_quotes(expected)?;
        let body = inner.strip_prefix(b"/").ok_or_else(|| option.wrong(expected))?;
        let end = body.iter().rposition(|byte| *byte == b'/').ok_or_else(|| option.wrong(expected))?;
        let (expression, tail) =
            (body.get(..end).unwrap_or_default(), body.get(end + 1..).unwrap_or_default());
        if expression.is_empty() {
            return Err(Fault::new(option.value_at, Why::Conflict("the expression is empty")));
        }
        let mut pcre = Self {
            expression: expression.into(),
            negated,
            relative: false,
            flags: PcreFlags::default(),
            captures: Vec::new(),
        };
        let mut tail = tail.split(|byte| *byte == b',');
        let tail_at = option.value_at + value.len() - 1 - (inner.len() - end - 2);
        let buffer = pcre.take_flags(tail.next().unwrap_or_default().trim_ascii(), tail_at)?;
        for capture in tail {
            pcre.captures.push(String::from_utf8_lossy(capture.trim_ascii()).into_owned());
        }
        Ok((pcre, buffer))
    }

    fn take_flags(&mut self, flags: &[u8], at: usize) -> Result<Option<Buffer>, Fault> {
        let mut buffer = None;
        for (offset, flag) in flags.iter().enumerate() {
            match flag {
                b'i' => self.flags.caseless = true,
                b's' => self.flags.dot_all = true,
                b'm' => self.flags.multi_line = true,
                b'x' => self.flags.extended = true,
                b'A' => self.flags.anchored = true,
                b'E' => self.flags.dollar_end_only = true,
                b'G' => self.flags.ungreedy = true,
                b'R' => self.relative = true,
                // Raw bytes are what we look at anyway, and the matcher's bounds are not a rule's to lift.
                b'B' | b'O' => {}
                _ => match BUFFERS.iter().find(|(letter, _)| letter == flag) {
                    Some((_, named)) if buffer.is_none_or(|buffer| buffer == *named) => buffer = Some(*named),
                    Some(_) => {
                        return Err(Fault::new(at + offset, Why::Conflict("two flags name a buffer")));
                    }
                    None => {
                        let expected = "a flag of a regular expression";
                        return Err(Fault::new(
                            at + offset,
                            Why::Value { value: quoted(&[*flag]), expected },
                        ));
                    }
                },
            }
        }
        Ok(buffer)
    }
}

impl fmt::Display for Pcre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expression: String = match std::str::from_utf8(&self.expression) {
            Ok(text) => text.to_owned(),
            Err(_) => self.expression.iter().copied().map(char::from).collect(),
        };
        write!(f, "pcre:{}\"/{expression}/", if self.negated { "!" } else { "" })?;
        let PcreFlags { caseless, dot_all, multi_line, extended, anchored, dollar_end_only, ungreedy } =
            self.flags;
        for (set, letter) in [
            (self.relative, 'R'),
            (caseless, 'i'),
            (dot_all, 's'),
            (multi_line, 'm'),
            (extended, 'x'),
            (anchored, 'A'),
            (dollar_end_only, 'E'),
            (ungreedy, 'G'),
        ] {
            if set {
                write!(f, "{letter}")?;
            }
        }
        for capture in &self.captures {
            write!(f, ",{capture}")?;
        }
        f.write_str("\";")
    }
}
