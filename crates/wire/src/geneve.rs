//! GENEVE (RFC 8926): a fixed header of eight bytes, options, and what is carried.
//!
//! ```text
//!  0                   1                   2                   3
//! |Ver|  Opt Len  |O|C|   Rsvd    |         Protocol Type         |   Opt Len: 4-byte words, 0..=63
//! |        Virtual Network Identifier (VNI)       |   Reserved    |
//! |          Option Class         |    Kind (C)   |R R R| Length  |   Length: 4-byte words of data, 0..=31
//! |                       Option data ...                         |
//! ```
//!
//! Options are read one by one with a fuse: after the first that does not fit there is no way to find the next.

use crate::FrameError;
use crate::bytes::{be16, be32, saturated};

/// Length of the fixed header.
pub const GENEVE_LEN: usize = 8;

/// The longest header: the fixed part and 63 words of options (RFC 8926 §3.4).
pub const GENEVE_LEN_MAX: usize = 260;

/// The udp port of GENEVE (IANA; RFC 8926 §3.3), the destination in both directions.
pub const GENEVE_UDP_PORT: u16 = 6081;

/// What GENEVE carries: the two protocol types that GWLB uses, bare IP without an inner Ethernet header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u16)]
pub enum ProtocolType {
    /// IPv4.
    Ipv4 = 0x0800,
    /// IPv6.
    Ipv6 = 0x86dd,
}

/// A checked view of a GENEVE header: version 0, no control packet, a known protocol type, options within the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Geneve<'a> {
    fixed: &'a [u8; GENEVE_LEN],
    header: &'a [u8],
    protocol_type: ProtocolType,
}

impl<'a> Geneve<'a> {
    /// The header and what it carries.
    ///
    /// # Errors
    /// [`FrameError::GenevePastEnd`], [`FrameError::GeneveVersion`], [`FrameError::GeneveControl`],
    /// [`FrameError::GeneveProtocolType`]. The options' insides are checked by whoever reads them.
    #[inline]
    pub fn new_checked(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), FrameError> {
        let past_end = |stated| FrameError::GenevePastEnd { stated, have: saturated(bytes.len()) };
        let Some(fixed) = bytes.first_chunk::<GENEVE_LEN>() else { return Err(past_end(8)) };
        let [first, flags, ..] = *fixed;
        if first >> 6 != 0 {
            return Err(FrameError::GeneveVersion(first >> 6));
        }
        let len = u16::from(first << 2).saturating_add(8);
        let Some((header, inner)) = bytes.split_at_checked(len.into()) else { return Err(past_end(len)) };
        if flags & 0x80 != 0 {
            return Err(FrameError::GeneveControl);
        }
        let protocol_type = match be16::<2, GENEVE_LEN>(fixed) {
            0x0800 => ProtocolType::Ipv4,
            0x86dd => ProtocolType::Ipv6,
            other => return Err(FrameError::GeneveProtocolType(other)),
        };
        Ok((Self { fixed, header, protocol_type }, inner))
    }

    /// The whole header with its options, 8 to 260 bytes, as it must go back.
    #[must_use]
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// What is carried.
    #[must_use]
    pub fn protocol_type(&self) -> ProtocolType {
        self.protocol_type
    }

    /// Virtual network identifier, 24 bits; GWLB sends 0, and any value is echoed.
    #[must_use]
    pub fn vni(&self) -> u32 {
        be32::<4, GENEVE_LEN>(self.fixed) >> 8
    }

    /// The options, in the order in which they came.
    #[must_use]
    pub fn options(&self) -> Options<'a> {
        Options { rest: self.header.get(GENEVE_LEN..).unwrap_or_default() }
    }
}

/// One option: a TLV whose value is 0 to 124 bytes, a multiple of four.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tlv<'a> {
    /// Who defined the kind (IANA "Geneve Option Classes").
    pub class: u16,
    /// What it is, its critical bit included: 0x81 is another option than 0x01.
    pub kind: u8,
    /// The value.
    pub data: &'a [u8],
}

impl Tlv<'_> {
    /// Whether a receiver that does not know the option must drop the packet: the kind's high bit (RFC 8926 §3.5.1).
    #[must_use]
    pub fn is_critical(&self) -> bool {
        self.kind & 0x80 != 0
    }
}

/// The options of a header, one by one; nothing comes after the first error.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<Tlv<'a>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return None;
        }
        let Some((head, rest)) = rest.split_first_chunk::<4>() else {
            return Some(Err(FrameError::OptionLengths));
        };
        let len = usize::from(head[3] & 0x1f) << 2;
        let Some((data, rest)) = rest.split_at_checked(len) else {
            return Some(Err(FrameError::OptionLengths));
        };
        self.rest = rest;
        Some(Ok(Tlv { class: be16::<0, 4>(head), kind: head[2], data }))
    }
}

impl std::iter::FusedIterator for Options<'_> {}
