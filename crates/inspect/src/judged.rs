//! What was decided about a flow, in the four bytes that its record has for it.

use flow::Direction;
use policy::{Outcome, RejectTo};

/// The verdict cache of one flow: for each direction what the policy said, if all was said; else where the worker keeps
/// what it needs to go on asking.
///
/// ```text
/// bit  0..3 up   3..6 down   6 session   7..32 epoch of the decisions, or the session's place
/// ```
/// A rule that passes or drops decides for the whole flow, the default action for its packet's direction only: the
/// answer to a connection that a rule passed must pass, though no rule names it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Judged(u32);

const FORWARD: u32 = 1;
const DROP: u32 = 2;
const REJECT: [(u32, RejectTo); 3] = [(3, RejectTo::Source), (4, RejectTo::Destination), (5, RejectTo::Both)];
const SESSION: u32 = 1 << 6;
const SHIFT: u32 = 7;

/// Places and epochs have 25 bits.
pub(crate) const PLACES_MAX: u32 = 1 << 25;

impl Judged {
    /// What becomes of packets that go this way, if that is decided.
    #[must_use]
    #[inline]
    pub fn outcome(&self, direction: Direction) -> Option<Outcome> {
        match self.said(direction) {
            0 => None,
            FORWARD => Some(Outcome::Forward),
            _ => Some(Outcome::Drop),
        }
    }

    /// Who is told of a packet that goes this way, and is dropped.
    #[must_use]
    pub fn rejects(&self, direction: Direction) -> Option<RejectTo> {
        let said = self.said(direction);
        REJECT.iter().find(|(code, _)| *code == said).map(|(_, to)| *to)
    }

    fn said(&self, direction: Direction) -> u32 {
        self.0 >> (3 * direction as u32) & 7
    }

    /// Whether packets that go this way go forward, as was decided in this epoch: what is asked of nearly every packet.
    #[inline]
    pub(crate) fn forwards(self, epoch: u32, direction: Direction) -> bool {
        let decided = self.0 ^ epoch << SHIFT;
        decided < SESSION && decided >> (3 * direction as u32) & 7 == FORWARD
    }

    /// What becomes of packets that go this way, if that was decided in this epoch.
    #[inline]
    pub(crate) fn outcome_in(&self, epoch: u32, direction: Direction) -> Option<Outcome> {
        if self.0 & SESSION == 0 && self.0 >> SHIFT == epoch { self.outcome(direction) } else { None }
    }

    /// Where the worker keeps what it needs to go on asking.
    #[inline]
    pub(crate) fn session(&self) -> Option<u32> {
        (self.0 & SESSION != 0).then_some(self.0 >> SHIFT)
    }

    /// Of which epoch it is, if it has no session.
    pub(crate) fn epoch(&self) -> u32 {
        self.0 >> SHIFT
    }

    /// Forget what was decided in another epoch. Not for a flow that has a session.
    pub(crate) fn enter(&mut self, epoch: u32) {
        if self.0 >> SHIFT != epoch {
            self.0 = epoch << SHIFT;
        }
    }

    /// Nothing is decided, and the session is at that place.
    pub(crate) fn open(&mut self, place: u32) {
        self.0 = place << SHIFT | SESSION;
    }

    /// Nothing is decided, and there is no session.
    pub(crate) fn close(&mut self, epoch: u32) {
        self.0 = epoch << SHIFT;
    }

    pub(crate) fn decide(&mut self, direction: Direction, outcome: Outcome) {
        let code = match outcome {
            Outcome::Forward => FORWARD,
            Outcome::Drop => DROP,
        };
        self.say(direction, code);
    }

    pub(crate) fn decide_both(&mut self, outcome: Outcome) {
        Direction::BOTH.into_iter().for_each(|direction| self.decide(direction, outcome));
    }

    pub(crate) fn reject_both(&mut self, to: RejectTo) {
        let code = REJECT.iter().find(|(_, known)| *known == to).map_or(DROP, |(code, _)| *code);
        Direction::BOTH.into_iter().for_each(|direction| self.say(direction, code));
    }

    fn say(&mut self, direction: Direction, code: u32) {
        let at = 3 * direction as u32;
        self.0 = self.0 & !(7 << at) | code << at;
    }
}
