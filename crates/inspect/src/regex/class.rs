//! Classes: `[a-z\s]`, those of POSIX included.

use policy::PcreFlags;

use super::RegexError;
use super::byte_set::ByteSet;
use super::escape::shorthand;
use super::parse::Reader;

impl Reader<'_> {
    /// A class, after its `[`.
    pub(super) fn class(&mut self, flags: PcreFlags) -> Result<ByteSet, RegexError> {
        let negated = self.take(b"^");
        let (mut set, mut first) = (ByteSet::default(), true);
        loop {
            if self.take(b"\\Q") {
                while self.peek().is_some() && !self.take(b"\\E") {
                    if let Some(byte) = self.next() {
                        (first, set) = (false, set.or(ByteSet::of(&[byte])));
                    }
                }
                continue;
            }
            if self.take(b"\\E") {
                continue;
            }
            let Some(byte) = self.next() else { return Err(self.wrong("`[` without `]`")) };
            if byte == b']' && !first {
                break;
            }
            first = false;
            match self.class_item(byte)? {
                Item::Set(more) => set = set.or(more),
                Item::Byte(low) => match self.range_end(low)? {
                    Some(high) => set.add(low, high),
                    None => set.add(low, low),
                },
            }
        }
        if flags.caseless {
            set = set.in_either_case();
        }
        Ok(if negated { set.complement() } else { set })
    }

    fn class_item(&mut self, byte: u8) -> Result<Item, RegexError> {
        match byte {
            b'[' if matches!(self.peek(), Some(b':')) && self.posix_end().is_some() => {
                self.posix().map(Item::Set)
            }
            b'[' if matches!(self.peek(), Some(b'.' | b'=')) && self.collates() => {
                Err(self.unsupported("collating elements"))
            }
            b'\\' => match self.next() {
                None => Err(self.wrong("a backslash at the end")),
                Some(b'b') => Ok(Item::Byte(8)),
                Some(b'1'..=b'9') => {
                    self.at -= 1;
                    self.octal(3).map(Item::Byte)
                }
                Some(byte) => match shorthand(byte) {
                    Some(set) => Ok(Item::Set(set)),
                    None if matches!(byte, b'p' | b'P') => Err(self.unsupported("Unicode properties")),
                    None => {
                        self.at -= 1;
                        self.literal().map(Item::Byte)
                    }
                },
            },
            _ => Ok(Item::Byte(byte)),
        }
    }

    /// The end of a range whose low end was read, if a hyphen makes one here.
    fn range_end(&mut self, low: u8) -> Result<Option<u8>, RegexError> {
        let start = self.at;
        if !self.take(b"-") {
            return Ok(None);
        }
        let high = match self.next() {
            None | Some(b']') => None,
            Some(byte) => match self.class_item(byte)? {
                Item::Byte(high) => Some(high),
                Item::Set(_) => None,
            },
        };
        match high {
            Some(high) if low > high => Err(self.wrong("a range runs backwards")),
            Some(high) => Ok(Some(high)),
            // A hyphen before a class or the end stands for itself.
            None => {
                self.at = start;
                Ok(None)
            }
        }
    }

    fn posix_end(&self) -> Option<usize> {
        let rest = self.rest().get(1..)?;
        let length = rest.iter().position(|byte| !byte.is_ascii_alphabetic() && *byte != b'^')?;
        rest[length..].starts_with(b":]").then_some(length)
    }

    fn posix(&mut self) -> Result<ByteSet, RegexError> {
        let length = self.posix_end().unwrap_or_default();
        let name = self.rest().get(1..=length).unwrap_or_default();
        self.at += length + 3;
        let (negated, name) = match name.strip_prefix(b"^") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let set = ByteSet::posix(name).ok_or_else(|| self.wrong("an unknown POSIX class"))?;
        Ok(if negated { set.complement() } else { set })
    }

    fn collates(&self) -> bool {
        let rest = self.rest();
        rest.windows(2).skip(1).take(40).any(|pair| pair[0] == rest[0] && pair[1] == b']')
    }
}

/// What one place of a class is.
enum Item {
    Byte(u8),
    Set(ByteSet),
}
