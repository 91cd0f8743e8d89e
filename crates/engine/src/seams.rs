//! The three seams of a role: where packets come from, what judges them, where they go.

use flow::Moment;
use inspect::hold::LetGo;
use inspect::{Burst, DropReason, Packet};

use crate::Counts;

/// What a source had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pulled {
    /// Nothing is left and nothing will come: the role ends. A closed source stays closed.
    Closed,
    /// Nothing just now.
    Idle,
    /// At least one packet.
    Some,
}

/// Where a role's packets come from: a NIC queue, an inbox, a capture.
pub trait Source<B> {
    /// Append packets to `burst`, in the order in which they came, until it is full or the source empty.
    fn pull(&mut self, burst: &mut Burst<B>) -> Pulled;
}

/// What a role does with its packets. Given slices, a stage cannot lose one.
pub trait Stage<B> {
    /// Once per turn, packets or not: bounded upkeep, as expiring a few flows or taking a new policy.
    fn tick(&mut self, _now: Moment) {}

    /// Set the verdict of each packet that is still going forward. `packets` says what is known of each of `frames`.
    fn run(&mut self, now: Moment, frames: &mut [B], packets: &mut [Packet]);

    /// What becomes of packets for which it said [`Verdict::Hold`](inspect::Verdict::Hold), one lane at a time. Asked
    /// before each burst, and after `run`, until it has no more to say.
    fn let_go(&mut self) -> Option<LetGo> {
        None
    }

    /// No more packets come: let go of all that is held.
    fn end(&mut self) {}

    /// Once per turn, after `run`: put what the stage sends of its own accord behind the burst, as far as there is room.
    /// The rest waits.
    fn inject(&mut self, _now: Moment, _burst: &mut Burst<B>) {}

    /// Once per turn, after `run`: bring the stage's own figures into the role's, if they have changed, and say whether.
    fn report(&mut self, _counts: &mut Counts) -> bool {
        false
    }
}

/// Where a role's packets go: inboxes, a NIC queue, a file.
pub trait Sink<B> {
    /// Take packets from the front of `burst`; what cannot be taken now stays in it, in order.
    fn push(&mut self, burst: &mut Burst<B>);

    /// The reason for which packets are dropped that this sink would not take.
    fn full(&self) -> DropReason;
}
