//! Writing what GWLB puts round a packet: for packets that the appliance makes itself, and for the lab's GWLB.
//!
//! The form is the one that AWS sends (see `gwlb`): the three options in order, 82 bytes of headers in all.

use std::net::Ipv4Addr;

use thiserror::Error;

use crate::gwlb::{ATTACHMENT_HEAD, COOKIE_HEAD, ENDPOINT_HEAD};
use crate::{GwlbTags, Outer, ProtocolType};

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
        let outer = Outer {
            destination_mac: self.destination_mac,
            source_mac: self.source_mac,
            source: self.source,
            destination: self.destination,
            udp_source_port: self.udp_source_port,
            udp_destination_port: self.udp_destination_port,
        };
        let (head, rest) = out.split_at_mut(Outer::LEN);
        let head = head.first_chunk_mut().ok_or(HeaderError::Buffer(have))?;
        let geneve = rest.first_chunk_mut::<{ Self::LEN - Outer::LEN }>().ok_or(HeaderError::Buffer(have))?;
        let too_long = |_| HeaderError::Inner(inner_len);
        outer.write(inner_len.saturating_add(geneve.len()), head).map_err(too_long)?;
        geneve[..2].copy_from_slice(&[8, 0]);
        geneve[2..4].copy_from_slice(&(self.protocol_type as u16).to_be_bytes());
        geneve[4..8].copy_from_slice(&[0; 4]);
        geneve[8..12].copy_from_slice(&ENDPOINT_HEAD.to_be_bytes());
        geneve[12..20].copy_from_slice(&self.tags.endpoint.0.to_be_bytes());
        geneve[20..24].copy_from_slice(&ATTACHMENT_HEAD.to_be_bytes());
        geneve[24..32].copy_from_slice(&self.tags.attachment.unwrap_or_default().0.to_be_bytes());
        geneve[32..36].copy_from_slice(&COOKIE_HEAD.to_be_bytes());
        geneve[36..40].copy_from_slice(&self.tags.cookie.0.to_be_bytes());
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
