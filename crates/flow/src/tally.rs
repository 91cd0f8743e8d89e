//! Packets and bytes of one direction of a flow, in twelve bytes.

/// Two counters of 48 bits side by side, added to in one go: bytes below, packets above. At 100 Gbit/s the bytes are full
/// after six hours of one flow, at 2^48 = 281 TB; they then begin anew and count one packet too many.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C, packed(4))]
pub struct Tally {
    low: u64,
    high: u32,
}

/// Bits of the bytes.
const BYTES: u32 = 48;

impl Tally {
    /// One packet more, of so many bytes.
    #[inline]
    pub(crate) fn add(&mut self, bytes: u16) {
        let (low, carry) = self.low.overflowing_add(1 << BYTES | u64::from(bytes));
        self.low = low;
        self.high = self.high.wrapping_add(carry.into());
    }

    /// Packets seen.
    #[must_use]
    pub fn packets(&self) -> u64 {
        u64::from(self.high) << (64 - BYTES) | self.low >> BYTES
    }

    /// Bytes of inner packets seen, by their own headers' lengths.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.low & ((1 << BYTES) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_carry_from_one_part_to_the_other() {
        let mut tally = Tally { low: 0xffff << BYTES | u64::from(u32::MAX - 99), high: 3 };
        tally.add(1500);
        assert_eq!((tally.packets(), tally.bytes()), (4 << 16, (1 << 32) + 1400));
    }
}
