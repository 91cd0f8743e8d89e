//! Ethernet, IPv4 and UDP around GENEVE, as we write them.

use std::net::Ipv4Addr;

use crate::{Checksum, HeaderError};

/// Hop limit of what we send: the common default (RFC 1700). GWLB does not insist on a value.
const TTL: u8 = 64;

/// Who sends a frame to whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outer {
    /// Ethernet destination.
    pub destination_mac: [u8; 6],
    /// Ethernet source.
    pub source_mac: [u8; 6],
    /// Outer source.
    pub source: Ipv4Addr,
    /// Outer destination.
    pub destination: Ipv4Addr,
    /// Source udp port.
    pub udp_source_port: u16,
    /// Destination udp port.
    pub udp_destination_port: u16,
}

impl Outer {
    /// Length of what [`write`](Self::write) writes.
    pub const LEN: usize = 42;

    /// Write the headers of a UDP payload of `len` bytes. "Don't fragment" is set, the UDP checksum is zero, as RFC 8926
    /// §3.3 allows over IPv4.
    ///
    /// # Errors
    /// [`HeaderError::Inner`] if the lengths do not fit into 16 bits.
    pub fn write(&self, len: usize, out: &mut [u8; Self::LEN]) -> Result<(), HeaderError> {
        let udp_len = u16::try_from(len.saturating_add(8)).ok();
        let Some((udp_len, ip_len)) = udp_len.and_then(|len| Some((len, len.checked_add(20)?))) else {
            return Err(HeaderError::Inner(len));
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
        out[40..42].copy_from_slice(&[0; 2]);
        Ok(())
    }
}
