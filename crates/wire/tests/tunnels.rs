//! Packets inside customers' packets: what is found in which tunnel, and where.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test fails by panicking

use proptest::prelude::*;
use wire::testkit::{ip, tcp, udp};
use wire::{Inner, ProtocolType, may_carry};

fn parse(packet: &[u8]) -> Inner<'_> {
    let kind = if packet[0] >> 4 == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
    Inner::parse(packet, kind).unwrap()
}

fn v4() -> Vec<u8> {
    tcp("10.0.0.1:1000", "10.0.0.2:80").payload(b"inside").build()
}

fn v6() -> Vec<u8> {
    tcp("[2001:db8::1]:1000", "[2001:db8::2]:80").payload(b"inside").build()
}

fn ethernet(tags: &[u8], packet: &[u8]) -> Vec<u8> {
    let kind: &[u8] = if packet[0] >> 4 == 4 { &[0x08, 0x00] } else { &[0x86, 0xdd] };
    [&[2; 12], tags, kind, packet].concat()
}

/// The protocol or port of a tunnel, what stands before the packet in it, and the packet.
fn tunnels() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let over_ip = |protocol, head: &[u8], packet: &[u8]| {
        ip("192.0.2.1", "192.0.2.2", protocol).payload(&[head, packet].concat()).build()
    };
    let over_udp = |port: u16, head: &[u8], packet: &[u8]| {
        udp("192.0.2.1:50000", &format!("192.0.2.2:{port}")).payload(&[head, packet].concat()).build()
    };
    let vxlan = [0x08, 0, 0, 0, 0, 0, 100, 0];
    let erspan_ii = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 9, 0x10, 0, 0, 0, 0, 0, 0, 0];
    vec![
        ("4 in 4", over_ip(4, &[], &v4()), v4()),
        ("6 in 4", over_ip(41, &[], &v6()), v6()),
        ("4 in 6", ip("2001:db8::8", "2001:db8::9", 4).payload(&v4()).build(), v4()),
        ("6 in 6", ip("2001:db8::8", "2001:db8::9", 41).payload(&v6()).build(), v6()),
        ("GRE", over_ip(47, &[0, 0, 0x08, 0], &v4()), v4()),
        ("GRE of IPv6", over_ip(47, &[0, 0, 0x86, 0xdd], &v6()), v6()),
        (
            "GRE with checksum, key and sequence",
            over_ip(47, &[0xb0, 0, 0x08, 0, 1, 2, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1], &v4()),
            v4(),
        ),
        ("GRE of Ethernet", over_ip(47, &[0, 0, 0x65, 0x58], &ethernet(&[], &v4())), v4()),
        ("GRE of MPLS", over_ip(47, &[0, 0, 0x88, 0x47, 0, 0, 0x11, 64], &v4()), v4()),
        (
            "PPTP",
            over_ip(
                47,
                &[0x30, 0x81, 0x88, 0x0b, 0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 3, 0, 0x21],
                &v4(),
            ),
            v4(),
        ),
        ("ERSPAN I", over_ip(47, &[0, 0, 0x88, 0xbe], &ethernet(&[], &v4())), v4()),
        ("ERSPAN II", over_ip(47, &erspan_ii, &ethernet(&[], &v4())), v4()),
        ("VXLAN", over_udp(4789, &vxlan, &ethernet(&[], &v4())), v4()),
        ("VXLAN of VLAN", over_udp(4789, &vxlan, &ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6], &v6())), v6()),
        ("GENEVE", over_udp(6081, &[0x01, 0, 0x08, 0, 0, 0, 1, 0, 1, 2, 3, 0], &v4()), v4()),
        ("GENEVE of Ethernet", over_udp(6081, &[0, 0, 0x65, 0x58, 0, 0, 1, 0], &ethernet(&[], &v4())), v4()),
        ("Teredo", over_udp(3544, &[], &v6()), v6()),
        ("Teredo with origin", over_udp(3544, &[0, 0, 1, 2, 3, 4, 5, 6], &v6()), v6()),
    ]
}

#[test]
fn the_packet_in_every_tunnel_is_found_where_it_is() {
    for (name, outside, inside) in tunnels() {
        let outer = parse(&outside);
        assert!(may_carry(&outer.tuple), "{name}");
        let carried = outer.carried().unwrap_or_else(|| panic!("{name}")).unwrap();
        assert_eq!(carried.inner.packet, inside, "{name}");
        assert_eq!(&outside[carried.at..], inside, "{name}");
        assert!(carried.inner.carried().is_none(), "{name}");
    }
}

#[test]
fn what_is_no_tunnel_carries_nothing() {
    let datagram = |port: u16, payload: &[u8]| {
        udp("192.0.2.1:50000", &format!("192.0.2.2:{port}")).payload(payload).build()
    };
    let in_gre = |head: &[u8]| ip("192.0.2.1", "192.0.2.2", 47).payload(&[head, &v4()].concat()).build();
    for (name, outside) in [
        ("TCP", v4()),
        ("another port", datagram(53, &[&[8, 0, 0, 0, 0, 0, 0, 0], &ethernet(&[], &v4())[..]].concat())),
        ("VXLAN without a number", datagram(4789, &[&[0; 8], &ethernet(&[], &v4())[..]].concat())),
        (
            "VXLAN of ARP",
            datagram(4789, &[&[8, 0, 0, 0, 0, 0, 0, 0], &[2; 12][..], &[8, 6], &[0; 28]].concat()),
        ),
        ("another version of GENEVE", datagram(6081, &[&[0x40, 0, 8, 0, 0, 0, 0, 0], &v4()[..]].concat())),
        ("GRE with a source route", in_gre(&[0x40, 0, 8, 0, 0, 0, 0, 0])),
        ("GRE of another version", in_gre(&[0, 2, 8, 0])),
        ("a part", ip("192.0.2.1", "192.0.2.2", 4).payload(&v4()[..24]).fragment(0, true).build()),
    ] {
        assert!(parse(&outside).carried().is_none(), "{name}");
    }
}

proptest! {
    #[test]
    fn a_changed_tunnel_is_read_or_not_but_within_its_bytes(
        nth in 0_usize..18, at in 0_usize..100, byte: u8, cut in 0_usize..120,
    ) {
        let (_, mut outside, _) = tunnels().swap_remove(nth);
        let at = at % outside.len();
        outside[at] = byte;
        outside.truncate(outside.len().saturating_sub(cut % 60).max(1));
        let kind = if outside[0] >> 4 == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
        if let Ok(outer) = Inner::parse(&outside, kind)
            && let Some(Ok(carried)) = outer.carried()
        {
            let end = carried.at + carried.inner.packet.len();
            prop_assert_eq!(outer.packet.get(carried.at..end), Some(carried.inner.packet));
        }
    }
}
