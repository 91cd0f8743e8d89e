//! One rule made ready to be asked: its conditions sorted by what they look at, its names turned into numbers.

use policy::{
    Action, AppTest, BitCommand, Comparison, DetectionFilter, FlowSize, FlowTest, IntSign, PacketTest,
    Protocol, RuleIndex, Tag, Threshold, XbitsTrack,
};

use crate::payload::Program;
use crate::payload::sets::{CountryTest, ReputationTest};

/// A rule's place in the order of asking: whoever sets a bit comes before whoever asks for it.
pub(crate) type Rank = u32;

/// When a rule is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Once for each direction: its header says all.
    Header,
    /// Of every packet.
    Packet,
    /// Of the stream's bytes as they come; of packets that belong to no stream.
    Stream,
    /// Of every packet once the protocol is known, or given up.
    Protocol,
    /// Of every transaction, as it grows.
    Transaction,
}

/// A rule, ready.
#[derive(Debug)]
pub(crate) struct Ready {
    /// Its place in the order of verdicts.
    pub(crate) index: RuleIndex,
    pub(crate) gid: u32,
    pub(crate) sid: u32,
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    /// Whether, being of the stream's kind, it looks at packets of a stream too.
    pub(crate) at_packets: bool,
    /// Whether it looks at the stream's bytes at all.
    pub(crate) at_stream: bool,
    /// Whether it looks at packets that belong to no stream.
    pub(crate) at_loose: bool,
    /// Whether what it looks for in the payload counts from its start.
    pub(crate) is_placed: bool,
    /// Whether it matches a flow but once each way.
    pub(crate) once: bool,
    /// Whether it is about both ways of a transaction at once.
    pub(crate) is_exchange: bool,
    /// The application protocol of its header.
    pub(crate) app: Option<Protocol>,
    pub(crate) flow: FlowTest,
    pub(crate) tests: Box<[Test]>,
    /// By test: its place among the rule's options.
    pub(crate) written: Box<[usize]>,
    /// What must hold of the payload.
    pub(crate) payload: Box<[Program]>,
    /// What must hold of the packet's headers as bytes.
    pub(crate) headers: Box<[Program]>,
    /// What must hold of the transaction's buffers.
    pub(crate) buffers: Box<[Program]>,
    /// What is done once all holds.
    pub(crate) effects: Box<[Effect]>,
    pub(crate) filter: Option<DetectionFilter>,
    pub(crate) threshold: Option<Threshold>,
    /// Whether a match is told.
    pub(crate) tells: bool,
}

impl Ready {
    /// Whether it says of later packets that they are to be told.
    pub(crate) fn tags(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Tag(_)))
    }

    /// Whether what becomes of a packet may hang on it: it decides, or leaves a mark that others ask for.
    pub(crate) fn may_decide(&self) -> bool {
        self.action != Action::Alert || !self.effects.is_empty()
    }
}

/// A condition that is no buffer's.
#[derive(Debug)]
pub(crate) enum Test {
    Packet(PacketTest),
    Size(FlowSize),
    Age(Comparison),
    App(AppTest),
    /// One of the bits is set; or, if not wanted, one of them is not.
    Bits {
        set: bool,
        bits: Box<[u32]>,
    },
    HasNumber {
        set: bool,
        name: u32,
    },
    Number {
        name: u32,
        sign: IntSign,
        other: Other,
    },
    Host(HostBit),
    Country(CountryTest),
    Reputation(ReputationTest),
}

/// What is left behind.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Bit { command: BitCommand, bit: u32 },
    Number { name: u32, sign: IntSign, other: Other },
    Host(HostBit),
    Tag(Tag),
}

/// The other side of a flow's number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Other {
    Fixed(u32),
    Name(u32),
}

/// A mark on addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostBit {
    pub(crate) command: BitCommand,
    pub(crate) name: u64,
    pub(crate) track: XbitsTrack,
    pub(crate) seconds: u32,
}
