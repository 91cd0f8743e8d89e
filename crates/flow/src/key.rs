//! The canonical name of a flow: its endpoint and its two ends, ordered, so that both directions have one key.
//!
//! ```text
//! near  endpoint 8 | low 4 | high 4 | low udp/tcp port 2 | high 2 | protocol 1 | version 1     22 bytes
//! far   low 12 | high 12                                                                       24 bytes
//! ```
//! `near` names an IPv4 flow completely; `far` holds the rest of IPv6 addresses. So an IPv4 packet is matched against one
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

/// What an IPv4 address has before its four bytes in mapped form.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/// The part of a key that tells IPv4 flows apart.
pub(crate) type Near = [u8; 22];
/// The part of a key that only IPv6 flows need.
pub(crate) type Far = [u8; 24];

/// Endpoint id and inner five-tuple with ordered ends: 46 bytes without padding, compared and hashed as they stand.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct FlowKey {
    pub(crate) near: Near,
    pub(crate) far: Far,
}

impl FlowKey {
    /// The key of a packet, and the direction in which that packet goes.
    ///
    /// Of an IPv4 address the last four bytes count: the rest is its mapped prefix by definition of [`Address`].
    #[must_use]
    pub fn new(endpoint: EndpointId, tuple: &FiveTuple) -> (Self, Direction) {
        let source = (tuple.source, tuple.source_port);
        let destination = (tuple.destination, tuple.destination_port);
        let (low, high, direction) = if source <= destination {
            (source, destination, Direction::Up)
        } else {
            (destination, source, Direction::Down)
        };
        let (low_far, low_near) = halves(low.0, tuple.version);
        let (high_far, high_near) = halves(high.0, tuple.version);
        let mut near = [0; 22];
        near[..8].copy_from_slice(&endpoint.0.to_be_bytes());
        near[8..12].copy_from_slice(&low_near);
        near[12..16].copy_from_slice(&high_near);
        near[16..18].copy_from_slice(&low.1.to_be_bytes());
        near[18..20].copy_from_slice(&high.1.to_be_bytes());
        near[20] = tuple.protocol;
        near[21] = tuple.version;
        let mut far = [0; 24];
        far[..12].copy_from_slice(&low_far);
        far[12..].copy_from_slice(&high_far);
        (Self { near, far }, direction)
    }

    /// The endpoint this flow came through.
    #[must_use]
    pub fn endpoint(&self) -> EndpointId {
        let [a, b, c, d, e, f, g, h, ..] = self.near;
        EndpointId(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The IP protocol number (IANA).
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.near[20]
    }

    /// The IP version, 4 or 6.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.near[21]
    }

    /// Whether packets of this flow carry TCP headers. Non-first fragments of TCP have no ports and no flags: they are a
    /// flow of their own, without a handshake.
    #[must_use]
    pub fn is_tcp(&self) -> bool {
        self.near[20] == 6 && self.near[16..20] != [0; 4]
    }

    /// The five-tuple of a packet of this flow that goes in `direction`.
    #[must_use]
    pub fn tuple(&self, direction: Direction) -> FiveTuple {
        let low = (self.address(12, 8), u16::from_be_bytes([self.near[16], self.near[17]]));
        let high = (self.address(24, 12), u16::from_be_bytes([self.near[18], self.near[19]]));
        let (source, destination) = match direction {
            Direction::Up => (low, high),
            Direction::Down => (high, low),
        };
        FiveTuple {
            source: source.0,
            destination: destination.0,
            source_port: source.1,
            destination_port: destination.1,
            protocol: self.protocol(),
            version: self.version(),
        }
    }

    /// The address whose first bytes end at `far_end` of `far` and whose last four start at `near_at` of `near`.
    fn address(&self, far_end: usize, near_at: usize) -> Address {
        let mut bytes = [0; 16];
        bytes[..12].copy_from_slice(&self.far[far_end - 12..far_end]);
        bytes[12..].copy_from_slice(&self.near[near_at..near_at + 4]);
        Address(bytes)
    }
}

impl fmt::Debug for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlowKey({} {})", self.endpoint(), self.tuple(Direction::Up))
    }
}

/// An address as its first twelve and its last four bytes.
fn halves(address: Address, version: u8) -> ([u8; 12], [u8; 4]) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address.0;
    let far = if version == 4 { MAPPED } else { [a, b, c, d, e, f, g, h, i, j, k, l] };
    (far, [m, n, o, p])
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
