//! From a hash to the place of a record: buckets of one cache line, two of them for every hash, and as many as the flows
//! of now need.
//!
//! ```text
//! bucket   [ hash 4 × 8 | place 4 × 8 ]   64 bytes: a look-up reads one line, seldom two
//! hash ──▶ its first bucket, unless that fills up; then the emptier of the two
//!
//! buckets  [ in use, split already │ in use, to be split │ the halves of those │ not in use yet … ]
//! ```
//! Why not a hash table of the usual kind: one look-up in it reads a line of tags and a line of entries, which a million
//! flows keep out of every cache, and a table that flows come to and leave must be cleaned of marks of removed entries
//! now and then, in one go. Buckets have neither marks nor clean-ups, and all of them are one block of memory, which may
//! lie on huge pages. The choice of two buckets keeps them from overflowing: of full ones there is one in 4000 when the
//! table is as full as it gets, and an entry needs both of its own to be full to find no room (one in ten million).
//!
//! Why it grows, though its memory is taken at start: ten thousand flows spread over the buckets of a million lie each in a
//! line, and nearly each in a page, of its own. So buckets come into use one at a time, by linear hashing: with every second
//! new flow one bucket gives half of its entries to a new one. It does not shrink: buckets of flows that are gone stay in
//! use.

/// Entries of a bucket.
const WAYS: usize = 8;
/// Entries per bucket in use beyond which it grows. A bucket that waits to be split holds twice as many.
const GROWS_AT: usize = 2;
/// A first bucket that holds as many is compared with the second.
const CROWDED: usize = 6;
/// Buckets beside: small tables spread badly.
const SPARE: usize = 16;
/// Least buckets in use: by their number's lowest bits a hash's two buckets differ.
const FEWEST: usize = 16;
/// What stands for the place of an empty entry; other places are kept as one more than they are.
const EMPTY: u32 = 0;

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
    /// A power of two.
    buckets: Vec<Bucket>,
    /// Buckets in use.
    used: usize,
    /// The bits of the numbers of buckets in use: one less than a power of two.
    bits: usize,
    entries: usize,
}

impl Index {
    /// Room for so many flows; all memory is taken, and touched, here: 14 to 29 bytes each. When it is as full as it gets,
    /// a bucket has 2.2 to 4.4 entries.
    pub(crate) fn new(flows: usize) -> Self {
        let buckets = (flows * 9 / 40 + SPARE).next_power_of_two();
        Self { buckets: vec![Bucket::EMPTY; buckets], used: FEWEST, bits: 2 * FEWEST - 1, entries: 0 }
    }

    /// The place of the first entry with this hash that `matches`.
    pub(crate) fn find(&self, hash: u32, mut matches: impl FnMut(u32) -> bool) -> Option<u32> {
        let places = |bucket: usize| {
            let Bucket { hashes, places } = &self.buckets[bucket];
            hashes.iter().zip(places).filter(|(held, place)| **held == hash && **place != EMPTY)
        };
        let both = places(self.first(hash)).chain(places(self.second(hash)));
        both.map(|(_, place)| place - 1).find(|place| matches(*place))
    }

    /// The first part of a look-up: the number of a hash's first bucket.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "there are less than 2^32 buckets")]
    pub(crate) fn first_number(&self, hash: u32) -> u32 {
        self.first(hash) as u32
    }

    /// The second: a number of this bucket, which means nothing, but for which it is loaded.
    #[inline]
    pub(crate) fn touch(&self, bucket: u32) -> u32 {
        self.buckets.get(bucket as usize).map_or(0, |bucket| bucket.hashes[0])
    }

    /// The third: where the entry with this hash may be; `u32::MAX` if there is none. A
    /// guess: of two entries with one hash it finds neither.
    #[inline]
    pub(crate) fn guess(&self, first: u32, hash: u32) -> u32 {
        let guess = self.buckets.get(first as usize).map_or(EMPTY, |bucket| bucket.guess(hash));
        if guess == EMPTY { self.guess_second(hash) } else { guess - 1 }
    }

    #[cold]
    fn guess_second(&self, hash: u32) -> u32 {
        self.buckets[self.second(hash)].guess(hash).wrapping_sub(1)
    }

    /// Add an entry; its place is not `u32::MAX`.
    pub(crate) fn insert(&mut self, hash: u32, place: u32) -> Result<(), Full> {
        let (first, second) = (self.first(hash), self.second(hash));
        let (held, held_second) = (self.buckets[first].len(), self.buckets[second].len());
        let chosen = if held < CROWDED || held <= held_second { first } else { second };
        self.buckets[chosen].insert(hash, place + 1)?;
        self.entries += 1;
        if self.entries > GROWS_AT * self.used && self.used < self.buckets.len() {
            self.split();
        }
        Ok(())
    }

    /// Remove the entry of this hash and place.
    pub(crate) fn remove(&mut self, hash: u32, place: u32) {
        for bucket in [self.first(hash), self.second(hash)] {
            if self.buckets[bucket].remove(place + 1) {
                self.entries -= 1;
                return;
            }
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    /// Take one more bucket into use: of the bucket that had its entries up to now, those go there that belong there.
    fn split(&mut self) {
        let new = self.used;
        let old = new & self.bits >> 1;
        self.used += 1;
        let Bucket { hashes, places } = self.buckets[old];
        for (hash, place) in hashes.into_iter().zip(places).filter(|(_, place)| *place != EMPTY) {
            // Each of an entry's two buckets is where it was, or the new one in place of the old.
            let stays = self.first(hash) == old || self.second(hash) == old;
            if !stays && self.buckets[new].insert(hash, place).is_ok() {
                self.buckets[old].remove(place);
            }
        }
        if self.used > self.bits {
            self.bits = 2 * self.bits + 1;
        }
    }

    /// The first bucket of a hash. The hash is spread, as one worker's agree in their top bits, by which packets are
    /// steered.
    #[inline]
    fn first(&self, hash: u32) -> usize {
        self.bucket(spread(hash))
    }

    /// The second, never the same.
    #[inline]
    fn second(&self, hash: u32) -> usize {
        let first = spread(hash);
        let second = spread(hash.rotate_left(16) ^ 0x5bd1_e995);
        let alike = (first ^ second).is_multiple_of(FEWEST);
        self.bucket(second ^ usize::from(alike))
    }

    /// The bucket of this number; before it is in use, the one that it splits from.
    #[inline]
    fn bucket(&self, number: usize) -> usize {
        let bucket = number & self.bits;
        if bucket < self.used { bucket } else { bucket & self.bits >> 1 }
    }
}

/// A bucket's number, of which as many bits count as there are buckets in use.
#[inline]
fn spread(hash: u32) -> usize {
    (u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

impl Bucket {
    const EMPTY: Self = Self { hashes: [0; WAYS], places: [EMPTY; WAYS] };

    /// All eight are compared at once; a branch for each would be guessed wrong half the time.
    #[inline]
    fn guess(&self, hash: u32) -> u32 {
        (0..WAYS)
            .fold(EMPTY, |guess, way| guess | if self.hashes[way] == hash { self.places[way] } else { EMPTY })
    }

    fn len(&self) -> usize {
        self.places.iter().filter(|place| **place != EMPTY).count()
    }

    fn insert(&mut self, hash: u32, place: u32) -> Result<(), Full> {
        let way = self.places.iter().position(|held| *held == EMPTY).ok_or(Full)?;
        (self.hashes[way], self.places[way]) = (hash, place);
        Ok(())
    }

    /// Whether it held the place.
    fn remove(&mut self, place: u32) -> bool {
        let way = self.places.iter().position(|held| *held == place);
        if let Some(way) = way {
            (self.hashes[way], self.places[way]) = (0, EMPTY);
        }
        way.is_some()
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
    fn every_flow_is_found_at_every_size_that_the_index_grows_through() {
        let mut index = Index::new(20_000);
        for n in 0..20_000 {
            assert!(index.insert(hash(n), n).is_ok(), "{n}");
            if n % 97 == 0 {
                assert!((0..=n).all(|n| index.find(hash(n), |place| place == n) == Some(n)), "{n}");
            }
        }
        assert_eq!(index.used, index.buckets.len());
        let guessed =
            (0..20_000).filter(|n| index.guess(index.first_number(hash(*n)), hash(*n)) == *n).count();
        assert!(guessed > 19_900, "{guessed}");
    }

    #[test]
    fn few_flows_use_few_buckets() {
        let mut index = Index::new(1 << 20);
        assert!((0..10_000).all(|n| index.insert(hash(n), n).is_ok()));
        assert_eq!(index.used, 10_000 / GROWS_AT);
        assert!((0..1 << 20).map(hash).all(|hash| index.first(hash).max(index.second(hash)) < index.used));
        assert!((0..1 << 20).map(hash).all(|hash| index.first(hash) != index.second(hash)));
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
