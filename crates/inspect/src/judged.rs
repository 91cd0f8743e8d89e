//! What was decided about a flow, in the four bytes that its record has for it.

use flow::Direction;
use policy::{Outcome, RejectTo};

/// The verdict cache of one flow: for each direction what the policy said, if it was asked.
///
/// A rule that passes or drops decides for the whole flow, the default action for its packet's direction only: the
/// answer to a connection that a rule passed must pass, though no rule names it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Judged {
    epoch: u16,
    decisions: [Decision; 2],
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Decision {
    /// Nobody was asked yet; later also: rules are left that need more of the flow.
    #[default]
    Open,
    Forward,
    Drop,
    /// Drop, and tell.
    Reject(RejectTo),
}

impl From<Outcome> for Decision {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Forward => Self::Forward,
            Outcome::Drop => Self::Drop,
        }
    }
}

impl Judged {
    /// What becomes of packets that go this way, if that is decided.
    #[must_use]
    #[inline]
    pub fn outcome(&self, direction: Direction) -> Option<Outcome> {
        match self.decisions[direction as usize] {
            Decision::Open => None,
            Decision::Forward => Some(Outcome::Forward),
            Decision::Drop | Decision::Reject(_) => Some(Outcome::Drop),
        }
    }

    /// Who is told of a packet that goes this way, and is dropped.
    #[must_use]
    pub fn rejects(&self, direction: Direction) -> Option<RejectTo> {
        match self.decisions[direction as usize] {
            Decision::Reject(to) => Some(to),
            _ => None,
        }
    }

    /// Forget decisions of another epoch: the policy was swapped since.
    #[inline]
    pub(crate) fn enter(&mut self, epoch: u16) {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::default() };
        }
    }

    pub(crate) fn decide(&mut self, direction: Direction, outcome: Outcome) {
        self.decisions[direction as usize] = outcome.into();
    }

    pub(crate) fn decide_both(&mut self, outcome: Outcome) {
        self.decisions = [outcome.into(); 2];
    }

    pub(crate) fn reject_both(&mut self, to: RejectTo) {
        self.decisions = [Decision::Reject(to); 2];
    }
}
