//! The Internet checksum (RFC 1071): the one's complement sum of 16-bit words.
//!
//! ```text
//! bytes   |w0|w1|w2|w3|w4|w5|w6|w7|...|odd|     summed eight bytes at a time in the machine's own order: the sum of
//! lanes   \____u64____/\____u64____/  \pad/     swapped words is the swapped sum (RFC 1071 §2B), so one swap at the
//! folded  64 -> 32 -> 16 bits, end-around       end serves all. A 8,568-byte frame is 1,071 additions.
//! ```

use std::net::Ipv4Addr;

/// A running sum. Parts may be added in any order, but only the last may have an odd length.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checksum(u64);

impl Checksum {
    /// Add `bytes`, an odd last byte being padded with zero (RFC 1071 §4.1).
    #[inline]
    #[must_use]
    pub fn over(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut sum = self.0;
        for word in words {
            let word = u64::from_ne_bytes(*word);
            // 32-bit halves into 64 bits: a carry would need 2^32 words, more than a frame or a buffer has.
            sum = sum.wrapping_add(word & 0xffff_ffff).wrapping_add(word >> 32);
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        let last = u64::from_ne_bytes(last);
        Self(sum.wrapping_add(last & 0xffff_ffff).wrapping_add(last >> 32))
    }

    /// Add the pseudo-header of UDP or TCP over IPv4 (RFC 768, RFC 9293 §3.1).
    #[must_use]
    pub fn over_pseudo_v4(self, source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, len: u16) -> Self {
        let [high, low] = len.to_be_bytes();
        self.over(&source.octets()).over(&destination.octets()).over(&[0, protocol, high, low])
    }

    /// The checksum to put into a header whose own field was zero while it was summed.
    #[must_use]
    pub fn finish(self) -> u16 {
        !self.fold()
    }

    /// Whether what was summed, its checksum field included, is right.
    #[inline]
    #[must_use]
    pub fn is_right(self) -> bool {
        self.fold() == 0xffff
    }

    fn fold(self) -> u16 {
        let mut sum = self.0;
        for _ in 0..4 {
            sum = (sum & 0xffff).wrapping_add(sum >> 16);
        }
        // The words were summed in the machine's order.
        u16::from_be((sum & 0xffff) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of RFC 1071 §1, word by word.
    fn by_the_book(bytes: &[u8]) -> u16 {
        let mut sum: u32 = 0;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap()
    }

    #[test]
    fn the_example_of_rfc_1071_sums_up() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Checksum::default().over(&bytes).finish(), !0xddf2);
    }

    #[test]
    fn every_length_up_to_a_jumbo_frame_sums_as_the_book_says() {
        let bytes: Vec<u8> = (0..9001_u32).map(|i| u8::try_from(i * 7919 % 251).unwrap()).collect();
        for len in (0..70).chain([1499, 1500, 8567, 8568, 9001]) {
            assert_eq!(
                Checksum::default().over(&bytes[..len]).finish(),
                by_the_book(&bytes[..len]),
                "{len} bytes"
            );
        }
        assert_eq!(Checksum::default().over(&[0xff; 9000]).finish(), 0, "the greatest sum does not overflow");
    }

    #[test]
    fn parts_of_even_length_may_be_added_one_by_one() {
        let bytes: Vec<u8> = (0..=255).collect();
        let whole = Checksum::default().over(&bytes);
        let parts = Checksum::default().over(&bytes[..6]).over(&bytes[6..42]).over(&bytes[42..]);
        assert_eq!(whole.finish(), parts.finish());
    }
}
