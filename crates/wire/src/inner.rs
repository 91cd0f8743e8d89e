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
//! Fragments: a first fragment shows its ports, a later one hides them; each says which part of which datagram it is.
//! A first fragment too small to show its transport header is malformed (RFC 1858 §3, RFC 8200 §4.5).

use etherparse::err::{ipv4, ipv6};
use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6HeaderSlice};

use crate::extension::{self, Upper};
use crate::{Checksum, FiveTuple, InnerError, ProtocolType, Transport, UDP_LEN};

/// An inner packet, its headers checked up to the transport's.
#[derive(Clone, Copy, Debug)]
pub struct Inner<'a> {
    /// The ends as the packet names them.
    pub tuple: FiveTuple,
    /// The packet from its IP header to its end by its own length, without padding.
    pub packet: &'a [u8],
    /// What follows the IP header and its extensions, to the packet's end: the transport header and its payload.
    pub upper: &'a [u8],
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
    /// Which datagram of its sender's it is a part of: 16 bits of IPv4, 32 of IPv6.
    pub identification: u32,
    /// The protocol number of what the datagram starts with; of IPv6, that may be an extension header.
    pub protocol: u8,
    /// Where in the packet its part of the datagram starts, behind the IP header, and the fragment header of IPv6.
    pub data_at: u16,
}

impl Fragment {
    /// This place, or `None` for what is no fragment: IPv6 atomic fragments are whole packets (RFC 8200 §4.5).
    pub(crate) fn part(self) -> Option<Self> {
        (self.offset != 0 || self.more).then_some(self)
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
        let protocol = header.protocol().0;
        let fragment = Fragment {
            offset,
            more: header.more_fragments(),
            identification: header.identification().into(),
            protocol,
            data_at: u16::from(header.ihl()) << 2,
        };
        let fragment = fragment.part();
        let (transport, ports) = Transport::parse(payload, protocol, fragment)?;
        let tuple = FiveTuple {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            source_port: ports.source,
            destination_port: ports.destination,
            protocol,
            version: 4,
        };
        Ok(Self { tuple, packet, upper: payload, fragment, transport })
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
            other => extension::walk(payload, header.slice().len(), other)?,
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
        Ok(Self { tuple, packet, upper: payload, fragment, transport })
    }

    /// Whether the checksums of the IP and the transport header are right, as the receiver will see them; what it would
    /// throw away it never reads. A part of a datagram has its transport's checksum elsewhere: only its IP header counts.
    ///
    /// An IPv6 routing header that is not at its end yet hides the address that was summed (RFC 8200 §8.1); such a
    /// packet looks wrong.
    #[must_use]
    pub fn has_right_checksums(&self) -> bool {
        let is_v4 = self.tuple.version == 4;
        let header = self.packet.first().map_or(0, |first| usize::from(first & 0x0f) << 2);
        let right = |sum: Checksum| sum.is_right();
        if is_v4 && !right(Checksum::default().over(self.packet.get(..header).unwrap_or_default())) {
            return false;
        }
        if self.fragment.is_some() {
            return true;
        }
        match (self.transport, self.upper) {
            // A UDP checksum of zero says that there is none; over IPv6 it must be there (RFC 768, RFC 8200 §8.1).
            (Transport::Udp(_), [_, _, _, _, _, _, 0, 0, ..]) => is_v4,
            (Transport::Udp(payload), upper) => {
                let datagram = upper.get(..payload.len().saturating_add(UDP_LEN)).unwrap_or_default();
                right(self.over_pseudo_header(datagram.len()).over(datagram))
            }
            (Transport::Tcp(_), upper) => right(self.over_pseudo_header(upper.len()).over(upper)),
            // RFC 792 sums the message alone, RFC 4443 §2.3 its pseudo-header too.
            (Transport::Icmp(_), upper) if is_v4 => right(Checksum::default().over(upper)),
            (Transport::Icmp(_), upper) => right(self.over_pseudo_header(upper.len()).over(upper)),
            (Transport::Other(_) | Transport::Hidden(_), _) => true,
        }
    }

    /// The sum of the pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1). A mapped address adds what the IPv4 address does: its
    /// marker is a word of ones, which in one's complement is nothing.
    fn over_pseudo_header(&self, len: usize) -> Checksum {
        let FiveTuple { source, destination, protocol, .. } = self.tuple;
        let len = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
        Checksum::default().over(&source.0).over(&destination.0).over(&len).over(&[0, protocol])
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
