//! What a worker tells the log: small records that leave it over a ring. Formatting is the log thread's work.

use flow::{Direction, Ended, FlowKey, Moment};
use policy::{Protocol, RuleIndex};

use crate::Judged;
use crate::app::Transaction;

/// Something that happened to a flow.
#[derive(Clone, Debug)]
pub enum Event {
    /// A rule wanted to be told.
    Alert(Alert),
    /// A flow is no more.
    FlowEnd(Ended<Judged>),
    /// A transaction is over.
    Transaction(Box<TransactionEnd>),
}

/// A rule that matched and wants to be told; one that drops among them.
#[derive(Clone, Debug)]
pub struct Alert {
    /// When the packet came.
    pub moment: Moment,
    /// Counts the packets that the inspector was given, from 1: which one completed the match.
    pub packet: u64,
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
    /// What the flow speaks above TCP or UDP, if that is known.
    pub app: Option<Protocol>,
    /// The transaction that matched, as far as it had come.
    pub transaction: Option<Box<Transaction>>,
}

/// A transaction that is over, for the log.
#[derive(Clone, Debug)]
pub struct TransactionEnd {
    /// When the packet came that ended it.
    pub moment: Moment,
    /// Which packet that was, as in [`Alert::packet`].
    pub packet: u64,
    /// The flow.
    pub key: FlowKey,
    /// Which way the initiator's packets go.
    pub initiator: Direction,
    /// What the flow speaks.
    pub app: Protocol,
    /// What it said.
    pub transaction: Transaction,
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
