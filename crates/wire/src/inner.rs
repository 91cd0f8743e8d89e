//! The customer's packet: who talks to whom, in what protocol, and where the payload is.
//!
//! ```text
//!            ┌ IPv4 ────────────────────────┐                        ┌ TCP: flags, numbers, payload   five-tuple
//! bytes ─────┤                              ├─ whole, first fragment ┼ UDP: payload                   five-tuple
//!            └ IPv6 ─ extension headers ≤ 8 ┘                        ├ ICMP, ICMPv6: kind, code       ports 0
//!                                           │                        └ any other protocol             ports 0
//!                                           └─ later fragment ───────── hidden                        ports 0
//! ```
//! Lengths are believed only after they were compared with the bytes. What stays outside the lengths (padding) is left
//! out. Checksums in here are the customer's business: hosts verify them, a packet is returned as it came.
//!
//! Fragments: a first fragment carries the ports, so it belongs to the five-tuple's flow and port rules see it; without
//! it nobody can put the datagram together, so a rule that drops it stops the rest. Later fragments hide the ports and
//! are a 3-tuple flow, as GWLB itself must keep them. A first fragment too small to show its transport header is
//! malformed (RFC 1858 §3, RFC 8200 §4.5).

use etherparse::err::{ipv4, ipv6};
use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6HeaderSlice};

use crate::extension::{self, Upper};
use crate::{FiveTuple, InnerError, ProtocolType, Transport};

/// An inner packet, its headers checked up to the transport's.
#[derive(Clone, Copy, Debug)]
pub struct Inner<'a> {
    /// The ends as the packet names them.
    pub tuple: FiveTuple,
    /// The packet from its IP header to its end by its own length, without padding.
    pub packet: &'a [u8],
    /// Which part of a datagram this is; `None` if it is whole.
    pub fragment: Option<Fragment>,
    /// What the IP header carries.
    pub transport: Transport<'a>,
}

/// A fragment's place (RFC 791 §3.1, RFC 8200 §4.5).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fragment {
    /// Where this part starts in the datagram, in bytes; a multiple of 8 up to 65,528.
    pub offset: u16,
    /// Whether more parts follow.
    pub more: bool,
}

impl Fragment {
    /// The place, or `None` for what is no fragment: IPv6 atomic fragments are whole packets (RFC 8200 §4.5).
    pub(crate) fn of(offset: u16, more: bool) -> Option<Self> {
        (offset != 0 || more).then_some(Self { offset, more })
    }

    /// Whether this part carries the transport header.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.offset == 0
    }
}

impl<'a> Inner<'a> {
    /// Read an inner packet. `bytes` start at its IP header and may go on behind its end.
    ///
    /// # Errors
    /// [`InnerError`], one reason for each kind of malformation.
    #[inline]
    pub fn parse(bytes: &'a [u8], protocol_type: ProtocolType) -> Result<Self, InnerError> {
        match protocol_type {
            ProtocolType::Ipv4 => Self::parse_v4(bytes),
            ProtocolType::Ipv6 => Self::parse_v6(bytes),
        }
    }

    #[inline]
    fn parse_v4(bytes: &'a [u8]) -> Result<Self, InnerError> {
        let header = Ipv4HeaderSlice::from_slice(bytes).map_err(ipv4_error)?;
        let total_len = usize::from(header.total_len());
        let Some(packet) = bytes.get(..total_len) else { return Err(truncated(total_len, bytes.len())) };
        let Some(payload) = packet.get(header.slice().len()..) else {
            return Err(InnerError::TotalLength(header.total_len()));
        };
        let offset = header.fragments_offset().value() << 3;
        let fragment = Fragment::of(offset, header.more_fragments());
        let protocol = header.protocol().0;
        let (transport, ports) = Transport::parse(payload, protocol, fragment)?;
        let tuple = FiveTuple {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            source_port: ports.source,
            destination_port: ports.destination,
            protocol,
            version: 4,
        };
        Ok(Self { tuple, packet, fragment, transport })
    }

    #[inline]
    fn parse_v6(bytes: &'a [u8]) -> Result<Self, InnerError> {
        let header = Ipv6HeaderSlice::from_slice(bytes).map_err(ipv6_error)?;
        let total_len = usize::from(header.payload_length()).saturating_add(header.slice().len());
        let Some(packet) = bytes.get(..total_len) else { return Err(truncated(total_len, bytes.len())) };
        let payload = packet.get(header.slice().len()..).unwrap_or_default();
        let Upper { protocol, payload, fragment } = match header.next_header() {
            IpNumber::TCP | IpNumber::UDP => {
                Upper { protocol: header.next_header().0, payload, fragment: None }
            }
            other => extension::walk(payload, other)?,
        };
        let (transport, ports) = Transport::parse(payload, protocol, fragment)?;
        let tuple = FiveTuple {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            source_port: ports.source,
            destination_port: ports.destination,
            protocol,
            version: 6,
        };
        Ok(Self { tuple, packet, fragment, transport })
    }

    /// What the transport carries, empty for what carries nothing; of a UDP datagram as its own length says.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.transport.payload()
    }
}

fn truncated(need: usize, have: usize) -> InnerError {
    let bytes = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    InnerError::Truncated { need: bytes(need), have: bytes(have) }
}

fn ipv4_error(error: ipv4::HeaderSliceError) -> InnerError {
    use ipv4::HeaderError::{HeaderLengthSmallerThanHeader, UnexpectedVersion};
    match error {
        ipv4::HeaderSliceError::Len(error) => truncated(error.required_len, error.len),
        ipv4::HeaderSliceError::Content(UnexpectedVersion { version_number }) => {
            InnerError::Version(version_number)
        }
        ipv4::HeaderSliceError::Content(HeaderLengthSmallerThanHeader { ihl }) => {
            InnerError::HeaderLength(ihl)
        }
    }
}

fn ipv6_error(error: ipv6::HeaderSliceError) -> InnerError {
    match error {
        ipv6::HeaderSliceError::Len(error) => truncated(error.required_len, error.len),
        ipv6::HeaderSliceError::Content(ipv6::HeaderError::UnexpectedVersion { version_number }) => {
            InnerError::Version(version_number)
        }
    }
}
