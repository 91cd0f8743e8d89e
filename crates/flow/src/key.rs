//! The canonical name of a flow: its endpoint and its two ends, ordered, so that both directions have one key.
//!
//! ```text
//! near  endpoint 8 | high 4, low 4 | high 2, low 2 (udp/tcp ports) | protocol 1 | version 1     22 bytes
//! far   low 12 | high 12                                                                       24 bytes
//! ```
//! `near` names an IPv4 flow completely; `far` holds the rest of IPv6 addresses, and is zero for IPv4. So an IPv4 packet is matched against one
//! cache line of the flow table (DESIGN.md, "flow").

use std::fmt;

use wire::{Address, EndpointId, FiveTuple};

/// Which way a packet goes, as its key orders the ends. The flow knows which of the two is the initiator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Direction {
    /// From the lower end to the higher.
    Up,
    /// From the higher end to the lower.
    Down,
}

impl Direction {
    /// Both, in the order of their indices.
    pub const BOTH: [Self; 2] = [Self::Up, Self::Down];

    /// The other way.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// The part of a key that tells IPv4 flows apart. Numbers rather than bytes, so that a key that was just made is hashed
/// from registers; packed, so that no byte is lost to alignment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(C, packed(2))]
pub struct Near {
    endpoint: u64,
    /// The last four bytes of each address, the higher end's above.
    addresses: u64,
    /// Likewise.
    ports: u32,
    protocol: u8,
    version: u8,
}

/// The part of a key that only IPv6 flows need: the first eight and the next four bytes of each address.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(C, packed(2))]
pub struct Far {
    low: u64,
    low_rest: u32,
    high: u64,
    high_rest: u32,
}

impl Near {
    /// Whether it names a flow without its far part.
    #[must_use]
    #[inline]
    pub fn is_ipv4(&self) -> bool {
        self.version == 4
    }
}

/// Endpoint id and inner five-tuple with ordered ends, in 46 bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct FlowKey {
    pub(crate) near: Near,
    pub(crate) far: Far,
}

/// The protocol number of parts, of IPv4 too: IPv6's fragment header (IANA, "Assigned Internet Protocol Numbers").
const FRAGMENTS: u8 = 44;

/// What an IPv4 address has before its four bytes in mapped form, less the eight bytes of zero before that.
const MAPPED: u32 = 0xffff;

impl FlowKey {
    /// The key of a packet, and the direction in which that packet goes.
    ///
    /// Of an IPv4 address the last four bytes count: the rest is its mapped prefix by definition of [`Address`].
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "numbers are taken apart")]
    pub fn new(endpoint: EndpointId, tuple: &FiveTuple) -> (Self, Direction) {
        let source = (number(tuple.source, tuple.version), tuple.source_port);
        let destination = (number(tuple.destination, tuple.version), tuple.destination_port);
        let (low, high, direction) = if source <= destination {
            (source, destination, Direction::Up)
        } else {
            (destination, source, Direction::Down)
        };
        let near = Near {
            endpoint: endpoint.0,
            addresses: u64::from(high.0 as u32) << 32 | u64::from(low.0 as u32),
            ports: u32::from(high.1) << 16 | u32::from(low.1),
            protocol: tuple.protocol,
            version: tuple.version,
        };
        let far = Far {
            low: (low.0 >> 64) as u64,
            low_rest: (low.0 >> 32) as u32,
            high: (high.0 >> 64) as u64,
            high_rest: (high.0 >> 32) as u32,
        };
        (Self { near, far }, direction)
    }

    /// The key of an IPv4 packet whose ends, each an address as a big-endian number and a port, were read as such, and
    /// the direction in which it goes: what [`FlowKey::new`] makes of the same packet's five-tuple.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "numbers are taken apart")]
    pub fn ipv4(
        endpoint: EndpointId,
        protocol: u8,
        source: (u32, u16),
        destination: (u32, u16),
    ) -> (Self, Direction) {
        let end = |(address, port): (u32, u16)| u64::from(address) << 16 | u64::from(port);
        let (source, destination) = (end(source), end(destination));
        let (low, high) = (source.min(destination), source.max(destination));
        let near = Near {
            endpoint: endpoint.0,
            addresses: high >> 16 << 32 | low >> 16,
            ports: (high as u32) << 16 | low as u32 & 0xffff,
            protocol,
            version: 4,
        };
        let direction = if source <= destination { Direction::Up } else { Direction::Down };
        (Self { near, far: Far::NONE }, direction)
    }

    /// The key as it crosses a ring: an IPv4 flow is named by its near part alone.
    #[must_use]
    #[inline]
    pub fn parts(&self) -> (Near, Option<Far>) {
        (self.near, (!self.near.is_ipv4()).then_some(self.far))
    }

    /// The key of which these are the [`parts`](Self::parts).
    #[must_use]
    #[inline]
    pub fn from_parts(near: Near, far: Option<Far>) -> Self {
        Self { near, far: far.unwrap_or(Far::NONE) }
    }

    /// The endpoint this flow came through.
    #[must_use]
    pub fn endpoint(&self) -> EndpointId {
        EndpointId(self.near.endpoint)
    }

    /// The IP protocol number (IANA).
    #[must_use]
    #[inline]
    pub fn protocol(&self) -> u8 {
        self.near.protocol
    }

    /// The IP version, 4 or 6.
    #[must_use]
    #[inline]
    pub fn version(&self) -> u8 {
        self.near.version
    }

    /// Whether packets of this flow carry TCP headers. Non-first fragments of TCP have no ports and no flags: they are a
    /// flow of their own, without a handshake.
    #[must_use]
    #[inline]
    pub fn is_tcp(&self) -> bool {
        self.near.protocol == 6 && self.near.ports != 0
    }

    /// Whether this is the flow of all parts of datagrams between two hosts: what carries only a part has no ports, and
    /// each part of an IPv6 datagram may name another protocol.
    #[must_use]
    #[inline]
    pub fn is_of_fragments(&self) -> bool {
        self.near.protocol == FRAGMENTS
    }

    /// The key of the parts of datagrams between these ends, and the direction in which such a packet goes.
    #[must_use]
    pub fn of_fragments(endpoint: EndpointId, tuple: &FiveTuple) -> (Self, Direction) {
        let hosts = FiveTuple { source_port: 0, destination_port: 0, protocol: FRAGMENTS, ..*tuple };
        Self::new(endpoint, &hosts)
    }

    /// The five-tuple of a packet of this flow that goes in `direction`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "numbers are taken apart")]
    pub fn tuple(&self, direction: Direction) -> FiveTuple {
        let Self { near, far } = *self;
        let mapped = if near.is_ipv4() { MAPPED } else { 0 };
        let low = (address(far.low, far.low_rest | mapped, near.addresses as u32), near.ports as u16);
        let high = (
            address(far.high, far.high_rest | mapped, (near.addresses >> 32) as u32),
            (near.ports >> 16) as u16,
        );
        let (source, destination) = match direction {
            Direction::Up => (low, high),
            Direction::Down => (high, low),
        };
        FiveTuple {
            source: source.0,
            destination: destination.0,
            source_port: source.1,
            destination_port: destination.1,
            protocol: near.protocol,
            version: near.version,
        }
    }
}

impl Near {
    /// No flow's: its version is 0.
    pub(crate) const NONE: Self = Self { endpoint: 0, addresses: 0, ports: 0, protocol: 0, version: 0 };

    /// All of it in three words.
    #[inline]
    pub(crate) fn words(self) -> [u64; 3] {
        let rest = u64::from(self.version) << 40 | u64::from(self.protocol) << 32 | u64::from(self.ports);
        [self.endpoint, self.addresses, rest]
    }

    /// Whether both are of one flow, as far as they tell: all of it at once, since they nearly always are.
    #[inline]
    pub(crate) fn is(self, other: Self) -> bool {
        let last = |near: Self| u16::from_ne_bytes([near.protocol, near.version]);
        let ends = (self.endpoint ^ other.endpoint) | (self.addresses ^ other.addresses);
        ends | u64::from(self.ports ^ other.ports) | u64::from(last(self) ^ last(other)) == 0
    }
}

impl Far {
    /// That of every IPv4 flow.
    pub(crate) const NONE: Self = Self { low: 0, low_rest: 0, high: 0, high_rest: 0 };

    /// All of it in three words.
    #[inline]
    pub(crate) fn words(self) -> [u64; 3] {
        [self.low, self.high, u64::from(self.high_rest) << 32 | u64::from(self.low_rest)]
    }
}

impl fmt::Debug for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlowKey({} {})", self.endpoint(), self.tuple(Direction::Up))
    }
}

/// An address as a number that orders like its bytes.
#[inline]
fn number(address: Address, version: u8) -> u128 {
    let number = u128::from_be_bytes(address.0);
    if version == 4 { number & 0xffff_ffff } else { number }
}

fn address(first: u64, rest: u32, last: u32) -> Address {
    Address((u128::from(first) << 64 | u128::from(rest) << 32 | u128::from(last)).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn tuples() -> impl Strategy<Value = FiveTuple> {
        let address = prop_oneof![any::<[u8; 4]>().prop_map(|a| Address::from(std::net::Ipv4Addr::from(a)))];
        let four = (address.clone(), address, any::<u16>(), any::<u16>(), any::<u8>()).prop_map(|t| (t, 4));
        let six = any::<[u8; 16]>().prop_map(Address);
        let six = (six.clone(), six, any::<u16>(), any::<u16>(), any::<u8>()).prop_map(|t| (t, 6));
        prop_oneof![four, six].prop_map(
            |((source, destination, source_port, destination_port, protocol), version)| FiveTuple {
                source,
                destination,
                source_port,
                destination_port,
                protocol,
                version,
            },
        )
    }

    fn turned(t: &FiveTuple) -> FiveTuple {
        FiveTuple {
            source: t.destination,
            destination: t.source,
            source_port: t.destination_port,
            destination_port: t.source_port,
            ..*t
        }
    }

    proptest! {
        #[test]
        fn a_key_is_made_whole_again_from_its_parts(tuple in tuples(), endpoint: u64) {
            let (key, _) = FlowKey::new(EndpointId(endpoint), &tuple);
            let (near, far) = key.parts();
            prop_assert_eq!(far.is_some(), tuple.version == 6);
            prop_assert_eq!(FlowKey::from_parts(near, far), key);
        }

        #[test]
        fn an_ipv4_key_is_the_same_from_numbers(endpoint: u64, s: (u32, u16), d: (u32, u16), protocol: u8) {
            let tuple = FiveTuple {
                source: std::net::Ipv4Addr::from_bits(s.0).into(),
                destination: std::net::Ipv4Addr::from_bits(d.0).into(),
                source_port: s.1,
                destination_port: d.1,
                protocol,
                version: 4,
            };
            let endpoint = EndpointId(endpoint);
            prop_assert_eq!(FlowKey::ipv4(endpoint, protocol, s, d), FlowKey::new(endpoint, &tuple));
        }

        #[test]
        fn both_directions_share_a_key(endpoint: u64, tuple in tuples()) {
            let (there, up) = FlowKey::new(EndpointId(endpoint), &tuple);
            let (back, down) = FlowKey::new(EndpointId(endpoint), &turned(&tuple));
            prop_assert_eq!(there, back);
            prop_assert!(up != down || tuple == turned(&tuple));
        }

        #[test]
        fn a_key_gives_back_what_it_was_made_of(endpoint: u64, tuple in tuples()) {
            let (key, direction) = FlowKey::new(EndpointId(endpoint), &tuple);
            prop_assert_eq!(key.endpoint(), EndpointId(endpoint));
            prop_assert_eq!(key.tuple(direction), tuple);
        }

        #[test]
        fn keys_are_equal_only_if_endpoint_and_ends_are(a: (u64, u64), s in tuples(), t in tuples()) {
            let (x, y) = (FlowKey::new(EndpointId(a.0), &s).0, FlowKey::new(EndpointId(a.1), &t).0);
            prop_assert_eq!(x == y, a.0 == a.1 && (s == t || s == turned(&t)));
        }
    }

    #[test]
    fn a_key_has_46_bytes() {
        assert_eq!(size_of::<FlowKey>(), 46);
    }
}
