//! What becomes of packets: fates, rules by flow and direction, swaps, events.

use std::time::Duration;

use crate::common::{Desk, policy};
use flow::{Direction, EndReason, Midstream, Moment, Settings};
use inspect::{DropReason, Event, EventKind, Packet, Verdict};
use policy::DefaultAction;
use wire::testkit::{Fate, fates, gwlb, icmp, tcp, udp};
use wire::{EndpointId, TcpFlags};

const CLIENT: &str = "10.1.2.10:49152";
const SERVER: &str = "192.0.2.80:443";
const DENIED: Verdict = Verdict::Drop(DropReason::Policy);

fn there() -> Vec<u8> {
    tcp(CLIENT, SERVER).build()
}

fn back() -> Vec<u8> {
    tcp(SERVER, CLIENT).build()
}

#[test]
fn every_frame_of_the_table_of_fates_gets_its_verdict() {
    let mut desk = Desk::new("");
    for case in fates() {
        let wanted = match case.fate {
            Fate::Inspected(..) => Verdict::Forward,
            Fate::Refused(error) => error.into(),
            Fate::Malformed(error) => error.into(),
            Fate::Local(_) => Verdict::Punt,
        };
        assert_eq!(desk.judge(&[case.frame]), [wanted], "{}", case.name);
    }
}

#[test]
fn what_is_learnt_of_a_frame_is_what_its_headers_say() {
    let desk = Desk::new("");
    let inner = tcp(CLIENT, SERVER).flags(TcpFlags::SYN).payload(b"hello").build();
    let packet = desk.learn(&gwlb().endpoint(77).inner(&inner).padding(4).build());
    let about = packet.about.unwrap();
    assert_eq!((about.inner_at, usize::from(about.inner_len), about.tcp_flags), (82, inner.len(), 2));
    assert_eq!(about.key.endpoint(), EndpointId(77));
    assert_eq!(about.key.tuple(about.direction).to_string(), "10.1.2.10 49152 -> 192.0.2.80 443 proto 6");
}

#[test]
fn a_rule_that_drops_one_direction_drops_the_flow() {
    let mut desk = Desk::new("drop tcp any any -> any 443 (sid:1;)");
    assert_eq!(desk.see(&there()), DENIED);
    assert_eq!(desk.see(&back()), DENIED);
    assert_eq!(desk.see(&there()), DENIED);
    assert_eq!(desk.told().0, [1]);
    assert_eq!(desk.inspector.counts().judgements, 1);
    assert_eq!(desk.see(&tcp(CLIENT, "192.0.2.80:80").build()), Verdict::Forward);
}

#[test]
fn a_rule_that_drops_the_answer_drops_the_flow_from_then_on() {
    let mut desk = Desk::new("drop tcp any 443 -> any any (sid:1;)");
    assert_eq!(desk.see(&there()), Verdict::Forward);
    assert_eq!(desk.see(&back()), DENIED);
    assert_eq!(desk.see(&there()), DENIED);
}

#[test]
fn the_answer_to_what_a_rule_passed_passes_under_default_drop() {
    let settings = Settings { flows: 10, ..Settings::default() };
    let mut desk = Desk::with(&settings, policy("pass tcp any any -> any 443 (sid:1;)", DefaultAction::Drop));
    assert_eq!(desk.see(&there()), Verdict::Forward);
    assert_eq!(desk.see(&back()), Verdict::Forward);
    assert_eq!(desk.see(&udp(CLIENT, SERVER).build()), DENIED);
}

#[test]
fn an_alert_is_told_once_for_each_direction_of_a_flow() {
    let mut desk =
        Desk::new("alert tcp any any -> any any (sid:7;) \n alert tcp any any -> any 443 (sid:8;)");
    for _ in 0..3 {
        assert_eq!(desk.see(&there()), Verdict::Forward);
        assert_eq!(desk.see(&back()), Verdict::Forward);
    }
    assert_eq!(desk.told().0, [7, 8, 7]);
    assert_eq!(desk.inspector.counts().alerts, 3);
}

#[test]
fn an_alert_names_its_flow_and_the_way_its_packet_went() {
    let mut desk = Desk::new("drop tcp any 443 -> any any (sid:9;)");
    desk.see(&back());
    let Some(Event::Alert(alert)) = desk.inspector.events().next() else { panic!("no alert") };
    assert_eq!(alert.key.tuple(alert.direction).to_string(), "192.0.2.80 443 -> 10.1.2.10 49152 proto 6");
    assert!(alert.dropped);
    assert_eq!((alert.sid, alert.generation, alert.rule.0), (9, 1, 0));
}

#[test]
fn running_flows_are_judged_again_after_a_swap() {
    let mut desk = Desk::new("");
    assert_eq!(desk.see(&there()), Verdict::Forward);
    desk.inspector.swap(policy("drop tcp any any -> any 443 (sid:1;)", DefaultAction::Forward));
    let old = desk.inspector.retired().map(|retired| retired.detector().clone()).unwrap();
    assert_eq!(old.policy().rules(EndpointId(0)).len(), 0);
    assert_eq!(
        desk.see(&back()),
        Verdict::Forward,
        "no rule names the answer, and nobody judged the question yet"
    );
    assert_eq!(desk.see(&there()), DENIED);
    assert_eq!(desk.see(&back()), DENIED);
    desk.inspector.swap(old);
    assert_eq!(desk.see(&back()), Verdict::Forward);
    assert_eq!(desk.inspector.counts().flows_begun, 1);
}

#[test]
fn what_was_decided_stays_after_a_swap_if_the_operator_wants_it_so() {
    let mut desk = Desk::new("pass tcp any any -> any 443 (sid:1;)");
    desk.inspector =
        desk.inspector.in_mode(inspect::Mode { at_swap: inspect::AtSwap::Keep, ..inspect::Mode::default() });
    assert_eq!(desk.see(&there()), Verdict::Forward);
    desk.inspector.swap(policy("drop tcp any any -> any any (sid:2;)", DefaultAction::Forward));
    assert_eq!([desk.see(&there()), desk.see(&back())], [Verdict::Forward; 2]);
    let other = wire::testkit::tcp("10.1.2.10:49153", "192.0.2.80:443").build();
    assert_eq!(desk.see(&other), DENIED, "a flow that begins now is judged by the new rules");
}

#[test]
fn a_flow_that_was_under_way_begins_anew_after_a_swap_if_the_operator_wants_it_so() {
    for (midstream, after) in
        [(Midstream::Pass, Verdict::Forward), (Midstream::Drop, Verdict::Drop(DropReason::Midstream))]
    {
        let settings = Settings { midstream, ..Settings::default() };
        let mut desk = Desk::with(&settings, policy("", DefaultAction::Forward));
        desk.inspector = desk
            .inspector
            .in_mode(inspect::Mode { at_swap: inspect::AtSwap::Flush, ..inspect::Mode::default() });
        let opens = wire::testkit::tcp(CLIENT, SERVER).flags(TcpFlags::SYN).build();
        assert_eq!(desk.see(&opens), Verdict::Forward);
        assert_eq!([desk.see(&there()), desk.see(&back())], [Verdict::Forward; 2]);
        desk.inspector.swap(policy("alert tcp any any -> any any (sid:2;)", DefaultAction::Forward));
        assert_eq!([desk.see(&there()), desk.see(&back())], [after; 2], "{midstream:?}");
        let counts = desk.inspector.counts();
        assert_eq!((counts.flows_flushed, desk.see(&opens)), (1, Verdict::Forward));
        let begun = desk.inspector.counts().flows_begun;
        assert_eq!(begun, 2);
    }
}

#[test]
fn endpoints_with_the_same_inner_addresses_have_flows_of_their_own() {
    let mut desk = Desk::new("");
    let frames: Vec<_> = (1..=40).map(|endpoint| gwlb().endpoint(endpoint).inner(&there()).build()).collect();
    assert_eq!(desk.judge(&frames), [Verdict::Forward; 40]);
    assert_eq!(desk.inspector.flows().len(), 40);
}

#[test]
fn a_full_table_and_a_midstream_packet_have_reasons_of_their_own() {
    let settings = Settings { flows: 1, midstream: Midstream::Drop, ..Settings::default() };
    let mut desk = Desk::with(&settings, policy("", DefaultAction::Forward));
    assert_eq!(desk.see(&there()), Verdict::Drop(DropReason::Midstream));
    assert_eq!(desk.see(&udp(CLIENT, SERVER).build()), Verdict::Forward);
    assert_eq!(
        desk.see(&icmp("10.0.0.1", "10.0.0.2", 8, 0).build()),
        Verdict::Drop(DropReason::FlowTableFull)
    );
}

#[test]
fn a_packet_of_which_nothing_was_learnt_never_goes_forward() {
    let mut desk = Desk::new("");
    let (frames, mut packets) = ([vec![0_u8; 60], vec![0; 60]], [Packet::UNREAD; 2]);
    packets[1].verdict = Verdict::Punt;
    desk.inspector.judge(desk.now, &frames, &mut packets);
    assert_eq!(packets.map(|packet| packet.verdict), [Verdict::Drop(DropReason::NotOurs), Verdict::Punt]);
}

#[test]
fn another_cookie_is_noticed_and_counted_once() {
    let mut desk = Desk::new("");
    let frame = |cookie| gwlb().cookie(cookie).inner(&there()).build();
    desk.judge(&[frame(1), frame(1), frame(2), frame(2)]);
    assert_eq!(desk.inspector.counts().cookies_changed, 1);
    let about = desk.learn(&frame(2)).about.unwrap();
    let wrapping = desk.inspector.flows().wrapping(&about.key, about.direction).unwrap();
    assert_eq!(wrapping.header(), &frame(2)[42..82]);
}

#[test]
fn a_flow_that_is_no_more_is_told_with_what_it_was() {
    let mut desk = Desk::new("");
    desk.see(&udp(CLIENT, SERVER).payload(b"12345").build());
    desk.see(&udp(SERVER, CLIENT).build());
    desk.now.0 += u64::try_from(Duration::from_secs(130).as_nanos()).unwrap();
    desk.inspector.tick(desk.now);
    let Some(Event::FlowEnd(ended)) = desk.inspector.events().next() else { panic!("no event") };
    assert_eq!(ended.why, EndReason::Idle);
    assert_eq!(ended.flow.key.tuple(ended.flow.initiator).source_port, 49152);
    let initiator = ended.flow.tallies[ended.flow.initiator as usize];
    assert_eq!((initiator.packets(), initiator.bytes()), (1, 33));
    assert!(Direction::BOTH.iter().all(|&direction| ended.flow.memo.outcome(direction).is_some()));
    let counts = desk.inspector.counts();
    assert_eq!((counts.flows_begun, counts.flows_idle, desk.inspector.flows().len()), (1, 1, 0));
}

#[test]
fn events_that_nobody_fetches_are_lost_and_counted() {
    let settings = Settings { flows: 2000, ..Settings::default() };
    let mut desk =
        Desk::with(&settings, policy("alert udp any any -> any any (sid:1;)", DefaultAction::Forward));
    for port in 1..=1500 {
        desk.see(&udp(&format!("10.0.0.1:{port}"), SERVER).build());
    }
    assert_eq!(desk.inspector.counts().events_lost.of(EventKind::Alert), 1500 - 1024);
    assert_eq!(desk.told().0.len(), 1024);
}

#[test]
fn one_packet_more_of_a_decided_flow_is_no_news_and_all_else_is() {
    let mut desk = Desk::new("alert tcp any any -> any 443 (sid:1;)");
    assert!(desk.inspector.take_news(), "nothing was told yet");
    assert!(!desk.inspector.take_news());
    desk.see(&udp(CLIENT, SERVER).build());
    assert!(desk.inspector.take_news(), "a flow began");
    desk.see(&udp(CLIENT, SERVER).build());
    let before = desk.inspector.counts();
    desk.see(&udp(CLIENT, SERVER).build());
    desk.inspector.tick(desk.now);
    desk.inspector.take_news();
    desk.see(&udp(CLIENT, SERVER).build());
    desk.inspector.tick(desk.now);
    assert!(!desk.inspector.take_news());
    assert_eq!(desk.inspector.counts(), before);
    desk.now = Moment(desk.now.0 + 1_000_000_000_000);
    desk.inspector.tick(desk.now);
    assert!(desk.inspector.take_news(), "a flow ended");
    assert_eq!(desk.told(), (vec![], 1));
}
