//! What may stand between an EtherType and the IP packet that a frame carries.
//!
//! ```text
//! EtherType ─┬ IPv4, IPv6 ─▶ packet
//!            ├ VLAN tag, PPPoE session, MPLS labels, NSH, Ethernet ─▶ the next one's type
//!            └ anything else: no IP packet
//! ```

/// Most headers between the link's and IP: more are no network's.
const SHIMS_MAX: usize = 8;

/// EtherTypes (IANA, "IEEE 802 Numbers").
mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
    pub(super) const MPLS: [u16; 2] = [0x8847, 0x8848];
    pub(super) const PPPOE_SESSION: u16 = 0x8864;
    pub(super) const NSH: u16 = 0x894f;
    pub(super) const TRANSPARENT_ETHERNET: u16 = 0x6558;
}

/// The IP packet behind an EtherType: `bytes` is what follows it.
#[must_use]
pub fn behind_ether_type(mut kind: u16, mut bytes: &[u8]) -> Option<&[u8]> {
    for _ in 0..SHIMS_MAX {
        (kind, bytes) = match kind {
            ether_type::IPV4 | ether_type::IPV6 => return Some(bytes),
            kind if ether_type::VLAN.contains(&kind) => typed(bytes.get(2..)?)?,
            kind if ether_type::MPLS.contains(&kind) => (ether_type::IPV4, behind_labels(bytes)?),
            // Six bytes: version, code, session, length (RFC 2516 §4).
            ether_type::PPPOE_SESSION => of_ppp(bytes.get(6..)?)?,
            ether_type::NSH => behind_nsh(bytes)?,
            ether_type::TRANSPARENT_ETHERNET => typed(bytes.get(12..)?)?,
            _ => return None,
        };
    }
    None
}

/// The IP packet in what starts with an EtherType.
#[must_use]
pub fn behind_type_field(bytes: &[u8]) -> Option<&[u8]> {
    let (kind, rest) = typed(bytes)?;
    behind_ether_type(kind, rest)
}

/// The IP packet in a PPP frame, with or without the two bytes of its HDLC framing (RFC 1662 §3.1).
#[must_use]
pub fn behind_ppp(frame: &[u8]) -> Option<&[u8]> {
    let (kind, rest) = of_ppp(frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame))?;
    behind_ether_type(kind, rest)
}

/// Whether bytes start as an IP header does.
#[must_use]
pub fn is_ip(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| matches!(first >> 4, 4 | 6))
}

/// Two bytes that say what follows, and what follows.
fn typed(bytes: &[u8]) -> Option<(u16, &[u8])> {
    bytes.split_first_chunk().map(|(kind, rest)| (u16::from_be_bytes(*kind), rest))
}

/// A PPP protocol number, which may be one byte (RFC 1661 §6.5), as the EtherType that means the same.
fn of_ppp(bytes: &[u8]) -> Option<(u16, &[u8])> {
    match bytes {
        [0x00, 0x21, rest @ ..] | [0x21, rest @ ..] => Some((ether_type::IPV4, rest)),
        [0x00, 0x57, rest @ ..] | [0x57, rest @ ..] => Some((ether_type::IPV6, rest)),
        _ => None,
    }
}

/// Labels of four bytes, of which the last one has bit 0 of its third byte set (RFC 3032 §2.1); what follows does not
/// say what it is, but IP says its version.
fn behind_labels(mut bytes: &[u8]) -> Option<&[u8]> {
    for _ in 0..SHIMS_MAX {
        let ([_, _, third, _], rest) = bytes.split_first_chunk()?;
        bytes = rest;
        if third & 1 == 1 {
            return Some(bytes).filter(|packet| is_ip(packet));
        }
    }
    None
}

/// A service header says its own length in words of four bytes, and what follows (RFC 8300 §2.2).
fn behind_nsh(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let [_, length, _, next] = *bytes.first_chunk()?;
    let rest = bytes.get(usize::from(length & 0x3f) << 2..)?;
    match next {
        1 => Some((ether_type::IPV4, rest)),
        2 => Some((ether_type::IPV6, rest)),
        3 => Some((ether_type::TRANSPARENT_ETHERNET, rest)),
        _ => None,
    }
}
