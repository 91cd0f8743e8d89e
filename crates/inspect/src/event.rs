//! What a worker tells the log: small records that leave it over a ring. Formatting is the log thread's work.

use flow::{Course, Direction, Ended, FlowKey, Moment, Tally};
use policy::{Protocol, Reaction, RuleIndex};
use wire::{AttachmentId, Inner, ProtocolType, Transport};

use crate::app::{Anomaly, Transaction};
use crate::learn::encapsulation;
use crate::{About, EventKind, Judged, Losses};

/// Something that happened to a flow.
#[derive(Clone, Debug)]
pub enum Event {
    /// A rule wanted to be told.
    Alert(Alert),
    /// A packet of a flow was dropped by the policy, the first that went that way.
    Dropped(Dropped),
    /// A packet that a rule's `tag` asked for.
    Tagged(Tagged),
    /// A flow is no more.
    FlowEnd(Ended<Judged>),
    /// Something was odd.
    Noticed(Box<Noticed>),
    /// A transaction is over.
    Transaction(Box<TransactionEnd>),
}

/// A rule that matched and wants to be told; one that drops among them.
#[derive(Clone, Debug)]
pub struct Alert {
    /// When the packet came.
    pub moment: Moment,
    /// Counts the packets that the inspector was given, from 1: which one completed the match. 0: none did, the flow's end
    /// has.
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
    /// The flow as far as it had come.
    pub flow: FlowSoFar,
    /// What the flow speaks above TCP or UDP, if that is known.
    pub app: Option<Protocol>,
    /// The transaction that matched, as far as it had come.
    pub transaction: Option<Box<Transaction>>,
}

/// What decided that a packet is dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// A rule, of the policy of the event's generation.
    Rule(RuleIndex),
    /// An oddity, of which the operator wants to be rid.
    Anomaly(Anomaly),
}

impl Cause {
    /// The rule, if it was one.
    #[must_use]
    pub fn rule(self) -> Option<RuleIndex> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Anomaly(_) => None,
        }
    }
}

/// An oddity that was just seen.
#[derive(Clone, Debug)]
pub struct Noticed {
    /// When the packet came.
    pub moment: Moment,
    /// Which packet it was, as in [`Alert::packet`].
    pub packet: u64,
    /// The flow.
    pub key: FlowKey,
    /// Which way the packet went.
    pub direction: Direction,
    /// What was odd.
    pub anomaly: Anomaly,
    /// What is done about it.
    pub reaction: Reaction,
    /// [`policy::Policy::generation`].
    pub generation: u64,
    /// Whether the packet was dropped by the same judgement.
    pub dropped: bool,
    /// The flow as far as it had come.
    pub flow: FlowSoFar,
    /// What the flow speaks, if that is known.
    pub app: Option<Protocol>,
    /// The number of the transaction in which it was seen; `None`: it is the flow's.
    pub number: Option<u32>,
    /// That transaction as far as it had come, if an alert tells of it.
    pub transaction: Option<Box<Transaction>>,
}

/// A packet that was dropped, the first of its flow and direction: those that follow it are told by the flow's end.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// When it came.
    pub moment: Moment,
    /// Which packet it was, as in [`Alert::packet`].
    pub packet: u64,
    /// The flow.
    pub key: FlowKey,
    /// Which way the packet went.
    pub direction: Direction,
    /// What dropped it; nothing but a default action if `None`.
    pub by: Option<Cause>,
    /// [`policy::Policy::generation`].
    pub generation: u64,
    /// Length of the inner packet in bytes.
    pub bytes: u16,
    /// The flow as far as it had come.
    pub flow: FlowSoFar,
}

/// A packet of a flow or host that a rule tagged.
#[derive(Clone, Debug)]
pub struct Tagged {
    /// When it came.
    pub moment: Moment,
    /// Which packet it was, as in [`Alert::packet`].
    pub packet: u64,
    /// The flow.
    pub key: FlowKey,
    /// Which way the packet went.
    pub direction: Direction,
    /// The flow as far as it had come.
    pub flow: FlowSoFar,
    /// The packet, from its IP header on.
    pub bytes: Box<[u8]>,
}

/// A flow as far as it had come when something was told of it.
#[derive(Clone, Copy, Debug)]
pub struct FlowSoFar {
    /// Which way the initiator's packets go.
    pub initiator: Direction,
    /// When its first packet came.
    pub begun: Moment,
    /// Packets and bytes up and down, indexed by [`Direction`].
    pub tallies: [Tally; 2],
    /// The GWLB attachment that its newest packet came through.
    pub attachment: AttachmentId,
    /// Type and code of the packet, if it is an ICMP or ICMPv6 message.
    pub icmp: Option<[u8; 2]>,
}

impl FlowSoFar {
    /// What the flow's record and its newest packet tell; the packet's frame is read again.
    pub(crate) fn new(now: Moment, course: &Course<'_>, about: &About, frame: &[u8]) -> Self {
        let attachment = encapsulation(frame).map(|outer| outer.attachment).unwrap_or_default();
        let protocol_type = if about.key.version() == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
        let packet = frame.get(usize::from(about.inner_at)..).unwrap_or_default();
        let icmp = match Inner::parse(packet, protocol_type).map(|inner| inner.transport) {
            Ok(Transport::Icmp(message)) => Some([message.kind, message.code]),
            _ => None,
        };
        let Course { initiator, tallies, .. } = *course;
        Self { initiator, begun: course.begun(now), tallies: *tallies, attachment, icmp }
    }

    /// Whether a packet that goes this way goes to the server, which is who did not begin.
    #[must_use]
    pub fn is_to_server(&self, direction: Direction) -> bool {
        direction == self.initiator
    }
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

impl Event {
    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Alert(_) => EventKind::Alert,
            Self::Dropped(_) => EventKind::Drop,
            Self::Tagged(_) => EventKind::Packet,
            Self::FlowEnd(_) => EventKind::Flow,
            Self::Noticed(_) => EventKind::Anomaly,
            Self::Transaction(_) => EventKind::Transaction,
        }
    }
}

/// Events on their way out, a bounded number of them: what does not fit is lost, and counted.
#[derive(Debug)]
pub(crate) struct Outbox {
    events: Vec<Event>,
    losses: Losses,
}

impl Outbox {
    /// Most events between two drainings; a burst of new flows raises some dozens.
    pub(crate) const ROOM: usize = 1024;

    pub(crate) fn new() -> Self {
        Self { events: Vec::with_capacity(Self::ROOM), losses: Losses::default() }
    }

    pub(crate) fn put(&mut self, event: Event) {
        if self.losses.admit(event.kind(), Self::ROOM - self.events.len(), Self::ROOM) {
            self.events.push(event);
        }
    }

    pub(crate) fn drain(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    pub(crate) fn losses(&self) -> Losses {
        self.losses
    }
}
