//! Other rules amid traffic. What the worker had of those before is given away, to be freed where no packet waits, as soon as
//! no session points to it; a few sessions are looked at in each turn, so that no turn is the one that looks at all.

use std::sync::Arc;

use super::Examiner;
use crate::app::App;
use crate::detect::{Groups, Retired, Session};
use crate::matcher::Scratch;
use crate::{AtSwap, Detector, Judged};

/// Sessions that one turn looks at: some three microseconds.
const TURN: usize = 32;

/// What was judged by before, and how many sessions were asked whether they point to it.
#[derive(Debug, Default)]
pub(super) struct Retiring {
    last: Vec<Retired>,
    asked: usize,
}

impl Examiner {
    /// Other rules from now on, in place of those of `last`; what was decided by those stays or is void.
    pub(crate) fn swap(
        &mut self,
        at_swap: AtSwap,
        last: Arc<Detector>,
        (groups, scratch): (Groups, Scratch),
    ) {
        self.swaps = self.swaps.wrapping_add(1);
        if at_swap != AtSwap::Keep {
            self.epoch = (self.epoch + 1) % crate::judged::PLACES_MAX;
        }
        let rest = self.worker.swap(groups, scratch);
        self.retiring.last.push(Retired { detector: last, _rest: rest });
        self.retiring.asked = 0;
    }

    /// What was judged by before, once nothing points to it. To be asked once in a turn.
    pub(crate) fn retired(&mut self) -> Option<Retired> {
        let Retiring { last, asked } = &mut self.retiring;
        if last.is_empty() {
            return None;
        }
        match self.sessions.ungroup(*asked, TURN, self.swaps) {
            Some(next) => *asked = next,
            None => return last.pop(),
        }
        None
    }

    /// Whether a session is of a flow that is decided, and stays open all the same: then nothing is judged anew.
    pub(super) fn keep_decided(&mut self, place: u32) -> bool {
        let decided = self.sessions.at(place).filter(|session| session.decided.is_some());
        decided.map(|session| session.epoch = self.swaps).is_some()
    }

    /// Puts a session by the new rules in the place of that of the same flow by those before.
    ///
    /// What the flow says is read on from where it is: begun anew amid its connection it would not be understood any more,
    /// and whoever is amid a denied name would get through. What rules noted of it was theirs.
    pub(super) fn go_on(&mut self, place: u32, mut session: Session, at_swap: AtSwap) {
        let Some(mut last) = self.sessions.take(place) else { return };
        session.seat = last.seat.take();
        session.host = last.host.take();
        session.told = last.told;
        session.marks.tag = last.marks.tag;
        if last.decided.is_none() {
            session.read_on(&mut last);
        }
        last.free(&mut self.room);
        if at_swap == AtSwap::Keep && last.passed {
            session.pass();
        }
        *last = session;
        self.sessions.put(place, last);
    }

    /// Whether a flow was last judged before the newest swap that voids what was decided.
    pub(crate) fn is_stale(&self, judged: Judged) -> bool {
        match judged.session() {
            Some(place) => self.sessions.epoch(place) != Some(self.swaps),
            None => judged.epoch() != self.epoch,
        }
    }
}

impl Session {
    /// Takes over how far the flow was read.
    fn read_on(&mut self, last: &mut Self) {
        (self.began, self.heard, self.ended, self.flight) = (last.began, last.heard, last.ended, last.flight);
        self.stream = last.stream.take();
        // Who was only asked whether the flow is encrypted cannot say now what was said.
        let suits = |known: &App| {
            self.app.as_ref().is_some_and(|new| new.is_only_sealed() || !known.is_only_sealed())
        };
        if last.app.as_ref().is_some_and(suits) {
            self.app = last.app.take();
        }
    }
}
