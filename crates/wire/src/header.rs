//! Writing what GWLB puts round a packet: for packets that the appliance makes itself, and for the lab's GWLB.
//!
//! The form is the one that AWS sends (see `gwlb`): the three options in order, 82 bytes of headers in all.

use std::net::Ipv4Addr;

use thiserror::Error;

use crate::gwlb::{ATTACHMENT_HEAD, COOKIE_HEAD, ENDPOINT_HEAD};
use crate::{Checksum, GwlbTags, ProtocolType};

/// Hop limit of what we send: the common default (RFC 1700). GWLB does not insist on a value.
const TTL: u8 = 64;

/// Everything that GWLB's headers say of one packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GwlbHeader {
    /// Ethernet destination.
    pub destination_mac: [u8; 6],
    /// Ethernet source.
    pub source_mac: [u8; 6],
    /// Outer source.
    pub source: Ipv4Addr,
    /// Outer destination.
    pub destination: Ipv4Addr,
    /// Source udp port: of the flow, in both directions the one that GWLB chose (RFC 8926 §3.3).
    pub udp_source_port: u16,
    /// Destination udp port, 6081 in both directions.
    pub udp_destination_port: u16,
    /// The options; a missing attachment id is written as 0, which is how AWS says that there is none.
    pub tags: GwlbTags,
    /// Whether the inner packet is IPv4 or IPv6.
    pub protocol_type: ProtocolType,
}

/// Why a header cannot be written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum HeaderError {
    /// The buffer does not hold the headers.
    #[error("a buffer of {0} bytes does not hold headers of 82")]
    Buffer(usize),
    /// The inner packet is too long for an outer IPv4 packet.
    #[error("an inner packet of {0} bytes does not fit into an outer IPv4 packet")]
    Inner(usize),
}

impl GwlbHeader {
    /// Length of what [`write`](Self::write) writes.
    pub const LEN: usize = 82;

    /// Write the headers of an inner packet of `inner_len` bytes to the start of `out`; the inner packet belongs behind
    /// them. "Don't fragment" is set, the UDP checksum is zero, as RFC 8926 §3.3 allows over IPv4.
    ///
    /// # Errors
    /// [`HeaderError`] if `out` is shorter than [`LEN`](Self::LEN) or the lengths do not fit into 16 bits.
    pub fn write(&self, inner_len: usize, out: &mut [u8]) -> Result<usize, HeaderError> {
        let have = out.len();
        let Some(out) = out.first_chunk_mut::<{ Self::LEN }>() else { return Err(HeaderError::Buffer(have)) };
        let udp_len = u16::try_from(inner_len.saturating_add(48)).ok();
        let Some((udp_len, ip_len)) = udp_len.and_then(|len| Some((len, len.checked_add(20)?))) else {
            return Err(HeaderError::Inner(inner_len));
        };
        out[..6].copy_from_slice(&self.destination_mac);
        out[6..12].copy_from_slice(&self.source_mac);
        out[12..16].copy_from_slice(&[0x08, 0x00, 0x45, 0]);
        out[16..18].copy_from_slice(&ip_len.to_be_bytes());
        out[18..26].copy_from_slice(&[0, 0, 0x40, 0, TTL, 17, 0, 0]);
        out[26..30].copy_from_slice(&self.source.octets());
        out[30..34].copy_from_slice(&self.destination.octets());
        let checksum = Checksum::default().over(&out[14..34]).finish();
        out[24..26].copy_from_slice(&checksum.to_be_bytes());
        out[34..36].copy_from_slice(&self.udp_source_port.to_be_bytes());
        out[36..38].copy_from_slice(&self.udp_destination_port.to_be_bytes());
        out[38..40].copy_from_slice(&udp_len.to_be_bytes());
        out[40..44].copy_from_slice(&[0, 0, 8, 0]);
        out[44..46].copy_from_slice(&(self.protocol_type as u16).to_be_bytes());
        out[46..50].copy_from_slice(&[0; 4]);
        out[50..54].copy_from_slice(&ENDPOINT_HEAD.to_be_bytes());
        out[54..62].copy_from_slice(&self.tags.endpoint.0.to_be_bytes());
        out[62..66].copy_from_slice(&ATTACHMENT_HEAD.to_be_bytes());
        out[66..74].copy_from_slice(&self.tags.attachment.unwrap_or_default().0.to_be_bytes());
        out[74..78].copy_from_slice(&COOKIE_HEAD.to_be_bytes());
        out[78..82].copy_from_slice(&self.tags.cookie.0.to_be_bytes());
        Ok(Self::LEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: GwlbHeader = GwlbHeader {
        destination_mac: [2; 6],
        source_mac: [4; 6],
        source: Ipv4Addr::LOCALHOST,
        destination: Ipv4Addr::LOCALHOST,
        udp_source_port: 1,
        udp_destination_port: 6081,
        tags: GwlbTags { endpoint: crate::EndpointId(1), attachment: None, cookie: crate::FlowCookie(2) },
        protocol_type: ProtocolType::Ipv4,
    };

    #[test]
    fn a_buffer_that_does_not_hold_the_headers_is_left_alone() {
        let mut out = [0xaa; 81];
        assert_eq!(HEADER.write(0, &mut out), Err(HeaderError::Buffer(81)));
        assert_eq!(out, [0xaa; 81]);
    }

    #[test]
    fn the_longest_inner_packet_fills_the_outer_one() {
        let mut out = [0; 82];
        assert_eq!(HEADER.write(65_467, &mut out), Ok(82));
        assert_eq!(out[16..18], [0xff, 0xff]);
        assert_eq!(HEADER.write(65_468, &mut out), Err(HeaderError::Inner(65_468)));
        assert_eq!(HEADER.write(usize::MAX, &mut out), Err(HeaderError::Inner(usize::MAX)));
    }
}
