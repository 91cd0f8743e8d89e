//! The outer IPv4 header (RFC 791 §3.1). GWLB sends it without options; with options it is read all the same.

use std::net::Ipv4Addr;

use crate::bytes::{be16, field, saturated};
use crate::{Checksum, FrameError};

/// Length of an IPv4 header without options.
pub const IPV4_LEN: usize = 20;

/// A checked view of an outer IPv4 header: version, lengths, checksum are right, and it is no fragment.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4<'a> {
    fixed: &'a [u8; IPV4_LEN],
    header_len: usize,
}

impl<'a> Ipv4<'a> {
    /// The header and its payload by the total length; what follows that (Ethernet's padding of short frames,
    /// RFC 894) is left out.
    ///
    /// # Errors
    /// [`FrameError::Ipv4Header`], [`FrameError::Ipv4Length`], [`FrameError::Ipv4Checksum`],
    /// [`FrameError::OuterFragment`], in this order.
    #[inline]
    pub fn new_checked(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), FrameError> {
        let wrong = |stated| FrameError::Ipv4Length { stated, have: saturated(bytes.len()) };
        let Some(fixed) = bytes.first_chunk::<IPV4_LEN>() else { return Err(wrong(20)) };
        let header_len = if fixed[0] == 0x45 { IPV4_LEN } else { long_header(fixed)? };
        let total_len = be16::<2, IPV4_LEN>(fixed);
        let packet = bytes.get(..usize::from(total_len));
        let Some((header, payload)) = packet.and_then(|packet| packet.split_at_checked(header_len)) else {
            return Err(wrong(total_len));
        };
        let sum = match header_len {
            IPV4_LEN => Checksum::default().over(fixed),
            _ => Checksum::default().over(header),
        };
        if !sum.is_right() {
            return Err(FrameError::Ipv4Checksum(be16::<10, IPV4_LEN>(fixed)));
        }
        // More-fragments, or an offset; "don't fragment" and the reserved bit may be anything.
        if be16::<6, IPV4_LEN>(fixed) & 0x3fff != 0 {
            return Err(FrameError::OuterFragment);
        }
        Ok((Self { fixed, header_len }, payload))
    }

    /// Length of the header with its options, 20 to 60 bytes.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.header_len
    }

    /// Protocol number (IANA).
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.fixed[9]
    }

    /// Source address.
    #[must_use]
    pub fn source(&self) -> Ipv4Addr {
        Ipv4Addr::from_octets(field::<12, 4, IPV4_LEN>(self.fixed))
    }

    /// Destination address.
    #[must_use]
    pub fn destination(&self) -> Ipv4Addr {
        Self::destination_of(self.fixed)
    }

    /// The destination of a header not yet checked: what is not for us need not be right.
    pub(crate) fn destination_of(fixed: &[u8; IPV4_LEN]) -> Ipv4Addr {
        Ipv4Addr::from_octets(field::<16, 4, IPV4_LEN>(fixed))
    }
}

/// The length of a header that is not the usual twenty bytes of version 4.
fn long_header(fixed: &[u8; IPV4_LEN]) -> Result<usize, FrameError> {
    let words = fixed[0] & 0x0f;
    if fixed[0] >> 4 != 4 || words < 5 {
        return Err(FrameError::Ipv4Header(fixed[0]));
    }
    Ok(usize::from(words << 2))
}
