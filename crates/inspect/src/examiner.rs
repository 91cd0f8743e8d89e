//! What looks into flows that are not decided: streams, protocols, rules on content.
//!
//! ```text
//! packet ─▶ session ─▶ stream ─▶ application ─▶ rules ─▶ what they say together ─▶ verdict, alerts
//!             └ bounded: without room the flow is judged by its headers alone
//! ```
//! A flow leaves this way as soon as no rule can match it any more: then its verdict is in its record, and its packets are
//! not read again.

mod ending;
mod holding;
mod looking;
mod opening;
mod outcome;
mod reading;
mod seen;
mod suspecting;
mod swapping;
mod tagging;
mod telling;

use std::hint::black_box;
use std::sync::Arc;

use policy::{Outcome, RejectTo, RuleSet};
use wire::{Inner, ProtocolType};

use crate::app::{App, Ports};
use crate::detect::{Asking, Compiled, Decided, Marks, Session, Sessions, Settled, Tallies, Worker, settle};
use crate::event::Outbox;
use crate::hold::{self, Holds};
use crate::inspector::Counts;
use crate::stream::{self, Room};
use crate::tenants::{Full, Tenants};
use crate::witness::{Looked, Witness};
use crate::{AtFull, Detector, DropReason, Judged, Limits, Verdict};
use outcome::{Insight, decide_both, default, over, verdict, wanted};
pub(crate) use seen::Seen;
use suspecting::{refusal, suspect, tell_of};
use swapping::Retiring;
use tagging::must_stay;
use telling::{retire, tell};

/// One endpoint's rules: the set's number, as read, and as compiled.
type Set<'a> = (usize, &'a RuleSet, &'a Compiled);

/// What looks into flows, on one worker.
#[derive(Debug)]
pub(crate) struct Examiner {
    sessions: Sessions,
    worker: Worker,
    room: Room,
    streams: stream::Settings,
    holds: Holds,
    at_full: AtFull,
    tenants: Arc<Tenants>,
    /// Counts the swaps that void what was decided.
    epoch: u32,
    /// Counts all swaps: a session is of one set of rules.
    swaps: u32,
    retiring: Retiring,
}

impl Examiner {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            sessions: Sessions::new(limits.sessions),
            worker: Worker::default(),
            room: Room::new(limits.stream_bytes),
            streams: limits.streams.clone(),
            holds: Holds::new(hold::Settings::default()),
            at_full: limits.at_full,
            tenants: Arc::clone(&limits.tenants),
            epoch: 0,
            swaps: 0,
            retiring: Retiring::default(),
        }
    }

    /// What was decided in another epoch is void.
    #[inline]
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// How many flows are being looked into.
    pub(crate) fn open(&self) -> usize {
        self.sessions.len()
    }

    /// Fills in what is counted here.
    pub(crate) fn count(&self, counts: Counts) -> Counts {
        let Tallies { asked, cut_short, waiting_lost, unscanned } = self.worker.tallies;
        let (exhausted, groups_evicted) = (self.worker.exhausted(), self.worker.groups.evicted());
        let (streams, stream_bytes) = (self.room.counts(), self.room.used() as u64);
        Counts {
            rules_asked: asked,
            cut_short,
            waiting_lost,
            exhausted,
            unscanned,
            groups_evicted,
            streams,
            stream_bytes,
            ..counts
        }
    }

    /// Only listen, or not.
    pub(crate) fn listen(&mut self, passive: bool) {
        self.streams.inline = !passive;
    }

    /// Let somebody look on.
    pub(crate) fn watched_by(&mut self, witness: Box<dyn Witness>) {
        self.worker.witness = Some(witness);
    }

    /// Lets go of what is kept of a flow; nothing more is said of it.
    fn forget(&mut self, judged: Judged) {
        if let Some(mut session) = judged.session().and_then(|place| self.sessions.close(place)) {
            self.forget_flight(&mut session);
            session.free(&mut self.room);
        }
    }

    /// Has the memory of open flows loaded that the packets of a burst are of, all at once.
    #[inline]
    pub(crate) fn look_ahead<I: Iterator<Item = Judged>>(&self, flows: impl Fn() -> I) {
        if self.sessions.len() > 0 {
            let sessions = || flows().filter_map(|judged| self.sessions.get(judged.session()?));
            let near = sessions().fold(0, |touched, session| touched ^ session.touch());
            black_box(sessions().fold(near, |touched, session| touched ^ session.touch_far()));
        }
    }

    /// Judges a packet whose direction is not decided. Also tells whom to tell of it, if it is rejected.
    #[cold]
    pub(crate) fn examine(
        &mut self,
        detector: &Detector,
        seen: &Seen<'_>,
        judged: &mut Judged,
        (outbox, counts): (&mut Outbox, &mut Counts),
    ) -> (Verdict, Option<RejectTo>) {
        let key = &seen.about.key;
        let Some(set) = detector.set(key.endpoint()) else { return (Verdict::Forward, None) };
        let frame = seen.frame.get(usize::from(seen.about.inner_at)..).unwrap_or_default();
        let kind = if key.version() == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
        let inner = match Inner::parse(frame, kind) {
            Ok(inner) => inner,
            Err(error) => return (error.into(), None),
        };
        counts.judgements += 1;
        self.begin(seen);
        self.turn_to(seen.packet);
        let place = match self.session((detector, set), seen, judged) {
            Ok(place) => place,
            Err(Full) => {
                counts.sessions_lost += 1;
                if self.at_full == AtFull::Drop && !seen.mode.passive {
                    return (DropReason::SessionsFull.into(), None);
                }
                None
            }
        };
        let taken = place.and_then(|place| self.sessions.take(place));
        let (Some(place), Some(mut session)) = (place, taken) else {
            return self.shallow((detector, set), seen, &inner, judged, (outbox, counts));
        };
        tagging::tell(&mut session, detector.shared(), (seen, &inner), (&mut *outbox, &mut *counts));
        if let Some(decided) = session.decided {
            return self.examine_decided(detector.shared(), seen, (place, session, decided), judged);
        }
        let Insight { refused, state, leaves } = self.look((detector, set.2), &mut session, seen, &inner);
        let suspected = suspect((detector, set.1), &mut session, seen);
        let mut settled = self.settle(set);
        settled.by = refusal(&suspected).or(settled.by);
        session.alerted |= !settled.alerts.is_empty();
        let undecided = settled.by.is_none() && refused.is_none();
        if undecided && let Some(verdict) = self.withhold((place, &mut session), seen, &inner) {
            let told = (session.app.as_ref(), Outcome::Forward);
            tell_of(&suspected, detector, seen, told, (outbox, counts));
            tell((detector, set.1), seen, Some(&session), &settled, Outcome::Forward, (outbox, counts));
            self.sessions.put(place, session);
            return (verdict, None);
        }
        let usual = default(set.1, Some(&session), state);
        let outcome = settled.by.map_or(usual, |by| by.outcome);
        tell_of(&suspected, detector, seen, (session.app.as_ref(), outcome), (outbox, counts));
        tell((detector, set.1), seen, Some(&session), &settled, outcome, (outbox, counts));
        retire(&mut session, seen, false, outbox, &mut self.room);
        let over = over(set.1, &session, &settled, (state, leaves));
        let rejected = over.is_some() && settled.by.is_some_and(|by| by.reject.is_some());
        self.settle_flight(&mut session, over.is_some(), (over.unwrap_or(usual), rejected));
        if over == Some(Outcome::Forward) && session.may_name(set.1, seen.responder_port()) {
            session.pass();
        }
        match over {
            Some(outcome) if !session.passed && must_stay(&session, detector.shared(), seen, outcome) => {
                session.free(&mut self.room);
                session.decided = Some((settled.by, outcome));
                self.sessions.put(place, session);
            }
            Some(outcome) if !session.passed || session.is_spent() => {
                self.close(place, session);
                judged.close(self.epoch);
                decide_both(judged, settled.by, outcome);
                self.decided(outcome, settled.by);
            }
            _ if session.is_at_rest() => {
                self.close(place, session);
                judged.close(self.epoch);
            }
            _ => self.sessions.put(place, session),
        }
        match refused {
            Some(reason) if !seen.mode.passive => (Verdict::Drop(reason), None),
            _ => verdict(outcome, settled.by, seen.mode),
        }
    }

    /// A session that was taken from its place is over.
    fn close(&mut self, place: u32, mut session: Box<Session>) {
        session.free(&mut self.room);
        self.sessions.give_back(place);
    }

    /// Judges a datagram that was put together from its parts, by what it carries: its headers were judged with its first
    /// part. `seen` names the flow that the whole datagram is of.
    pub(crate) fn examine_whole(
        &mut self,
        detector: &Detector,
        seen: &Seen<'_>,
        inner: &Inner<'_>,
        to: (&mut Outbox, &mut Counts),
    ) -> (Verdict, Option<RejectTo>) {
        let Some(set) = detector.set(seen.about.key.endpoint()) else { return (Verdict::Forward, None) };
        if set.2.is_shallow() && !set.1.suspicions().reads() {
            return (Verdict::Forward, None);
        }
        self.begin(seen);
        let groups = self.groups((detector, set), seen);
        let tuple = inner.tuple;
        let ports = Ports { initiator: tuple.source_port, responder: tuple.destination_port };
        let reads = groups.iter().any(|group| group.at_app) || set.1.suspicions().reads();
        let app = (tuple.protocol == 17 && reads).then(|| App::new(ports));
        let mut session = Session::new(self.epoch, groups, None, app);
        (session.asked, session.is_whole) = ([true; 2], true);
        session.wanted = wanted(detector, set.1);
        self.look((detector, set.2), &mut session, seen, inner);
        let suspected = suspect((detector, set.1), &mut session, seen);
        let mut settled = self.settle(set);
        settled.by = refusal(&suspected).or(settled.by);
        let outcome = settled.by.map_or(Outcome::Forward, |by| by.outcome);
        tell_of(&suspected, detector, seen, (session.app.as_ref(), outcome), (to.0, to.1));
        tell((detector, set.1), seen, Some(&session), &settled, outcome, to);
        verdict(outcome, settled.by, seen.mode)
    }

    /// A packet begins.
    fn begin(&mut self, seen: &Seen<'_>) {
        self.worker.begin();
        if let Some(witness) = &mut self.worker.witness {
            let (packet, key, initiator) = (seen.packet, &seen.about.key, seen.course.initiator);
            witness.looks(&Looked { packet, key, initiator });
        }
    }

    /// What the rules that the packet met come to.
    fn settle(&mut self, (_, rules, compiled): Set<'_>) -> Settled {
        let Worker { hits, witness, .. } = &mut self.worker;
        let settled = settle(hits, compiled, rules.order());
        if let Some(witness) = witness {
            for hit in hits {
                let fate = settled.fate(hit, compiled, rules.order());
                witness.settled(hit.index, hit.transaction, fate);
            }
        }
        settled
    }

    /// What becomes of the packet's flow is certain.
    fn decided(&mut self, outcome: Outcome, by: Option<Decided>) {
        if let Some(witness) = &mut self.worker.witness {
            witness.decided(outcome, by.and_then(|by| by.cause.rule()));
        }
    }

    /// Judges a direction of a flow by its headers.
    fn shallow(
        &mut self,
        (detector, set): (&Detector, Set<'_>),
        seen: &Seen<'_>,
        inner: &Inner<'_>,
        judged: &mut Judged,
        to: (&mut Outbox, &mut Counts),
    ) -> (Verdict, Option<RejectTo>) {
        let sight = seen.sight(inner);
        let mut marks = Marks::default();
        let mut asking = Asking {
            sight,
            figures: seen.figures([0; 2]),
            spoken: Default::default(),
            marks: &mut marks,
            shared: detector.shared(),
        };
        let (_, rules, compiled) = set;
        if compiled.is_shallow() {
            // No group is made, so nothing is kept: rules on headers alone cost a look-up for each direction of a flow.
            let class = rules.class(&sight.tuple);
            let ranks = rules.of_class(class, sight.way).filter_map(|index| compiled.rank(index));
            self.worker.headers(compiled, ranks, &mut asking);
        } else {
            let group = &self.groups((detector, set), seen)[sight.way as usize];
            self.worker.headers(compiled, group.header.iter().copied(), &mut asking);
        }
        let settled = self.settle(set);
        let outcome = settled.by.map_or_else(|| default(set.1, None, seen.course.state), |by| by.outcome);
        tell((detector, set.1), seen, None, &settled, outcome, to);
        let direction = seen.about.direction;
        self.decided(outcome, settled.by);
        match settled.by {
            Some(_) => decide_both(judged, settled.by, outcome),
            _ => judged.decide(direction, outcome),
        }
        verdict(outcome, settled.by, seen.mode)
    }
}
