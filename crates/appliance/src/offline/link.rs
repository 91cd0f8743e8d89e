//! Link types: what a record's first byte is, and where the IP packet behind it begins.
//!
//! ```text
//! record ─ link header ─▶ EtherType ─┬ IPv4, IPv6 ─▶ packet
//!                                    ├ VLAN tag, PPPoE session, MPLS labels, NSH ─▶ the next one's type
//!                                    └ anything else: no customer's packet
//! ```
//! Numbers and headers are those of the LINKTYPE registry (tcpdump.org, "Link-layer header types").

use std::fmt;

/// What a record's first byte is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Link {
    /// An Ethernet header (1).
    Ethernet,
    /// The address family in the capturing machine's byte order (BSD loopback, 0), or in network order (108).
    Loopback(u8),
    /// PPP, with or without its HDLC framing (9, 50).
    Ppp(u8),
    /// An IP header (101, and 12, 14, 228, 229 of older or stricter writers).
    RawIp,
    /// Cisco HDLC (104).
    CiscoHdlc,
    /// Linux "cooked" captures, version 1 (113).
    LinuxSll,
    /// Linux "cooked" captures, version 2 (276).
    LinuxSll2,
}

/// Most headers between the link's and IP: more are no network's.
const SHIMS_MAX: usize = 8;

/// What stands in front of an IP packet, as EtherTypes name it.
mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
    pub(super) const MPLS: [u16; 2] = [0x8847, 0x8848];
    pub(super) const PPPOE_SESSION: u16 = 0x8864;
    pub(super) const NSH: u16 = 0x894f;
    pub(super) const TRANSPARENT_ETHERNET: u16 = 0x6558;
}

impl Link {
    /// The link type of that number, if it is one that is read.
    pub(crate) fn new(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Loopback(0),
            1 => Self::Ethernet,
            9 => Self::Ppp(9),
            12 | 14 | 101 | 228 | 229 => Self::RawIp,
            50 => Self::Ppp(50),
            104 => Self::CiscoHdlc,
            108 => Self::Loopback(108),
            113 => Self::LinuxSll,
            276 => Self::LinuxSll2,
            _ => return None,
        })
    }

    /// Its number.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Ethernet => 1,
            Self::Loopback(number) | Self::Ppp(number) => number.into(),
            Self::RawIp => 101,
            Self::CiscoHdlc => 104,
            Self::LinuxSll => 113,
            Self::LinuxSll2 => 276,
        }
    }

    /// The header of a record that holds an IP packet of ours: addresses are zeros.
    pub(crate) fn header(self, is_v6: bool) -> Vec<u8> {
        let kind = if is_v6 { ether_type::IPV6 } else { ether_type::IPV4 }.to_be_bytes();
        // As a little-endian BSD has them.
        let family = if is_v6 { 24 } else { 2 };
        let (before, after) = match self {
            Self::RawIp => return Vec::new(),
            Self::Loopback(108) => return vec![0, 0, 0, family],
            Self::Loopback(_) => return vec![family, 0, 0, 0],
            Self::Ppp(_) => return vec![0xff, 0x03, 0x00, if is_v6 { 0x57 } else { 0x21 }],
            Self::Ethernet => (12, 0),
            Self::CiscoHdlc => (2, 0),
            Self::LinuxSll => (14, 0),
            Self::LinuxSll2 => (0, 18),
        };
        [&vec![0; before][..], &kind, &vec![0; after]].concat()
    }

    /// The IP packet in a record, if it holds one.
    pub(crate) fn ip_packet(self, record: &[u8]) -> Option<&[u8]> {
        let (kind, rest) = match self {
            Self::RawIp => return Some(record),
            // The families of IPv6 differ from system to system; the packet says its version itself.
            Self::Loopback(_) => return record.get(4..).filter(|packet| is_ip(packet)),
            Self::Ethernet => typed(record.get(12..)?)?,
            Self::CiscoHdlc => typed(record.get(2..)?)?,
            Self::LinuxSll => typed(record.get(14..)?)?,
            Self::LinuxSll2 => (typed(record)?.0, record.get(20..)?),
            Self::Ppp(_) => of_ppp(record.strip_prefix(&[0xff, 0x03]).unwrap_or(record))?,
        };
        behind_shims(kind, rest)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ethernet => "Ethernet",
            Self::Loopback(_) => "loopback",
            Self::Ppp(_) => "PPP",
            Self::RawIp => "raw IP",
            Self::CiscoHdlc => "Cisco HDLC",
            Self::LinuxSll => "Linux cooked",
            Self::LinuxSll2 => "Linux cooked v2",
        })
    }
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

fn behind_shims(mut kind: u16, mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..SHIMS_MAX {
        (kind, rest) = match kind {
            ether_type::IPV4 | ether_type::IPV6 => return Some(rest),
            kind if ether_type::VLAN.contains(&kind) => typed(rest.get(2..)?)?,
            kind if ether_type::MPLS.contains(&kind) => (ether_type::IPV4, behind_labels(rest)?),
            // Six bytes: version, code, session, length (RFC 2516 §4).
            ether_type::PPPOE_SESSION => of_ppp(rest.get(6..)?)?,
            ether_type::NSH => behind_nsh(rest)?,
            ether_type::TRANSPARENT_ETHERNET => typed(rest.get(12..)?)?,
            _ => return None,
        };
    }
    None
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
    let rest = bytes.get(usize::from(length & 0x3f) * 4..)?;
    match next {
        1 => Some((ether_type::IPV4, rest)),
        2 => Some((ether_type::IPV6, rest)),
        3 => Some((ether_type::TRANSPARENT_ETHERNET, rest)),
        _ => None,
    }
}

fn is_ip(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| matches!(first >> 4, 4 | 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: [u8; 3] = [0x45, 0, 7];

    fn behind(link: i32, header: &[u8]) -> bool {
        let record = [header, &PACKET].concat();
        Link::new(link).unwrap().ip_packet(&record) == Some(&PACKET[..])
    }

    #[test]
    fn the_packet_is_found_behind_every_header() {
        let macs = [0; 12];
        let ethernet = |rest: &[u8]| [&macs[..], rest].concat();
        let found = [
            behind(101, &[]),
            behind(0, &[2, 0, 0, 0]),
            behind(108, &[0, 0, 0, 2]),
            behind(9, &[0xff, 3, 0, 0x21]),
            behind(9, &[0x21]),
            behind(104, &[0x0f, 0, 8, 0]),
            behind(113, &[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]),
            behind(276, &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]),
            behind(1, &ethernet(&[8, 0])),
            behind(1, &ethernet(&[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0])),
            behind(1, &ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 22, 0, 0x21])),
            behind(1, &ethernet(&[0x88, 0x47, 0, 1, 0, 64, 0, 1, 1, 64])),
            behind(1, &ethernet(&[0x89, 0x4f, 0, 2, 1, 1, 0, 0, 0, 0])),
        ];
        assert_eq!(found, [true; 13]);
    }

    #[test]
    fn a_header_of_ours_is_read_again() {
        for link in [0, 1, 9, 12, 50, 101, 104, 108, 113, 276].map(|number| Link::new(number).unwrap()) {
            for packet in [PACKET, [0x60, 1, 2]] {
                let record = [&link.header(packet[0] == 0x60)[..], &packet].concat();
                assert_eq!(link.ip_packet(&record), Some(&packet[..]), "{link}");
            }
        }
    }

    #[test]
    fn what_holds_no_packet_ends_whatever_its_bytes() {
        for link in [0, 1, 9, 50, 101, 104, 108, 113, 276] {
            for first in 0..=255_u8 {
                for len in [0, 1, 3, 13, 14, 20, 40] {
                    let _ = Link::new(link).unwrap().ip_packet(&vec![first; len]);
                }
            }
        }
        // Tags without end.
        let tags = [&[0; 12][..], &[0x81, 0, 0, 1].repeat(64)].concat();
        assert_eq!(Link::Ethernet.ip_packet(&tags), None);
    }
}
