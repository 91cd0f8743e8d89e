//! The outer Ethernet header (IEEE 802.3): two addresses and what follows.
//!
//! Untagged only. An ENA interface delivers no VLAN tags, and [`reflect`](crate::reflect) counts on fixed offsets; a
//! tagged frame is not ours.

use crate::bytes::be16;

/// Length of an untagged Ethernet header.
pub const ETHERNET_LEN: usize = 14;

/// What an Ethernet frame carries, as far as we care (IANA, IEEE 802 numbers).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EtherType {
    /// 0x0800.
    Ipv4,
    /// 0x0806.
    Arp,
    /// Anything else, kept as it stands: VLAN tags, IPv6, LLDP.
    Other(u16),
}

/// A checked view of an Ethernet header.
#[derive(Clone, Copy, Debug)]
pub struct Ethernet<'a>(&'a [u8; ETHERNET_LEN]);

impl<'a> Ethernet<'a> {
    /// The header and what follows it; `None` if the frame is shorter than a header.
    #[must_use]
    pub fn new_checked(frame: &'a [u8]) -> Option<(Self, &'a [u8])> {
        frame.split_first_chunk().map(|(header, payload)| (Self(header), payload))
    }

    /// What the frame carries.
    #[must_use]
    pub fn ether_type(&self) -> EtherType {
        match be16::<12, ETHERNET_LEN>(self.0) {
            0x0800 => EtherType::Ipv4,
            0x0806 => EtherType::Arp,
            other => EtherType::Other(other),
        }
    }
}
