//! A set of bytes: what one place of an expression may match.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every byte.
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut set = Self::default();
        bytes.iter().for_each(|byte| set.add(*byte, *byte));
        set
    }

    pub(super) fn range(first: u8, last: u8) -> Self {
        let mut set = Self::default();
        set.add(first, last);
        set
    }

    pub(super) fn add(&mut self, first: u8, last: u8) {
        for byte in first..=last {
            self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] & 1 << (byte % 64) != 0
    }

    pub(super) fn or(self, other: Self) -> Self {
        let mut words = self.0;
        words.iter_mut().zip(other.0).for_each(|(own, more)| *own |= more);
        Self(words)
    }

    pub(super) fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// The set with the other case of each letter in it.
    pub(super) fn in_either_case(self) -> Self {
        let letters = (b'a'..=b'z').zip(b'A'..=b'Z');
        letters
            .filter(|(low, high)| self.has(*low) || self.has(*high))
            .fold(self, |set, (low, high)| set.or(Self::of(&[low, high])))
    }

    /// The ranges that make it, lowest first.
    pub(super) fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in (0..=u8::MAX).filter(|byte| self.has(*byte)) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(byte) => *last = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }

    /// `\d`
    pub(super) fn digits() -> Self {
        Self::range(b'0', b'9')
    }

    /// `\w`
    pub(super) fn word() -> Self {
        Self::digits().or(Self::range(b'a', b'z')).or(Self::range(b'A', b'Z')).or(Self::of(b"_"))
    }

    /// `\s`
    pub(super) fn space() -> Self {
        Self::of(b"\t\n\x0b\x0c\r ")
    }

    /// `\h`
    pub(super) fn horizontal() -> Self {
        Self::of(b"\t \xa0")
    }

    /// `\v`
    pub(super) fn vertical() -> Self {
        Self::of(b"\n\x0b\x0c\r\x85")
    }

    /// The set that a POSIX class names.
    pub(super) fn posix(name: &[u8]) -> Option<Self> {
        let letters = Self::range(b'a', b'z').or(Self::range(b'A', b'Z'));
        Some(match name {
            b"alpha" => letters,
            b"digit" => Self::digits(),
            b"alnum" => letters.or(Self::digits()),
            b"upper" => Self::range(b'A', b'Z'),
            b"lower" => Self::range(b'a', b'z'),
            b"space" => Self::space(),
            b"blank" => Self::of(b"\t "),
            b"cntrl" => Self::range(0, 31).or(Self::of(b"\x7f")),
            b"graph" => Self::range(b'!', b'~'),
            b"print" => Self::range(b' ', b'~'),
            b"punct" => (b'!'..=b'~')
                .filter(u8::is_ascii_punctuation)
                .fold(Self::default(), |set, byte| set.or(Self::of(&[byte]))),
            b"xdigit" => Self::digits().or(Self::range(b'a', b'f')).or(Self::range(b'A', b'F')),
            b"word" => Self::word(),
            b"ascii" => Self::range(0, 127),
            _ => return None,
        })
    }
}
