//! What follows a backslash outside a class, and what stands for one byte wherever it stands.

use policy::PcreFlags;

use super::RegexError;
use super::byte_set::ByteSet;
use super::node::{Node, Place};
use super::parse::{Reader, byte_node};

impl Reader<'_> {
    pub(super) fn again_named(&self, name: &[u8], flags: PcreFlags) -> Result<Node, RegexError> {
        let found = self.names.iter().find(|(known, _)| *known == name);
        let (_, group) = found.ok_or_else(|| self.wrong("it names a group that is not there"))?;
        Ok(Node::Again { group: *group, caseless: flags.caseless })
    }

    /// What follows a backslash outside a class.
    pub(super) fn escape(&mut self, flags: PcreFlags) -> Result<Node, RegexError> {
        let Some(byte) = self.next() else { return Err(self.wrong("a backslash at the end")) };
        if let Some(set) = shorthand(byte) {
            return Ok(Node::Set(set));
        }
        Ok(match byte {
            b'A' => Node::Place(Place::Start),
            b'Z' => Node::Place(Place::EndOrNewline),
            b'z' => Node::Place(Place::End),
            b'b' => Node::Place(Place::WordEdge),
            b'B' => Node::Place(Place::NoWordEdge),
            b'N' => Node::Set(ByteSet::of(b"\n").complement()),
            b'C' => Node::Set(ByteSet::ALL),
            b'R' => {
                let pair = Node::Sequence(vec![byte_node(b'\r', flags), byte_node(b'\n', flags)]);
                Node::Atomic(Box::new(Node::Choice(vec![pair, Node::Set(ByteSet::vertical())])))
            }
            b'g' => self.again_g(flags)?,
            b'k' => {
                let end = match self.next() {
                    Some(b'<') => b'>',
                    Some(b'\'') => b'\'',
                    Some(b'{') => b'}',
                    _ => return Err(self.wrong("a group's name must follow `\\k`")),
                };
                let name = self.until(end, "a group's name without an end")?;
                self.again_named(name, flags)?
            }
            b'1'..=b'9' => self.again_or_octal(flags)?,
            b'G' | b'K' | b'X' | b'p' | b'P' => {
                return Err(self.unsupported("\\G, \\K, \\X, and Unicode properties"));
            }
            _ => {
                self.at -= 1;
                byte_node(self.literal()?, flags)
            }
        })
    }

    /// `\g1`, `\g{1}`, `\g{-1}`, `\g{name}`.
    pub(super) fn again_g(&mut self, flags: PcreFlags) -> Result<Node, RegexError> {
        let name = match self.take(b"{") {
            true => self.until(b'}', "a group's name without an end")?,
            false => {
                let rest = self.rest();
                let signs = usize::from(rest.first() == Some(&b'-'));
                let length = signs + rest[signs..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                self.at += length;
                &rest[..length]
            }
        };
        let number = std::str::from_utf8(name).ok().and_then(|text| text.parse::<i64>().ok());
        match number {
            None => self.again_named(name, flags),
            Some(number) => {
                let group = if number < 0 { i64::from(self.groups) + 1 + number } else { number };
                let group = u32::try_from(group).ok().filter(|group| *group > 0);
                let group = group.ok_or_else(|| self.wrong("it names a group that is not there"))?;
                Ok(Node::Again { group, caseless: flags.caseless })
            }
        }
    }

    /// `\1` to `\9` name groups, as does a longer number of a group before it; else it is a byte in octal digits.
    pub(super) fn again_or_octal(&mut self, flags: PcreFlags) -> Result<Node, RegexError> {
        self.at -= 1;
        let start = self.at;
        let number = self.digits().unwrap_or(u32::MAX);
        let first = self.text.get(start).copied().unwrap_or_default();
        if number < 10 || first >= b'8' || number <= self.groups {
            return Ok(Node::Again { group: number, caseless: flags.caseless });
        }
        self.at = start;
        self.octal(3).map(|byte| byte_node(byte, flags))
    }

    pub(super) fn octal(&mut self, most: usize) -> Result<u8, RegexError> {
        let rest = self.rest();
        let digits = rest.iter().take(most).take_while(|byte| matches!(byte, b'0'..=b'7'));
        let (length, value) = digits
            .fold((0, 0u32), |(length, value), digit| (length + 1, value * 8 + u32::from(digit - b'0')));
        self.at += length;
        u8::try_from(value).map_err(|_| self.wrong("a character above \\377"))
    }

    /// An escape that stands for one byte, wherever it stands.
    pub(super) fn literal(&mut self) -> Result<u8, RegexError> {
        let Some(byte) = self.next() else { return Err(self.wrong("a backslash at the end")) };
        Ok(match byte {
            b'a' => 7,
            b'e' => 27,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => self.octal(2)?,
            b'o' if self.take(b"{") => {
                let digits = self.until(b'}', "digits without an end")?;
                number(digits, 8).ok_or_else(|| self.wrong("a character above 255"))?
            }
            b'x' if self.take(b"{") => {
                let digits = self.until(b'}', "digits without an end")?;
                number(digits, 16).ok_or_else(|| self.wrong("a character above 255"))?
            }
            b'x' => {
                let rest = self.rest();
                let length = rest.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
                self.at += length;
                number(&rest[..length], 16).unwrap_or_default()
            }
            b'c' => match self.next() {
                Some(control) if control.is_ascii_graphic() || control == b' ' => {
                    control.to_ascii_uppercase() ^ 64
                }
                _ => return Err(self.wrong("a printable character must follow `\\c`")),
            },
            _ if byte.is_ascii_alphanumeric() => return Err(self.wrong("an unknown escape")),
            _ => byte,
        })
    }
}

/// The set that a letter after a backslash stands for, in a class or outside.
pub(super) fn shorthand(letter: u8) -> Option<ByteSet> {
    let set = match letter.to_ascii_lowercase() {
        b'd' => ByteSet::digits(),
        b'w' => ByteSet::word(),
        b's' => ByteSet::space(),
        b'h' => ByteSet::horizontal(),
        b'v' => ByteSet::vertical(),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { set.complement() } else { set })
}

pub(super) fn number(digits: &[u8], radix: u32) -> Option<u8> {
    match std::str::from_utf8(digits).ok()?.trim_matches(' ') {
        "" => Some(0),
        text => u8::try_from(u32::from_str_radix(text, radix).ok()?).ok(),
    }
}
