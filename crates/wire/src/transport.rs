//! The inner transport header: TCP (RFC 9293 §3.1), UDP (RFC 768), ICMP (RFC 792), ICMPv6 (RFC 4443 §2.1), or none that
//! we read.

use etherparse::err::tcp;
use etherparse::{TcpHeaderSlice, UdpHeaderSlice};

use crate::InnerError;
use crate::inner::Fragment;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// What the inner IP header carries.
#[derive(Clone, Copy, Debug)]
pub enum Transport<'a> {
    /// TCP.
    Tcp(Tcp<'a>),
    /// UDP: its payload.
    Udp(&'a [u8]),
    /// ICMP or ICMPv6. Errors about a flow are a 3-tuple flow of their own, as GWLB keeps them.
    Icmp(Icmp<'a>),
    /// A protocol without ports that we read (ESP, GRE, SCTP, unknown): its bytes.
    Other(&'a [u8]),
    /// A later fragment: its part of the datagram. The transport header is elsewhere.
    Hidden(&'a [u8]),
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tcp<'a> {
    /// Flags.
    pub flags: TcpFlags,
    /// Number of the first payload byte, or of SYN.
    pub sequence: u32,
    /// The next number that the sender expects; means something only with ACK.
    pub acknowledgment: u32,
    /// Receive window in bytes, before scaling.
    pub window: u16,
    /// The header's options, 0 to 40 bytes.
    pub options: &'a [u8],
    /// Payload; of a first fragment, the part of it that is here.
    pub payload: &'a [u8],
}

/// TCP's eight flags as byte 13 of the header has them (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment field means something.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer means something.
    pub const URG: Self = Self(0x20);
    /// ECN echo (RFC 3168).
    pub const ECE: Self = Self(0x40);
    /// Congestion window reduced (RFC 3168).
    pub const CWR: Self = Self(0x80);

    /// Whether all of `flags` are set.
    #[must_use]
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl std::ops::BitOr for TcpFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// An ICMP or ICMPv6 message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Icmp<'a> {
    /// The message's type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// What follows type, code and checksum.
    pub body: &'a [u8],
}

/// Source and destination udp or tcp port; both 0 where there are none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ports {
    pub(crate) source: u16,
    pub(crate) destination: u16,
}

impl<'a> Transport<'a> {
    /// Read the transport header at the start of `bytes`, the whole rest of the IP packet.
    #[inline]
    pub(crate) fn parse(
        bytes: &'a [u8],
        protocol: u8,
        fragment: Option<Fragment>,
    ) -> Result<(Self, Ports), InnerError> {
        if let Some(fragment) = fragment {
            return Self::parse_fragment(bytes, protocol, fragment);
        }
        match protocol {
            TCP => Self::parse_tcp(bytes),
            UDP => Self::parse_udp(bytes, false),
            ICMP | ICMPV6 => Self::parse_icmp(bytes, protocol),
            _ => Ok((Self::Other(bytes), Ports::default())),
        }
    }

    /// A first fragment has the transport header, and all of it; a later one has none.
    fn parse_fragment(
        bytes: &'a [u8],
        protocol: u8,
        fragment: Fragment,
    ) -> Result<(Self, Ports), InnerError> {
        if !fragment.is_first() {
            return Ok((Self::Hidden(bytes), Ports::default()));
        }
        let parsed = match protocol {
            UDP => Self::parse_udp(bytes, true),
            _ => Self::parse(bytes, protocol, None),
        };
        parsed.map_err(|error| match error {
            InnerError::TransportTruncated(protocol) => InnerError::TinyFragment(protocol),
            other => other,
        })
    }

    #[inline]
    fn parse_tcp(bytes: &'a [u8]) -> Result<(Self, Ports), InnerError> {
        let header = TcpHeaderSlice::from_slice(bytes).map_err(|error| tcp_error(error, bytes))?;
        let (head, payload) = bytes.split_at_checked(header.slice().len()).unwrap_or_default();
        let transport = Self::Tcp(Tcp {
            flags: TcpFlags(head.get(13).copied().unwrap_or_default()),
            sequence: header.sequence_number(),
            acknowledgment: header.acknowledgment_number(),
            window: header.window_size(),
            options: head.get(20..).unwrap_or_default(),
            payload,
        });
        Ok((transport, Ports { source: header.source_port(), destination: header.destination_port() }))
    }

    /// UDP's length may be less than IP's (what is behind it is no payload) but not more, unless this is only a part.
    #[inline]
    fn parse_udp(bytes: &'a [u8], part: bool) -> Result<(Self, Ports), InnerError> {
        let header = UdpHeaderSlice::from_slice(bytes).map_err(|_| InnerError::TransportTruncated(UDP))?;
        let wrong = || InnerError::UdpLength(header.length());
        let len = usize::from(header.length());
        let datagram = if part && len > bytes.len() { bytes } else { bytes.get(..len).ok_or_else(wrong)? };
        let payload = datagram.get(header.slice().len()..).ok_or_else(wrong)?;
        Ok((
            Self::Udp(payload),
            Ports { source: header.source_port(), destination: header.destination_port() },
        ))
    }

    #[inline]
    fn parse_icmp(bytes: &'a [u8], protocol: u8) -> Result<(Self, Ports), InnerError> {
        match bytes {
            [kind, code, _, _, body @ ..] => {
                Ok((Self::Icmp(Icmp { kind: *kind, code: *code, body }), Ports::default()))
            }
            _ => Err(InnerError::TransportTruncated(protocol)),
        }
    }

    pub(crate) fn payload(&self) -> &'a [u8] {
        match *self {
            Self::Tcp(Tcp { payload, .. })
            | Self::Udp(payload)
            | Self::Other(payload)
            | Self::Hidden(payload) => payload,
            Self::Icmp(Icmp { body, .. }) => body,
        }
    }
}

fn tcp_error(error: tcp::HeaderSliceError, bytes: &[u8]) -> InnerError {
    match (error, bytes.get(12)) {
        (tcp::HeaderSliceError::Content(_), Some(offset)) => InnerError::TcpOffset(offset >> 4),
        (tcp::HeaderSliceError::Len(_), Some(offset)) if bytes.len() >= 20 => {
            InnerError::TcpOffset(offset >> 4)
        }
        _ => InnerError::TransportTruncated(TCP),
    }
}
