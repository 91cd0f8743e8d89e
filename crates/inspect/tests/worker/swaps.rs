//! Other rules amid traffic: what comes with them, and what becomes of what was there.

use std::sync::Arc;

use inspect::{Detector, Successor, Verdict};
use policy::{DefaultAction, Loading, Policy, RuleFile};
use wire::TcpFlags;
use wire::testkit::tcp;

use crate::common::{Desk, policy};

/// Rules of which each port has its own, so that the flows to it are a group.
const RULES: &str = "alert tcp any any -> any 80 (content:\"one\"; sid:1;)\n\
                     alert tcp any any -> any 443 (content:\"two\"; sid:2;)\n\
                     alert udp any any -> any 53 (content:\"three\"; sid:3;)";

fn after(detector: &Detector, rules: &str) -> Arc<Detector> {
    let file = RuleFile { name: "test.rules".into(), text: rules.as_bytes().to_vec() };
    let rules = Loading::new(&[file], &policy::Settings::default()).strict().unwrap();
    let generation = detector.policy().generation() + 1;
    Arc::new(detector.next(Arc::new(Policy::new(generation, Arc::new(rules)))))
}

/// One packet of each of so many flows to this port.
fn flows(desk: &mut Desk, port: u16, many: u16) {
    for client in 0..many {
        let client = format!("10.1.2.10:{}", 20_000 + client);
        let syn = tcp(&client, &format!("192.0.2.80:{port}")).flags(TcpFlags::SYN);
        assert_eq!(desk.see(&syn.build()), Verdict::Forward);
    }
}

fn prepared(detector: &Arc<Detector>) -> Successor {
    Successor::prepared(detector, 1, || ()).pop().unwrap()
}

#[test]
fn new_rules_come_with_the_groups_of_the_flows_that_were_met() {
    let mut desk = Desk::new(RULES);
    let second = after(desk.inspector.detector(), RULES);
    assert_eq!(prepared(&second).groups(), 0, "nothing was met");
    flows(&mut desk, 80, 50);
    flows(&mut desk, 443, 50);
    let successor = prepared(&second);
    let made = successor.groups();
    assert!((2..=4).contains(&made), "{made}: one for each port, and what goes back");
    desk.inspector.swap(successor);
    flows(&mut desk, 80, 50);
    flows(&mut desk, 443, 50);
    let third = after(&second, RULES);
    let met_again = prepared(&third).groups();
    assert_eq!(met_again, made, "what was made is known for the next reload, and the worker made no other");
}

#[test]
fn what_was_judged_by_is_given_away_once_no_flow_points_to_it_a_few_sessions_a_turn() {
    let mut desk = Desk::new(RULES);
    flows(&mut desk, 80, 300);
    assert_eq!(desk.inspector.sessions(), 300);
    let first = Arc::downgrade(desk.inspector.detector());
    let second = after(desk.inspector.detector(), RULES);
    desk.inspector.swap(second);
    let waited = (0..)
        .take_while(|_| {
            desk.inspector
                .retired()
                .inspect(|last| {
                    assert_eq!(Arc::strong_count(last.detector()), 1, "only who gets it has it");
                })
                .is_none()
        })
        .count();
    assert!((5..100).contains(&waited), "{waited} turns");
    assert_eq!(first.strong_count(), 0);
    assert!(desk.inspector.retired().is_none());
    assert_eq!(desk.inspector.sessions(), 300, "flows are still looked into");
}

#[test]
fn however_fast_rules_follow_each_other_all_but_the_newest_come_back() {
    let mut desk = Desk::new(RULES);
    flows(&mut desk, 80, 100);
    let mut all = vec![Arc::downgrade(desk.inspector.detector())];
    for nth in 0..20 {
        let next = after(desk.inspector.detector(), RULES);
        all.push(Arc::downgrade(&next));
        desk.inspector.swap(next);
        flows(&mut desk, 443, 10 * nth);
    }
    let back = (0..1000).filter_map(|_| desk.inspector.retired()).count();
    let alive = all.iter().filter(|one| one.strong_count() > 0).count();
    assert_eq!((back, alive), (20, 1));
}

#[test]
fn groups_beyond_the_bound_drive_out_the_oldest_and_are_counted() {
    let rules: String = (0..300)
        .map(|port| {
            format!(
                "alert tcp any {} -> any {} (content:\"x\"; sid:{};)\n",
                1000 + port,
                2000 + port,
                port + 1
            )
        })
        .collect();
    let settings = flow::Settings { flows: 1 << 14, ..flow::Settings::default() };
    let mut desk = Desk::with(&settings, policy(&rules, DefaultAction::Forward));
    for source in 0..100 {
        for destination in 0..45 {
            let (client, server) =
                (format!("10.1.2.10:{}", 1000 + source), format!("192.0.2.80:{}", 2000 + destination));
            desk.see(&tcp(&client, &server).flags(TcpFlags::SYN).build());
        }
    }
    let evicted = desk.inspector.counts().groups_evicted;
    let made = 100 * 45 + 2;
    assert_eq!(evicted, made - 4096, "one for each pair of ports; one for what goes back, twice");
}
