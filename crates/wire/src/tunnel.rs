//! Packets that customers' packets carry: tunnels inside the one from GWLB.
//!
//! ```text
//! IP ─┬ 4, 41 ─────────────────────────────────────────────▶ packet     IP in IP (RFC 2003, RFC 2473, RFC 4213)
//!     ├ 47 GRE ─┬ EtherType, shims ────────────────────────▶ packet     RFC 2784, RFC 2890
//!     │         ├ 88be ERSPAN ─ Ethernet ──────────────────▶ packet     draft-foschiano-erspan
//!     │         └ version 1 ─ PPP ─────────────────────────▶ packet     RFC 2637
//!     └ UDP ─┬ 4789 VXLAN ─ Ethernet ──────────────────────▶ packet     RFC 7348
//!            ├ 6081 GENEVE ─ EtherType ────────────────────▶ packet     RFC 8926
//!            └ 3544 Teredo ─ origin? ──────────────────────▶ packet     RFC 4380
//! ```
//! One layer at a time: whoever wants what is inside that asks the packet inside.

use crate::shim::{behind_ether_type, behind_ppp, behind_type_field};
use crate::{FiveTuple, Inner, InnerError, ProtocolType, Transport, UDP_LEN};

const IPV4: u8 = 4;
const UDP: u8 = 17;
const IPV6: u8 = 41;
const GRE: u8 = 47;

/// Registered udp ports (IANA, "Service Name and Transport Protocol Port Number Registry").
const TEREDO: u16 = 3544;
const VXLAN: u16 = 4789;
const GENEVE: u16 = 6081;

/// EtherType of ERSPAN in GRE.
const ERSPAN: u16 = 0x88be;

/// A packet that another one carries.
#[derive(Clone, Copy, Debug)]
pub struct Carried<'a> {
    /// Where it starts in the packet that carries it, counted from that one's IP header.
    pub at: usize,
    /// The packet itself.
    pub inner: Inner<'a>,
}

/// Whether packets between these ends may carry others: true of every tunnel, and of little else.
#[must_use]
#[inline]
pub fn may_carry(tuple: &FiveTuple) -> bool {
    match tuple.protocol {
        IPV4 | IPV6 | GRE => true,
        UDP => [tuple.source_port, tuple.destination_port]
            .iter()
            .any(|port| matches!(*port, TEREDO | VXLAN | GENEVE)),
        _ => false,
    }
}

impl<'a> Inner<'a> {
    /// The packet that this one carries, if it is one of a tunnel that is read, and holds a packet at all: of parts of
    /// datagrams nothing is read.
    ///
    /// # Errors
    /// What is carried says that it is an IP packet and is malformed.
    pub fn carried(&self) -> Option<Result<Carried<'a>, InnerError>> {
        let (outside, bytes) = match (self.fragment, self.transport) {
            (Some(_), _) => return None,
            (None, Transport::Other(bytes)) => (bytes, of_ip(self.tuple.protocol, bytes)?),
            (None, Transport::Udp(payload)) => (payload, of_udp(&self.tuple, payload)?),
            _ => return None,
        };
        let udp = if self.tuple.protocol == UDP { UDP_LEN } else { 0 };
        let at = self.packet.len().saturating_sub(self.upper.len()).saturating_add(udp);
        let at = at.saturating_add(outside.len().saturating_sub(bytes.len()));
        let protocol_type = match bytes.first().map(|first| first >> 4) {
            Some(6) => ProtocolType::Ipv6,
            _ => ProtocolType::Ipv4,
        };
        Some(Inner::parse(bytes, protocol_type).map(|inner| Carried { at, inner }))
    }
}

fn of_ip(protocol: u8, bytes: &[u8]) -> Option<&[u8]> {
    match protocol {
        IPV4 | IPV6 => Some(bytes),
        GRE => of_gre(bytes),
        _ => None,
    }
}

/// Sixteen bits of flags and version, the type of what follows, then what the flags announce.
fn of_gre(bytes: &[u8]) -> Option<&[u8]> {
    let ([high, low, kind @ ..], rest) = bytes.split_first_chunk::<4>()?;
    let kind = u16::from_be_bytes(*kind);
    let has = |byte: &u8, flag: u8| byte & flag != 0;
    let (checksum, routing, key, sequence) = (0x80, 0x40, 0x20, 0x10);
    match low & 0x07 {
        0 if !has(high, routing) => {
            let words = [checksum, key, sequence].iter().filter(|flag| has(high, **flag)).count();
            let rest = rest.get(words << 2..)?;
            match kind {
                // Type II has a header of eight bytes and numbers its packets, type I neither.
                ERSPAN if has(high, sequence) => behind_type_field(rest.get(20..)?),
                ERSPAN => behind_type_field(rest.get(12..)?),
                kind => behind_ether_type(kind, rest),
            }
        }
        // PPTP: the key is always there; both numbers may be.
        1 => {
            let words = [has(high, sequence), has(low, 0x80)].iter().filter(|there| **there).count();
            behind_ppp(rest.get(4..)?.get(words << 2..)?)
        }
        _ => None,
    }
}

fn of_udp<'a>(tuple: &FiveTuple, payload: &'a [u8]) -> Option<&'a [u8]> {
    let from_or_to = |port| tuple.source_port == port || tuple.destination_port == port;
    match payload {
        // The flag says that the network's number is there; then Ethernet.
        [flags, _, _, _, _, _, _, _, rest @ ..] if flags & 0x08 != 0 && from_or_to(VXLAN) => {
            behind_type_field(rest.get(12..)?)
        }
        // Two bits of version, six of the options' length in words of four bytes.
        [lengths @ 0x00..=0x3f, _, high, low, _, _, _, _, rest @ ..] if from_or_to(GENEVE) => {
            let rest = rest.get(usize::from(lengths & 0x3f) << 2..)?;
            behind_ether_type(u16::from_be_bytes([*high, *low]), rest)
        }
        _ if from_or_to(TEREDO) => of_teredo(payload),
        _ => None,
    }
}

/// What is authenticated is a client's talk with its server about itself (RFC 4380 §5.2.1) and no traffic of anybody's: it
/// is left alone.
fn of_teredo(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = match bytes {
        [0, 0, _, _, _, _, _, _, rest @ ..] => rest,
        _ => bytes,
    };
    Some(bytes).filter(|packet| packet.first().is_some_and(|first| first >> 4 == 6))
}
