//! What judges on one worker: its flow table, the policy, and what it has to tell.
//!
//! ```text
//!            ┌ flow decided: from `about` alone, the frame stays unread ──────────────▶ verdict
//! burst ─────┤ new flow or direction: the policy is asked, by the key's five-tuple ───▶ verdict, alerts
//!            └ encapsulation changed: the frame's outer headers are read again ───────▶ the flow's record
//! ```
//! Rules on headers are asked once per flow, direction and policy: every packet of one direction would be told the same.
//! So an alert rule alerts once per direction, and a flow costs one look-up from its third packet on. After a swap every
//! flow is asked about again with its next packet.

use std::sync::Arc;

use flow::{BURST, Candidates, Ended, FlowHasher, FlowTable, Hint, Moment, Settings, Tracked};
use policy::{Outcome, RejectTo};
use wire::{Inner, InnerError, ProtocolType};

mod carrier;
mod counts;
mod part;

use crate::Detector;
use crate::event::{Event, FlowSoFar, Outbox};
use crate::examiner::{Examiner, Seen};
use crate::fragments::{self, FragmentCounts, Fragments};
use crate::hold::{self, HoldCounts, LetGo};
use crate::learn::encapsulation;
use crate::reject::{self, End};
use crate::witness::Witness;
use crate::{
    About, AtSwap, DropReason, Frame, Injections, Judged, Limits, Mode, Packet, Retired, Successor, Tenants,
    Verdict,
};
pub use counts::Counts;

/// Most records that one turn visits to find ended flows: some two microseconds.
const EXPIRY_BUDGET: usize = 128;

/// Turns after which figures are told though nothing seems to have changed them.
const TELL_EVERY: u32 = 64;

/// Judges packets. One per worker, owned by it alone.
#[derive(Debug)]
pub struct Inspector {
    flows: FlowTable<Judged>,
    detector: Arc<Detector>,
    examiner: Examiner,
    mode: Mode,
    /// Packets given so far.
    packets: u64,
    /// The first of the last burst.
    first: u64,
    outbox: Outbox,
    injections: Injections,
    fragments: Fragments,
    tenants: Arc<Tenants>,
    counts: Counts,
    /// Turns since the figures were told, and whether more happened since then than that usual packets passed.
    untold: (u32, bool),
}

impl Inspector {
    /// An inspector with an empty flow table. The hasher must be the one that [`learn`](crate::learn()) uses.
    #[must_use]
    pub fn new(settings: &Settings, hasher: FlowHasher, detector: Arc<Detector>) -> Self {
        let flows = FlowTable::new(settings, hasher);
        Self {
            flows,
            detector,
            examiner: Examiner::new(&Limits::default()),
            tenants: Arc::default(),
            mode: Mode::default(),
            packets: 0,
            first: 0,
            outbox: Outbox::new(),
            injections: Injections::new(),
            fragments: Fragments::new(fragments::Settings::default()),
            counts: Counts::default(),
            untold: (0, true),
        }
    }

    /// The same inspector, standing elsewhere.
    #[must_use]
    pub fn in_mode(mut self, mode: Mode) -> Self {
        self.examiner.listen(mode.passive);
        Self { mode, ..self }
    }

    /// The same inspector, which keeps no more than this; before its first packet, and before it is told what to hold.
    #[must_use]
    pub fn within(mut self, limits: &Limits) -> Self {
        self.examiner = Examiner::new(limits);
        self.examiner.listen(self.mode.passive);
        self.fragments = Fragments::new(limits.fragments.clone());
        self.tenants = Arc::clone(&limits.tenants);
        self
    }

    /// The same inspector, with somebody who looks on while rules are asked.
    #[must_use]
    pub fn watched_by(mut self, witness: Box<dyn Witness>) -> Self {
        self.examiner.watched_by(witness);
        self
    }

    /// The same inspector, which holds clients' first flights within these bounds.
    #[must_use]
    pub fn holding(mut self, settings: hold::Settings) -> Self {
        self.examiner.hold_by(settings);
        self
    }

    /// Set the verdicts of a burst, in order: of frames, and what was learnt of each. Packets of which nothing was
    /// learnt keep theirs, but none that is unlearnt goes forward.
    pub fn judge<B: Frame>(&mut self, now: Moment, frames: &[B], packets: &mut [Packet]) {
        self.first = self.packets + 1;
        for (frames, packets) in frames.chunks(BURST).zip(packets.chunks_mut(BURST)) {
            let hashes = packets.iter().map(|packet| packet.about.as_ref().map_or(0, |about| about.hash));
            let candidates = self.flows.look_ahead(hashes);
            self.examiner.look_ahead(|| self.flows.memos(&candidates));
            let mut judged = 0;
            loop {
                judged += self.pass(now, (&candidates, judged), packets);
                let Some((frame, packet)) = frames.get(judged).zip(packets.get_mut(judged)) else { break };
                self.packets += 1;
                self.untold.1 = true;
                match &packet.about {
                    Some(about) => {
                        packet.verdict = self.judge_one(now, candidates.of(judged), about, frame.as_ref(), 0);
                    }
                    None if packet.verdict == Verdict::Forward => packet.verdict = DropReason::NotOurs.into(),
                    None => {}
                }
                judged += 1;
            }
        }
    }

    /// Once per turn: find flows that have ended, a bounded number of them.
    pub fn tick(&mut self, now: Moment) {
        let Self { flows, detector, examiner, mode, outbox, tenants, counts, untold, .. } = self;
        examiner.sweep(now);
        *untold = (untold.0 + 1, untold.1 | (examiner.open() > 0));
        flows.expire(now, EXPIRY_BUDGET, |ended| {
            untold.1 = true;
            examiner.end(detector, (now, *mode), &ended.flow, (outbox, counts));
            tenants.end_flow(ended.flow.key.endpoint());
            counts.end(ended, outbox);
        });
    }

    /// Let go of all packets that are held, as at a bound: nothing more will come.
    pub fn let_all_go(&mut self) {
        self.untold.1 = true;
        self.examiner.let_all_go();
    }

    /// The lane that was let go longest ago and was not fetched yet. Fetch all of them before the first packet of a burst
    /// and after each burst; [`LetGo::before`] is a place in the burst that was judged last.
    #[inline]
    pub fn let_go(&mut self) -> Option<LetGo> {
        self.examiner.next_let_go(self.first)
    }

    /// Judge by another detector from now on. What was judged by comes out of [`Inspector::retired`], some turns later.
    pub fn swap(&mut self, next: impl Into<Successor>) {
        let Successor { detector, groups, scratch } = next.into();
        let last = std::mem::replace(&mut self.detector, detector);
        self.examiner.swap(self.mode.at_swap, last, (groups, scratch));
    }

    /// Once per turn: what was judged by before the last swap, as soon as nothing points to it, to be freed elsewhere.
    #[inline]
    pub fn retired(&mut self) -> Option<Retired> {
        self.examiner.retired()
    }

    /// The detector in force.
    #[must_use]
    pub fn detector(&self) -> &Arc<Detector> {
        &self.detector
    }

    /// The flows, to be looked at.
    #[must_use]
    pub fn flows(&self) -> &FlowTable<Judged> {
        &self.flows
    }

    /// How many flows are being looked into.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.examiner.open()
    }

    /// The counters.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (events_lost, headers_lost) = (self.outbox.losses(), self.flows.headers_lost());
        let (injections_withheld, injections_lost) = (self.injections.withheld(), self.injections.lost);
        let FragmentCounts { parts, whole, expired, unfit } = self.fragments.counts();
        let (holding, HoldCounts { held, released, denied, at_bytes, at_time, at_total }) =
            self.examiner.held();
        self.examiner.count(Counts {
            events_lost,
            headers_lost,
            injections_withheld,
            injections_lost,
            fragments: parts,
            fragments_whole: whole,
            fragments_expired: expired,
            fragments_unfit: unfit,
            holding: holding as u64,
            held,
            held_released: released,
            held_denied: denied,
            holds_at_bytes: at_bytes,
            holds_at_time: at_time,
            holds_at_total: at_total,
            ..self.counts
        })
    }

    /// Whether there may be [events](Self::events), or [counts](Self::counts) other than those at the last call that said so.
    /// Asked in each turn, since most turns have none: usual packets change neither. What changes by time or by other
    /// workers alone is told in one turn of `TELL_EVERY`.
    #[inline]
    pub fn take_news(&mut self) -> bool {
        let news = self.untold.1 || self.untold.0 >= TELL_EVERY;
        if news {
            self.untold = (0, false);
        }
        news
    }

    /// The events since the last call, oldest first. Call it each turn: there is room for 1024.
    pub fn events(&mut self) -> std::vec::Drain<'_, Event> {
        self.outbox.drain()
    }

    /// The frames that this worker sends of its own accord. Fetch them each turn: there is room for 128.
    pub fn injections(&mut self) -> &mut Injections {
        &mut self.injections
    }

    /// Ends a flow that new rules let begin anew, and judges its packet as the first of another. The packet counts to both.
    #[cold]
    fn begin_anew(&mut self, now: Moment, hint: Hint, about: &About, frame: &[u8], layer: usize) -> Verdict {
        if let Some(ended) = self.flows.flush(now, about.hash, &about.key) {
            let Self { examiner, detector, mode, outbox, counts, .. } = &mut *self;
            examiner.end(detector, (now, *mode), &ended.flow, (outbox, counts));
            self.tenants.end_flow(about.key.endpoint());
            self.counts.end(ended, &mut self.outbox);
        }
        self.judge_one(now, hint, about, frame, layer)
    }

    /// Drops the packet of a flow that its endpoint may not have, which perhaps ended another.
    #[cold]
    fn refuse(&mut self, now: Moment, about: &About, ended: Option<Ended<Judged>>) -> Verdict {
        if let Some(ended) = ended {
            self.counts.end(ended, &mut self.outbox);
        }
        // It never began: nothing is told of its end.
        self.flows.flush(now, about.hash, &about.key);
        self.tenants.end_flow(about.key.endpoint());
        DropReason::EndpointFlows.into()
    }

    /// The usual packets, from the `first` of a burst up to the next that is not: each one more of a flow that goes
    /// forward by what was decided. They are counted, and go forward as [`learn`](crate::learn()) left them. How many.
    #[inline(never)] // by itself it has the registers to itself
    fn pass(&mut self, now: Moment, (candidates, first): (&Candidates, usize), packets: &[Packet]) -> usize {
        let Self { flows, examiner, packets: given, .. } = self;
        let epoch = examiner.epoch();
        let usual = |(packet, hint): &(&Packet, Hint)| {
            packet.about.as_ref().is_some_and(|about| {
                let forwards = |judged: Judged| judged.forwards(epoch, about.direction);
                flows.pass(now, *hint, &about.sighting(), forwards)
            })
        };
        let rest = packets.get(first..).unwrap_or_default();
        let passed = rest.iter().zip(candidates.from(first)).take_while(usual).count();
        *given += passed as u64;
        passed
    }

    /// `layer` counts the tunnels that the packet is in, besides the one from GWLB.
    #[inline(always)] // the other callers are cold, and what is passed would go through memory
    fn judge_one(&mut self, now: Moment, hint: Hint, about: &About, frame: &[u8], layer: usize) -> Verdict {
        let About { key, direction, .. } = about;
        let Self { flows, detector, examiner, mode, packets, outbox, tenants, counts, .. } = self;
        let tracked = match flows.track(now, hint, &about.sighting(), || encapsulation(frame)) {
            Ok(tracked) => tracked,
            Err(no_flow) => return no_flow.into(),
        };
        let Tracked { memo: judged, change, course } = tracked;
        if let Some(change) = change {
            if let Some(ended) = &change.ended {
                examiner.turn_to(*packets);
                examiner.end(detector, (now, *mode), &ended.flow, (outbox, counts));
                tenants.end_flow(key.endpoint());
            }
            if change.is_new && !tenants.begin_flow(key.endpoint()) {
                let ended = change.ended;
                return self.refuse(now, about, ended);
            }
            counts.note(change, outbox);
            if change.is_new {
                judged.enter(examiner.epoch());
            }
        }
        let rejects = match judged.outcome_in(examiner.epoch(), *direction) {
            Some(Outcome::Forward) => return Verdict::Forward,
            Some(Outcome::Drop) if mode.passive => return Verdict::Forward,
            Some(Outcome::Drop) => judged.rejects(*direction),
            None if mode.at_swap == AtSwap::Flush && !key.is_of_fragments() && examiner.is_stale(*judged) => {
                return self.begin_anew(now, hint, about, frame, layer);
            }
            None => {
                if key.is_of_fragments() {
                    let flow = FlowSoFar::new(now, &course, about, frame);
                    return self.judge_part(now, (about, frame), flow, layer);
                }
                if mode.looks_into(&key.tuple(*direction)) {
                    return self.judge_carrier(now, (about, frame), layer);
                }
                let (mode, packet) = (*mode, *packets);
                let seen = Seen { now, packet, about, frame, course, mode, layer };
                match examiner.examine(detector, &seen, judged, (outbox, counts)) {
                    (verdict, None) => return verdict,
                    (_, rejects) => rejects,
                }
            }
        };
        match rejects {
            Some(to) if layer == 0 => self.reject((now, about, frame), to),
            // Whoever sends inside a tunnel cannot be answered outside of it.
            Some(_) | None => DropReason::Policy.into(),
        }
    }

    /// Drop a packet and tell its ends.
    #[cold]
    fn reject(&mut self, (now, about, frame): (Moment, &About, &[u8]), to: RejectTo) -> Verdict {
        let Ok(inner) = inner(about, frame) else { return DropReason::Reject.into() };
        let ends: &[End] = match to {
            RejectTo::Source => &[End::Source],
            RejectTo::Destination => &[End::Destination],
            RejectTo::Both => &[End::Source, End::Destination],
        };
        for &end in ends {
            let direction = match end {
                End::Source => about.direction.opposite(),
                End::Destination => about.direction,
            };
            if let Some(wrapping) = self.flows.wrapping(&about.key, direction) {
                let told = self.injections.put(now, (frame, &wrapping), |out| reject::tell(end, &inner, out));
                self.counts.rejects += u64::from(told);
            }
        }
        DropReason::Reject.into()
    }
}

/// The packet in a frame of which this was learnt.
fn inner<'a>(about: &About, frame: &'a [u8]) -> Result<Inner<'a>, InnerError> {
    let is_v4 = about.key.version() == 4;
    let protocol_type = if is_v4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
    Inner::parse(frame.get(usize::from(about.inner_at)..).unwrap_or_default(), protocol_type)
}
