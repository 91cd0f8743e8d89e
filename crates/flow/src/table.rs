//! One worker's flows: an index from hash to place, and a slab of records.
//!
//! ```text
//! burst ─▶ 1. touch every bucket, ─▶ 2. touch every record ─▶ 3. packet by packet: compare the key, count, judge
//!             then look up (index)      (slab, first line)       (everything is in the cache by now)
//! ```
//! Why passes: a miss costs some 100 ns; done for a whole burst they overlap (DESIGN.md, "flow", has the figures).
//! All memory is taken and touched at start; nothing here allocates afterwards.

use std::hint::black_box;

use crate::candidates::NONE;
use crate::encapsulation::Headers;
use crate::index::Index;
use crate::record::Record;
use crate::settings::{IdleTicks, Midstream, Settings};
use crate::sweep::Sweep;
use crate::tick::Tick;
use crate::{
    Account, BURST, Candidates, Change, Course, Direction, Encapsulation, EndReason, Ended, FlowHasher,
    FlowKey, Hint, Moment, Sighting, Tracked, Wrapping,
};

/// Why a packet has no flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoFlow {
    /// Every record is taken.
    #[error("the flow table is full")]
    TableFull,
    /// A TCP packet amid a connection that the table does not know, and [`Midstream::Drop`].
    #[error("a TCP packet without a flow that is not a SYN")]
    Midstream,
}

/// Flows of one worker. `M` is what the caller remembers of each, in four bytes.
#[derive(Debug)]
pub struct FlowTable<M> {
    index: Index,
    slab: Vec<Record<M>>,
    vacant: u32,
    flows: usize,
    headers: Headers,
    headers_lost: u64,
    hasher: FlowHasher,
    idle: IdleTicks,
    midstream: Midstream,
    sweep: Sweep,
    /// What the newest packet changed that changed anything. Here, since it is too much to be handed over with each packet.
    change: Change<M>,
}

impl<M: Copy + Default> FlowTable<M> {
    /// An empty table with all its memory.
    #[must_use]
    pub fn new(settings: &Settings, hasher: FlowHasher) -> Self {
        const { assert!(size_of::<Record<M>>() == 128, "the caller's memo has more than four bytes") };
        let flows = u32::try_from(settings.flows).unwrap_or(u32::MAX).clamp(1, 1 << 28);
        let next = |place: u32| if place + 1 == flows { NONE } else { place + 1 };
        Self {
            index: Index::new(flows as usize),
            slab: (0..flows).map(|place| Record::vacant(next(place))).collect(),
            vacant: 0,
            flows: 0,
            headers: Headers::new(flows / 256 + 1),
            headers_lost: 0,
            hasher,
            idle: IdleTicks::new(&settings.timeouts),
            midstream: settings.midstream,
            sweep: Sweep::default(),
            change: Change::default(),
        }
    }

    /// The passes over a burst that need no packet: find where its flows may be and have those cache lines loaded.
    ///
    /// Of more than [`BURST`] hashes the rest is ignored, and their packets are looked up one by one.
    #[must_use]
    #[inline]
    pub fn look_ahead(&self, hashes: impl IntoIterator<Item = u32>) -> Candidates {
        let (mut candidates, mut burst, mut count) = (Candidates::NONE, [0; BURST], 0);
        for ((kept, bucket), hash) in burst.iter_mut().zip(&mut candidates.0).zip(hashes) {
            (*kept, *bucket) = (hash, self.index.first_number(hash));
            count += 1;
        }
        // Two loops of loads and nothing else: the processor looks some 250 instructions ahead, and should see all of them.
        let buckets = candidates.0.iter().take(count);
        black_box(buckets.fold(0, |touched, bucket| touched ^ self.index.touch(*bucket)));
        for (candidate, hash) in candidates.0.iter_mut().zip(burst).take(count) {
            *candidate = self.index.guess(*candidate, hash);
        }
        let touch = |place: &u32| self.slab.get(*place as usize).map_or(0, |record| record.near.words()[0]);
        black_box(candidates.0.iter().take(count).fold(0, |touched, place| touched ^ touch(place)));
        candidates
    }

    /// What the caller remembers of the flows that [`look_ahead`](Self::look_ahead) found: hints, as they are.
    #[inline]
    pub fn memos(&self, candidates: &Candidates) -> impl Iterator<Item = M> {
        candidates.0.into_iter().filter_map(|place| Some(self.slab.get(place as usize)?.memo))
    }

    /// The third pass, for a packet that is but one packet more of a flow, wrapped like
    /// the one before it, and `wanted` says so of what the caller remembers: nearly every packet is. It is counted, and
    /// that is all. Else nothing is changed, and [`track`](Self::track) is to be asked.
    #[inline(always)] // what is passed would go through memory
    pub fn pass(
        &mut self,
        now: Moment,
        hint: Hint,
        packet: &Sighting<'_>,
        wanted: impl FnOnce(M) -> bool,
    ) -> bool {
        let tick = Tick::at(now);
        let Some(record) = self.slab.get_mut(hint.0 as usize) else { return false };
        let is_plain = record.holds(packet.key)
            && record.marks[packet.direction as usize] == packet.mark
            && wanted(record.memo)
            && record.state.stays(
                packet.key.is_tcp(),
                packet.tcp_flags,
                packet.direction == record.initiator(),
            )
            && !self.idle.is_past(record, tick);
        if is_plain {
            record.count(tick, packet.direction, packet.bytes);
        }
        is_plain
    }

    /// The third pass for every packet: count it to its flow, which may begin with it.
    ///
    /// `encapsulation` is asked only when the packet's mark is not the newest that its direction has shown, or the
    /// flow is new.
    ///
    /// # Errors
    /// [`NoFlow`] if the packet would begin a flow that cannot or must not be. Nothing is changed then.
    #[inline]
    pub fn track<'e>(
        &mut self,
        now: Moment,
        Hint(hint): Hint,
        packet: &Sighting<'_>,
        encapsulation: impl FnOnce() -> Option<Encapsulation<'e>>,
    ) -> Result<Tracked<'_, M>, NoFlow> {
        debug_assert_eq!(packet.hash, self.hasher.hash(packet.key), "another hasher's hash");
        let tick = Tick::at(now);
        let (place, changed) = match self.slab.get(hint as usize) {
            Some(record) if record.holds(packet.key) && self.is_plain(tick, record, packet) => {
                (hint as usize, false)
            }
            // By value: what is passed by reference would have to be in memory for every packet.
            _ => self.place_of_other((now, hint), *packet, encapsulation)?,
        };
        let Self { slab, change, .. } = self;
        let record = &mut slab[place];
        let initiator = record.initiator();
        let from_initiator = packet.direction == initiator;
        record.state = record.state.next(packet.key.is_tcp(), packet.tcp_flags, from_initiator);
        record.count(tick, packet.direction, packet.bytes);
        let Record { memo, tallies, first_seen, state, .. } = record;
        let course = Course { initiator, state: *state, tallies, first_seen };
        Ok(Tracked { memo, change: changed.then_some(change), course })
    }

    /// Visit the records that are due since the last call, at most `budget`, and hand over the flows that have ended.
    /// The whole table is visited every four seconds, if the budget allows.
    pub fn expire(&mut self, now: Moment, budget: usize, mut ended: impl FnMut(Ended<M>)) {
        let tick = Tick::at(now);
        for place in self.sweep.due(now, budget) {
            let record = &self.slab[place];
            if record.is_occupied() && self.idle.is_past(record, tick) {
                let why = EndReason::of(record.state);
                ended(self.end(now, place, why));
            }
        }
    }

    /// Forget a flow, so that its next packet begins another. What it was, if there was one.
    pub fn flush(&mut self, now: Moment, hash: u32, key: &FlowKey) -> Option<Ended<M>> {
        let place = self.find(hash, key)?;
        Some(self.end(now, place, EndReason::Flushed))
    }

    /// What is known of every flow, in no particular order. Not for a data core: it reads the whole table.
    pub fn accounts(&self, now: Moment) -> impl Iterator<Item = Account<M>> {
        self.slab.iter().filter(|record| record.is_occupied()).map(move |record| Account::new(record, now))
    }

    /// What is known of a flow.
    #[must_use]
    pub fn account(&self, key: &FlowKey, now: Moment) -> Option<Account<M>> {
        self.find(self.hasher.hash(key), key).map(|place| Account::new(&self.slab[place], now))
    }

    /// The hash of a key that is not a frame's outermost.
    #[must_use]
    pub fn hash(&self, key: &FlowKey) -> u32 {
        self.hasher.hash(key)
    }

    /// A flow whose packet was tracked already: what the caller remembers of it, and how far it has come.
    pub fn again(&mut self, key: &FlowKey) -> Option<(&mut M, Course<'_>)> {
        let place = self.find(self.hasher.hash(key), key)?;
        let record = self.slab.get_mut(place)?;
        let initiator = record.initiator();
        let Record { memo, tallies, first_seen, state, .. } = record;
        Some((memo, Course { initiator, state: *state, tallies, first_seen }))
    }

    /// How far a flow has come.
    #[must_use]
    pub fn course(&self, key: &FlowKey) -> Option<Course<'_>> {
        let record = &self.slab[self.find(self.hasher.hash(key), key)?];
        let Record { tallies, first_seen, state, .. } = record;
        Some(Course { initiator: record.initiator(), state: *state, tallies, first_seen })
    }

    /// How to wrap a packet that is injected into a flow in this direction: as GWLB wrapped the newest of that
    /// direction, or, before there was one, the newest of the other (AWS's own sample does so; one cookie serves both).
    #[must_use]
    pub fn wrapping(&self, key: &FlowKey, direction: Direction) -> Option<Wrapping> {
        let record = &self.slab[self.find(self.hasher.hash(key), key)?];
        record
            .wrapping(direction, &self.headers)
            .or_else(|| record.wrapping(direction.opposite(), &self.headers))
    }

    /// Flows now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flows
    }

    /// Whether there is no flow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows == 0
    }

    /// Unusual headers that could not be kept exactly, because the store for them was full.
    #[must_use]
    pub fn headers_lost(&self) -> u64 {
        self.headers_lost
    }

    /// Bytes taken at start, all of them.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.index.memory() + self.slab.capacity() * size_of::<Record<M>>() + self.headers.memory()
    }

    /// Where the flow is of a packet that is not plain, or not where the hint says, and whether the packet changed it.
    #[cold]
    fn place_of_other<'e>(
        &mut self,
        (now, hint): (Moment, u32),
        packet: Sighting<'_>,
        encapsulation: impl FnOnce() -> Option<Encapsulation<'e>>,
    ) -> Result<(usize, bool), NoFlow> {
        let tick = Tick::at(now);
        let hinted = self.slab.get(hint as usize).filter(|record| record.holds(packet.key));
        let place = hinted.map(|_| hint as usize).or_else(|| self.find(packet.hash, packet.key));
        match place {
            Some(place) if self.is_plain(tick, &self.slab[place], &packet) => Ok((place, false)),
            Some(place) => Ok((self.look_closer((now, place), &packet, encapsulation())?, true)),
            None => Ok((self.begin(tick, &packet, encapsulation())?, true)),
        }
    }

    fn find(&self, hash: u32, key: &FlowKey) -> Option<usize> {
        let holds = |place: u32| self.slab.get(place as usize).is_some_and(|record| record.holds(key));
        self.index.find(hash, holds).map(|place| place as usize)
    }

    /// Whether this is but one packet more of a flow, wrapped like the one before it: nearly every packet is.
    #[inline]
    fn is_plain(&self, tick: Tick, record: &Record<M>, packet: &Sighting<'_>) -> bool {
        record.marks[packet.direction as usize] == packet.mark
            && !(packet.opens() && record.state.is_over())
            && !self.idle.is_past(record, tick)
    }

    /// A packet that is not plain: the flow may have ended unnoticed and this one begin the next of the same key, or
    /// GWLB wraps it otherwise now.
    fn look_closer(
        &mut self,
        (now, place): (Moment, usize),
        packet: &Sighting<'_>,
        encapsulation: Option<Encapsulation<'_>>,
    ) -> Result<usize, NoFlow> {
        let tick = Tick::at(now);
        let record = &self.slab[place];
        let other_cookie = match (record.cookie(packet.direction), &encapsulation) {
            (Some(cookie), Some(new)) => cookie != new.cookie,
            _ => false,
        };
        self.change = Change { cookie_changed: other_cookie, ..Change::default() };
        let ended = if self.idle.is_past(record, tick) || (packet.opens() && record.state.is_over()) {
            Some(EndReason::of(record.state))
        } else {
            // GWLB forgot the flow and the client used its ports again: a SYN under a new cookie.
            (packet.opens() && other_cookie).then_some(EndReason::Replaced)
        };
        if let Some(why) = ended {
            self.admit(packet)?;
            let record = &mut self.slab[place];
            self.change.ended = Some(Ended { why, flow: Account::new(record, now) });
            self.change.is_new = true;
            self.change.is_midstream = packet.is_midstream();
            record.forget_headers(&mut self.headers);
            *record = Record::new(packet.key, packet.first(), tick);
        }
        self.refresh(place, packet, encapsulation);
        Ok(place)
    }

    /// The first packet of a flow.
    fn begin(
        &mut self,
        tick: Tick,
        packet: &Sighting<'_>,
        encapsulation: Option<Encapsulation<'_>>,
    ) -> Result<usize, NoFlow> {
        self.admit(packet)?;
        let vacant = self.vacant;
        let place = vacant as usize;
        let record = self.slab.get_mut(place).ok_or(NoFlow::TableFull)?;
        self.index.insert(packet.hash, vacant).map_err(|_| NoFlow::TableFull)?;
        self.vacant = record.last_seen.0;
        *record = Record::new(packet.key, packet.first(), tick);
        self.flows += 1;
        self.sweep.reaches(place);
        self.change = Change { is_new: true, is_midstream: packet.is_midstream(), ..Change::default() };
        self.refresh(place, packet, encapsulation);
        Ok(place)
    }

    fn admit(&self, packet: &Sighting<'_>) -> Result<(), NoFlow> {
        let refused = self.midstream == Midstream::Drop && packet.is_midstream();
        if refused { Err(NoFlow::Midstream) } else { Ok(()) }
    }

    fn refresh(&mut self, place: usize, packet: &Sighting<'_>, encapsulation: Option<Encapsulation<'_>>) {
        if let Some(new) = encapsulation {
            let kept = self.slab[place].refresh(packet.direction, packet.mark, &new, &mut self.headers);
            self.headers_lost += u64::from(!kept);
        }
    }

    fn end(&mut self, now: Moment, place: usize, why: EndReason) -> Ended<M> {
        let record = &mut self.slab[place];
        let ended = Ended { why, flow: Account::new(record, now) };
        record.forget_headers(&mut self.headers);
        let hash = self.hasher.hash(&ended.flow.key);
        *record = Record::vacant(self.vacant);
        let place = u32::try_from(place).unwrap_or(NONE);
        self.index.remove(hash, place);
        self.vacant = place;
        self.flows -= 1;
        ended
    }
}
