//! The seeded hash of flow keys: a few folded multiplications with secrets.
//!
//! Attackers choose tuples, so without the secrets nobody may say which keys collide. A folded multiplication (64 × 64
//! bits, both halves of the product XORed) costs about a nanosecond for a whole key; SipHash costs fifteen.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::FlowKey;

/// Hashes keys for steering and for the flow table. All cores must hold the same one.
#[derive(Clone, Copy, Debug)]
pub struct FlowHasher {
    secrets: [u64; 4],
    /// Odd numbers made of them.
    factors: [u64; 6],
}

impl FlowHasher {
    /// A hasher with these secrets; tests and benches choose them.
    #[must_use]
    pub fn new(secrets: [u64; 4]) -> Self {
        let [s0, s1, s2, s3] = secrets;
        let factors = [s0, s1, s2, s3, s0.rotate_left(32), s1.rotate_left(32)].map(|secret| secret | 1);
        Self { secrets, factors }
    }

    /// A hasher with secrets from the operating system's random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self::new(std::array::from_fn(|_| RandomState::new().build_hasher().finish()))
    }

    /// The hash of a key. Steer with the high half: the flow table takes its place from the low bits.
    #[must_use]
    #[inline]
    pub fn hash(&self, key: &FlowKey) -> u32 {
        let [s0, s1, s2, s3] = self.secrets;
        let [a, b, c] = key.near.words();
        let mut hash = fold(fold(a ^ s0, b ^ s1) ^ c, s2);
        if key.version() != 4 {
            let [d, e, f] = key.far.words();
            hash = fold(fold(hash ^ d, e ^ s3) ^ f, s0);
        }
        narrow(hash)
    }

    /// A mark of an encapsulation: it changes when any byte of the GENEVE header, the node's address or the UDP source
    /// port does (but for one change in 2^32), and is never 0.
    #[must_use]
    #[inline]
    pub fn mark(&self, geneve: &[u8], node: [u8; 4], udp_source_port: u16) -> u32 {
        let outer = u64::from(u32::from_le_bytes(node)) << 16 | u64::from(udp_source_port);
        match geneve.try_into() {
            Ok(usual) => self.mark_usual(usual, outer),
            Err(_) => self.mark_any(geneve, outer),
        }
    }

    /// A header of the length that GWLB's have: a sum of products, each word with a factor of its own. What changes in one
    /// word changes the sum, since the factors are odd.
    #[inline]
    fn mark_usual(&self, geneve: &[u8; 40], outer: u64) -> u32 {
        let [f0, f1, f2, f3, f4, f5] = self.factors;
        let words = geneve.as_chunks::<8>().0;
        let product = |at: usize, factor: u64| {
            words.get(at).map_or(0, |word| u64::from_le_bytes(*word).wrapping_mul(factor))
        };
        let [a, b, c] = [product(0, f0), product(1, f1), product(2, f2)];
        let [d, e, f] = [product(3, f3), product(4, f4), outer.wrapping_mul(f5)];
        narrow(a.wrapping_add(b).wrapping_add(c).wrapping_add(d).wrapping_add(e).wrapping_add(f)).max(1)
    }

    #[cold]
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    fn mark_any(&self, geneve: &[u8], outer: u64) -> u32 {
        let [s0, s1, s2, s3] = self.secrets;
        let mut hash = outer;
        let Some(last) = geneve.last_chunk::<16>() else {
            let bytes =
                geneve.iter().fold(geneve.len() as u64, |bytes, byte| fold(bytes ^ u64::from(*byte), s3));
            return narrow(fold(hash ^ bytes, s0)).max(1);
        };
        // Each pair of words is folded by itself, so that the multiplications overlap; turned secrets tell their places
        // apart. The last sixteen bytes are read once more: they hold what the pairs leave over.
        let mut turn = 0;
        for pair in geneve.as_chunks::<16>().0.iter().chain([last]) {
            let pair = u128::from_le_bytes(*pair);
            hash ^= fold(pair as u64 ^ s1.rotate_left(turn), (pair >> 64) as u64 ^ s2.rotate_left(turn));
            turn += 5;
        }
        hash ^= fold(geneve.len() as u64 ^ s3, s1);
        narrow(fold(hash, s0)).max(1)
    }
}

/// The high and the low half of the product, XORed.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
fn narrow(hash: u64) -> u32 {
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::{Address, EndpointId, FiveTuple};

    fn key(n: u32) -> FlowKey {
        let tuple = FiveTuple {
            source: Address::from(std::net::Ipv4Addr::from(0x0a00_0000 + n)),
            destination: Address::from(std::net::Ipv4Addr::new(192, 0, 2, 80)),
            source_port: 40_000,
            destination_port: 443,
            protocol: 6,
            version: 4,
        };
        FlowKey::new(EndpointId(7), &tuple).0
    }

    #[test]
    fn neighbouring_keys_spread_over_both_halves_of_the_hash() {
        let hasher =
            FlowHasher::new([0x1234_5678_9abc_def1, 0x0fed_cba9_8765_4321, 0x5555_1111_7777_3333, 99]);
        let (mut high, mut low) = ([0_u32; 64], [0_u32; 64]);
        for n in 0..64_000 {
            let hash = hasher.hash(&key(n));
            high[hash as usize >> 26] += 1;
            low[hash as usize & 63] += 1;
        }
        for count in high.into_iter().chain(low) {
            assert!((800..1200).contains(&count), "1000 expected, {count} found"); // more than six standard deviations
        }
    }

    #[test]
    fn two_random_hashers_disagree() {
        assert_ne!(FlowHasher::random().secrets, FlowHasher::random().secrets);
    }

    proptest! {
        #[test]
        fn a_mark_sees_every_byte(mut header in prop::collection::vec(any::<u8>(), 8..260), at: prop::sample::Index, to in 1_u8..) {
            let hasher = FlowHasher::new([3, 5, 0x1234_5678_9abc_def1, 0x0fed_cba9_8765_4321]);
            let before = hasher.mark(&header, [10, 0, 0, 1], 4000);
            prop_assert_ne!(before, hasher.mark(&header, [10, 0, 0, 2], 4000));
            prop_assert_ne!(before, hasher.mark(&header, [10, 0, 0, 1], 4001));
            let at = at.index(header.len());
            header[at] ^= to;
            prop_assert_ne!(before, hasher.mark(&header, [10, 0, 0, 1], 4000));
        }
    }
}
