//! `flow`, `stream_size`, `flow.age`, `flow.pkts`, `flow.bytes`: what the rule asks of the packet's flow.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::field::{Comparison, Field};
use crate::option::raw::RawOption;

/// What a rule asks of the flow and of the packet's place in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FlowTest {
    /// Which way the packet goes.
    pub way: Option<Way>,
    /// How far the flow has come.
    pub state: Option<FlowState>,
    /// Whether to look at the stream or at packets.
    pub stream: Option<StreamPart>,
    /// Whether the packet was a fragment.
    pub fragment: Option<FragmentPart>,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Way {
    /// `to_server`, `from_client`: from the initiator.
    ToServer,
    /// `to_client`, `from_server`: from the responder.
    ToClient,
}

impl Way {
    /// The word that rules use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToServer => "to_server",
            Self::ToClient => "to_client",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// How far a flow has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FlowState {
    /// `established`: the handshake is over; without one, both ways were seen.
    Established,
    /// `not_established`.
    NotEstablished,
    /// `stateless`: whatever its state.
    Stateless,
}

/// Whether a rule looks at the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamPart {
    /// `only_stream`: at nothing else.
    Only,
    /// `no_stream`: not at it.
    No,
}

/// Whether a rule looks at packets put together from fragments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FragmentPart {
    /// `only_frag`: at nothing else.
    Only,
    /// `no_frag`: not at them.
    No,
}

impl FlowTest {
    /// Reads the words of `flow` and adds them to what an earlier `flow` of the rule said.
    pub(crate) fn take(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        let expected = "a word of flow";
        let words = [
            "to_client",
            "from_server",
            "to_server",
            "from_client",
            "established",
            "not_established",
            "stateless",
            "only_stream",
            "no_stream",
            "only_frag",
            "no_frag",
        ]
        .map(|word| (word, word));
        for field in Field::list(option, expected)? {
            match field.choice(&words, expected)? {
                "to_client" | "from_server" => put(&mut self.way, Way::ToClient, field)?,
                "to_server" | "from_client" => put(&mut self.way, Way::ToServer, field)?,
                "established" => put(&mut self.state, FlowState::Established, field)?,
                "not_established" => put(&mut self.state, FlowState::NotEstablished, field)?,
                "stateless" => put(&mut self.state, FlowState::Stateless, field)?,
                "only_stream" => put(&mut self.stream, StreamPart::Only, field)?,
                "no_stream" => put(&mut self.stream, StreamPart::No, field)?,
                "only_frag" => put(&mut self.fragment, FragmentPart::Only, field)?,
                _ => put(&mut self.fragment, FragmentPart::No, field)?,
            }
        }
        Ok(())
    }
}

fn put<T>(slot: &mut Option<T>, value: T, field: Field<'_>) -> Result<(), Fault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => {
            Err(Fault::new(field.at, Why::Conflict("the words of flow contradict or repeat each other")))
        }
    }
}

impl fmt::Display for FlowTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.state.map(|state| match state {
                FlowState::Established => "established",
                FlowState::NotEstablished => "not_established",
                FlowState::Stateless => "stateless",
            }),
            self.way.map(|way| match way {
                Way::ToServer => "to_server",
                Way::ToClient => "to_client",
            }),
            self.stream.map(|stream| match stream {
                StreamPart::Only => "only_stream",
                StreamPart::No => "no_stream",
            }),
            self.fragment.map(|fragment| match fragment {
                FragmentPart::Only => "only_frag",
                FragmentPart::No => "no_frag",
            }),
        ];
        write!(f, "flow:{};", words.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

/// Which direction of a flow is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// What the initiator sent.
    ToServer,
    /// What the responder sent.
    ToClient,
    /// Both of them must pass.
    Both,
    /// One of them must pass.
    Either,
}

/// What is counted of a flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FlowAmount {
    /// `stream_size`: bytes of the TCP stream.
    StreamBytes,
    /// `flow.pkts`: packets.
    Packets,
    /// `flow.bytes`: bytes.
    Bytes,
}

/// `stream_size`, `flow.pkts`, `flow.bytes`: what a flow has come to so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FlowSize {
    /// What is counted.
    pub amount: FlowAmount,
    /// In which direction.
    pub side: Side,
    /// How much it must be.
    pub compares: Comparison,
}

const STREAM_SIDES: [(&str, Side); 4] =
    [("client", Side::ToServer), ("server", Side::ToClient), ("both", Side::Both), ("either", Side::Either)];
const FLOW_SIDES: [(&str, Side); 4] = [
    ("toserver", Side::ToServer),
    ("toclient", Side::ToClient),
    ("both", Side::Both),
    ("either", Side::Either),
];

impl FlowSize {
    /// Reads `client|server|both|either,sign,bytes`.
    pub(crate) fn stream(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`client|server|both|either,sign,bytes`";
        let fields = Field::list(option, expected)?;
        let [side, sign, bytes] = fields.as_slice() else { return Err(option.wrong(expected)) };
        type Make = fn(u64) -> Comparison;
        let signs: [(&str, Make); 6] = [
            ("<", Comparison::Less),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            (">=", Comparison::GreaterOrEqual),
            ("=", Comparison::Equal),
            ("!=", Comparison::Not),
        ];
        let side = side.choice(&STREAM_SIDES, "client, server, both or either")?;
        let sign = sign.choice(&signs, "one of < <= > >= = !=")?;
        let compares = sign(bytes.number(0..=u32::MAX.into(), "a number of bytes")?);
        Ok(Self { amount: FlowAmount::StreamBytes, side, compares })
    }

    /// Reads `toserver|toclient|both|either,comparison`.
    pub(crate) fn flow(option: &RawOption<'_>, amount: FlowAmount) -> Result<Self, Fault> {
        let expected = "`toserver|toclient|both|either,comparison`";
        let fields = Field::list(option, expected)?;
        let [side, compares] = fields.as_slice() else { return Err(option.wrong(expected)) };
        let side = side.choice(&FLOW_SIDES, "toserver, toclient, both or either")?;
        let compares = Comparison::parse(*compares, u64::MAX, "a comparison with a number")?;
        Ok(Self { amount, side, compares })
    }
}

impl fmt::Display for FlowSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = if self.amount == FlowAmount::StreamBytes { STREAM_SIDES } else { FLOW_SIDES };
        let side = sides.iter().find(|(_, known)| *known == self.side).map_or("", |(name, _)| name);
        match (self.amount, self.compares) {
            (FlowAmount::StreamBytes, Comparison::Equal(bytes)) => write!(f, "stream_size:{side},=,{bytes};"),
            (FlowAmount::StreamBytes, Comparison::Not(bytes)) => write!(f, "stream_size:{side},!=,{bytes};"),
            (FlowAmount::StreamBytes, compares) => {
                let text = compares.to_string();
                let digits = text.find(|c: char| c.is_ascii_digit()).unwrap_or_default();
                let (sign, bytes) = text.split_at(digits);
                write!(f, "stream_size:{side},{sign},{bytes};")
            }
            (FlowAmount::Packets, compares) => write!(f, "flow.pkts:{side},{compares};"),
            (FlowAmount::Bytes, compares) => write!(f, "flow.bytes:{side},{compares};"),
        }
    }
}
