//! Lists of domains: who may be asked for, and who may be reached, by every way that a name is said.

use std::sync::Arc;

use crate::common::Desk;
use crate::recorded::recorded;
use flow::Settings;
use inspect::{Detector, DropReason, Verdict};
use policy::{
    DefaultAction, DomainList, ListAction, ListKind, Listing, Lists, Loading, NamePlace, Policy, Way,
};
use wire::TcpFlags;
use wire::testkit::{tcp, udp};

const CLIENT: &str = "10.1.2.10:49152";
const DENIED: Verdict = Verdict::Drop(DropReason::Policy);

/// An appliance with lists of these actions and names.
fn desk(lists: &[(ListAction, &str)], default_action: DefaultAction) -> Desk {
    let places = NamePlace::ALL.map(|(_, place)| place).to_vec();
    let (mut listings, mut known) = (Vec::new(), Lists::default());
    for (nth, (action, names)) in lists.iter().enumerate() {
        let name = format!("list{nth}");
        known.add(&name, Arc::new(DomainList::read(names.as_bytes()).domains));
        listings.push(Listing { name, action: *action, kind: ListKind::Domains(places.clone()) });
    }
    let settings = policy::Settings { default_action, ..policy::Settings::default() };
    let loading = Loading::knowing(&[Listing::rules(&listings, default_action)], known, &settings);
    assert!(loading.refusals.is_empty(), "{:?}", loading.refusals);
    let detector = Detector::new(Arc::new(Policy::new(1, Arc::new(loading.rules))));
    assert!(detector.uncompiled().is_empty(), "{:?}", detector.uncompiled());
    Desk::with(&Settings { flows: 1000, ..Settings::default() }, Arc::new(detector))
}

/// The verdict of what a client says first over TCP, after a handshake that passes.
fn first(desk: &mut Desk, port: u16, said: &[u8]) -> Verdict {
    let server = format!("192.0.2.80:{port}");
    let syn = tcp(CLIENT, &server).flags(TcpFlags::SYN).sequence(99);
    assert_eq!(desk.see(&syn.build()), Verdict::Forward, "who connects says no name yet");
    let answer = tcp(&server, CLIENT).flags(TcpFlags::SYN | TcpFlags::ACK).sequence(199).acknowledgment(100);
    assert_eq!(desk.see(&answer.build()), Verdict::Forward);
    let packet = || tcp(CLIENT, &server).flags(TcpFlags::ACK).sequence(100).acknowledgment(200);
    assert_eq!(desk.see(&packet().build()), Verdict::Forward);
    desk.see(&packet().payload(said).build())
}

fn http(name: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n").into_bytes()
}

/// What the client of a recorded flow says first.
fn hello(flow: &str) -> Vec<u8> {
    recorded(flow).into_iter().find(|(way, _)| *way == Way::ToServer).unwrap().1
}

/// A query for an address.
fn query(name: &str) -> Vec<u8> {
    let mut bytes = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0".to_vec();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.extend_from_slice(b"\0\0\x01\0\x01");
    bytes
}

/// The verdict of one query, of a flow of its own.
fn asked(desk: &mut Desk, port: u16, name: &str) -> Verdict {
    desk.see(&udp(&format!("10.1.2.10:{port}"), "10.1.0.2:53").payload(&query(name)).build())
}

const DEFAULTS: [DefaultAction; 4] = [
    DefaultAction::Forward,
    DefaultAction::Drop,
    DefaultAction::DropEstablished,
    DefaultAction::DropEstablishedApp,
];

#[test]
fn with_one_allow_list_only_its_names_pass_whatever_the_default() {
    for default in DEFAULTS {
        let desk = || desk(&[(ListAction::Allow, ".example.com\nexample.test\n")], default);
        for (name, passes) in [
            ("www.example.com", true),
            ("EXAMPLE.com", true),
            ("example.test", true),
            ("www.example.test", false),
            ("evilexample.com", false),
        ] {
            let expected = if passes { Verdict::Forward } else { DENIED };
            assert_eq!(first(&mut desk(), 80, &http(name)), expected, "HTTP {name}, {default:?}");
            assert_eq!(asked(&mut desk(), 4000, name), expected, "DNS {name}, {default:?}");
        }
        assert_eq!(
            first(&mut desk(), 443, &hello("no-name.flow")),
            DENIED,
            "TLS without a name, {default:?}"
        );
        assert_eq!(
            first(&mut desk(), 80, b"GET / HTTP/1.0\r\n\r\n"),
            DENIED,
            "HTTP without a name, {default:?}"
        );
    }
}

#[test]
fn names_of_tls_and_quic_are_looked_up_as_those_of_http_and_dns_are() {
    for default in DEFAULTS {
        for (allowed, expected) in [("NAME", Verdict::Forward), (".other.example", DENIED)] {
            let desk = |name| desk(&[(ListAction::Allow, &allowed.replace("NAME", name))], default);
            let tls = first(&mut desk("www.example.org"), 443, &hello("tls13.flow"));
            assert_eq!(tls, expected, "{allowed}, {default:?}");
            let initial = udp(CLIENT, "192.0.2.80:443").payload(&hello("rfc9369.flow")).build();
            assert_eq!(desk("example.com").see(&initial), expected, "{allowed}, {default:?}");
        }
    }
}

#[test]
fn what_is_denied_is_dropped_though_a_list_allows_it_and_the_rest_passes() {
    let lists = [(ListAction::Allow, ".example.com"), (ListAction::Deny, "bad.example.com")];
    let mut with_both = desk(&lists, DefaultAction::Forward);
    assert_eq!(asked(&mut with_both, 4001, "bad.example.com"), DENIED);
    assert_eq!(asked(&mut with_both, 4002, "good.example.com"), Verdict::Forward);
    assert_eq!(asked(&mut with_both, 4003, "example.org"), DENIED);
    let mut denying = desk(&[(ListAction::Deny, ".bad.example")], DefaultAction::Forward);
    assert_eq!(asked(&mut denying, 4001, "a.bad.example"), DENIED);
    assert_eq!(asked(&mut denying, 4002, "good.example"), Verdict::Forward);
    let mut telling = desk(&[(ListAction::Alert, ".bad.example")], DefaultAction::Forward);
    assert_eq!(asked(&mut telling, 4001, "a.bad.example"), Verdict::Forward);
    assert_eq!(telling.told().0.len(), 1);
}

#[test]
fn two_lists_that_allow_allow_what_is_on_either() {
    let lists = [(ListAction::Allow, "a.example"), (ListAction::Allow, "b.example")];
    for default in [DefaultAction::Forward, DefaultAction::Drop] {
        let mut desk = desk(&lists, default);
        let verdicts = ["a.example", "b.example", "c.example"]
            .map(|name| asked(&mut desk, 4000 + u16::from(name.as_bytes()[0]), name));
        assert_eq!(verdicts, [Verdict::Forward, Verdict::Forward, DENIED], "{default:?}");
    }
}

#[test]
fn under_a_default_that_forwards_every_request_of_a_connection_is_judged() {
    let mut desk = desk(&[(ListAction::Allow, "a.example")], DefaultAction::Forward);
    let pipelined = [http("a.example"), http("b.example")].concat();
    assert_eq!(first(&mut desk, 80, &pipelined), DENIED);
}
