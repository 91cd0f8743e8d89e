//! The local lane by real bytes: a GWLB node's TCP stack on the other side, and frames built by another library.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

mod node;

use std::net::Ipv4Addr;

use control::Host;
use etherparse::{
    ArpHardwareId, ArpOperation, ArpPacket, EtherType, PacketBuilder, SlicedPacket, TransportSlice,
};
use flow::Moment;
use node::{ADDRESS, APPLIANCE, Lane, Node, ROUTER, SECOND, health, settings};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::State;

fn arp_request(target: Ipv4Addr) -> Vec<u8> {
    let arp = ArpPacket::new(
        ArpHardwareId::ETHERNET,
        EtherType::IPV4,
        ArpOperation::REQUEST,
        &ROUTER,
        &[10, 1, 2, 1],
        &[0; 6],
        &target.octets(),
    );
    let mut frame = Vec::new();
    PacketBuilder::ethernet2(ROUTER, [0xff; 6]).arp(arp.unwrap()).write(&mut frame).unwrap();
    frame.resize(60, 0);
    frame
}

fn echo_request(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(ROUTER, APPLIANCE).ipv4([10, 1, 1, 5], ADDRESS.octets(), 64);
    builder.icmpv4_echo_request(9, 1).write(&mut frame, payload).unwrap();
    frame
}

fn syn(source_port: u16, tcp_port: u16) -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2(ROUTER, APPLIANCE).ipv4([10, 1, 1, 66], ADDRESS.octets(), 64);
    builder.tcp(source_port, tcp_port, 1, 1000).syn().write(&mut frame, &[]).unwrap();
    frame
}

#[test]
fn our_address_is_announced_twice_at_the_start() {
    let mut host = Host::new(&settings(""), APPLIANCE, 7, Moment(0));
    let mut sent = Vec::new();
    for second in 0..10 {
        let keep = |frame: &[u8]| {
            sent.push(frame.to_vec());
            true
        };
        host.turn(Moment(second * SECOND), &health(false), || None::<Vec<u8>>, keep);
    }
    assert_eq!(sent.len(), 2);
    let arp = SlicedPacket::from_ethernet(&sent[0]).unwrap();
    assert_eq!(sent[0][..6], [0xff; 6]);
    let Some(etherparse::NetSlice::Arp(arp)) = arp.net else { panic!("no ARP") };
    assert_eq!(
        (arp.sender_protocol_addr(), arp.target_protocol_addr()),
        (&[10, 1, 2, 11][..], &[10, 1, 2, 11][..])
    );
    assert_eq!(arp.sender_hw_addr(), APPLIANCE);
}

#[test]
fn who_asks_for_our_address_is_told_and_who_asks_for_another_is_not() {
    let mut lane = Lane::new(&settings(""));
    let replies = lane.exchange(&[arp_request(ADDRESS)]);
    let reply = SlicedPacket::from_ethernet(&replies[0]).unwrap();
    let Some(etherparse::NetSlice::Arp(reply)) = reply.net else { panic!("no ARP") };
    assert_eq!(replies[0][..6], ROUTER);
    assert_eq!(reply.operation(), ArpOperation::REPLY);
    assert_eq!((reply.sender_hw_addr(), reply.sender_protocol_addr()), (&APPLIANCE[..], &[10, 1, 2, 11][..]));
    assert_eq!((reply.target_hw_addr(), reply.target_protocol_addr()), (&ROUTER[..], &[10, 1, 2, 1][..]));
    assert!(lane.exchange(&[arp_request(Ipv4Addr::new(10, 1, 2, 12))]).is_empty());
}

#[test]
fn a_ping_comes_back_with_its_payload() {
    let mut lane = Lane::new(&settings(""));
    for size in [0, 1, 56, 1400] {
        let payload = vec![0x5a; size];
        let replies = lane.exchange(&[echo_request(&payload)]);
        let reply = SlicedPacket::from_ethernet(&replies[0]).unwrap();
        let Some(TransportSlice::Icmpv4(icmp)) = reply.transport else { panic!("no ICMP") };
        assert_eq!((icmp.type_u8(), icmp.payload()), (0, payload.as_slice()), "{size}");
        assert_eq!(replies[0][..6], ROUTER);
    }
    assert_eq!(lane.host.counts().echo, 4);
}

#[test]
fn nothing_else_is_reachable() {
    let mut lane = Lane::new(&settings(""));
    let mut udp = Vec::new();
    let builder = PacketBuilder::ethernet2(ROUTER, APPLIANCE).ipv4([10, 1, 1, 5], ADDRESS.octets(), 64);
    builder.udp(1000, 53).write(&mut udp, b"hello").unwrap();
    let mut to_another = echo_request(b"x");
    to_another[33] = 12;
    let mut fragment = echo_request(b"x");
    fragment[20] = 0x20;
    let mut broadcast = echo_request(b"x");
    broadcast[..6].fill(0xff);
    let frames = [
        udp,
        syn(1000, 22),
        syn(1000, 443),
        syn(0, 80),
        to_another,
        fragment,
        broadcast,
        vec![],
        vec![0; 13],
    ];
    assert!(lane.exchange(&frames).is_empty());
    assert_eq!(lane.host.counts().ignored, frames.len() as u64);
}

#[test]
fn a_healthy_appliance_answers_200_with_a_small_json_body() {
    let (mut lane, mut node) = (Lane::new(&settings("")), Node::new(5));
    let answer = node.check(&mut lane, b"GET / HTTP/1.1\r\nHost: 10.1.2.11\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"status":"healthy","generation":1,"cores":1}"#);
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
    assert!(head.ends_with("\r\nConnection: close"), "{head}");
}

#[test]
fn an_unhealthy_appliance_answers_503_and_says_why() {
    let (mut lane, mut node) = (Lane::new(&settings("")), Node::new(5));
    lane.health = health(true);
    let answer = node.check(&mut lane, b"GET / HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"status":"unhealthy","reasons":["draining"]}"#), "{answer}");
}

#[test]
fn path_and_port_are_the_operators() {
    let (mut lane, mut node) = (Lane::new(&settings("port = 8080\npath = \"/healthz\"")), Node::new(5));
    assert_eq!(node.check(&mut lane, b"GET /healthz HTTP/1.1\r\n\r\n"), "refused");
    let check = node.connect(8080);
    node.talk(&mut lane);
    node.tcp(check).send_slice(b"HEAD /healthz HTTP/1.1\r\n\r\n").unwrap();
    node.talk(&mut lane);
    let answer = node.answer(&mut lane, check);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn wrong_requests_are_told_so() {
    let (mut lane, mut node) = (Lane::new(&settings("")), Node::new(5));
    let mut status =
        |request: &[u8]| node.check(&mut lane, request).chars().skip(9).take(3).collect::<String>();
    assert_eq!(status(b"GET /admin HTTP/1.1\r\n\r\n"), "404");
    assert_eq!(status(b"DELETE / HTTP/1.1\r\n\r\n"), "405");
    assert_eq!(status(b"\x16\x03\x01\x00\xa5\x01\x00\x00"), "400");
    assert_eq!(status(&[b'A'; 3000]), "400");
    assert_eq!(status(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"), "200");
    assert_eq!(lane.host.counts().refused, 4);
}

#[test]
fn a_request_may_come_in_pieces() {
    let (mut lane, mut node) = (Lane::new(&settings("")), Node::new(5));
    let check = node.connect(80);
    node.talk(&mut lane);
    for byte in b"GET / HTTP/1.1\r\n\r\n" {
        assert!(!node.tcp(check).can_recv());
        node.tcp(check).send_slice(&[*byte]).unwrap();
        lane.after(50);
        node.talk(&mut lane);
    }
    assert!(node.answer(&mut lane, check).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_tcp_check_is_accepted_while_healthy_and_refused_while_not() {
    let (mut lane, mut node) = (Lane::new(&settings("protocol = \"tcp\"")), Node::new(5));
    for round in 0..3 {
        let check = node.connect(80);
        node.talk(&mut lane);
        assert_eq!(node.tcp(check).state(), State::Established, "round {round}");
        node.tcp(check).close();
        node.talk(&mut lane);
        lane.health = health(true);
        node.talk(&mut lane);
        let check = node.connect(80);
        node.talk(&mut lane);
        assert_eq!(node.tcp(check).state(), State::Closed, "round {round}");
        lane.health = health(false);
        node.talk(&mut lane);
    }
}

#[test]
fn a_plain_tcp_check_of_an_http_port_passes() {
    let (mut lane, mut node) = (Lane::new(&settings("")), Node::new(5));
    let check = node.connect(80);
    node.talk(&mut lane);
    assert_eq!(node.tcp(check).state(), State::Established);
    node.tcp(check).close();
    node.talk(&mut lane);
    assert_eq!(node.tcp(check).state(), State::TimeWait);
    assert_eq!(lane.host.counts().refused, 0);
}

#[test]
fn fifty_checks_at_once_from_five_nodes_are_answered_for_many_rounds() {
    let mut lane = Lane::new(&settings(""));
    let mut nodes: Vec<Node> = (5..10).map(Node::new).collect();
    for round in 0..40 {
        let checks: Vec<Vec<SocketHandle>> =
            nodes.iter_mut().map(|node| (0..10).map(|_| node.connect(80)).collect()).collect();
        nodes.iter_mut().for_each(|node| node.talk(&mut lane));
        for (node, checks) in nodes.iter_mut().zip(&checks) {
            checks.iter().for_each(|check| {
                node.tcp(*check).send_slice(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            });
            node.talk(&mut lane);
        }
        for (node, checks) in nodes.iter_mut().zip(checks) {
            for check in checks {
                assert!(node.answer(&mut lane, check).starts_with("HTTP/1.1 200"), "round {round}");
            }
        }
        lane.after(10);
    }
    assert_eq!(lane.host.counts().healthy, 2000);
    assert_eq!((lane.host.counts().evicted, lane.host.counts().timed_out), (0, 0));
}

#[test]
fn slow_clients_are_reset_in_time_and_never_lock_a_check_out() {
    let mut lane = Lane::new(&settings("connections = 16"));
    let (mut slow, mut node) = (Node::new(66), Node::new(5));
    let held: Vec<SocketHandle> = (0..200).map(|_| slow.connect(80)).collect();
    slow.talk(&mut lane);
    for _ in 0..12 {
        for check in &held {
            // Those that had to make room are reset, which is what this test is about.
            let _ = slow.tcp(*check).send_slice(b"G");
        }
        slow.talk(&mut lane);
        lane.after(500);
        assert!(node.check(&mut lane, b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
    }
    for _ in 0..10 {
        lane.after(1000);
        slow.talk(&mut lane);
    }
    assert!(held.iter().all(|check| slow.tcp(*check).state() != State::Established));
    let counts = lane.host.counts();
    assert!(counts.timed_out > 0 && counts.evicted >= 184, "{counts:?}");
}

#[test]
fn a_flood_of_half_open_connections_does_not_lock_a_check_out() {
    let (mut lane, mut node) = (Lane::new(&settings("")), Node::new(5));
    for round in 0u16..20 {
        let flood: Vec<Vec<u8>> = (0..500).map(|port| syn(1024 + round * 500 + port, 80)).collect();
        lane.exchange(&flood);
        assert!(
            node.check(&mut lane, b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"),
            "round {round}"
        );
        lane.after(100);
    }
}

#[test]
fn frames_that_cannot_be_sent_are_counted_and_retried_by_tcp() {
    let mut lane = Lane::new(&settings(""));
    let mut frame = Some(syn(1000, 80));
    lane.host.turn(lane.now, &lane.health, || frame.take(), |_| false);
    assert_eq!(lane.host.counts().unsent, 1);
    lane.after(1500);
    assert_eq!(lane.exchange(&[]).len(), 1, "the SYN-ACK again");
}

proptest::proptest! {
    #[test]
    fn no_frame_makes_the_host_panic_and_most_get_no_answer(
        noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
        at in 0usize..74,
        with in proptest::prelude::any::<u8>(),
    ) {
        let mut lane = Lane::new(&settings(""));
        let mut frames = vec![noise, arp_request(ADDRESS), echo_request(b"abcdefgh"), syn(1000, 80)];
        for frame in &mut frames[1..] {
            let at = at % frame.len();
            frame[at] = with;
        }
        let cut: Vec<Vec<u8>> = frames.iter().map(|frame| frame[..at.min(frame.len())].to_vec()).collect();
        let answers = lane.exchange(&frames).len() + lane.exchange(&cut).len();
        proptest::prop_assert!(answers <= 6);
    }
}
