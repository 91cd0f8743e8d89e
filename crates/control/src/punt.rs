//! What a punted frame asks of us, if anything.
//!
//! The receive core punts by a few bytes; this looks again, with every length checked, so that nothing but ARP for our
//! address, echo requests and the health check's TCP port ever reaches the stack.

use std::net::Ipv4Addr;

use smoltcp::wire::{
    ArpHardware, ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr, IpProtocol, Ipv4Packet, TcpPacket,
};

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// What a frame asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Punt<'a> {
    /// Who has our address? The asker's addresses.
    Arp { mac: EthernetAddress, address: Ipv4Addr },
    /// A ping, as an IP packet, from whom and through which neighbour.
    Echo { from: Ipv4Addr, neighbour: EthernetAddress, packet: &'a [u8] },
    /// TCP to the health check's port.
    Check { from: Ipv4Addr, neighbour: EthernetAddress, packet: &'a [u8] },
    /// Nothing that is answered.
    Nothing,
}

impl<'a> Punt<'a> {
    /// Look at a frame that came for `address`, where checks come to `tcp_port`.
    pub(crate) fn of(frame: &'a [u8], mac: EthernetAddress, address: Ipv4Addr, tcp_port: u16) -> Self {
        let Ok(ethernet) = EthernetFrame::new_checked(frame) else { return Self::Nothing };
        if ethernet.dst_addr() != mac && !ethernet.dst_addr().is_broadcast()
            || !ethernet.src_addr().is_unicast()
        {
            return Self::Nothing;
        }
        let Some(payload) = frame.get(ETHERNET..) else { return Self::Nothing };
        match ethernet.ethertype() {
            EthernetProtocol::Arp => arp(payload, address),
            EthernetProtocol::Ipv4 if ethernet.dst_addr() == mac => {
                ip(payload, ethernet.src_addr(), address, tcp_port)
            }
            _ => Self::Nothing,
        }
    }
}

/// A whole frame with an ARP packet in it.
pub(crate) fn arp_frame(
    operation: ArpOperation,
    from: (EthernetAddress, Ipv4Addr),
    to: (EthernetAddress, Ipv4Addr),
) -> Vec<u8> {
    let arp = ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: from.0,
        source_protocol_addr: from.1,
        // An announcement asks for nobody (RFC 5227 §2.3), so it names no hardware address.
        target_hardware_addr: if to.0.is_broadcast() { EthernetAddress([0; 6]) } else { to.0 },
        target_protocol_addr: to.1,
    };
    let mut frame = ethernet_frame(from.0, to.0, EthernetProtocol::Arp, arp.buffer_len());
    if let Some(payload) = frame.get_mut(ETHERNET..) {
        arp.emit(&mut ArpPacket::new_unchecked(payload));
    }
    frame
}

/// A whole frame with an IPv4 packet in it.
pub(crate) fn ip_frame(from: EthernetAddress, to: EthernetAddress, packet: &[u8]) -> Vec<u8> {
    let mut frame = ethernet_frame(from, to, EthernetProtocol::Ipv4, packet.len());
    if let Some(payload) = frame.get_mut(ETHERNET..) {
        payload.copy_from_slice(packet);
    }
    frame
}

fn ethernet_frame(
    from: EthernetAddress,
    to: EthernetAddress,
    ethertype: EthernetProtocol,
    payload: usize,
) -> Vec<u8> {
    let mut frame = vec![0; ETHERNET + payload];
    EthernetRepr { src_addr: from, dst_addr: to, ethertype }
        .emit(&mut EthernetFrame::new_unchecked(&mut frame));
    frame
}

fn arp(payload: &[u8], address: Ipv4Addr) -> Punt<'_> {
    let arp = ArpPacket::new_checked(payload).ok().filter(|arp| arp.hardware_type() == ArpHardware::Ethernet);
    match arp.and_then(|arp| ArpRepr::parse(&arp).ok()) {
        Some(ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr,
            source_protocol_addr,
            target_protocol_addr,
            ..
        }) if target_protocol_addr == address && source_hardware_addr.is_unicast() => {
            Punt::Arp { mac: source_hardware_addr, address: source_protocol_addr }
        }
        _ => Punt::Nothing,
    }
}

fn ip(packet: &[u8], neighbour: EthernetAddress, address: Ipv4Addr, tcp_port: u16) -> Punt<'_> {
    let Ok(ip) = Ipv4Packet::new_checked(packet) else { return Punt::Nothing };
    let from = ip.src_addr();
    let odd_source =
        from.is_unspecified() || from.is_broadcast() || from.is_multicast() || from.is_loopback();
    let fragment = ip.more_frags() || ip.frag_offset() != 0;
    if ip.version() != 4 || ip.dst_addr() != address || from == address || odd_source || fragment {
        return Punt::Nothing;
    }
    match ip.next_header() {
        // Type 8 is an echo request (RFC 792).
        IpProtocol::Icmp if ip.payload().first() == Some(&8) => Punt::Echo { from, neighbour, packet },
        IpProtocol::Tcp => match TcpPacket::new_checked(ip.payload()) {
            Ok(tcp) if tcp.dst_port() == tcp_port && tcp.src_port() != 0 => {
                Punt::Check { from, neighbour, packet }
            }
            _ => Punt::Nothing,
        },
        _ => Punt::Nothing,
    }
}
