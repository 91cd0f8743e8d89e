//! Which buffers somebody asks for.

use policy::Buffer;

/// A set of buffers: those that rules look into, and those that the log tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Wanted(u128);

impl Wanted {
    /// Every buffer.
    pub const ALL: Self = Self(u128::MAX);

    /// No buffer.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// The buffers of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set and one buffer more.
    #[must_use]
    pub const fn and(self, buffer: Buffer) -> Self {
        Self(self.0 | 1 << buffer as u8)
    }

    /// Whether somebody asks for this buffer.
    #[must_use]
    #[inline]
    pub const fn has(self, buffer: Buffer) -> bool {
        self.0 & 1 << buffer as u8 != 0
    }
}

impl FromIterator<Buffer> for Wanted {
    fn from_iter<I: IntoIterator<Item = Buffer>>(buffers: I) -> Self {
        buffers.into_iter().fold(Self::default(), Self::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it_and_nothing_else() {
        let wanted: Wanted = [Buffer::HttpUri, Buffer::Icmpv6Header].into_iter().collect();
        for buffer in Buffer::ALL {
            let put = matches!(buffer, Buffer::HttpUri | Buffer::Icmpv6Header);
            assert_eq!(wanted.has(buffer), put, "{buffer:?}");
            assert!(Wanted::ALL.has(buffer));
        }
    }
}
