//! Holding the client's first flight: which packets wait, and when they are let go.

use flow::Moment;
use policy::Outcome;
use wire::{Inner, Transport};

use super::{Examiner, Seen};
use crate::detect::{Flight, Session};
use crate::hold::{Bound, HoldCounts, Holds, Lane, LetGo, Settings};
use crate::{DropReason, Verdict};

impl Examiner {
    /// Hold within other bounds. Nothing may be held yet.
    pub(crate) fn hold_by(&mut self, settings: Settings) {
        self.holds = Holds::new(settings);
    }

    /// What is let go from here on goes before this packet.
    #[inline]
    pub(crate) fn turn_to(&mut self, packet: u64) {
        self.holds.turn_to(packet);
    }

    /// Let go of those whose time is over, a bounded number.
    pub(crate) fn sweep(&mut self, now: Moment) {
        for place in self.holds.overdue(now) {
            self.let_wait_no_longer(place, Bound::Time);
        }
    }

    /// Let go of all that is held.
    pub(crate) fn let_all_go(&mut self) {
        for place in self.holds.all() {
            self.let_wait_no_longer(place, Bound::Ended);
        }
    }

    /// The lane that was let go longest ago and that nobody has asked for. `first` is the first packet of the burst.
    pub(crate) fn next_let_go(&mut self, first: u64) -> Option<LetGo> {
        let (before, lane, verdict) = self.holds.next()?;
        Some(LetGo { before: usize::try_from(before.saturating_sub(first)).unwrap_or(0), lane, verdict })
    }

    /// How many packets are held now, and what has become of others.
    pub(crate) fn held(&self) -> (usize, HoldCounts) {
        (self.holds.len(), self.holds.counts())
    }

    /// A session ends that may have packets held.
    pub(super) fn forget_flight(&mut self, session: &mut Session) {
        if let Flight::Held(lane) = session.flight {
            self.holds.reach(Bound::Ended, Some(lane));
        }
        session.flight = Flight::Over;
    }

    /// Whether a packet that nothing decides has to wait; if so, what becomes of it: there may be no room.
    ///
    /// What has no payload waits only behind what has: the order of a way is kept.
    pub(super) fn withhold(
        &mut self,
        (place, session): (u32, &mut Session),
        seen: &Seen<'_>,
        inner: &Inner<'_>,
    ) -> Option<Verdict> {
        if seen.mode.passive || !self.holds.is_on() || !session.awaits_name() {
            return None;
        }
        // Only what is outermost can be held, and what it carries is judged apart from it.
        if seen.layer > 0 || seen.carries() {
            return None;
        }
        let is_answer = seen.about.direction != seen.course.initiator;
        let lane = lane_of(session);
        let payload = match inner.transport {
            Transport::Tcp(tcp) => tcp.payload.len(),
            _ => inner.payload().len(),
        };
        if is_answer || (payload == 0 && lane.is_none()) {
            return None;
        }
        match self.holds.take(seen.now, place, lane, payload) {
            Ok(lane) => {
                session.flight = Flight::Held(lane);
                Some(Verdict::Hold(lane))
            }
            Err(bound) => match self.holds.reach(bound, lane) {
                (verdict, true) => Some(verdict),
                (_, false) => {
                    session.flight = Flight::Over;
                    None
                }
            },
        }
    }

    /// Lets go of what is held of a flow, if its name was heard or all of it is decided.
    pub(super) fn settle_flight(
        &mut self,
        session: &mut Session,
        is_over: bool,
        (outcome, rejected): (Outcome, bool),
    ) {
        if session.flight == Flight::Over || (!is_over && session.awaits_name()) {
            return;
        }
        if let Some(lane) = lane_of(session) {
            let verdict = match (outcome, rejected) {
                (Outcome::Forward, _) => Verdict::Forward,
                (Outcome::Drop, true) => DropReason::Reject.into(),
                (Outcome::Drop, false) => DropReason::Policy.into(),
            };
            self.holds.let_go(lane, verdict);
        }
        session.flight = Flight::Over;
    }

    fn let_wait_no_longer(&mut self, place: u32, bound: Bound) {
        let Some(session) = self.sessions.at(place) else { return };
        let (_, again) = self.holds.reach(bound, lane_of(session));
        session.flight = if again { Flight::Open } else { Flight::Over };
    }
}

fn lane_of(session: &Session) -> Option<Lane> {
    match session.flight {
        Flight::Held(lane) => Some(lane),
        Flight::Open | Flight::Over => None,
    }
}
