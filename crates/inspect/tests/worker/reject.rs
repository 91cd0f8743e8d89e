//! What a rejected packet's ends are sent, and how it is wrapped.

use crate::common::Desk;
use inspect::{DropReason, Verdict};
use wire::testkit::{OUR_ADDRESS, gwlb, tcp, udp};
use wire::{Arrival, Inner, TcpFlags, TunnelEnd, classify};

const CLIENT: &str = "10.1.2.10:49152";
const SERVER: &str = "192.0.2.80:443";
const REJECTED: Verdict = Verdict::Drop(DropReason::Reject);

/// The frames that the desk sends of its own accord.
fn sent(desk: &mut Desk) -> Vec<Vec<u8>> {
    let injections = desk.inspector.injections();
    let mut sent = Vec::new();
    while let Some(frame) = injections.first() {
        sent.push(frame.to_vec());
        injections.next();
    }
    assert!(injections.is_empty());
    sent
}

/// Who sends what to whom inside a frame, and whether its checksums are right.
fn told(frame: &[u8]) -> String {
    match classify(frame, &TunnelEnd::default()) {
        Ok(Arrival::Gwlb(outer)) => match Inner::parse(outer.inner(), outer.protocol_type()) {
            Ok(inner) if inner.has_right_checksums() => inner.tuple.to_string(),
            Ok(_) => "wrong checksums".to_owned(),
            Err(error) => error.to_string(),
        },
        other => format!("not of GWLB's form: {other:?}"),
    }
}

const BACK: &str = "192.0.2.80 443 -> 10.1.2.10 49152 proto 6";
const THERE: &str = "10.1.2.10 49152 -> 192.0.2.80 443 proto 6";

#[test]
fn each_way_to_reject_tells_the_ends_it_names() {
    for (action, ends) in [
        ("reject", &[BACK][..]),
        ("rejectsrc", &[BACK]),
        ("rejectdst", &[THERE]),
        ("rejectboth", &[BACK, THERE]),
    ] {
        let mut desk = Desk::new(&format!("{action} tcp any any -> any 443 (sid:1;)"));
        assert_eq!(desk.see(&tcp(CLIENT, SERVER).flags(TcpFlags::SYN).build()), REJECTED);
        let told: Vec<_> = sent(&mut desk).iter().map(|frame| told(frame)).collect();
        assert_eq!(told, ends, "{action}");
        assert_eq!(desk.told().0, [1]);
        assert_eq!(desk.inspector.counts().rejects, ends.len() as u64);
    }
}

#[test]
fn every_packet_of_a_rejected_flow_is_answered_to_who_sent_it() {
    let mut desk = Desk::new("reject tcp any any -> any 443 (sid:1;)");
    for _ in 0..2 {
        assert_eq!(desk.see(&tcp(CLIENT, SERVER).flags(TcpFlags::SYN).build()), REJECTED);
        assert_eq!(desk.see(&tcp(SERVER, CLIENT).flags(TcpFlags::ACK).build()), REJECTED);
    }
    assert_eq!(desk.see(&tcp(SERVER, CLIENT).flags(TcpFlags::RST).build()), REJECTED);
    let told: Vec<_> = sent(&mut desk).iter().map(|frame| told(frame)).collect();
    assert_eq!(told, [BACK, THERE, BACK, THERE], "but for a RST");
    assert_eq!(desk.told().0, [1], "one alert");
}

#[test]
fn what_is_sent_is_wrapped_as_the_newest_packet_of_its_way() {
    let mut desk = Desk::new("reject tcp any 443 -> any any (sid:1;)");
    let syn = tcp(CLIENT, SERVER).flags(TcpFlags::SYN).build();
    let syn_ack = tcp(SERVER, CLIENT).flags(TcpFlags::SYN | TcpFlags::ACK).build();
    let from = |node: [u8; 4], port| gwlb().between(node.into(), OUR_ADDRESS).udp_ports(port, 6081);
    let there = from([10, 100, 1, 21], 1111).cookie(7).inner(&syn).build();
    let back = from([10, 100, 1, 22], 2222).cookie(9).inner(&syn_ack).build();
    assert_eq!(desk.judge(&[there.clone(), back.clone()]), [Verdict::Forward, REJECTED]);
    let [reset] = sent(&mut desk).try_into().unwrap();
    assert_eq!(told(&reset), THERE);
    assert_eq!(reset[..12], back[..12], "the way on which the rejected packet came");
    assert_eq!(reset[26..36], there[26..36], "node, our address and udp source port");
    assert_eq!(reset[42..82], there[42..82], "the newest GENEVE header that way, its cookie too");
}

#[test]
fn datagrams_are_answered_with_icmp_and_ipv6_is_as_ipv4() {
    let mut desk = Desk::new("reject ip any any -> any any (sid:1;)");
    desk.see(&udp(CLIENT, SERVER).payload(b"query").build());
    desk.see(&udp("[2001:db8::1]:5000", "[2001:db8::2]:53").build());
    desk.see(&tcp("[2001:db8::1]:5000", "[2001:db8::2]:53").flags(TcpFlags::SYN).build());
    let told: Vec<_> = sent(&mut desk).iter().map(|frame| told(frame)).collect();
    assert_eq!(
        told,
        [
            "192.0.2.80 0 -> 10.1.2.10 0 proto 1",
            "2001:db8::2 0 -> 2001:db8::1 0 proto 58",
            "2001:db8::2 53 -> 2001:db8::1 5000 proto 6"
        ]
    );
}

#[test]
fn a_flood_of_rejected_packets_is_answered_at_a_bounded_rate() {
    let mut desk = Desk::new("reject tcp any any -> any 443 (sid:1;)");
    let syn = tcp(CLIENT, SERVER).flags(TcpFlags::SYN).build();
    let flood = |desk: &mut Desk| {
        (0..500)
            .map(|_| {
                assert_eq!(desk.see(&syn), REJECTED);
                sent(desk).len()
            })
            .sum::<usize>()
    };
    let first = flood(&mut desk);
    assert!((200..300).contains(&first), "{first}");
    assert_eq!(desk.inspector.counts().injections_withheld, 500 - first as u64);
    desk.now.0 += 100_000_000;
    let second = flood(&mut desk);
    assert!((90..110).contains(&second), "{second} in a tenth of a second");
}

#[test]
fn who_is_not_fetched_from_withholds_and_counts() {
    let mut desk = Desk::new("reject tcp any any -> any 443 (sid:1;)");
    let syn = tcp(CLIENT, SERVER).flags(TcpFlags::SYN).build();
    for _ in 0..200 {
        desk.see(&syn);
    }
    assert_eq!(sent(&mut desk).len(), 128);
    assert_eq!(desk.inspector.counts().injections_withheld, 72);
}
