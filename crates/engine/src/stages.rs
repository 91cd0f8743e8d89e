//! The stages of the two wirings. `(a, b)` is a stage that runs `a`, then `b`: run to completion is the pipeline's stages
//! in one role, not a second set of them.

use flow::{FlowHasher, Moment};
use inspect::hold::LetGo;
use inspect::{Burst, Event, EventKind, Frame, Inspector, Packet, Retired, Successor, Verdict, learn};
use wire::{TunnelEnd, reflect};

use crate::{Counter, Counts, EventSender, Stage, SwapReceiver};

/// Read each frame's headers, once, so that it can be steered by its flow and judged without being opened again.
#[derive(Clone, Debug)]
pub struct Steer {
    /// What a frame must be addressed to.
    pub end: TunnelEnd,
    /// The hasher of every core.
    pub hasher: FlowHasher,
}

impl<B: Frame> Stage<B> for Steer {
    #[inline(never)] // once per burst: by itself it has the registers to itself
    fn run(&mut self, _: Moment, frames: &mut [B], packets: &mut [Packet]) {
        for (frame, packet) in frames.iter().zip(packets) {
            learn(frame.as_ref(), &self.end, &self.hasher, packet);
        }
    }
}

/// Judge each packet by its flow and the policy.
#[derive(Debug)]
pub struct Inspect<M> {
    /// This worker's flows, and the detector in force.
    pub inspector: Inspector,
    /// Where new detectors come from. They are taken at a turn's start, and what is left of the old one goes back to be
    /// freed there.
    pub detectors: SwapReceiver<Successor, Retired>,
    /// Where what happened is told.
    pub events: EventSender<Event>,
    /// Makes a frame of bytes, if there is memory for it.
    pub frames: M,
}

impl<B: Frame, M: FnMut(&[u8]) -> Option<B>> Stage<B> for Inspect<M> {
    fn tick(&mut self, now: Moment) {
        if let Some(retired) = self.inspector.retired() {
            self.detectors.give_back(retired);
        }
        if let Some(next) = self.detectors.take() {
            self.inspector.swap(next);
        }
        self.inspector.tick(now);
    }

    fn run(&mut self, now: Moment, frames: &mut [B], packets: &mut [Packet]) {
        self.inspector.judge(now, frames, packets);
    }

    fn let_go(&mut self) -> Option<LetGo> {
        self.inspector.let_go()
    }

    fn end(&mut self) {
        self.inspector.let_all_go();
    }

    /// What is injected looks as if GWLB had sent it, until [`Return`] turns it round as all else.
    fn inject(&mut self, _: Moment, burst: &mut Burst<B>) {
        let injections = self.inspector.injections();
        while let Some(bytes) = injections.first().filter(|_| !burst.is_full()) {
            match (self.frames)(bytes) {
                Some(frame) => burst.extend([frame]),
                None => injections.lost += 1,
            }
            injections.next();
        }
    }

    fn report(&mut self, counts: &mut Counts) -> bool {
        if !self.inspector.take_news() {
            return false;
        }
        self.events.send(self.inspector.events(), Event::kind);
        let inspected = self.inspector.counts();
        let judged_before = counts.of(Counter::Judgements);
        for (counter, total) in [
            (Counter::Alerts, inspected.alerts),
            (Counter::AlertsLost, inspected.alerts_lost),
            (Counter::CookiesChanged, inspected.cookies_changed),
            (Counter::Flows, self.inspector.flows().len() as u64),
            (Counter::FlowsBegun, inspected.flows_begun),
            (Counter::FlowsClosed, inspected.flows_closed),
            (Counter::FlowsFlushed, inspected.flows_flushed),
            (Counter::FlowsIdle, inspected.flows_idle),
            (Counter::FlowsMidstream, inspected.flows_midstream),
            (Counter::FlowsReplaced, inspected.flows_replaced),
            (Counter::FlowsReset, inspected.flows_reset),
            (Counter::Fragments, inspected.fragments),
            (Counter::FragmentsExpired, inspected.fragments_expired),
            (Counter::FragmentsWhole, inspected.fragments_whole),
            (Counter::HeadersLost, inspected.headers_lost),
            (Counter::HoldsAtBytes, inspected.holds_at_bytes),
            (Counter::HoldsAtTime, inspected.holds_at_time),
            (Counter::HoldsAtTotal, inspected.holds_at_total),
            (Counter::HoldsDenied, inspected.held_denied),
            (Counter::HoldsNow, inspected.holding),
            (Counter::HoldsReleased, inspected.held_released),
            (Counter::HoldsTaken, inspected.held),
            (Counter::InjectionsLost, inspected.injections_lost),
            (Counter::InjectionsWithheld, inspected.injections_withheld),
            (Counter::Judgements, inspected.judgements),
            (Counter::PacketsCarried, inspected.carried),
            (Counter::PacketsCarriedUnread, inspected.carried_unread),
            (Counter::PacketsTagged, inspected.packets_tagged),
            (Counter::Rejects, inspected.rejects),
            (Counter::FragmentsUnfit, inspected.fragments_unfit),
            (Counter::StreamsBytes, inspected.stream_bytes),
            (Counter::Sessions, self.inspector.sessions() as u64),
        ] {
            counts.set(counter, total);
        }
        let (before, behind) = (inspected.events_lost, self.events.losses());
        for kind in EventKind::ALL {
            counts.set(Counter::of_lost(kind), before.of(kind) + behind.of(kind));
        }
        // What follows changes only where flows are looked into: an appliance without such rules pays nothing for it.
        if counts.of(Counter::Judgements) != judged_before {
            report_looks(&inspected, counts);
        }
        true
    }
}

/// What was counted of flows that are looked into.
fn report_looks(inspected: &inspect::Counts, counts: &mut Counts) {
    let streams = &inspected.streams;
    for (counter, total) in [
        (Counter::RulesAsked, inspected.rules_asked),
        (Counter::RulesCutShort, inspected.cut_short),
        (Counter::RulesExhausted, inspected.exhausted),
        (Counter::RulesGroupsEvicted, inspected.groups_evicted),
        (Counter::RulesUnscanned, inspected.unscanned),
        (Counter::RulesWaitingLost, inspected.waiting_lost),
        (Counter::SessionsLost, inspected.sessions_lost),
        (Counter::StreamsAtBound, streams.at_bound),
        (Counter::StreamsBuffered, streams.buffered),
        (Counter::StreamsBypassed, streams.bypassed),
        (Counter::StreamsConflicts, streams.conflicts),
        (Counter::StreamsDuplicates, streams.duplicates),
        (Counter::StreamsForgotten, streams.forgotten),
        (Counter::StreamsGaps, streams.gaps),
        (Counter::StreamsMidstream, streams.midstream),
        (Counter::StreamsMisfits, streams.misfits),
        (Counter::StreamsMissing, streams.missing),
    ] {
        counts.set(counter, total);
    }
}

/// Turn what goes forward round, toward the GWLB, and what is held, which may go forward later. It runs where packets are transmitted: the worker of a decided flow
/// never touches the frame (DESIGN.md, "What crosses a ring").
#[derive(Clone, Copy, Debug, Default)]
pub struct Return;

impl<B: Frame> Stage<B> for Return {
    fn run(&mut self, _: Moment, frames: &mut [B], packets: &mut [Packet]) {
        for (frame, packet) in frames.iter_mut().zip(packets) {
            if matches!(packet.verdict, Verdict::Forward | Verdict::Hold(_)) {
                reflect(frame.as_mut());
            }
        }
    }
}

impl<B, First: Stage<B>, Second: Stage<B>> Stage<B> for (First, Second) {
    fn tick(&mut self, now: Moment) {
        self.0.tick(now);
        self.1.tick(now);
    }

    fn run(&mut self, now: Moment, frames: &mut [B], packets: &mut [Packet]) {
        self.0.run(now, frames, packets);
        self.1.run(now, frames, packets);
    }

    fn let_go(&mut self) -> Option<LetGo> {
        self.0.let_go().or_else(|| self.1.let_go())
    }

    fn end(&mut self) {
        self.0.end();
        self.1.end();
    }

    fn inject(&mut self, now: Moment, burst: &mut Burst<B>) {
        let before = burst.len();
        self.0.inject(now, burst);
        if burst.len() > before {
            let (frames, packets) = burst.parts();
            self.1.run(now, &mut frames[before..], &mut packets[before..]);
        }
        self.1.inject(now, burst);
    }

    fn report(&mut self, counts: &mut Counts) -> bool {
        self.0.report(counts) | self.1.report(counts)
    }
}
