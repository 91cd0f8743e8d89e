//! What all workers remember together: marks on addresses, how often rules have matched, which names lead where, what was
//! odd, and which packets there are.
//!
//! Tables of a fixed size that nobody locks ([`Table`]). Two workers that write one slot in the same instant may lose one of
//! the two writes: a mark then is as if it had come a moment later, a count is one short. No order beyond that is needed,
//! because nothing else is published through a slot.

use std::hash::{BuildHasher, Hash};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam::queue::ArrayQueue;
use flow::Moment;
use foldhash::quality::RandomState;
use policy::{Tag, TagAmount, Threshold, ThresholdKind};

use super::groups::{Example, GROUPS_MAX};
use super::tags::end;
use crate::app::Anomaly;
use crate::table::{Key, Table};
use crate::truth::Memory;

/// Sets of eight slots in one table.
const SETS: usize = 1 << 12;
/// Sets of tagged hosts; a tag takes a slot.
const TAG_SETS: usize = 1 << 9;
/// How long a host stays tagged that is counted in packets or bytes: as long as the reference keeps a host.
const TAG_SECONDS: u64 = 3600;
/// Attempts to count before another worker is let win.
const ATTEMPTS: usize = 8;

/// The memory that workers share.
#[derive(Debug)]
pub(crate) struct Shared {
    hasher: RandomState,
    marks: Table,
    counts: Table,
    tags: Table,
    /// Until when some host is tagged at the latest.
    tagged_until: AtomicU64,
    /// There once an endpoint's names are held against what DNS said of them.
    names: OnceLock<Memory>,
    anomalies: [AtomicU64; Anomaly::COUNT],
    /// Packets for which groups were made; of too many the oldest are forgotten.
    met: ArrayQueue<Example>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            hasher: RandomState::default(),
            marks: Table::new(SETS),
            counts: Table::new(SETS),
            tags: Table::new(TAG_SETS),
            tagged_until: AtomicU64::new(0),
            names: OnceLock::new(),
            anomalies: std::array::from_fn(|_| AtomicU64::new(0)),
            met: ArrayQueue::new(GROUPS_MAX),
        }
    }
}

impl Shared {
    /// The key of anything; never 0.
    pub(super) fn key(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of).max(1)
    }

    /// Sets a mark until a moment.
    pub(super) fn mark(&self, key: u64, now: Moment, seconds: u32) {
        let until = later(now, seconds);
        if let Some(slot) = self.marks.claim(Key::of(key), now.0, until) {
            slot.until.store(until, Relaxed);
        }
    }

    /// Whether a mark is set.
    pub(super) fn is_marked(&self, key: u64, now: Moment) -> bool {
        self.marks.find(Key::of(key)).is_some_and(|slot| slot.until.load(Relaxed) > now.0)
    }

    /// Takes a mark away.
    pub(super) fn unmark(&self, key: u64) {
        if let Some(slot) = self.marks.find(Key::of(key)) {
            slot.until.store(0, Relaxed);
        }
    }

    /// Counts one match, and says whether it is to be told.
    pub(super) fn tells(&self, threshold: &Threshold, key: u64, now: Moment) -> bool {
        let Threshold { kind, count, multiplier, .. } = *threshold;
        let seconds = if kind == ThresholdKind::Backoff { u32::MAX } else { threshold.seconds };
        let counted = self.count(key, now, seconds, |value| match kind {
            // What is counted starts anew with each that is told.
            ThresholdKind::Threshold if value >= count => 1,
            _ => value.saturating_add(1),
        });
        match kind {
            ThresholdKind::Limit => counted <= count,
            ThresholdKind::Threshold | ThresholdKind::Both => counted == count,
            ThresholdKind::Backoff => {
                let mut next = count;
                while next < counted && multiplier > 1 {
                    next = next.saturating_mul(multiplier);
                }
                next == counted
            }
        }
    }

    /// Counts one match, and says whether there were more than `most` in the time.
    pub(super) fn exceeds(&self, most: u32, seconds: u32, key: u64, now: Moment) -> bool {
        self.count(key, now, seconds, |value| value.saturating_add(1)) > most
    }

    /// Tags a host: whose address the key is of.
    pub(super) fn tag(&self, address: impl Hash, tag: &Tag, now: Moment) {
        let until = match tag.amount {
            TagAmount::Seconds => end(tag, now).0,
            TagAmount::Packets | TagAmount::Bytes => now.0.saturating_add(TAG_SECONDS * 1_000_000_000),
        };
        let key = self.key((address, tag.amount as u8));
        if let Some(slot) = self.tags.claim(Key::of(key), now.0, until) {
            slot.until.fetch_max(until, Relaxed);
            slot.value.fetch_max(tag.count.into(), Relaxed);
            self.tagged_until.fetch_max(until, Relaxed);
        }
    }

    /// Whether some host may be tagged.
    #[inline]
    pub(crate) fn has_tags(&self, now: Moment) -> bool {
        self.tagged_until.load(Relaxed) > now.0
    }

    /// Whether a packet of so many bytes, from or to that address, is to be told; it counts.
    pub(crate) fn take_tagged(&self, address: impl Hash + Copy, bytes: u16, now: Moment) -> bool {
        let mut taken = false;
        for (amount, of_it) in
            [(TagAmount::Packets, 1), (TagAmount::Bytes, u64::from(bytes)), (TagAmount::Seconds, 0)]
        {
            let slot = self.tags.find(Key::of(self.key((address, amount as u8))));
            let Some(slot) = slot.filter(|slot| slot.until.load(Relaxed) > now.0) else { continue };
            let left = slot.value.load(Relaxed);
            taken |= left > 0;
            // Two workers that count in the same instant may count once.
            slot.value.store(left.saturating_sub(of_it), Relaxed);
        }
        taken
    }

    /// Which names lead where, if somebody wants to know.
    pub(crate) fn names(&self) -> Option<&Memory> {
        self.names.get()
    }

    /// Remember which names lead where from now on. Takes memory: not for a data core.
    pub(super) fn remember_names(&self) {
        self.names.get_or_init(Memory::default);
    }

    /// Remembers packets for which a group was made.
    pub(super) fn meet(&self, example: Example) {
        self.met.force_push(example);
    }

    /// What was met since the last call.
    pub(super) fn take_met(&self) -> Vec<Example> {
        std::iter::from_fn(|| self.met.pop()).take(GROUPS_MAX).collect()
    }

    /// Counts an anomaly.
    pub(crate) fn count_anomaly(&self, anomaly: Anomaly) {
        if let Some(count) = self.anomalies.get(anomaly as usize) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// How often each anomaly was seen.
    pub(super) fn anomalies(&self) -> impl Iterator<Item = (Anomaly, u64)> {
        Anomaly::all().zip(&self.anomalies).map(|(anomaly, count)| (anomaly, count.load(Relaxed)))
    }

    /// How many marks, counts and tags gave way to others before their time.
    pub(crate) fn evicted(&self) -> u64 {
        [&self.marks, &self.counts, &self.tags].iter().map(|table| table.evicted()).sum()
    }

    fn count(&self, key: u64, now: Moment, seconds: u32, next: impl Fn(u32) -> u32) -> u32 {
        let until = later(now, seconds);
        let Some(slot) = self.counts.claim(Key::of(key), now.0, until) else { return 1 };
        for _ in 0..ATTEMPTS {
            let ends = slot.until.load(Relaxed);
            if ends <= now.0 {
                slot.value.store(1, Relaxed);
                slot.until.store(until, Relaxed);
                return 1;
            }
            let before = slot.value.load(Relaxed);
            let after = next(u32::try_from(before).unwrap_or(u32::MAX));
            if slot.value.compare_exchange(before, after.into(), Relaxed, Relaxed).is_ok() {
                return after;
            }
        }
        1
    }
}

fn later(now: Moment, seconds: u32) -> u64 {
    now.0.saturating_add(u64::from(seconds).saturating_mul(1_000_000_000))
}
