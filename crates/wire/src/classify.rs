//! The one door for frames: GENEVE for us, something for the local lane, or a reason.
//!
//! ```text
//! Ethernet ─ ARP for our address ──────────────────────────▶ Local(Arp)
//!     └─ IPv4 to our address, whole, checksum right
//!            ├─ ICMP echo request ─────────────────────────▶ Local(Echo)
//!            ├─ TCP to the health port ────────────────────▶ Local(Health)
//!            └─ UDP 6081 from an allowed source ─ GENEVE ──▶ Gwlb(GwlbFrame)      anything else: FrameError
//! ```
//! Checks run from the outside in, and the address is asked early: what is broken *and* not for us is not ours.

use std::net::Ipv4Addr;

use crate::{EtherType, Ethernet, FrameError, GENEVE_UDP_PORT, GwlbFrame, Ipv4, Ipv4Prefix, Udp};

/// Our end of the tunnel: what a frame must be addressed to.
#[derive(Clone, Debug)]
pub struct TunnelEnd {
    /// Our outer address; `None` takes any destination for ours (captures).
    pub address: Option<Ipv4Addr>,
    /// The udp port of GENEVE, 6081 unless GWLB's other end were configured otherwise.
    pub udp_port: u16,
    /// Where GENEVE may come from; empty means from anywhere. The local lane is not bound by it: ARP comes from the
    /// subnet's router.
    pub sources: Vec<Ipv4Prefix>,
    /// The TCP port of health checks.
    pub health_port: u16,
}

impl Default for TunnelEnd {
    /// Any address, udp port 6081, any source, health checks on TCP 80 (the default of GENEVE target groups).
    fn default() -> Self {
        Self { address: None, udp_port: GENEVE_UDP_PORT, sources: Vec::new(), health_port: 80 }
    }
}

/// What arrived.
#[derive(Clone, Copy, Debug)]
pub enum Arrival<'a> {
    /// A customer's packet, by way of the GWLB.
    Gwlb(GwlbFrame<'a>),
    /// Something for the local lane.
    Local(Local),
}

/// What the local lane answers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Local {
    /// An ARP request for our address, or a reply to us (RFC 826).
    Arp,
    /// An ICMP echo request (RFC 792).
    Echo,
    /// TCP to the health port.
    Health,
}

/// Tell what a frame is.
///
/// # Errors
/// Every way in which a frame can fail to be for us or to be whole; see [`FrameError`].
#[inline]
pub fn classify<'a>(frame: &'a [u8], end: &TunnelEnd) -> Result<Arrival<'a>, FrameError> {
    let Some((ethernet, payload)) = Ethernet::new_checked(frame) else { return Err(FrameError::NotOurs) };
    match ethernet.ether_type() {
        EtherType::Ipv4 => over_ipv4(payload, end),
        EtherType::Arp if end.asks_for_us(payload) => Ok(Arrival::Local(Local::Arp)),
        _ => Err(FrameError::NotOurs),
    }
}

impl TunnelEnd {
    pub(crate) fn is_us(&self, address: Ipv4Addr) -> bool {
        self.address.is_none_or(|us| us == address)
    }

    pub(crate) fn allows(&self, source: Ipv4Addr) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|prefix| prefix.contains(source))
    }

    /// An ARP packet of Ethernet and IPv4 (RFC 826), request or reply, whose target protocol address is ours.
    fn asks_for_us(&self, arp: &[u8]) -> bool {
        match arp.first_chunk::<28>() {
            Some([0, 1, 8, 0, 6, 4, 0, 1 | 2, .., a, b, c, d]) => self.is_us(Ipv4Addr::new(*a, *b, *c, *d)),
            _ => false,
        }
    }
}

#[inline]
fn over_ipv4<'a>(bytes: &'a [u8], end: &TunnelEnd) -> Result<Arrival<'a>, FrameError> {
    if bytes.first_chunk().is_some_and(|fixed| !end.is_us(Ipv4::destination_of(fixed))) {
        return Err(FrameError::NotOurs);
    }
    let (ipv4, payload) = Ipv4::new_checked(bytes)?;
    match (ipv4.protocol(), payload) {
        (17, [_, _, high, low, ..]) if u16::from_be_bytes([*high, *low]) == end.udp_port => {
            over_udp(ipv4, payload, end)
        }
        (1, [8, 0, _, _, _, _, _, _, ..]) => Ok(Arrival::Local(Local::Echo)),
        (6, [_, _, high, low, ..]) if u16::from_be_bytes([*high, *low]) == end.health_port => {
            Ok(Arrival::Local(Local::Health))
        }
        _ => Err(FrameError::NotOurs),
    }
}

#[inline]
fn over_udp<'a>(ipv4: Ipv4<'a>, bytes: &'a [u8], end: &TunnelEnd) -> Result<Arrival<'a>, FrameError> {
    let (udp, payload) = Udp::new_checked(bytes)?;
    if !end.allows(ipv4.source()) {
        return Err(FrameError::SourceNotAllowed(ipv4.source()));
    }
    udp.verify(&ipv4)?;
    GwlbFrame::new_checked(ipv4, udp, payload).map(Arrival::Gwlb)
}
