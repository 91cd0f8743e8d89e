//! From a hash to the place of a record: hashbrown tables of (hash, place), many small ones instead of a big one.
//!
//! Why many: a hashbrown table that flows come to and leave collects marks of removed entries, and when they have used
//! its room it is rehashed as a whole, or, if more than half full, *doubled*: an unbounded pause and an allocation amid
//! traffic (measured: after the table's content changed 1.3 times at load 0.7, ten times at 0.5). A part of 4096 buckets
//! that never holds more than half of its room rehashes in place, in some 20 µs, and never allocates.

use hashbrown::HashTable;

/// Where in the slab a record is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Entry {
    hash: u32,
    place: u32,
}

/// Buckets of one part.
const BUCKETS: usize = 4096;
/// Room of one part: hashbrown fills 7/8 of its buckets.
const ROOM: usize = BUCKETS / 8 * 7;
/// Most entries of one part: beyond half of its room hashbrown would grow instead of rehashing in place.
const MOST: usize = ROOM / 2 - 1;
/// Entries per part when the table is full. The parts fill at random (standard deviation 39): 6.5 of them stay below `MOST`.
const MEAN: usize = 1536;

/// A part is full: there is no room for another flow.
#[derive(Debug)]
pub(crate) struct Full;

#[derive(Debug)]
pub(crate) struct Index {
    parts: Vec<HashTable<Entry>>,
}

/// Spread the hash over 64 bits: hashbrown takes places from the low ones and tags from the top seven, the part comes
/// from the middle. One worker's hashes agree in their top bits, by which packets are steered.
#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Index {
    /// Room for so many flows; all memory is taken, and touched, here.
    pub(crate) fn new(flows: usize) -> Self {
        let part = || {
            let mut part = HashTable::with_capacity(ROOM);
            for nth in 0..MOST {
                // Every page of it once, so that no packet meets a page fault.
                part.insert_unique((nth * BUCKETS / MOST) as u64, Entry { hash: 0, place: 0 }, |_| 0);
            }
            part.clear();
            part
        };
        Self { parts: std::iter::repeat_with(part).take(flows.div_ceil(MEAN).max(1)).collect() }
    }

    /// Which part a hash belongs to: less than their number, since a 32-bit fraction of it.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the product's top half is below the number of parts"
    )]
    fn part_of(&self, spread: u64) -> usize {
        ((u64::from((spread >> 25) as u32) * self.parts.len() as u64) >> 32) as usize
    }

    /// The place of the first entry with this hash that `matches`.
    #[inline]
    pub(crate) fn find(&self, hash: u32, mut matches: impl FnMut(u32) -> bool) -> Option<u32> {
        let spread = spread(hash);
        let part = self.parts.get(self.part_of(spread))?;
        part.find(spread, |entry| entry.hash == hash && matches(entry.place)).map(|entry| entry.place)
    }

    pub(crate) fn insert(&mut self, hash: u32, place: u32) -> Result<(), Full> {
        let spread_hash = spread(hash);
        let part = self.part_of(spread_hash);
        let part = self.parts.get_mut(part).ok_or(Full)?;
        if part.len() >= MOST {
            return Err(Full);
        }
        part.insert_unique(spread_hash, Entry { hash, place }, |entry| spread(entry.hash));
        Ok(())
    }

    pub(crate) fn remove(&mut self, hash: u32, place: u32) {
        let spread = spread(hash);
        let part = self.part_of(spread);
        if let Some(part) = self.parts.get_mut(part)
            && let Ok(entry) = part.find_entry(spread, |entry| entry.place == place)
        {
            entry.remove();
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.parts.iter().map(HashTable::allocation_size).sum::<usize>()
            + self.parts.capacity() * size_of::<HashTable<Entry>>()
    }
}
