//! Other rules amid traffic. What the worker had of those before is given away, to be freed where no packet waits, as soon as
//! no session points to it; a few sessions are looked at in each turn, so that no turn is the one that looks at all.

use std::sync::Arc;

use super::Examiner;
use crate::detect::{Groups, Retired};
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

    /// Whether a flow was last judged before the newest swap that voids what was decided.
    pub(crate) fn is_stale(&self, judged: Judged) -> bool {
        match judged.session() {
            Some(place) => self.sessions.epoch(place) != Some(self.swaps),
            None => judged.epoch() != self.epoch,
        }
    }
}
