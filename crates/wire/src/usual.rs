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

use std::hint::select_unpredictable;

use crate::bytes::{be16, be32, be64, field};
use crate::gwlb::{ATTACHMENT_HEAD, COOKIE_HEAD, ENDPOINT_HEAD};
use crate::{EndpointId, TcpFlags, TunnelEnd};

/// From Ethernet to the inner TCP flags; of UDP, to the sixth byte of its payload.
const HEADERS: usize = 116;
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
    #[inline(always)] // by a call its result would go through memory, which takes longer than the reading
    pub fn read(frame: &'a [u8], end: &TunnelEnd) -> Option<Self> {
        let h = frame.first_chunk::<HEADERS>()?;
        let us = end.address.map_or(0, |us| u64::from(us.to_bits()) << 32);
        let asked = if end.address.is_some() { 0xffff_ffff_0000_0000 } else { 0 };
        // Bits that are not as they must be, eight bytes at a time.
        let unlike = unlike::<12>(h, 0xffff_ff00_0000_0000, 0x0800_4500_0000_0000) // IPv4, 20 bytes
            | unlike::<16>(h, 0x0000_0000_3fff_00ff, 0x0000_0000_0000_0011) // no fragment, UDP
            | unlike::<30>(h, asked | 0xffff, us | u64::from(end.udp_port)) // for us
            | unlike::<38>(h, 0x0000_ffff_ff80_ffff, 0x0000_0000_0800_0800) // no checksum; 32 bytes of options, O clear, IPv4
            | unlike::<50>(h, 0xffff_ffff_0000_0000, head(ENDPOINT_HEAD))
            | unlike::<62>(h, 0xffff_ffff_0000_0000, head(ATTACHMENT_HEAD))
            | unlike::<74>(h, 0xffff_ffff_0000_0000, head(COOKIE_HEAD))
            | unlike::<82>(h, 0xff00_0000_0000_3fff, 0x4500_0000_0000_0000); // 20 bytes, no fragment
        if unlike != 0 || !sum_is_right(h) {
            return None;
        }
        let (ip_len, udp_len) = (usize::from(be16::<16, HEADERS>(h)), usize::from(be16::<38, HEADERS>(h)));
        let inner_len = be16::<84, HEADERS>(h);
        let inner = usize::from(inner_len);
        // Saturating, for the lint's sake: sums of two 16-bit lengths cannot overflow.
        let whole = ip_len.saturating_add(ETHERNET) <= frame.len()
            && udp_len.saturating_add(20) <= ip_len
            && inner.saturating_add(48) <= udp_len;
        if !whole {
            return None;
        }
        let (protocol, is_tcp) = (h[91], h[91] == TCP);
        // Both are read and one is chosen: of a branch nobody could guess which way the next frame takes it.
        let (tcp_len, udp_len) = (u16::from(h[114] >> 4) << 2, be16::<106, HEADERS>(h));
        let (len, least) = select_unpredictable(is_tcp, (tcp_len, 20), (udp_len, 8));
        let tcp_flags = TcpFlags(select_unpredictable(is_tcp, h[115], 0));
        let is_known = is_tcp | (protocol == UDP);
        if !(is_known & (len >= least) & (usize::from(len).saturating_add(20) <= inner)) {
            return None;
        }
        let node = field::<26, 4, HEADERS>(h);
        if !end.allows(node.into()) {
            return None;
        }
        Some(Self {
            endpoint: EndpointId(be64::<54, HEADERS>(h)),
            geneve: frame.get(GENEVE_AT..)?.first_chunk()?,
            node,
            udp_source_port: be16::<34, HEADERS>(h),
            source: be32::<94, HEADERS>(h),
            destination: be32::<98, HEADERS>(h),
            source_port: be16::<102, HEADERS>(h),
            destination_port: be16::<104, HEADERS>(h),
            protocol,
            tcp_flags,
            inner_len,
        })
    }
}

/// An option's head, as the first half of eight bytes.
#[inline]
fn head(word: u32) -> u64 {
    u64::from(word) << 32
}

/// The bits of the eight bytes at `AT` that `must` be `so` and are not.
#[inline]
fn unlike<const AT: usize>(h: &[u8; HEADERS], must: u64, so: u64) -> u64 {
    // In the wire's order, so that the constants are turned round and not the frame.
    (u64::from_ne_bytes(field::<AT, 8, HEADERS>(h)) & must.to_be()) ^ so.to_be()
}

/// Whether the outer IPv4 header's checksum is (RFC 1071): its words' sum is a multiple of 2^16 - 1, in any byte order.
#[inline]
fn sum_is_right(h: &[u8; HEADERS]) -> bool {
    let words = [
        field::<14, 4, HEADERS>(h),
        field::<18, 4, HEADERS>(h),
        field::<22, 4, HEADERS>(h),
        field::<26, 4, HEADERS>(h),
        field::<30, 4, HEADERS>(h),
    ];
    let sum = words.into_iter().fold(0_u64, |sum, word| sum.wrapping_add(u32::from_ne_bytes(word).into()));
    sum.is_multiple_of(0xffff) // it is not 0: the version is not
}
