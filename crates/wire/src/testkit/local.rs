//! Frames that do not come through the tunnel: ARP, and plain IPv4 for ping and health checks.

use std::net::Ipv4Addr;

/// An ARP packet (RFC 826): `operation` 1 asks for `target`, 2 replies to it.
#[must_use]
pub fn arp(operation: u16, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([0x0a, 0, 0, 0, 0, 1, 0x08, 0x06]);
    frame.extend([0, 1, 8, 0, 6, 4]);
    frame.extend(operation.to_be_bytes());
    frame.extend([0x0a, 0, 0, 0, 0, 1]);
    frame.extend(sender.octets());
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame
}

/// An IPv4 packet of the testkit as it is, without a tunnel.
#[must_use]
pub fn plain(packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x0a, 0, 0, 0, 0, 2, 0x0a, 0, 0, 0, 0, 1, 0x08, 0x00];
    frame.extend(packet);
    frame
}
