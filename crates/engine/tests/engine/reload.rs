//! New rules under traffic: what becomes of the flows that are under way, as the operator chose.

use std::sync::Arc;

use engine::Counter;
use inspect::hold::Settings;
use inspect::{AtSwap, Detector, DropReason, Mode, Successor};
use policy::{DefaultAction, Loading, Policy, RuleFile};
use wire::TcpFlags;
use wire::testkit::{client_hello, tcp, udp};

use crate::hold::{CLIENT, RULES, segment};
use crate::line::{Line, detector};

const MODES: [AtSwap; 3] = [AtSwap::Keep, AtSwap::Rejudge, AtSwap::Flush];

fn line(rules: &str, at_swap: AtSwap) -> Line {
    let mode = Mode { at_swap, ..Mode::default() };
    Line::in_mode(detector(rules, DefaultAction::Forward), Settings::default(), mode)
}

/// These rules from now on, as the appliance gives them to its workers.
fn reload(line: &mut Line, last: &Detector, rules: &str) -> Arc<Detector> {
    let file = RuleFile { name: "test.rules".into(), text: rules.as_bytes().to_vec() };
    let rules = Loading::new(&[file], &policy::Settings::default()).strict().unwrap();
    let policy = Policy::new(last.policy().generation() + 1, Arc::new(rules));
    let next = Arc::new(last.next(Arc::new(policy)));
    line.policies.send(Successor::prepared(&next, 1, || ()).pop().unwrap());
    next
}

fn there(port: u16, payload: &[u8]) -> Vec<u8> {
    tcp("10.1.2.10:50000", &format!("192.0.2.80:{port}")).flags(TcpFlags::ACK).payload(payload).build()
}

#[test]
fn a_decided_flow_stays_is_judged_anew_or_begins_anew_as_the_operator_chose() {
    for at_swap in MODES {
        let first = detector("reject tcp any any -> any 23 (sid:1;)", DefaultAction::Forward);
        let mut line = line("reject tcp any any -> any 23 (sid:1;)", at_swap);
        line.burst(&[there(80, b""), there(23, b"")]);
        assert_eq!((line.sent().len(), line.dropped(DropReason::Reject)), (2, 1), "a packet and a reset");
        reload(&mut line, &first, "reject tcp any any -> any 80 (sid:2;)");
        line.burst(&[there(80, b""), there(23, b"")]);
        let sent = line.sent();
        let (rejected, flushed) = (line.dropped(DropReason::Reject), line.counts().of(Counter::FlowsFlushed));
        match at_swap {
            AtSwap::Keep => line_is_as_before(&sent, rejected, flushed),
            AtSwap::Rejudge | AtSwap::Flush => {
                assert_eq!((sent.len(), rejected), (2, 2), "the other way round");
                assert_eq!(flushed, if at_swap == AtSwap::Flush { 2 } else { 0 });
            }
        }
        line.burst(&[tcp("10.1.2.10:50001", "192.0.2.80:80").flags(TcpFlags::SYN).build()]);
        assert_eq!(
            line.dropped(DropReason::Reject),
            rejected + 1,
            "{at_swap:?}: a new flow meets the new rules"
        );
    }
}

fn line_is_as_before(sent: &[Vec<u8>], rejected: u64, flushed: u64) {
    assert_eq!(
        (sent.len(), rejected, flushed),
        (2, 2, 0),
        "what was rejected is rejected again, the other passes"
    );
}

#[test]
fn a_first_flight_that_is_held_is_judged_by_the_new_rules_and_goes_on_whole() {
    for at_swap in [AtSwap::Keep, AtSwap::Rejudge] {
        for (name, after, passes) in [
            ("denied.example", RULES, false),
            ("allowed.example", RULES, true),
            ("allowed.example", r#"drop tls any any -> any any (tls.sni; content:"allowed"; sid:2;)"#, false),
            ("denied.example", r#"drop tls any any -> any any (tls.sni; content:"allowed"; sid:2;)"#, true),
        ] {
            let first = detector(RULES, DefaultAction::Forward);
            let mut line = line(RULES, at_swap);
            line.open();
            let hello = client_hello(name, 3500);
            let parts: Vec<_> =
                hello.chunks(1400).enumerate().map(|(nth, part)| segment(nth * 1400, part)).collect();
            line.burst(&parts[..1]);
            reload(&mut line, &first, after);
            line.burst(&parts[1..2]);
            assert_eq!(line.held(), 2, "both wait");
            line.burst(&parts[2..]);
            assert_eq!(line.held(), 0);
            line.assert_sent(if passes { &parts } else { &[] });
        }
    }
}

#[test]
fn what_began_before_new_rules_and_ends_after_them_is_understood() {
    for at_swap in [AtSwap::Keep, AtSwap::Rejudge] {
        let first = detector(RULES, DefaultAction::Forward);
        let mut line = line(RULES, at_swap);
        let say = |at: u32, payload: &[u8]| {
            let packet = tcp(CLIENT, "192.0.2.80:80").flags(TcpFlags::ACK).sequence(100 + at);
            packet.acknowledgment(200).payload(payload).build()
        };
        let syn = tcp(CLIENT, "192.0.2.80:80").flags(TcpFlags::SYN).sequence(99).build();
        let answer = tcp("192.0.2.80:80", CLIENT).flags(TcpFlags::SYN | TcpFlags::ACK).sequence(199);
        line.burst(&[syn, answer.acknowledgment(100).build(), say(0, b"")]);
        line.burst(&[say(0, b"GET /secr")]);
        reload(&mut line, &first, r#"drop http any any -> any any (http.uri; content:"/secret"; sid:3;)"#);
        line.sent();
        line.burst(&[say(9, b"et HTTP/1.1\r\nHost: a.example\r\n\r\n")]);
        assert_eq!(line.dropped(DropReason::Policy), 1, "{at_swap:?}");
        line.assert_sent(&[]);
    }
}

#[test]
fn a_datagram_in_parts_is_judged_by_the_rules_that_hold_when_it_is_whole() {
    let denied = r#"drop udp any any -> any 53 (content:"secret"; sid:4;)"#;
    for at_swap in MODES {
        for (before, after, passes) in [("", denied, false), (denied, "", true)] {
            let whole =
                udp("10.1.2.10:40000", "192.0.2.53:53").payload(&[&[b'.'; 60][..], b"secret"].concat());
            let [first, second] = parts(&whole.build());
            let old = detector(before, DefaultAction::Forward);
            let mut line = line(before, at_swap);
            line.burst(std::slice::from_ref(&first));
            line.assert_sent(&[first]);
            reload(&mut line, &old, after);
            line.burst(std::slice::from_ref(&second));
            line.assert_sent(if passes { std::slice::from_ref(&second) } else { &[] });
        }
    }
}

/// An IPv4 packet in two parts, of which the first has 40 bytes.
fn parts(whole: &[u8]) -> [Vec<u8>; 2] {
    let part = |from: usize, to: usize, more: bool| {
        let mut part = [&whole[..20], &whole[20 + from..20 + to]].concat();
        let total = u16::try_from(part.len()).unwrap();
        let place = u16::try_from(from / 8).unwrap() | u16::from(more) << 13;
        part[2..4].copy_from_slice(&total.to_be_bytes());
        part[6..8].copy_from_slice(&place.to_be_bytes());
        part[10..12].fill(0);
        let sum =
            part[..20].chunks(2).fold(0_u32, |sum, word| sum + u32::from(word[0]) * 256 + u32::from(word[1]));
        let folded = (sum & 0xffff) + (sum >> 16);
        let folded = !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap();
        part[10..12].copy_from_slice(&folded.to_be_bytes());
        part
    };
    [part(0, 40, true), part(40, whole.len() - 20, false)]
}

#[test]
fn reloads_in_quick_succession_lose_no_packet_and_leave_no_rules_behind() {
    for at_swap in MODES {
        let first = detector(RULES, DefaultAction::Forward);
        let mut line = line(RULES, at_swap);
        let (mut now, mut all) = (Arc::clone(&first), vec![Arc::downgrade(&first)]);
        drop(first);
        for round in 0..60_u16 {
            let rules =
                [RULES, "alert tcp any any -> any any (content:\"x\"; sid:5;)", ""][usize::from(round) % 3];
            now = reload(&mut line, &now, rules);
            all.push(Arc::downgrade(&now));
            let talk: Vec<_> = (0..30).map(|flow| there(1000 + (flow + round) % 40, b"something")).collect();
            line.burst(&talk);
            line.assert_sent(&talk);
            if round % 4 == 0 {
                drop(line.policies.returned());
            }
        }
        for _ in 0..20 {
            drop(line.policies.returned());
            line.wait(0);
        }
        let generation = now.policy().generation();
        drop(now);
        let alive: Vec<_> = all.iter().filter_map(|one| Some(one.upgrade()?.policy().generation())).collect();
        assert_eq!((alive, line.counts().of(Counter::Received)), (vec![generation], 60 * 30), "{at_swap:?}");
    }
}
