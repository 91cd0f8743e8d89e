//! Who talks to whom inside: the inner packet's addresses, protocol and ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An inner IP address in sixteen bytes; an IPv4 address stands in its mapped form (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2).
///
/// Which of the two it is, [`FiveTuple::version`] says: a real IPv6 packet may carry a mapped address.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address(pub [u8; 16]);

impl Address {
    /// The address as the standard library has it, for display and for set look-ups.
    #[must_use]
    pub fn to_ip(self, version: u8) -> IpAddr {
        let v6 = Ipv6Addr::from(self.0);
        match (version, v6.to_ipv4_mapped()) {
            (4, Some(v4)) => IpAddr::V4(v4),
            _ => IpAddr::V6(v6),
        }
    }
}

impl From<Ipv4Addr> for Address {
    fn from(address: Ipv4Addr) -> Self {
        Self(address.to_ipv6_mapped().octets())
    }
}

impl From<Ipv6Addr> for Address {
    fn from(address: Ipv6Addr) -> Self {
        Self(address.octets())
    }
}

/// The inner packet's ends as it names them, not ordered. Ports are 0 where the protocol has none or a fragment hides
/// them: such a packet belongs to a 3-tuple flow, as GWLB itself keeps it (AWS, "Gateway Load Balancers").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FiveTuple {
    /// Inner source address.
    pub source: Address,
    /// Inner destination address.
    pub destination: Address,
    /// Inner source port.
    pub source_port: u16,
    /// Inner destination port.
    pub destination_port: u16,
    /// IP protocol number (IANA), after IPv6 extension headers.
    pub protocol: u8,
    /// IP version, 4 or 6.
    pub version: u8,
}

impl fmt::Display for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, destination) = (self.source.to_ip(self.version), self.destination.to_ip(self.version));
        write!(
            f,
            "{source} {} -> {destination} {} proto {}",
            self.source_port, self.destination_port, self.protocol
        )
    }
}
