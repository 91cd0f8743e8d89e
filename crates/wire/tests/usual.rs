//! The quick reader against the general one.
#![allow(clippy::panic, clippy::unwrap_used, reason = "what the test is made of may fail as the test does")]

use proptest::prelude::*;
use wire::testkit::{Mutation, OUR_ADDRESS, gwlb, set_outer_checksum, tcp, udp};
use wire::{Arrival, Inner, Ipv4Prefix, TcpFlags, Transport, TunnelEnd, Usual, classify};

fn end() -> TunnelEnd {
    let sources = vec![Ipv4Prefix::new([10, 100, 0, 0].into(), 16).unwrap()];
    TunnelEnd { address: Some(OUR_ADDRESS), sources, ..TunnelEnd::default() }
}

fn frames() -> [Vec<u8>; 3] {
    let segment = tcp("10.1.2.10:49152", "192.0.2.80:443").flags(TcpFlags::SYN);
    [
        gwlb().inner(&segment.clone().build()).build(),
        gwlb().padding(4).inner(&segment.options(&[2, 4, 5, 180]).payload(&[7; 9]).build()).build(),
        gwlb().inner(&udp("192.0.2.80:53", "10.1.2.10:5353").payload(&[7; 36]).build()).build(),
    ]
}

/// What the quick reader says of a frame, the general one says too. Whether it said anything.
fn agree(frame: &[u8]) -> bool {
    let Some(usual) = Usual::read(frame, &end()) else { return false };
    let Ok(Arrival::Gwlb(gwlb)) = classify(frame, &end()) else {
        panic!("only the quick reader took {frame:?}")
    };
    let inner = Inner::parse(gwlb.inner(), gwlb.protocol_type()).unwrap();
    let (flags, tuple) = match inner.transport {
        Transport::Tcp(tcp) => (tcp.flags, inner.tuple),
        _ => (TcpFlags(0), inner.tuple),
    };
    let addresses =
        [usual.source, usual.destination].map(|number| std::net::Ipv4Addr::from_bits(number).into());
    assert_eq!([tuple.source, tuple.destination], addresses);
    assert_eq!((tuple.source_port, tuple.destination_port), (usual.source_port, usual.destination_port));
    assert_eq!((tuple.protocol, tuple.version, flags), (usual.protocol, 4, usual.tcp_flags));
    assert_eq!((gwlb.tags().endpoint, gwlb.geneve().header()), (usual.endpoint, &usual.geneve[..]));
    assert_eq!((gwlb.source().octets(), gwlb.udp_source_port()), (usual.node, usual.udp_source_port));
    assert_eq!((inner.packet.len(), gwlb.inner_at()), (usize::from(usual.inner_len), Usual::INNER_AT));
    true
}

#[test]
fn usual_frames_are_taken_and_read_alike() {
    assert!(frames().iter().all(|frame| agree(frame)));
}

#[test]
fn every_value_of_every_byte_and_every_truncation_is_read_alike_or_left_to_the_general_reader() {
    for frame in frames() {
        for len in 0..frame.len() {
            agree(&frame[..len]);
        }
        for at in 0..frame.len() {
            for value in 0..=255 {
                let mut changed = frame.clone();
                changed[at] = value;
                agree(&changed);
                set_outer_checksum_of(&mut changed);
                agree(&changed);
            }
        }
    }
}

fn set_outer_checksum_of(frame: &mut [u8]) {
    if frame[14] & 0x0f >= 5 {
        set_outer_checksum(frame);
    }
}

proptest! {
    #[test]
    fn frames_changed_in_several_places_are_read_alike(
        which in 0..3_usize,
        changes in prop::collection::vec((0..130_usize, any::<u8>()), 1..6),
        cut in prop::option::of(0..200_usize),
    ) {
        let mut frame = frames()[which].clone();
        for (at, value) in changes {
            frame = Mutation::Set(at, value).apply(&frame);
        }
        if let Some(cut) = cut {
            frame = Mutation::Truncate(cut).apply(&frame);
        }
        if frame.len() > 80 {
            set_outer_checksum_of(&mut frame);
        }
        agree(&frame);
    }
}
