//! Reads a message from its start: every step says whether the bytes were there.

/// What is left of a message. A step that fails takes nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array::<3>().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Bytes behind their length in one byte.
    pub(crate) fn vector8(&mut self) -> Option<&'a [u8]> {
        self.atomic(|reader| reader.u8().and_then(|length| reader.take(length.into())))
    }

    /// Bytes behind their length in two bytes.
    pub(crate) fn vector16(&mut self) -> Option<&'a [u8]> {
        self.atomic(|reader| reader.u16().and_then(|length| reader.take(length.into())))
    }

    /// Bytes behind their length in three bytes.
    pub(crate) fn vector24(&mut self) -> Option<&'a [u8]> {
        self.atomic(|reader| {
            let length = reader.u24()?;
            reader.take(usize::try_from(length).ok()?)
        })
    }

    /// An integer whose first two bits tell its length (RFC 9000 §16).
    pub(crate) fn varint(&mut self) -> Option<u64> {
        self.atomic(|reader| {
            let first = reader.u8()?;
            let more = reader.take((1 << (first >> 6)) - 1)?;
            Some(more.iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte)))
        })
    }

    fn atomic<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = *self;
        let value = read(self);
        if value.is_none() {
            *self = before;
        }
        value
    }
}

/// The 16-bit numbers of a list, in the order in which they stand; half a number at the end is none.
pub(crate) fn numbers(list: &[u8]) -> impl Iterator<Item = u16> + Clone {
    list.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_fails_takes_nothing() {
        let mut reader = Reader::new(&[0, 3, 1, 2]);
        assert_eq!(reader.vector16(), None);
        assert_eq!(reader.vector24(), None);
        assert_eq!(reader.rest(), [0, 3, 1, 2]);
        assert_eq!(reader.u16(), Some(3));
        assert_eq!(reader.vector8(), Some(&[2][..]));
        assert!(reader.is_empty());
    }

    #[test]
    fn varints_are_those_of_rfc_9000_appendix_a_1() {
        let cases: [(&[u8], u64); 4] = [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
        ];
        for (bytes, value) in cases {
            assert_eq!(Reader::new(bytes).varint(), Some(value));
            assert_eq!(Reader::new(&bytes[..bytes.len() - 1]).varint(), None);
        }
    }
}
