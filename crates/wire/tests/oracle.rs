//! etherparse is a second opinion on every packet that can be built, and on changed ones.

#![cfg(test)]

mod common;

use common::{frame, mutated, mutations, packet};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use proptest::prelude::*;
use wire::testkit::{check_against_etherparse, fates};
use wire::{Arrival, TunnelEnd, classify};

#[test]
fn inner_packets_of_the_table_of_fates_are_read_alike() {
    for case in fates() {
        if let Ok(Arrival::Gwlb(gwlb)) = classify(&case.frame, &TunnelEnd::default()) {
            check_against_etherparse(gwlb.inner());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inner_packets_are_read_alike(packet in packet()) {
        check_against_etherparse(&packet.build());
    }

    #[test]
    fn changed_inner_packets_are_read_alike(packet in packet(), changes in mutations()) {
        check_against_etherparse(&mutated(&packet.build(), &changes));
    }

    #[test]
    fn outer_headers_are_read_alike(frame in frame(), changes in mutations()) {
        let frame = mutated(&frame.build(), &changes);
        let end = TunnelEnd::default();
        let Ok(Arrival::Gwlb(gwlb)) = classify(&frame, &end) else { return Ok(()) };
        let sliced = SlicedPacket::from_ethernet(&frame).expect("what we take for whole is whole");
        let Some(NetSlice::Ipv4(ipv4)) = &sliced.net else { panic!("not IPv4: {frame:02x?}") };
        let Some(TransportSlice::Udp(udp)) = &sliced.transport else { panic!("not UDP: {frame:02x?}") };
        prop_assert_eq!(ipv4.header().source_addr(), gwlb.source());
        prop_assert_eq!(ipv4.header().destination_addr(), gwlb.destination());
        prop_assert_eq!(ipv4.header().header_checksum(), ipv4.header().to_header().calc_header_checksum());
        prop_assert_eq!((udp.source_port(), udp.destination_port()), (gwlb.udp_source_port(), end.udp_port));
        prop_assert_eq!(udp.payload(), [gwlb.geneve().header(), gwlb.inner()].concat());
    }
}
