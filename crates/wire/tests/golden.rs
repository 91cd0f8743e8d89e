//! The frames of record: what AWS sends and what must go back, byte by byte.
#![cfg(test)]

use std::net::Ipv4Addr;

use wire::testkit::{gwlb, tcp};
use wire::{
    Arrival, AttachmentId, EndpointId, FlowCookie, FrameError, GwlbHeader, GwlbTags, Inner, ProtocolType,
    TcpFlags, Transport, TunnelEnd, classify, reflect,
};

/// GWLB to appliance, inner TCP SYN 10.1.2.10:49152 -> 192.0.2.80:443; generated and decoded with scapy.
const FORTH: &str = "\
    0a 00 00 00 00 02 0a 00 00 00 00 01 08 00 45 00 \
    00 70 00 00 40 00 fe 11 65 83 0a 64 01 14 0a 64 \
    01 1e c3 cb 17 c1 00 5c 00 00 08 00 08 00 00 00 \
    00 00 01 08 01 02 01 23 45 67 89 ab cd ef 01 08 \
    02 02 00 00 00 00 00 00 00 00 01 08 03 01 5e ed \
    12 34 45 00 00 2c 1c 46 40 00 fe 06 92 2a 0a 01 \
    02 0a c0 00 02 50 c0 00 01 bb 11 22 33 44 00 00 \
    00 00 60 02 f5 07 ce a1 00 00 02 04 05 b4";

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn end() -> TunnelEnd {
    TunnelEnd { address: Some(Ipv4Addr::new(10, 100, 1, 30)), ..TunnelEnd::default() }
}

#[test]
fn the_frame_of_record_is_read_to_its_last_field() {
    let frame = hex(FORTH);
    let Arrival::Gwlb(gwlb) = classify(&frame, &end()).unwrap() else { panic!("not from GWLB") };
    assert_eq!(gwlb.tags().endpoint, EndpointId(0x0123_4567_89ab_cdef));
    assert_eq!(gwlb.tags().endpoint.to_string(), "vpce-00123456789abcdef");
    assert_eq!(gwlb.tags().attachment, Some(AttachmentId(0)));
    assert_eq!(gwlb.tags().cookie, FlowCookie(0x5eed_1234));
    assert_eq!(gwlb.source(), Ipv4Addr::new(10, 100, 1, 20));
    assert_eq!(gwlb.destination(), Ipv4Addr::new(10, 100, 1, 30));
    assert_eq!(gwlb.udp_source_port(), 50123);
    assert_eq!(gwlb.geneve().header(), &frame[42..82]);
    assert_eq!(gwlb.geneve().vni(), 0);
    assert_eq!(gwlb.inner_at(), 82);
    assert_eq!(gwlb.inner(), &frame[82..]);
    assert_eq!(gwlb.protocol_type(), ProtocolType::Ipv4);

    let inner = Inner::parse(gwlb.inner(), gwlb.protocol_type()).unwrap();
    assert_eq!(inner.tuple.to_string(), "10.1.2.10 49152 -> 192.0.2.80 443 proto 6");
    assert_eq!(inner.packet.len(), 44);
    assert_eq!(inner.fragment, None);
    let Transport::Tcp(tcp) = inner.transport else { panic!("not TCP: {:?}", inner.transport) };
    assert_eq!((tcp.flags, tcp.sequence, tcp.acknowledgment), (TcpFlags::SYN, 0x1122_3344, 0));
    assert_eq!(tcp.window, 0xf507);
    assert_eq!(tcp.options, [2, 4, 5, 0xb4]);
    assert!(inner.payload().is_empty());
}

#[test]
fn reflection_swaps_the_macs_and_the_outer_addresses_and_nothing_else() {
    let mut frame = hex(FORTH);
    reflect(&mut frame);
    let mut expected = hex(FORTH);
    expected[..12].copy_from_slice(&hex("0a 00 00 00 00 01 0a 00 00 00 00 02"));
    expected[26..34].copy_from_slice(&hex("0a 64 01 1e 0a 64 01 14"));
    assert_eq!(frame, expected);
}

#[test]
fn a_written_header_is_the_one_of_record_but_for_the_hop_limit() {
    let header = GwlbHeader {
        destination_mac: [0x0a, 0, 0, 0, 0, 2],
        source_mac: [0x0a, 0, 0, 0, 0, 1],
        source: Ipv4Addr::new(10, 100, 1, 20),
        destination: Ipv4Addr::new(10, 100, 1, 30),
        udp_source_port: 50123,
        udp_destination_port: 6081,
        tags: GwlbTags {
            endpoint: EndpointId(0x0123_4567_89ab_cdef),
            attachment: None,
            cookie: FlowCookie(0x5eed_1234),
        },
        protocol_type: ProtocolType::Ipv4,
    };
    let mut frame = hex(FORTH);
    frame[..82].fill(0xaa);
    assert_eq!(header.write(44, &mut frame), Ok(82));
    let mut expected = hex(FORTH);
    expected[22] = 64;
    expected[24..26].copy_from_slice(&hex("23 84"));
    assert_eq!(frame, expected);
}

/// The frame of record with the hop limit that we write.
fn record() -> Vec<u8> {
    let mut frame = hex(FORTH);
    frame[22] = 64;
    frame[24..26].copy_from_slice(&hex("23 84"));
    frame
}

#[test]
fn the_testkit_builds_the_frame_of_record() {
    let syn = tcp("10.1.2.10:49152", "192.0.2.80:443")
        .flags(TcpFlags::SYN)
        .options(&[2, 4, 5, 0xb4])
        .hop_limit(254)
        .build();
    assert_eq!(gwlb().inner(&syn).build(), record());
}

#[test]
fn the_frame_of_record_has_one_udp_checksum_in_both_directions() {
    let mut frame = hex(FORTH);
    frame[40..42].copy_from_slice(&hex("b2 c5"));
    let back = TunnelEnd { address: Some(Ipv4Addr::new(10, 100, 1, 20)), ..TunnelEnd::default() };
    assert!(classify(&frame, &end()).is_ok());
    reflect(&mut frame);
    assert!(classify(&frame, &back).is_ok());
    frame[41] = 0xc6;
    assert_eq!(classify(&frame, &back).err(), Some(FrameError::UdpChecksum(0xb2c6)));
}

#[test]
fn an_ipv6_packet_inside_changes_the_protocol_type_and_the_lengths_only() {
    let segment = tcp("[2001:db8::a]:49152", "[2001:db8::b]:443").build();
    let frame = gwlb().inner(&segment).build();
    assert_eq!(frame[82..92], hex("60 00 00 00 00 14 06 3f 20 01"));
    let mut expected = record();
    expected[16..18].copy_from_slice(&hex("00 80"));
    expected[24..26].copy_from_slice(&hex("23 74"));
    expected[38..40].copy_from_slice(&hex("00 6c"));
    expected[44..46].copy_from_slice(&hex("86 dd"));
    assert_eq!(frame[..82], expected[..82]);
}
