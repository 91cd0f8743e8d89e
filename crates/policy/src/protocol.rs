//! The protocols that a header may name.

use std::fmt;

/// ICMP, TCP, UDP, ICMPv6 and SCTP in the IP header (IANA, "Assigned Internet Protocol Numbers").
pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMP_V6: u8 = 58;
pub(crate) const SCTP: u8 = 132;

/// What a header says of the protocol.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Protocol {
    /// `ip`: every packet of either version.
    Ip,
    /// `ipv4`.
    Ipv4,
    /// `ipv6`.
    Ipv6,
    /// `tcp`: packets and stream.
    Tcp,
    /// `tcp-pkt`: packets alone.
    TcpPacket,
    /// `tcp-stream`: the stream alone.
    TcpStream,
    /// `udp`.
    Udp,
    /// `icmp`: ICMP in IPv4 and ICMPv6.
    Icmp,
    /// `icmpv4`.
    Icmpv4,
    /// `icmpv6`.
    Icmpv6,
    /// `sctp`.
    Sctp,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 11] = [
        Self::Ip,
        Self::Ipv4,
        Self::Ipv6,
        Self::Tcp,
        Self::TcpPacket,
        Self::TcpStream,
        Self::Udp,
        Self::Icmp,
        Self::Icmpv4,
        Self::Icmpv6,
        Self::Sctp,
    ];

    /// The protocol of that name, in lower case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ip4" => Some(Self::Ipv4),
            "ip6" => Some(Self::Ipv6),
            _ => Self::ALL.into_iter().find(|protocol| protocol.name() == name),
        }
    }

    /// The name that rules use.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Tcp => "tcp",
            Self::TcpPacket => "tcp-pkt",
            Self::TcpStream => "tcp-stream",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmpv4 => "icmpv4",
            Self::Icmpv6 => "icmpv6",
            Self::Sctp => "sctp",
        }
    }

    /// Whether a packet of that IP version and protocol number is of this protocol.
    #[must_use]
    pub fn includes(self, version: u8, number: u8) -> bool {
        match self {
            Self::Ip => true,
            Self::Ipv4 => version == 4,
            Self::Ipv6 => version == 6,
            Self::Tcp | Self::TcpPacket | Self::TcpStream => number == TCP,
            Self::Udp => number == UDP,
            Self::Icmp => number == ICMP || number == ICMP_V6,
            Self::Icmpv4 => number == ICMP,
            Self::Icmpv6 => number == ICMP_V6,
            Self::Sctp => number == SCTP,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether packets of that protocol number have ports.
pub(crate) fn has_ports(number: u8) -> bool {
    matches!(number, TCP | UDP | SCTP)
}
