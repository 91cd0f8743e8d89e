//! Packets inside customers' packets are judged as well, and whoever carries what must not pass does not pass.

use inspect::{DropReason, Mode, Tunnels, Verdict};
use policy::DefaultAction;
use wire::TcpFlags;
use wire::testkit::{ip, tcp, udp};

use crate::common::{Desk, policy};

const DENIED: Verdict = Verdict::Drop(DropReason::Policy);

fn in_ip(packet: &[u8]) -> Vec<u8> {
    ip("192.0.2.1", "192.0.2.2", 4).payload(packet).build()
}

fn in_vxlan(packet: &[u8]) -> Vec<u8> {
    let head = [&[8, 0, 0, 0, 0, 0, 100, 0], &[2; 12][..], &[8, 0]].concat();
    udp("192.0.2.1:50000", "192.0.2.2:4789").payload(&[&head, packet].concat()).build()
}

fn datagram(payload: &[u8]) -> Vec<u8> {
    udp("10.0.0.1:1000", "10.0.0.2:53").payload(payload).build()
}

#[test]
fn what_is_inside_is_told_by_its_own_ends() {
    let rules = "alert udp 10.0.0.1 1000 -> 10.0.0.2 53 (sid:1; content:\"evil\";)
        alert ip 192.0.2.1 any -> 192.0.2.2 any (sid:2;)";
    for wrapped in
        [in_ip(&datagram(b"evil")), in_vxlan(&datagram(b"evil")), in_ip(&in_vxlan(&datagram(b"evil")))]
    {
        let mut desk = Desk::new(rules);
        assert_eq!(desk.see(&wrapped), Verdict::Forward);
        let mut told = desk.told().0;
        told.sort_unstable();
        told.dedup();
        assert_eq!(told, [1, 2]);
        desk.see(&wrapped);
        assert_eq!(
            desk.told().0,
            [1],
            "the tunnel's own rules are asked once, what is inside is looked into on"
        );
    }
}

#[test]
fn a_tunnel_that_carries_what_is_dropped_loses_that_packet_and_no_other() {
    let mut desk = Desk::new("drop udp any any -> any 53 (sid:1; content:\"evil\";)");
    assert_eq!(desk.see(&in_ip(&datagram(b"good"))), Verdict::Forward);
    assert_eq!(desk.see(&in_ip(&datagram(b"evil"))), DENIED);
    let other = udp("10.0.0.1:1000", "10.0.0.3:54").payload(b"evil").build();
    assert_eq!(desk.see(&in_ip(&other)), Verdict::Forward);
    assert_eq!(desk.inspector.counts().carried, 3);
}

#[test]
fn a_stream_inside_a_tunnel_is_put_together() {
    let mut desk = Desk::new("drop tcp any any -> any any (sid:1; flow:established; content:\"secret\";)");
    let (client, server) = ("10.0.0.1:1000", "10.0.0.2:80");
    let segment = |flags, sequence, acknowledgment, payload: &[u8]| {
        in_ip(
            &tcp(client, server)
                .flags(flags)
                .sequence(sequence)
                .acknowledgment(acknowledgment)
                .payload(payload)
                .build(),
        )
    };
    desk.see(&segment(TcpFlags::SYN, 99, 0, b""));
    let answer = tcp(server, client).flags(TcpFlags::SYN | TcpFlags::ACK).sequence(199).acknowledgment(100);
    desk.see(&ip("192.0.2.2", "192.0.2.1", 4).payload(&answer.build()).build());
    desk.see(&segment(TcpFlags::ACK, 100, 200, b""));
    assert_eq!(desk.see(&segment(TcpFlags::ACK, 100, 200, b"the sec")), Verdict::Forward);
    assert_eq!(desk.see(&segment(TcpFlags::ACK, 107, 200, b"ret")), DENIED);
    assert_eq!(desk.told().0, [1]);
}

#[test]
fn both_the_tunnel_and_what_is_inside_must_be_allowed() {
    for (rules, verdict) in [
        ("pass ip 192.0.2.0/24 any -> any any (sid:1;)", DENIED),
        ("pass udp any any -> any 53 (sid:1;)", DENIED),
        (
            "pass ip 192.0.2.0/24 any -> any any (sid:1;) \n pass udp any any -> any 53 (sid:2;)",
            Verdict::Forward,
        ),
    ] {
        let mut desk = Desk::with(
            &flow::Settings { flows: 100, ..Default::default() },
            policy(rules, DefaultAction::Drop),
        );
        for _ in 0..3 {
            assert_eq!(desk.see(&in_ip(&datagram(b"x"))), verdict, "{rules}");
        }
    }
}

#[test]
fn who_is_rejected_inside_a_tunnel_is_dropped_and_not_answered_outside_of_it() {
    let mut desk = Desk::new("reject udp any any -> any 53 (sid:1;)");
    for _ in 0..2 {
        assert!(matches!(desk.see(&in_ip(&datagram(b"x"))), Verdict::Drop(_)));
    }
    assert_eq!(desk.inspector.counts().rejects, 0);
}

#[test]
fn tunnels_in_tunnels_are_looked_into_to_a_bound_and_what_is_malformed_passes_counted() {
    let rules = "alert udp any any -> any 53 (sid:1; content:\"evil\";)";
    let nested = |layers: usize| (0..layers).fold(datagram(b"evil"), |packet, _| in_ip(&packet));
    for (layers, told) in [(1, 1), (4, 1), (5, 0), (40, 0)] {
        let mut desk = Desk::new(rules);
        assert_eq!(desk.see(&nested(layers)), Verdict::Forward);
        assert_eq!(desk.told().0.len(), told, "{layers}");
        assert_eq!(desk.inspector.counts().carried_unread, u64::from(told == 0));
    }
    let mut desk = Desk::new(rules);
    let mut broken = datagram(b"evil");
    broken[3] = 200; // longer than it is
    assert_eq!(desk.see(&in_ip(&broken)), Verdict::Forward);
    assert_eq!(desk.inspector.counts().carried_unread, 1);
}

#[test]
fn who_wants_tunnels_opaque_has_them_so() {
    let mut desk = Desk::new("drop udp any any -> any 53 (sid:1;)");
    desk.inspector = desk.inspector.in_mode(Mode { tunnels: Tunnels::Opaque, ..Mode::default() });
    assert_eq!(desk.see(&in_ip(&datagram(b"x"))), Verdict::Forward);
    assert_eq!(desk.inspector.sessions(), 0);
}
