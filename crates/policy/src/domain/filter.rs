//! Which hashes are surely not in a set: a Bloom filter whose bits for one hash lie in one word.

/// Bits for each hash that is in the set: of a hundred others some two are taken for one.
const BITS: usize = 10;

/// A Bloom filter of words.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter(Box<[u64]>);

impl Filter {
    /// A filter that lets these hashes through.
    pub(super) fn new(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let mut filter = Self(vec![0; hashes.len() * BITS / 64 + 1].into());
        for hash in hashes {
            let place = share(hash, filter.0.len());
            if let Some(word) = filter.0.get_mut(place) {
                *word |= bits(hash);
            }
        }
        filter
    }

    /// Whether it may be one of them.
    #[inline]
    pub(super) fn lets_through(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.0.get(share(hash, self.0.len())).is_some_and(|word| word & bits == bits)
    }

    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// Three of a word's bits, by the low bits of a hash: its high bits say which word.
#[inline]
fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63)
}

/// A place among so many, by the high bits of a hash. Ascends with it.
#[inline]
pub(super) fn share(hash: u64, places: usize) -> usize {
    usize::try_from((u128::from(hash) * places as u128) >> 64).unwrap_or(0)
}
