//! What a worker tells the log: small records that leave it over a ring. Formatting is the log thread's work.

use flow::{Direction, Ended, FlowKey, Moment};
use policy::RuleIndex;

use crate::Judged;

/// Something that happened to a flow.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A rule wanted to be told.
    Alert(Alert),
    /// A flow is no more.
    FlowEnd(Ended<Judged>),
}

/// A rule that matched a packet's header and wants to be told; one that drops among them.
#[derive(Clone, Copy, Debug)]
pub struct Alert {
    /// When the packet came.
    pub moment: Moment,
    /// The flow; its endpoint says whose rules were asked.
    pub key: FlowKey,
    /// Which way the packet went.
    pub direction: Direction,
    /// The rule's place in its endpoint's rules, of the policy of this generation.
    pub rule: RuleIndex,
    /// [`policy::Policy::generation`].
    pub generation: u64,
    /// The rule's signature id.
    pub sid: u32,
    /// Whether the packet's flow was dropped by the same judgement.
    pub dropped: bool,
}

/// Events on their way out, a bounded number of them: what does not fit is lost, and counted.
#[derive(Debug)]
pub(crate) struct Outbox {
    events: Vec<Event>,
    lost: u64,
}

impl Outbox {
    /// Most events between two drainings; a burst of new flows raises some dozens.
    pub(crate) const ROOM: usize = 1024;

    pub(crate) fn new() -> Self {
        Self { events: Vec::with_capacity(Self::ROOM), lost: 0 }
    }

    pub(crate) fn put(&mut self, event: Event) {
        if self.events.len() < Self::ROOM {
            self.events.push(event);
        } else {
            self.lost += 1;
        }
    }

    pub(crate) fn drain(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}
