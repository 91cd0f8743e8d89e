//! A table of a fixed size that all workers share without locking it.
//!
//! ```text
//!  key ─▶ set of eight slots ─▶ [ key | until | value ]     three words, each atomic
//! ```
//! A slot belongs to a key until its time is over; then whoever needs one takes it. Where all eight are taken the one that
//! ends soonest gives way, which is counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Slots that belong together: a key stands in one of them.
const WAYS: usize = 8;

/// Where a key is looked for, and by which number it is known. Sets are counted round.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Key {
    pub(crate) set: usize,
    pub(crate) number: u64,
}

impl Key {
    /// A key that may stand in any set, which its upper half chooses.
    pub(crate) fn of(number: u64) -> Self {
        Self { set: usize::try_from(number >> 32).unwrap_or(0), number }
    }
}

/// Slots by key.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Box<[Slot]>,
    evicted: AtomicU64,
}

/// What is known of a key. Moments are nanoseconds, as of [`flow::Moment`].
#[derive(Debug, Default)]
pub(crate) struct Slot {
    key: AtomicU64,
    /// When its time is over.
    pub(crate) until: AtomicU64,
    pub(crate) value: AtomicU64,
}

impl Table {
    /// A table of so many sets.
    pub(crate) fn new(sets: usize) -> Self {
        Self { slots: (0..sets * WAYS).map(|_| Slot::default()).collect(), evicted: AtomicU64::new(0) }
    }

    /// How many keys gave way to others before their time.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Relaxed)
    }

    /// The key's slot, if it has one.
    pub(crate) fn find(&self, key: Key) -> Option<&Slot> {
        self.set(key).iter().find(|slot| slot.key.load(Relaxed) == key.number)
    }

    /// The key's slot: its own, a free one, or that of the key whose time is over first.
    pub(crate) fn claim(&self, key: Key, now: u64, until: u64) -> Option<&Slot> {
        if let Some(slot) = self.find(key) {
            return Some(slot);
        }
        let slot = self.set(key).iter().min_by_key(|slot| slot.until.load(Relaxed))?;
        let before = slot.key.load(Relaxed);
        if slot.until.load(Relaxed) > now {
            self.evicted.fetch_add(1, Relaxed);
        }
        slot.key.compare_exchange(before, key.number, Relaxed, Relaxed).ok()?;
        slot.value.store(0, Relaxed);
        slot.until.store(until, Relaxed);
        Some(slot)
    }

    fn set(&self, key: Key) -> &[Slot] {
        let at = key.set % (self.slots.len() / WAYS).max(1) * WAYS;
        self.slots.get(at..at + WAYS).unwrap_or_default()
    }
}
