//! Link types: what a record's first byte is, and where the IP packet behind it begins.
//!
//! ```text
//! record ─ link header ─▶ EtherType ─┬ IPv4, IPv6 ─▶ packet
//!                                    ├ VLAN tag, PPPoE session, MPLS labels, NSH ─▶ the next one's type
//!                                    └ anything else: no customer's packet
//! ```
//! Numbers and headers are those of the LINKTYPE registry (tcpdump.org, "Link-layer header types").

use std::fmt;

use wire::{behind_ether_type, behind_ppp, behind_type_field, is_ip};

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

/// EtherTypes of IPv4 and IPv6, for headers of our own.
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

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
        let kind = if is_v6 { IPV6 } else { IPV4 }.to_be_bytes();
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
        match self {
            Self::RawIp => Some(record),
            // The families of IPv6 differ from system to system; the packet says its version itself.
            Self::Loopback(_) => record.get(4..).filter(|packet| is_ip(packet)),
            Self::Ethernet => behind_type_field(record.get(12..)?),
            Self::CiscoHdlc => behind_type_field(record.get(2..)?),
            Self::LinuxSll => behind_type_field(record.get(14..)?),
            Self::LinuxSll2 => {
                let kind = record.first_chunk().map(|kind| u16::from_be_bytes(*kind))?;
                behind_ether_type(kind, record.get(20..)?)
            }
            Self::Ppp(_) => behind_ppp(record),
        }
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
