//! What each role counts. One writer, its thread; any number of readers, who never hold it up.
//!
//! A role counts in plain memory and publishes once per turn. A sequence number around the published cells makes a reading
//! whole: it shows the end of some turn, so conservation holds in every reading and not only at rest. Plain loads and
//! stores of atomics, no read-modify-write: on x86 the very instructions of an unshared counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use crossbeam::utils::CachePadded;
use flow::Moment;
use inspect::DropReason;

use crate::{Counter, Role, Turned};

const COUNTERS: usize = Counter::ALL.len();
const REASONS: usize = DropReason::ALL.len();

/// One role's figures at the end of a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counts {
    totals: [u64; COUNTERS],
    drops: [u64; REASONS],
}

impl Default for Counts {
    fn default() -> Self {
        Self { totals: [0; COUNTERS], drops: [0; REASONS] }
    }
}

impl Counts {
    /// A counter's value.
    #[must_use]
    pub fn of(&self, counter: Counter) -> u64 {
        self.totals[counter as usize]
    }

    /// How many packets were dropped for `reason`.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// How many packets were dropped, for whatever reason.
    #[must_use]
    pub fn dropped_in_all(&self) -> u64 {
        self.drops.iter().sum()
    }

    /// Whether every packet that came in is accounted for.
    #[must_use]
    pub fn conserved(&self) -> bool {
        let came = self.of(Counter::Received) + self.of(Counter::Injected);
        let went = self.of(Counter::Passed) + self.of(Counter::Punted) + self.dropped_in_all();
        came == went + self.of(Counter::Held)
    }

    pub(crate) fn add(&mut self, counter: Counter, count: usize) {
        self.totals[counter as usize] += count as u64;
    }

    pub(crate) fn set(&mut self, counter: Counter, value: u64) {
        self.totals[counter as usize] = value;
    }
}

/// The writer's end of a role's figures.
#[derive(Debug, Default)]
pub struct CoreStats {
    pub(crate) counts: Counts,
    /// Whether the stage told its figures since they were shown last.
    pub(crate) stage_reported: bool,
    drops_changed: bool,
    started: Option<Moment>,
    published: Arc<CachePadded<Cells>>,
}

#[derive(Debug)]
struct Cells {
    sequence: AtomicU64,
    totals: [AtomicU64; COUNTERS],
    drops: [AtomicU64; REASONS],
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            totals: std::array::from_fn(|_| AtomicU64::new(0)),
            drops: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl CoreStats {
    /// A burst of `count` came from the source.
    pub(crate) fn received(&mut self, count: usize) {
        self.counts.add(Counter::Received, count);
        self.counts.add(Counter::Bursts, 1);
    }

    /// `count` packets were dropped for `reason`.
    pub(crate) fn dropped(&mut self, reason: DropReason, count: usize) {
        self.counts.drops[reason as usize] += count as u64;
        self.drops_changed |= count > 0;
    }

    /// Count a turn that lasted from `since` to `now`, and show the figures to readers.
    pub(crate) fn publish(&mut self, turned: Turned, since: Moment, now: Moment) {
        let totals = &mut self.counts.totals;
        if turned == Turned::Busy {
            totals[Counter::BusyTurns as usize] += 1;
            totals[Counter::BusyNanos as usize] += now.0.saturating_sub(since.0);
        } else {
            totals[Counter::IdleTurns as usize] += 1;
        }
        let started = *self.started.get_or_insert(since);
        totals[Counter::ElapsedNanos as usize] = now.0.saturating_sub(started.0);
        totals[Counter::Heartbeat as usize] = now.0;
        let (reported, dropped) =
            (std::mem::take(&mut self.stage_reported), std::mem::take(&mut self.drops_changed));
        self.published.write(&self.counts, reported, dropped);
    }
}

impl Cells {
    /// Show the loop's own figures, and of the others those that have changed.
    fn write(&self, counts: &Counts, with_stage: bool, with_drops: bool) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release); // a reader that sees a new cell sees the odd number too
        for counter in Counter::OF_EVERY_TURN {
            self.totals[counter as usize].store(counts.of(counter), Ordering::Relaxed);
        }
        if with_stage {
            for (cell, value) in self.totals.iter().zip(counts.totals) {
                cell.store(value, Ordering::Relaxed);
            }
        }
        if with_drops {
            for (cell, value) in self.drops.iter().zip(counts.drops) {
                cell.store(value, Ordering::Relaxed);
            }
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }

    fn read(&self) -> Counts {
        loop {
            let before = self.sequence.load(Ordering::Acquire);
            let counts = Counts {
                totals: std::array::from_fn(|at| self.totals[at].load(Ordering::Relaxed)),
                drops: std::array::from_fn(|at| self.drops[at].load(Ordering::Relaxed)),
            };
            fence(Ordering::Acquire); // the cells were read before the number is read again
            if before.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == before {
                return counts;
            }
            std::thread::yield_now(); // the writer is in the middle of a few dozen stores
        }
    }
}

/// The readers' end of all roles' figures.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    roles: Vec<(Role, Arc<CachePadded<Cells>>)>,
}

impl Stats {
    /// The figures of one more role; the writer's end is for its thread.
    pub fn add(&mut self, role: Role) -> CoreStats {
        let stats = CoreStats::default();
        self.roles.push((role, stats.published.clone()));
        stats
    }

    /// What every role has counted up to now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        // Receivers before their senders: else a packet could be seen to arrive that was not seen to leave.
        let mut roles: Vec<_> =
            self.roles.iter().rev().map(|(role, published)| (*role, published.read())).collect();
        roles.reverse();
        Snapshot { roles }
    }
}

/// Every role's figures, each at the end of one of its turns.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Each role's, in the order of a packet's way.
    pub roles: Vec<(Role, Counts)>,
}

impl Snapshot {
    /// Packets that came from the NIC.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.sum(Role::receives, |counts| counts.of(Counter::Received))
    }

    /// Frames that came from the control thread.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.sum(|_| true, |counts| counts.of(Counter::Injected))
    }

    /// Frames that the NIC took.
    #[must_use]
    pub fn transmitted(&self) -> u64 {
        self.sum(Role::transmits, |counts| counts.of(Counter::Passed))
    }

    /// Packets that went to the local lane.
    #[must_use]
    pub fn punted(&self) -> u64 {
        self.sum(|_| true, |counts| counts.of(Counter::Punted))
    }

    /// Packets dropped for `reason`.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.sum(|_| true, |counts| counts.dropped(reason))
    }

    /// Packets dropped, for whatever reason.
    #[must_use]
    pub fn dropped_in_all(&self) -> u64 {
        self.sum(|_| true, Counts::dropped_in_all)
    }

    /// Packets returned without inspection because an inbox was full and the operator chose to fail open.
    #[must_use]
    pub fn uninspected(&self) -> u64 {
        self.sum(|_| true, |counts| counts.of(Counter::Uninspected))
    }

    /// Packets on their way: held by a role, or between two. Zero once every role has ended.
    #[must_use]
    pub fn held(&self) -> u64 {
        let sent = self.sum(|role| !role.transmits(), |counts| counts.of(Counter::Passed));
        let arrived = self.sum(|role| !role.receives(), |counts| counts.of(Counter::Received));
        sent.saturating_sub(arrived) + self.sum(|_| true, |counts| counts.of(Counter::Held))
    }

    /// Whether received + injected = transmitted + dropped + punted + held, in each role and in all of them.
    #[must_use]
    pub fn conserved(&self) -> bool {
        let came = self.received() + self.injected();
        let went = self.transmitted() + self.dropped_in_all() + self.punted() + self.held();
        self.roles.iter().all(|(_, counts)| counts.conserved()) && came == went
    }

    fn sum(&self, which: impl Fn(Role) -> bool, figure: impl Fn(&Counts) -> u64) -> u64 {
        self.roles.iter().filter(|(role, _)| which(*role)).map(|(_, counts)| figure(counts)).sum()
    }
}
