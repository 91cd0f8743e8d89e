//! Packets and bytes of one direction of a flow, in twelve bytes.

/// Two counters of 48 bits: at 100 Gbit/s the bytes wrap after six hours of one flow per 2^48 = 281 TB.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    packets_low: u32,
    bytes_low: u32,
    packets_high: u16,
    bytes_high: u16,
}

impl Tally {
    /// One packet more, of so many bytes.
    #[inline]
    pub(crate) fn add(&mut self, bytes: u16) {
        let (packets, carry) = self.packets_low.overflowing_add(1);
        self.packets_low = packets;
        self.packets_high = self.packets_high.wrapping_add(u16::from(carry));
        let (bytes, carry) = self.bytes_low.overflowing_add(u32::from(bytes));
        self.bytes_low = bytes;
        self.bytes_high = self.bytes_high.wrapping_add(u16::from(carry));
    }

    /// Packets seen.
    #[must_use]
    pub fn packets(&self) -> u64 {
        u64::from(self.packets_high) << 32 | u64::from(self.packets_low)
    }

    /// Bytes of inner packets seen, by their own headers' lengths.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.bytes_high) << 32 | u64::from(self.bytes_low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_carry_beyond_32_bits() {
        let mut tally =
            Tally { packets_low: u32::MAX, bytes_low: u32::MAX - 99, packets_high: 0, bytes_high: 3 };
        tally.add(1500);
        assert_eq!((tally.packets(), tally.bytes()), (1 << 32, (4 << 32) + 1400));
    }
}
