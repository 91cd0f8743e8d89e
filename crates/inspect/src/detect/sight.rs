//! One packet as rules see it: its headers, its payload, and its place in its flow.

use flow::{Direction, FlowKey, FlowState, Moment};
use policy::{Buffer, FlowTest, FragmentPart, StreamPart, Way};
use wire::{FiveTuple, Inner, Transport};

/// A packet and its flow, while rules are asked about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight<'a> {
    /// When it came.
    pub(crate) now: Moment,
    /// Its flow.
    pub(crate) key: &'a FlowKey,
    /// Which way it goes, as the key orders the ends.
    pub(crate) direction: Direction,
    /// Which way it goes, as the flow began.
    pub(crate) way: Way,
    /// Its ends.
    pub(crate) tuple: FiveTuple,
    /// Its headers; at the end of a flow there is no packet.
    pub(crate) inner: Option<&'a Inner<'a>>,
    /// What its transport carries.
    pub(crate) payload: &'a [u8],
    /// How far its flow has come.
    pub(crate) state: FlowState,
    /// Whether it was put together from fragments.
    pub(crate) whole: bool,
}

impl<'a> Sight<'a> {
    /// The bytes of a buffer that the packet's headers are.
    pub(crate) fn header(&self, buffer: Buffer) -> Option<&'a [u8]> {
        let inner = self.inner?;
        let packet = inner.packet;
        let network = network_len(packet)?;
        let transport = |len: usize| packet.get(network..network.checked_add(len)?);
        match (buffer, inner.transport) {
            (Buffer::Ipv4Header, _) if self.tuple.version == 4 => packet.get(..network),
            (Buffer::Ipv6Header, _) if self.tuple.version == 6 => packet.get(..40),
            (Buffer::TcpHeader, Transport::Tcp(tcp)) => {
                let start = packet.len().checked_sub(tcp.payload.len() + tcp.options.len() + 20)?;
                packet.get(start..packet.len() - tcp.payload.len())
            }
            (Buffer::UdpHeader, Transport::Udp(_)) => transport(8),
            (Buffer::Icmpv4Header, Transport::Icmp(_)) if self.tuple.protocol == 1 => transport(8),
            (Buffer::Icmpv6Header, Transport::Icmp(icmp)) if self.tuple.protocol == 58 => {
                let start = packet.len().checked_sub(icmp.body.len() + 4)?;
                packet.get(start..start + 8)
            }
            _ => None,
        }
    }

    /// The same packet, as what it made ready of the other way is asked about.
    pub(crate) fn turned(self) -> Self {
        let FiveTuple { source, destination, source_port, destination_port, .. } = self.tuple;
        let tuple = FiveTuple {
            source: destination,
            destination: source,
            source_port: destination_port,
            destination_port: source_port,
            ..self.tuple
        };
        Self { way: self.way.opposite(), tuple, direction: self.direction.opposite(), payload: &[], ..self }
    }

    /// Whether the packet's place in its flow is what the rule asks; the stream words are not about the packet.
    pub(crate) fn is(&self, test: &FlowTest) -> bool {
        use policy::FlowState::{Established, NotEstablished, Stateless};
        let way = test.way.is_none_or(|way| way == self.way);
        let state = match test.state {
            None | Some(Stateless) => true,
            Some(Established) => self.state.is_established(),
            Some(NotEstablished) => !self.state.is_established(),
        };
        let fragment = match test.fragment {
            None => true,
            Some(FragmentPart::Only) => self.whole,
            Some(FragmentPart::No) => !self.whole,
        };
        way && state && fragment
    }
}

/// Whether the words of a rule's `flow` let it look at the stream, and at packets.
pub(crate) fn looks_at(test: &FlowTest) -> (bool, bool) {
    (test.stream != Some(StreamPart::No), test.stream != Some(StreamPart::Only))
}

/// Length of the IP header, without IPv6 extension headers.
fn network_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    Some(if first >> 4 == 4 { usize::from(first & 0xf) * 4 } else { 40 })
}

/// What rules call a packet's payload: of ICMP, what follows the eight bytes of its header.
pub(crate) fn payload_of<'a>(inner: &Inner<'a>) -> &'a [u8] {
    match inner.transport {
        Transport::Icmp(icmp) => icmp.body.get(4..).unwrap_or_default(),
        _ => inner.payload(),
    }
}
