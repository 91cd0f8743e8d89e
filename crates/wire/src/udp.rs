//! The outer UDP header (RFC 768): GENEVE's carrier.

use crate::bytes::{be16, saturated};
use crate::{Checksum, FrameError, Ipv4};

/// Length of a UDP header.
pub const UDP_LEN: usize = 8;

/// A checked view of an outer UDP header: its length fits the IPv4 payload.
#[derive(Clone, Copy, Debug)]
pub struct Udp<'a> {
    fixed: &'a [u8; UDP_LEN],
    datagram: &'a [u8],
}

impl<'a> Udp<'a> {
    /// The header and its payload by its own length; an IPv4 payload that goes on behind it is left out.
    ///
    /// # Errors
    /// [`FrameError::UdpLength`] if the header or the length that it states does not fit into `bytes`.
    #[inline]
    pub fn new_checked(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), FrameError> {
        let wrong = |stated| FrameError::UdpLength { stated, have: saturated(bytes.len()) };
        let Some(fixed) = bytes.first_chunk::<UDP_LEN>() else { return Err(wrong(8)) };
        let len = be16::<4, UDP_LEN>(fixed);
        let Some(datagram) = bytes.get(..usize::from(len)) else { return Err(wrong(len)) };
        let Some(payload) = datagram.get(UDP_LEN..) else { return Err(wrong(len)) };
        Ok((Self { fixed, datagram }, payload))
    }

    /// Source udp port: the same for all packets of one inner flow, any value, 0 too (RFC 8926 §3.3).
    #[must_use]
    pub fn source_port(&self) -> u16 {
        be16::<0, UDP_LEN>(self.fixed)
    }

    /// Destination udp port, 6081 for GENEVE in both directions (RFC 8926 §3.3).
    #[must_use]
    pub fn destination_port(&self) -> u16 {
        be16::<2, UDP_LEN>(self.fixed)
    }

    /// A checksum of zero says that there is none, any other must be right (RFC 768, RFC 8926 §3.3).
    ///
    /// # Errors
    /// [`FrameError::UdpChecksum`] with the checksum found.
    #[inline]
    pub fn verify(&self, outer: &Ipv4<'_>) -> Result<(), FrameError> {
        match be16::<6, UDP_LEN>(self.fixed) {
            0 => Ok(()),
            found => self.verify_non_zero(outer, found),
        }
    }

    fn verify_non_zero(&self, outer: &Ipv4<'_>, found: u16) -> Result<(), FrameError> {
        let sum = Checksum::default()
            .over_pseudo_v4(
                outer.source(),
                outer.destination(),
                outer.protocol(),
                be16::<4, UDP_LEN>(self.fixed),
            )
            .over(self.datagram);
        if sum.is_right() { Ok(()) } else { Err(FrameError::UdpChecksum(found)) }
    }
}
