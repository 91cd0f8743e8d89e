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
}
