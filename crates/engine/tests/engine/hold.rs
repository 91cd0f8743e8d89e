//! A client's first flight, held until its name is judged: through the appliance's own stages, turn by turn.

use engine::Counter;
use inspect::hold::{AtBound, Settings};
use inspect::{DropReason, Event};
use policy::DefaultAction;
use proptest::prelude::*;
use wire::TcpFlags;
use wire::testkit::{client_hello, gwlb, tcp, udp};

use crate::line::{Line, detector};

pub(crate) const CLIENT: &str = "10.1.2.10:49152";
pub(crate) const SERVER: &str = "192.0.2.80:443";
pub(crate) const RULES: &str = r#"drop tls any any -> any any (tls.sni; content:"denied.example"; sid:1;)"#;
const ALLOWED: &str = "allowed.example";
const DENIED: &str = "denied.example";

/// What the client sends from this place of its stream on.
pub(crate) fn segment(at: usize, payload: &[u8]) -> Vec<u8> {
    let packet = tcp(CLIENT, SERVER).flags(TcpFlags::ACK).sequence(100 + u32::try_from(at).unwrap());
    packet.acknowledgment(200).payload(payload).build()
}

/// The bytes as segments that end at these places.
fn cut(bytes: &[u8], ends: impl IntoIterator<Item = usize>) -> Vec<Vec<u8>> {
    let ends = ends.into_iter().take_while(|end| *end < bytes.len()).chain([bytes.len()]);
    let mut from = 0;
    let mut segments = Vec::new();
    for end in ends {
        segments.push(segment(from, &bytes[from..end]));
        from = end;
    }
    segments
}

/// A hello in three segments.
fn three(name: &str) -> Vec<Vec<u8>> {
    cut(&client_hello(name, 3500), [1400, 2800])
}

#[test]
fn of_a_denied_name_no_byte_of_the_hello_goes_out_in_whatever_order_it_comes() {
    let reversed: Vec<_> = three(DENIED).into_iter().rev().collect();
    let bytes: Vec<_> = cut(&client_hello(DENIED, 100), 1..);
    for segments in [three(DENIED), reversed, bytes] {
        for in_one_burst in [true, false] {
            let mut line = Line::usual();
            line.open();
            match in_one_burst {
                true => segments.chunks(32).for_each(|burst| line.burst(burst)),
                false => segments.iter().for_each(|packet| line.burst(std::slice::from_ref(packet))),
            }
            line.assert_sent(&[]);
            assert_eq!(line.held(), 0);
            assert_eq!(line.dropped(DropReason::Policy), segments.len() as u64);
            assert_eq!(line.counts().of(Counter::HoldsDenied), segments.len() as u64 - 1);
        }
    }
}

#[test]
fn an_allowed_hello_goes_out_as_it_came_once_its_name_is_whole() {
    let reversed: Vec<_> = three(ALLOWED).into_iter().rev().collect();
    let bytes: Vec<_> = cut(&client_hello(ALLOWED, 100), 1..);
    for segments in [three(ALLOWED), reversed, bytes] {
        let mut line = Line::usual();
        line.open();
        let (last, first) = segments.split_last().unwrap();
        first.iter().for_each(|packet| line.burst(std::slice::from_ref(packet)));
        line.assert_sent(&[]);
        assert_eq!(line.held(), first.len() as u64);
        line.burst(std::slice::from_ref(last));
        line.assert_sent(&segments);
        assert_eq!(line.held(), 0);
        assert_eq!(line.counts().of(Counter::HoldsTaken), first.len() as u64);
        assert_eq!(line.counts().of(Counter::HoldsReleased), first.len() as u64);
    }
}

#[test]
fn what_is_let_go_in_the_middle_of_a_burst_goes_before_what_follows_it() {
    let mut line = Line::usual();
    line.open();
    let (hello, other) = (three(ALLOWED), udp("10.1.2.11:5000", "192.0.2.53:5000").build());
    let end = client_hello(ALLOWED, 3500).len();
    let burst = [std::slice::from_ref(&other), &hello[..], &[segment(end, b"more"), other.clone()]].concat();
    line.burst(&burst);
    line.assert_sent(&burst);
}

#[test]
fn without_a_rule_that_decides_by_a_name_nothing_is_held() {
    for rules in [
        "",
        r#"alert tls any any -> any any (tls.sni; content:"denied.example"; sid:1;)"#,
        r#"drop tls any any -> any 8443 (tls.sni; content:"denied.example"; sid:1;)"#,
        r#"drop tls any any -> any any (tls.cert_subject; content:"denied.example"; sid:1;)"#,
    ] {
        let mut line = Line::new(detector(rules, DefaultAction::Forward), Settings::default());
        line.open();
        let hello = three(DENIED);
        line.burst(&hello[..1]);
        line.assert_sent(&hello[..1]);
        assert_eq!(line.counts().of(Counter::HoldsTaken), 0, "{rules}");
    }
}

#[test]
fn a_mark_that_an_alert_leaves_for_others_is_waited_for_as_a_drop_is() {
    let rules = concat!(
        r#"alert tls any any -> any any (tls.sni; content:"denied.example"; flowbits:set,bad; noalert; sid:1;)"#,
        "\n",
        "drop tls any any -> any any (flowbits:isset,bad; sid:2;)"
    );
    let mut line = Line::new(detector(rules, DefaultAction::Forward), Settings::default());
    line.open();
    line.burst(&three(DENIED));
    line.assert_sent(&[]);
}

#[test]
fn what_is_no_first_flight_of_an_awaited_protocol_is_not_held() {
    for payload in [&b"SSH-2.0-client\r\n"[..], b"GET / HTTP/1.1\r\n", b"\x01\x02", b"HELO"] {
        let mut line = Line::usual();
        line.open();
        let packet = [segment(0, payload)];
        line.burst(&packet);
        line.assert_sent(&packet);
    }
    // Amid a connection nobody knows what was said first.
    let mut line = Line::usual();
    let packet = [segment(0, &client_hello(ALLOWED, 3500)[..1400])];
    line.burst(&packet);
    line.assert_sent(&packet);
}

#[test]
fn under_default_drop_a_list_of_allowed_names_is_enough() {
    let rules = concat!(
        r#"pass tls any any -> any any (tls.sni; content:"allowed.example"; sid:1;)"#,
        "\n",
        r#"pass http any any -> any any (http.host; content:"allowed.example"; sid:2;)"#,
    );
    let request = |host| format!("GET / HTTP/1.1\r\nAccept: */*\r\nHost: {host}\r\n\r\n").into_bytes();
    for (name, segments) in [
        (ALLOWED, three(ALLOWED)),
        (DENIED, three(DENIED)),
        (ALLOWED, cut(&request(ALLOWED), [3, 20, 40])),
        (DENIED, cut(&request(DENIED), [3, 20, 40])),
    ] {
        let detector = detector(rules, DefaultAction::DropEstablished);
        let mut line = Line::new(detector, Settings::default());
        line.open();
        line.burst(&segments);
        line.assert_sent(if name == ALLOWED { &segments } else { &[] });
        let drops = std::iter::from_fn(|| line.log.pull()).filter(|event| matches!(event, Event::Dropped(_)));
        assert_eq!(drops.count(), usize::from(name == DENIED), "what is held is no drop yet");
    }
}

#[test]
fn a_rejected_hello_is_answered_though_the_server_has_seen_none_of_it() {
    let mut line =
        Line::new(detector(&RULES.replace("drop", "reject"), DefaultAction::Forward), Settings::default());
    line.open();
    line.burst(&three(DENIED));
    let [reset] = line.sent().try_into().unwrap();
    assert_eq!(reset[82 + 33] & 0x04, 0x04, "a RST");
    assert_eq!(line.dropped(DropReason::Reject), 3);
}

#[test]
fn after_its_time_a_flight_is_dropped_and_what_is_sent_again_is_held_again() {
    let mut line = Line::usual();
    line.open();
    let hello = three(ALLOWED);
    line.burst(&hello[..1]);
    line.wait(199);
    assert_eq!(line.held(), 1);
    line.wait(1);
    assert_eq!((line.held(), line.dropped(DropReason::HoldTime)), (0, 1));
    assert_eq!(line.counts().of(Counter::HoldsAtTime), 1);
    line.burst(&hello[..1]);
    line.burst(&hello[1..]);
    line.assert_sent(&hello);
}

#[test]
fn or_it_is_released_and_its_flow_is_held_no_more_but_a_denied_name_is_not_completed() {
    for name in [ALLOWED, DENIED] {
        let settings = Settings { at_bound: AtBound::Release, ..Settings::default() };
        let mut line = Line::new(detector(RULES, DefaultAction::Forward), settings);
        line.open();
        let hello = three(name);
        line.burst(&hello[..1]);
        line.wait(200);
        line.assert_sent(&hello[..1]);
        line.burst(&hello[1..2]);
        line.assert_sent(&hello[1..2]);
        line.burst(&hello[2..]);
        line.assert_sent(if name == ALLOWED { &hello[2..] } else { &[] });
        assert_eq!(line.counts().of(Counter::HoldsAtTime), 1);
    }
}

#[test]
fn a_flight_that_is_too_long_comes_to_its_bound() {
    for at_bound in [AtBound::Drop, AtBound::Release] {
        let settings = Settings { bytes: 2000, at_bound, ..Settings::default() };
        let mut line = Line::new(detector(RULES, DefaultAction::Forward), settings);
        line.open();
        let hello = three(ALLOWED);
        line.burst(&hello[..2]);
        assert_eq!(line.counts().of(Counter::HoldsAtBytes), 1);
        let waits = at_bound == AtBound::Drop;
        line.assert_sent(if waits { &[] } else { &hello[..2] });
        assert_eq!((line.held(), line.dropped(DropReason::HoldBytes)), (u64::from(waits), u64::from(waits)));
        line.burst(&hello[2..]);
        let again = [&hello[..1], &hello[2..]].concat();
        line.assert_sent(if waits { &again } else { &hello[2..] });
    }
}

#[test]
fn one_flow_has_a_quarter_of_the_room_and_all_flows_have_it_together() {
    let settings = Settings { packets: 8, ..Settings::default() };
    let mut line = Line::new(detector(RULES, DefaultAction::Forward), settings);
    line.open();
    let bytes = cut(&client_hello(DENIED, 0), 1..);
    line.burst(&bytes[..3]);
    assert_eq!((line.held(), line.dropped(DropReason::HoldTotal)), (2, 1));
    for client in 0..6 {
        let from = format!("10.1.3.{client}:40000");
        let packet = || tcp(&from, SERVER).sequence(99);
        line.burst(&[
            packet().flags(TcpFlags::SYN).build(),
            packet().flags(TcpFlags::ACK).sequence(100).payload(b"\x16\x03").build(),
            packet().flags(TcpFlags::ACK).sequence(102).payload(b"\x01").build(),
        ]);
    }
    assert_eq!((line.held(), line.counts().of(Counter::HoldsAtTotal)), (8, 7));
    line.wait(200);
    assert_eq!(line.held(), 0);
}

#[test]
fn retransmissions_of_what_is_held_are_held_within_the_bounds_and_never_overtake() {
    let mut line =
        Line::new(detector(RULES, DefaultAction::Forward), Settings { bytes: 5000, ..Settings::default() });
    line.open();
    let hello = three(DENIED);
    for _ in 0..10 {
        line.burst(&hello[..1]);
    }
    assert_eq!((line.held(), line.dropped(DropReason::HoldBytes)), (3, 7));
    line.burst(&hello[1..]);
    line.assert_sent(&[]);
    assert_eq!(line.held(), 0);
}

#[test]
fn what_follows_a_held_packet_its_way_stays_behind_it() {
    let mut line = Line::usual();
    line.open();
    let hello = three(ALLOWED);
    let fin = tcp(CLIENT, SERVER).flags(TcpFlags::ACK).sequence(1500).acknowledgment(200).build();
    let answer = tcp(SERVER, CLIENT).flags(TcpFlags::ACK).sequence(200).acknowledgment(100).build();
    line.burst(&[hello[0].clone(), fin.clone(), answer.clone()]);
    line.assert_sent(std::slice::from_ref(&answer));
    line.burst(&hello[1..]);
    line.assert_sent(&[&[hello[0].clone(), fin], &hello[1..]].concat());
}

#[test]
fn at_the_end_of_all_traffic_nothing_stays_held() {
    for at_bound in [AtBound::Drop, AtBound::Release] {
        let settings = Settings { at_bound, ..Settings::default() };
        let mut line = Line::new(detector(RULES, DefaultAction::Forward), settings);
        line.open();
        let hello = three(DENIED);
        line.burst(&hello[..2]);
        line.close();
        let released = at_bound == AtBound::Release;
        line.assert_sent(if released { &hello[..2] } else { &[] });
        assert_eq!((line.held(), line.dropped(DropReason::HoldEnded)), (0, if released { 0 } else { 2 }));
    }
}

#[test]
fn new_rules_and_new_flows_let_no_held_packet_lie() {
    let mut line = Line::usual();
    line.open();
    let hello = three(DENIED);
    line.burst(&hello[..1]);
    assert!(line.policies.send(detector("", DefaultAction::Forward).into()).is_none());
    line.burst(&hello[1..2]);
    assert_eq!((line.held(), line.dropped(DropReason::HoldEnded)), (0, 1));
    line.assert_sent(&hello[1..2]);

    let mut line = Line::usual();
    line.open();
    line.burst(&hello[..1]);
    let syn = tcp(CLIENT, SERVER).flags(TcpFlags::SYN).sequence(5000).build();
    line.bursts.borrow_mut().push_back(vec![gwlb().cookie(4711).inner(&syn).build()]);
    line.wait(0);
    assert_eq!((line.held(), line.dropped(DropReason::HoldEnded)), (0, 1));
    assert_eq!(line.sent().len(), 1, "another connection between the same ends begins");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// However a hello is cut, ordered, repeated and spread over bursts.
    #[test]
    fn a_denied_name_leaks_no_byte_and_an_allowed_flow_comes_out_whole_and_in_order(
        (padding, ends) in (0..4000usize, prop::collection::btree_set(1..4200usize, 0..12)),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
        bursts in prop::collection::vec(1..5usize, 30),
        denied in any::<bool>(),
    ) {
        let mut line = Line::usual();
        line.open();
        let mut segments = cut(&client_hello(if denied { DENIED } else { ALLOWED }, padding), ends);
        for pair in order.chunks_exact(2) {
            let at = (pair[0].index(segments.len()), pair[1].index(segments.len()));
            segments.swap(at.0, at.1);
            if pair[0].index(5) == 0 {
                segments.insert(at.1, segments[at.0].clone());
            }
        }
        let mut left = &segments[..];
        for size in bursts.into_iter().cycle() {
            let (burst, rest) = left.split_at(size.min(left.len()));
            line.burst(burst);
            left = rest;
            if left.is_empty() {
                break;
            }
        }
        prop_assert_eq!(line.held(), 0);
        line.assert_sent(if denied { &[] } else { &segments });
    }
}
