//! The frame that nearly all are: told from the others, and read, by offsets that are constants.
//!
//! ```text
//!  0        14          34      42        50                              82        102
//! |Ethernet|IPv4, whole|UDP, no |GENEVE(8)|endpoint|attachment|cookie|     IPv4 (20)|TCP or UDP ...
//!            20 bytes    checksum                                          whole
//! ```
//! Why beside [`classify`](crate::classify()) and [`Inner`](crate::Inner), which read it too: they cost some 350
//! instructions a packet, this costs less than half (DESIGN.md, "wire"). It refuses, without a reason, whatever is unusual or
//! wrong; who is refused goes the general way. Tests hold both against each other over every change of a byte.

use crate::bytes::{be16, be32, be64, field};
use crate::gwlb::{ATTACHMENT_HEAD, COOKIE_HEAD, ENDPOINT_HEAD};
use crate::{Checksum, EndpointId, TcpFlags, TunnelEnd};

/// From Ethernet to the inner ports and UDP length, or TCP sequence number.
const HEADERS: usize = 110;
const ETHERNET: usize = 14;
const GENEVE_AT: usize = 42;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What such a frame says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Usual<'a> {
    /// Kind 1.
    pub endpoint: EndpointId,
    /// The GENEVE header with its options.
    pub geneve: &'a [u8; 40],
    /// The GWLB node's address.
    pub node: [u8; 4],
    /// The udp port that GWLB sent from.
    pub udp_source_port: u16,
    /// Inner source address, a big-endian number.
    pub source: u32,
    /// Inner destination address.
    pub destination: u32,
    /// Inner source port.
    pub source_port: u16,
    /// Inner destination port.
    pub destination_port: u16,
    /// 6 or 17.
    pub protocol: u8,
    /// None of them set for UDP.
    pub tcp_flags: TcpFlags,
    /// Length of the inner packet by its own account.
    pub inner_len: u16,
}

impl<'a> Usual<'a> {
    /// Where the inner packet starts.
    pub const INNER_AT: u16 = 82;

    /// Read such a frame; `None` for every other, also if it is for us.
    #[must_use]
    #[inline]
    pub fn read(frame: &'a [u8], end: &TunnelEnd) -> Option<Self> {
        let (h, rest) = frame.split_first_chunk::<HEADERS>()?;
        let fixed = be16::<12, HEADERS>(h) == 0x0800
            && h[14] == 0x45
            && be16::<20, HEADERS>(h) & 0x3fff == 0
            && h[23] == UDP
            && be16::<40, HEADERS>(h) == 0
            && be32::<42, HEADERS>(h) & 0xff80_ffff == 0x0800_0800
            && be32::<50, HEADERS>(h) == ENDPOINT_HEAD
            && be32::<62, HEADERS>(h) == ATTACHMENT_HEAD
            && be32::<74, HEADERS>(h) == COOKIE_HEAD
            && h[82] == 0x45
            && be16::<88, HEADERS>(h) & 0x3fff == 0;
        let (ip_len, udp_len) = (usize::from(be16::<16, HEADERS>(h)), usize::from(be16::<38, HEADERS>(h)));
        let inner_len = be16::<84, HEADERS>(h);
        let inner = usize::from(inner_len);
        // Saturating, for the lint's sake: sums of two 16-bit lengths cannot overflow.
        let lengths = ip_len.saturating_add(ETHERNET) <= frame.len()
            && udp_len.saturating_add(20) <= ip_len
            && inner.saturating_add(48) <= udp_len;
        let (source_port, destination_port) = (be16::<102, HEADERS>(h), be16::<104, HEADERS>(h));
        let protocol = h[91];
        let tcp_flags = match (protocol, rest) {
            (UDP, _) => {
                let len = usize::from(be16::<106, HEADERS>(h));
                (len >= 8 && len.saturating_add(20) <= inner).then_some(TcpFlags(0))
            }
            (TCP, [_, _, _, _, offset, flags, ..]) => {
                let len = usize::from(offset >> 4) << 2;
                (len >= 20 && len.saturating_add(20) <= inner).then_some(TcpFlags(*flags))
            }
            _ => None,
        }?;
        let node = field::<26, 4, HEADERS>(h);
        let for_us = end.is_us(field::<30, 4, HEADERS>(h).into())
            && be16::<36, HEADERS>(h) == end.udp_port
            && end.allows(node.into());
        let sum = Checksum::default().over(&field::<14, 20, HEADERS>(h));
        if !(fixed && lengths && for_us && sum.is_right()) {
            return None;
        }
        Some(Self {
            endpoint: EndpointId(be64::<54, HEADERS>(h)),
            geneve: frame.get(GENEVE_AT..)?.first_chunk()?,
            node,
            udp_source_port: be16::<34, HEADERS>(h),
            source: be32::<94, HEADERS>(h),
            destination: be32::<98, HEADERS>(h),
            source_port,
            destination_port,
            protocol,
            tcp_flags,
            inner_len,
        })
    }
}
