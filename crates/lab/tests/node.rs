//! A load balancer's node without sockets: flows, cookies, targets, and what it says of packets that come back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test builds on must be there")]

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use etherparse::PacketBuilder;
use lab::gwlb::config::{Endpoint, Group, LoadBalancer, NodePlace, Stickiness, Switches, Target};
use lab::gwlb::counters::Fate;
use lab::gwlb::health::{Failure, Health, HealthCheck};
use lab::gwlb::node::{Node, Outcome};
use proptest::prelude::*;
use wire::{EndpointId, GwlbHeader, Inner, ProtocolType, TcpFlags, Transport};

const ENDPOINT: EndpointId = EndpointId(0xabcd);
const OTHER: EndpointId = EndpointId(0xef01);
const DOWN: Health = Health::Unhealthy(Failure::Failed);

fn target(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, 2, n)
}

fn balancer(targets: u8) -> LoadBalancer {
    let place = place();
    let endpoint = |id| Endpoint {
        id,
        zone: "a".to_owned(),
        namespace: String::new(),
        tun: String::new(),
        ipv6: id == ENDPOINT,
    };
    let target =
        |n| Target { id: format!("i-{n}"), address: target(n), zone: "a".to_owned(), draining: false };
    LoadBalancer {
        name: "lb".to_owned(),
        nodes: vec![place],
        endpoints: vec![endpoint(ENDPOINT), endpoint(OTHER)],
        group: Some(Group {
            name: "tg".to_owned(),
            stickiness: Stickiness::FiveTuple,
            rebalance: false,
            reset_on_unhealthy: false,
            reset_on_deregistration: false,
            check: HealthCheck::default(),
            targets: (1..=targets).map(target).collect(),
        }),
        cross_zone: false,
        ipv6: true,
        tcp_idle: Duration::from_secs(350),
        other_idle: Duration::from_secs(120),
        reset_on_idle: false,
    }
}

fn place() -> NodePlace {
    NodePlace { zone: "a".to_owned(), namespace: String::new(), address: Ipv4Addr::new(10, 1, 1, 5) }
}

/// A node with this many healthy targets.
struct Bench {
    node: Node,
    balancer: LoadBalancer,
    switches: Switches,
    now: Instant,
}

impl Bench {
    fn new(targets: u8) -> Self {
        let (balancer, switches) = (balancer(targets), Switches::default());
        let node = Node::new(balancer.clone(), place(), switches);
        let mut bench = Self { node, balancer, switches, now: Instant::now() };
        (1..=targets).for_each(|n| bench.node.note_health(target(n), Health::Healthy));
        bench
    }

    fn change(&mut self, change: impl FnOnce(&mut LoadBalancer, &mut Group, &mut Switches)) {
        let mut group = self.balancer.group.take().unwrap();
        change(&mut self.balancer, &mut group, &mut self.switches);
        self.balancer.group = Some(group);
        self.node.configure(self.balancer.clone(), self.switches);
    }

    fn offer(&mut self, packet: &[u8]) -> Result<GwlbHeader, Fate> {
        match self.node.from_endpoint(ENDPOINT, packet, self.now)? {
            Outcome::Forward(header) => Ok(header),
            Outcome::Reply(_) => Err(Fate::Reset),
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// Return a packet as a faithful appliance would, unless `change` changes something.
    fn give_back(
        &mut self,
        mut header: GwlbHeader,
        packet: &[u8],
        change: impl FnOnce(&mut GwlbHeader, &mut Vec<u8>),
    ) -> Result<Vec<u8>, Fate> {
        let mut packet = packet.to_vec();
        std::mem::swap(&mut header.source, &mut header.destination);
        change(&mut header, &mut packet);
        let mut frame = vec![0; GwlbHeader::LEN];
        header.write(packet.len(), &mut frame).unwrap();
        frame.extend(&packet);
        let source = SocketAddrV4::new(header.source, header.udp_source_port);
        self.node.from_target(source, &frame[42..], self.now).map(|(_, packet)| packet.to_vec())
    }
}

const SYN: TcpFlags = TcpFlags::SYN;
const ACK: TcpFlags = TcpFlags::ACK;
const FIN: TcpFlags = TcpFlags(0x11);

fn tcp(tcp_port: u16, flags: TcpFlags, up: bool) -> Vec<u8> {
    let (client, server) = ([203, 0, 113, 10], [10, 0, 1, 10]);
    let builder = match up {
        true => PacketBuilder::ipv4(client, server, 60).tcp(tcp_port, 80, 1000, 500),
        false => PacketBuilder::ipv4(server, client, 60).tcp(80, tcp_port, 2000, 500),
    };
    let mut bytes = Vec::new();
    builder.write(&mut bytes, b"").unwrap();
    bytes[33] = flags.0;
    bytes
}

fn udp(udp_port: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4([203, 0, 113, 10], [10, 0, 1, 10], 60)
        .udp(udp_port, 53)
        .write(&mut bytes, b"?")
        .unwrap();
    bytes
}

fn ipv6(length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut a, mut b) = ([0; 16], [1; 16]);
    (a[0], b[0]) = (0x20, 0x20);
    PacketBuilder::ipv6(a, b, 60).udp(4000, 53).write(&mut bytes, &vec![0; length - 48]).unwrap();
    bytes
}

fn names(node: &Node) -> Vec<(&'static str, u64)> {
    let bad = Fate::ALL.iter().map(|fate| (fate.name(), node.counters().of(*fate)));
    bad.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn both_directions_of_a_flow_have_one_cookie_one_target_and_one_udp_port() {
    let mut bench = Bench::new(3);
    let there = bench.offer(&tcp(4000, SYN, true)).unwrap();
    let back = bench.offer(&tcp(4000, SYN | ACK, false)).unwrap();
    assert_eq!(there, back);
    let other = bench.offer(&tcp(4001, SYN, true)).unwrap();
    assert_ne!(there.tags.cookie, other.tags.cookie);
}

#[test]
fn a_five_tuple_that_is_used_again_after_close_gets_a_new_cookie() {
    let mut bench = Bench::new(3);
    let first = bench.offer(&tcp(4000, SYN, true)).unwrap();
    let again = bench.offer(&tcp(4000, SYN, true)).unwrap();
    assert_eq!(first, again, "a repeated SYN is of the same flow");
    bench.offer(&tcp(4000, FIN, true)).unwrap();
    bench.offer(&tcp(4000, SYN, true)).expect("half closed is not closed");
    bench.offer(&tcp(4000, FIN, false)).unwrap();
    let last = bench.offer(&tcp(4000, ACK, true)).unwrap();
    assert_eq!(first.tags.cookie, last.tags.cookie, "the last segments still pass");
    let reused = bench.offer(&tcp(4000, SYN, true)).unwrap();
    assert_ne!(first.tags.cookie, reused.tags.cookie);
    assert_eq!(bench.give_back(first, &tcp(4000, SYN, true), |_, _| ()), Err(Fate::CookieMismatch));
    bench.offer(&tcp(4000, TcpFlags::RST, false)).unwrap();
    assert_ne!(reused.tags.cookie, bench.offer(&tcp(4000, SYN, true)).unwrap().tags.cookie);
}

#[test]
fn idle_flows_end_after_their_protocols_time() {
    let mut bench = Bench::new(3);
    let tcp_flow = bench.offer(&tcp(4000, SYN, true)).unwrap();
    let udp_flow = bench.offer(&udp(5000)).unwrap();
    bench.wait(119);
    assert_eq!(bench.offer(&udp(5000)), Ok(udp_flow));
    bench.wait(120);
    assert_ne!(bench.offer(&udp(5000)).unwrap().tags.cookie, udp_flow.tags.cookie);
    bench.wait(110);
    assert_eq!(bench.offer(&tcp(4000, ACK, true)), Ok(tcp_flow));
    bench.wait(350);
    assert_eq!(bench.offer(&tcp(4000, ACK, true)), Err(Fate::NoFlow));
    assert_ne!(bench.offer(&tcp(4000, SYN, true)).unwrap().tags.cookie, tcp_flow.tags.cookie);
    bench.wait(1000);
    bench.node.expire(bench.now);
    assert_eq!(bench.node.flows().count(), 0);
}

#[test]
fn a_segment_without_a_flow_is_answered_by_a_reset_if_the_listener_says_so() {
    let mut bench = Bench::new(1);
    bench.change(|balancer, _, _| balancer.reset_on_idle = true);
    let Ok(Outcome::Reply(reply)) = bench.node.from_endpoint(ENDPOINT, &tcp(4000, ACK, true), bench.now)
    else {
        panic!("no reset");
    };
    let inner = Inner::parse(&reply, ProtocolType::Ipv4).unwrap();
    assert_eq!(inner.tuple.to_string(), "10.0.1.10 80 -> 203.0.113.10 4000 proto 6");
    assert!(matches!(inner.transport, Transport::Tcp(tcp) if tcp.flags == TcpFlags::RST));
    assert_eq!(bench.offer(&tcp(4000, TcpFlags::RST, true)), Err(Fate::NoFlow), "a reset is not answered");
    bench.change(|_, _, switches| switches.midstream = true);
    assert!(bench.offer(&tcp(4000, ACK, true)).is_ok(), "an older text of AWS: it is rehashed");
}

#[test]
fn flows_stay_on_an_unhealthy_target_unless_the_group_rebalances() {
    let mut bench = Bench::new(2);
    let first = bench.offer(&tcp(4000, SYN, true)).unwrap();
    bench.node.note_health(first.destination, DOWN);
    assert_eq!(bench.offer(&tcp(4000, ACK, true)), Ok(first));
    for tcp_port in 5000..5020 {
        assert_ne!(bench.offer(&tcp(tcp_port, SYN, true)).unwrap().destination, first.destination);
    }
    bench.change(|_, group, _| group.rebalance = true);
    let moved = bench.offer(&tcp(4000, ACK, true)).unwrap();
    assert_ne!(moved.destination, first.destination);
    assert_eq!(moved.tags, first.tags);
    assert_eq!(bench.node.counters().rebalanced, 1);
}

#[test]
fn a_draining_target_keeps_its_flows_and_gets_no_new_ones() {
    let mut bench = Bench::new(2);
    let first = bench.offer(&tcp(4000, SYN, true)).unwrap();
    let drain = |target: &mut Target| target.draining = target.address == first.destination;
    bench.change(|_, group, _| group.targets.iter_mut().for_each(drain));
    for tcp_port in 5000..5020 {
        assert_ne!(bench.offer(&tcp(tcp_port, SYN, true)).unwrap().destination, first.destination);
    }
    bench.change(|_, group, _| group.targets.retain(|target| !target.draining));
    assert_eq!(bench.offer(&tcp(4000, ACK, true)), Ok(first), "no_rebalance: even when it is gone");
    assert!(bench.give_back(first, &tcp(4000, ACK, true), |_, _| ()).is_ok());
    bench.change(|_, group, _| group.reset_on_deregistration = true);
    assert_eq!(bench.offer(&tcp(4000, ACK, true)), Err(Fate::Reset));
    assert_eq!(bench.offer(&tcp(4000, ACK, true)), Err(Fate::NoFlow), "the entry is removed after the reset");
}

#[test]
fn flows_of_a_target_that_became_unhealthy_are_reset_if_the_group_says_so() {
    let mut bench = Bench::new(2);
    bench.change(|_, group, _| group.reset_on_unhealthy = true);
    let first = bench.offer(&tcp(4000, SYN, true)).unwrap();
    let plain = bench.offer(&udp(4000)).unwrap();
    bench.node.note_health(target(1), DOWN);
    bench.node.note_health(target(2), DOWN);
    assert_eq!(bench.offer(&udp(4000)), Ok(plain), "only TCP has resets");
    assert_eq!(bench.offer(&tcp(4000, ACK, false)), Err(Fate::Reset));
    let open = bench.offer(&tcp(4000, SYN, true)).unwrap();
    assert_ne!(open.tags.cookie, first.tags.cookie);
    assert_eq!(bench.offer(&tcp(4000, ACK, true)), Ok(open), "a flow that failed open is left alone");
}

#[test]
fn without_a_healthy_target_flows_go_to_any_and_stay_there() {
    let mut bench = Bench::new(4);
    (1..=4).for_each(|n| bench.node.note_health(target(n), DOWN));
    let mut used = HashSet::new();
    for tcp_port in 1000..1100 {
        let first = bench.offer(&tcp(tcp_port, SYN, true)).unwrap();
        assert_eq!(bench.offer(&tcp(tcp_port, ACK, true)), Ok(first));
        used.insert(first.destination);
    }
    assert_eq!((used.len(), bench.node.counters().fail_open), (4, 100));
    bench.change(|_, group, _| group.targets.clear());
    assert_eq!(bench.offer(&tcp(2000, SYN, true)), Err(Fate::NoTarget));
}

#[test]
fn stickiness_says_what_makes_packets_one_flow() {
    let of = |stickiness| {
        let mut bench = Bench::new(4);
        bench.change(|_, group, _| group.stickiness = stickiness);
        let packets = [tcp(4000, SYN, true), tcp(4001, SYN, true), udp(4000), udp(4001)];
        packets
            .map(|packet| bench.offer(&packet).unwrap().tags.cookie)
            .into_iter()
            .collect::<HashSet<_>>()
            .len()
    };
    assert_eq!(of(Stickiness::FiveTuple), 4);
    assert_eq!(of(Stickiness::ThreeTuple), 2);
    assert_eq!(of(Stickiness::TwoTuple), 1);
}

#[test]
fn targets_of_other_zones_are_used_only_with_cross_zone_on() {
    let mut bench = Bench::new(2);
    bench.change(|balancer, group, _| {
        group.targets[1].zone = "b".to_owned();
        balancer.nodes.push(NodePlace { zone: "b".to_owned(), ..place() });
    });
    let used = |bench: &mut Bench, ports: std::ops::Range<u16>| {
        ports.map(|n| bench.offer(&tcp(n, SYN, true)).unwrap().destination).collect::<HashSet<_>>()
    };
    assert_eq!(used(&mut bench, 1000..1050), HashSet::from([target(1)]));
    bench.change(|balancer, _, _| balancer.cross_zone = true);
    bench.node.note_health(target(2), Health::Healthy);
    assert_eq!(used(&mut bench, 2000..2050).len(), 2);
    bench.change(|balancer, _, _| balancer.nodes.truncate(1));
    assert_eq!(used(&mut bench, 3000..3050), HashSet::from([target(1)]), "zone b is not enabled");
}

#[test]
fn what_returns_unchanged_passes_and_every_change_has_its_own_counter() {
    let packet = tcp(4000, SYN, true);
    let mut bench = Bench::new(2);
    let header = bench.offer(&packet).unwrap();
    let other = bench.offer(&tcp(4001, SYN, true)).unwrap();
    assert_eq!(bench.give_back(header, &packet, |_, _| ()), Ok(packet.clone()));
    type Change = Box<dyn FnOnce(&mut GwlbHeader, &mut Vec<u8>)>;
    let changes: Vec<(Fate, Change)> = vec![
        (Fate::CookieMismatch, Box::new(|header, _| header.tags.cookie.0 ^= 0x8000_0000)),
        (Fate::InnerMismatch, Box::new(move |header, _| header.tags.cookie = other.tags.cookie)),
        (Fate::EndpointMismatch, Box::new(|header, _| header.tags.endpoint = OTHER)),
        (Fate::InnerMismatch, Box::new(|_, packet| *packet = tcp(4002, SYN, true))),
        (Fate::UdpPortMismatch, Box::new(|header, _| header.udp_source_port ^= 1)),
        (Fate::SourceMismatch, Box::new(|header, _| header.source = Ipv4Addr::new(10, 1, 2, 99))),
        (Fate::ReturnedMalformed, Box::new(|_, packet| packet.truncate(10))),
        (
            Fate::UnknownFlow,
            Box::new(|header, packet| {
                header.tags.cookie.0 ^= 0x8000_0000;
                *packet = tcp(9, SYN, true);
            }),
        ),
    ];
    let mut expected = HashMap::new();
    for (fate, change) in changes {
        assert_eq!(bench.give_back(header, &packet, change), Err(fate));
        *expected.entry(fate.name()).or_insert(0) += 1;
    }
    assert_eq!(names(&bench.node).into_iter().collect::<HashMap<_, _>>(), expected);
    assert_eq!(bench.node.counters().returned, 1);
    bench.change(|_, _, switches| {
        (switches.check_source, switches.check_udp_port, switches.check_inner) = (false, false, false);
    });
    let lenient = bench.give_back(header, &packet, |header, packet| {
        (header.source, header.udp_source_port) = (target(99), 7);
        *packet = tcp(4002, SYN, true);
    });
    assert!(lenient.is_ok());
}

#[test]
fn what_a_load_balancer_does_not_carry_is_dropped_with_its_reason() {
    let mut bench = Bench::new(1);
    let mut fragment = udp(4000);
    fragment[6] = 0x20;
    let mut multicast = udp(4000);
    multicast[16..20].copy_from_slice(&[224, 0, 0, 22]);
    let table = [
        (vec![0x45; 10], Fate::InnerMalformed),
        (vec![], Fate::InnerMalformed),
        (multicast, Fate::NotRouted),
        (fragment.clone(), Fate::Fragment),
        (ipv6(8501), Fate::TooBig),
    ];
    for (packet, fate) in table {
        assert_eq!(bench.offer(&packet), Err(fate));
    }
    let largest = ipv6(8500);
    let header = bench.offer(&largest).unwrap();
    assert_eq!(header.protocol_type, ProtocolType::Ipv6);
    assert_eq!(bench.give_back(header, &largest, |_, _| ()), Ok(largest));
    assert_eq!(bench.node.from_endpoint(OTHER, &ipv6(100), bench.now), Err(Fate::Ipv6NotEnabled));
    assert_eq!(bench.node.from_endpoint(EndpointId(7), &udp(1), bench.now), Err(Fate::NoEndpoint));
    bench.change(|balancer, _, switches| {
        (balancer.ipv6, switches.fragments, switches.flow_limit) = (false, true, 2)
    });
    assert_eq!(bench.offer(&ipv6(100)), Err(Fate::Ipv6NotEnabled));
    assert!(bench.offer(&fragment).is_ok());
    assert_eq!(bench.offer(&udp(77)), Err(Fate::TableFull));
    bench.balancer.group = None;
    bench.node.configure(bench.balancer.clone(), bench.switches);
    assert_eq!(bench.offer(&udp(4000)), Err(Fate::NoListener));
}

#[test]
fn the_same_addresses_behind_two_endpoints_are_two_flows() {
    let mut bench = Bench::new(1);
    let one = bench.offer(&udp(4000)).unwrap();
    let Ok(Outcome::Forward(two)) = bench.node.from_endpoint(OTHER, &udp(4000), bench.now) else {
        panic!("refused")
    };
    assert_ne!(one.tags.cookie, two.tags.cookie);
    let wrong = bench.give_back(one, &udp(4000), |header, _| header.tags.endpoint = OTHER);
    assert_eq!(wrong, Err(Fate::EndpointMismatch));
}

/// What happens to a node, one thing after the other.
#[derive(Clone, Debug)]
enum Event {
    Tcp(u16, TcpFlags, bool),
    Udp(u16),
    Wait(u64),
    Health(u8, bool),
    Expire,
}

fn event() -> impl Strategy<Value = Event> {
    let flags = prop_oneof![3 => Just(SYN), 3 => Just(ACK), 2 => Just(FIN), 1 => Just(TcpFlags::RST)];
    prop_oneof![
        10 => (1..6_u16, flags, any::<bool>()).prop_map(|(n, flags, up)| Event::Tcp(n, flags, up)),
        4 => (1..6_u16).prop_map(Event::Udp),
        2 => (0..200_u64).prop_map(Event::Wait),
        2 => (1..4_u8, any::<bool>()).prop_map(|(n, well)| Event::Health(n, well)),
        1 => Just(Event::Expire),
    ]
}

proptest! {
    /// A model of what an observer may rely on: a flow that is in use keeps its cookie and target, a new one has a new
    /// cookie and a healthy target if there is one, and what was sent comes back through.
    #[test]
    fn a_flow_in_use_keeps_its_cookie_and_target(events in prop::collection::vec(event(), 1..120)) {
        let mut bench = Bench::new(3);
        let mut healthy = HashSet::from([target(1), target(2), target(3)]);
        let mut known: HashMap<(bool, u16), (GwlbHeader, Instant)> = HashMap::new();
        let mut cookies = HashSet::new();
        for event in events {
            let (key, packet, idle) = match event {
                Event::Wait(seconds) => { bench.wait(seconds); continue; }
                Event::Expire => { bench.node.expire(bench.now); continue; }
                Event::Health(n, well) => {
                    bench.node.note_health(target(n), if well { Health::Healthy } else { DOWN });
                    if well { healthy.insert(target(n)); } else { healthy.remove(&target(n)); }
                    continue;
                }
                Event::Tcp(n, flags, up) => ((true, n), tcp(n, flags, up), 350),
                Event::Udp(n) => ((false, n), udp(n), 120),
            };
            let Ok(header) = bench.offer(&packet) else {
                prop_assert!(key.0, "only TCP can be without a flow");
                let fresh = |(_, last): &(GwlbHeader, Instant)| bench.now - *last < Duration::from_secs(5);
                prop_assert!(!known.get(&key).is_some_and(fresh), "a flow just used was lost");
                continue;
            };
            match known.get(&key) {
                Some((before, last)) if before.tags.cookie == header.tags.cookie => {
                    prop_assert_eq!(before.destination, header.destination);
                    prop_assert!(bench.now - *last < Duration::from_secs(idle));
                }
                _ => {
                    prop_assert!(cookies.insert(header.tags.cookie), "a cookie came twice");
                    prop_assert!(healthy.is_empty() || healthy.contains(&header.destination));
                }
            }
            prop_assert_eq!(bench.give_back(header, &packet, |_, _| ()), Ok(packet));
            known.insert(key, (header, bench.now));
        }
    }

    #[test]
    fn noise_from_either_side_is_counted_and_never_carried(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut bench = Bench::new(1);
        let source = SocketAddrV4::new(target(1), 50000);
        let returned = bench.node.from_target(source, &bytes, bench.now).is_ok();
        prop_assert!(!returned);
        let _ = bench.offer(&bytes);
        let counters = bench.node.counters();
        let told: u64 = Fate::ALL.iter().map(|fate| counters.of(*fate)).sum();
        prop_assert_eq!(told + counters.sent, 2);
    }
}
