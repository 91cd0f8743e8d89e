//! From a hash to the place of a record: buckets of one cache line, and two of them for every hash.
//!
//! ```text
//! bucket   [ hash 4 × 8 | place 4 × 8 ]   64 bytes: a look-up reads one line, seldom two
//! hash ──▶ its first bucket, unless that fills up; then the emptier of the two
//! ```
//! Why not a hash table of the usual kind: one look-up in it reads a line of tags and a line of entries, which a million
//! flows keep out of every cache, and a table that flows come to and leave must be cleaned of marks of removed entries
//! now and then, in one go. Buckets have neither marks nor clean-ups, and all of them are one block of memory, which may
//! lie on huge pages. The choice of two buckets keeps them from overflowing: of full ones there is one in 4000 when the
//! table is as full as it gets, and an entry needs both of its own to be full to find no room (one in ten million).

/// Entries of a bucket.
const WAYS: usize = 8;
/// Entries per bucket when the table is full.
const MEAN: usize = 4;
/// A first bucket that holds as many is compared with the second.
const CROWDED: usize = 6;
/// Buckets beside: small tables spread badly.
const SPARE: usize = 16;
/// The place of an empty entry.
const EMPTY: u32 = u32::MAX;

/// Both buckets of a hash are full.
#[derive(Debug)]
pub(crate) struct Full;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    hashes: [u32; WAYS],
    places: [u32; WAYS],
}

#[derive(Debug)]
pub(crate) struct Index {
    buckets: Vec<Bucket>,
}

impl Index {
    /// Room for so many flows; all memory is taken, and touched, here.
    pub(crate) fn new(flows: usize) -> Self {
        let empty = Bucket { hashes: [0; WAYS], places: [EMPTY; WAYS] };
        Self { buckets: vec![empty; flows.div_ceil(MEAN) + SPARE] }
    }

    /// The place of the first entry with this hash that `matches`.
    pub(crate) fn find(&self, hash: u32, mut matches: impl FnMut(u32) -> bool) -> Option<u32> {
        let first = self.find_in(self.first(hash), hash, &mut matches);
        first.or_else(|| self.find_in(self.second(hash), hash, &mut matches))
    }

    /// The first half of a look-up: the first bucket of a hash, and a number of it, which means nothing, but for which it
    /// is loaded.
    #[inline]
    pub(crate) fn touch(&self, hash: u32) -> (usize, u32) {
        let first = self.first(hash);
        (first, self.buckets[first].hashes[0])
    }

    /// The second half: the place of the first entry with this hash, given its first bucket.
    #[inline]
    pub(crate) fn find_from(&self, first: usize, hash: u32) -> Option<u32> {
        self.find_in(first, hash, &mut |_| true).or_else(|| self.find_second(hash))
    }

    #[cold]
    fn find_second(&self, hash: u32) -> Option<u32> {
        self.find_in(self.second(hash), hash, &mut |_| true)
    }

    /// Add an entry; its place is not `u32::MAX`.
    pub(crate) fn insert(&mut self, hash: u32, place: u32) -> Result<(), Full> {
        let (first, second) = (self.first(hash), self.second(hash));
        let (held, held_second) = (self.buckets[first].len(), self.buckets[second].len());
        let chosen = if held < CROWDED || held <= held_second { first } else { second };
        let bucket = &mut self.buckets[chosen];
        let way = bucket.places.iter().position(|place| *place == EMPTY).ok_or(Full)?;
        (bucket.hashes[way], bucket.places[way]) = (hash, place);
        Ok(())
    }

    /// Remove the entry of this hash and place.
    pub(crate) fn remove(&mut self, hash: u32, place: u32) {
        for bucket in [self.first(hash), self.second(hash)] {
            let bucket = &mut self.buckets[bucket];
            if let Some(way) = bucket.places.iter().position(|held| *held == place) {
                (bucket.hashes[way], bucket.places[way]) = (0, EMPTY);
                return;
            }
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    #[inline]
    fn find_in(&self, bucket: usize, hash: u32, matches: &mut impl FnMut(u32) -> bool) -> Option<u32> {
        let Bucket { hashes, places } = &self.buckets[bucket];
        // All eight are compared at once; a branch for each would be guessed wrong half the time. A byte for each rather
        // than a bit, which the compiler makes vectors of.
        let mut alike = (0..WAYS)
            .fold(0_u64, |alike, way| alike | if hashes[way] == hash { 0xff << (8 * way) } else { 0 });
        while alike != 0 {
            let way = alike.trailing_zeros() / 8;
            let place = places[way as usize % WAYS];
            if place != EMPTY && matches(place) {
                return Some(place);
            }
            alike &= !(0xff << (8 * way));
        }
        None
    }

    /// The first bucket of a hash. The hash is spread, as one worker's agree in their top bits, by which packets are
    /// steered.
    #[inline]
    fn first(&self, hash: u32) -> usize {
        self.place_of(spread(hash))
    }

    /// The second, never the same.
    #[inline]
    fn second(&self, hash: u32) -> usize {
        let second = self.place_of(spread(hash).wrapping_mul(0xd6e8_feb8_6659_fd93));
        if second == self.first(hash) { (second + 1) % self.buckets.len() } else { second }
    }

    #[inline]
    fn place_of(&self, spread: u64) -> usize {
        (((spread >> 32) * self.buckets.len() as u64) >> 32) as usize
    }
}

#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Bucket {
    fn len(&self) -> usize {
        self.places.iter().filter(|place| **place != EMPTY).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes as good as random, all different.
    fn hash(n: u32) -> u32 {
        (n ^ n >> 15).wrapping_mul(0x2c1b_3c6d).rotate_left(13).wrapping_mul(0x297a_2d39)
    }

    #[test]
    fn a_full_index_has_room_for_every_flow_and_finds_each_through_changes() {
        const FLOWS: u32 = 100_000;
        let mut index = Index::new(FLOWS as usize);
        for n in 0..FLOWS {
            assert!(index.insert(hash(n), n).is_ok(), "{n}");
        }
        for n in 0..4 * FLOWS {
            index.remove(hash(n), n % FLOWS);
            assert!(index.insert(hash(n + FLOWS), n % FLOWS).is_ok(), "{n}");
        }
        for n in 4 * FLOWS..5 * FLOWS {
            assert_eq!(index.find(hash(n), |_| true), Some(n % FLOWS));
            assert_eq!(index.find(hash(n - FLOWS), |place| place == n % FLOWS), None);
        }
    }

    #[test]
    fn entries_of_one_hash_are_told_apart_by_their_places_until_two_buckets_are_full() {
        let mut index = Index::new(1000);
        let held = (0..).take_while(|place| index.insert(7, *place).is_ok()).count();
        assert_eq!(held, 2 * WAYS);
        index.remove(7, 3);
        assert_eq!(index.find(7, |place| place == 3), None);
        assert_eq!(index.find(7, |place| place == 15), Some(15));
        assert!(index.insert(7, 3).is_ok());
    }

    #[test]
    fn hashes_that_agree_in_their_top_bits_fill_all_buckets() {
        let mut index = Index::new(10_000);
        assert!((0..10_000).all(|n| index.insert(hash(n) >> 6, n).is_ok()));
    }
}
