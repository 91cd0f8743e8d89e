//! GWLB's frames through the appliance's own stages.

use std::convert::Infallible;
use std::sync::Arc;

use engine::{
    Counter, EventReceiver, Inspect, Launched, Parts, Role, Snapshot, Steer, SwapSender, Topology, events,
    launch, swap,
};
use flow::FlowHasher;
use inspect::{Detector, DropReason, Event, Inspector, Retired, Successor};
use policy::{Loading, Policy, RuleFile};
use wire::testkit::{Fate, OUR_ADDRESS, fates, gwlb, tcp, udp};
use wire::{Ipv4Prefix, TcpFlags, TunnelEnd};

use crate::common::{Frame, Nic, Wire, clock, pipeline, reflected, roomy, run_to_completion, sorted, until};

fn policy(generation: u64, rules: &str) -> Arc<Detector> {
    let file = RuleFile { name: "test.rules".into(), text: rules.as_bytes().to_vec() };
    let rules = Loading::new(&[file], &policy::Settings::default()).strict().unwrap();
    Arc::new(Detector::new(Arc::new(Policy::new(generation, Arc::new(rules)))))
}

/// The appliance without its NIC: what the control and the log thread hold.
struct Appliance {
    launched: Launched<Frame>,
    policies: Vec<SwapSender<Successor, Retired>>,
    logs: Vec<EventReceiver<Event>>,
}

fn start(topology: &Topology, nic: Nic, wire: Wire, policy: &Arc<Detector>) -> Appliance {
    let sources = Ipv4Prefix::new([10, 100, 0, 0].into(), 16).unwrap();
    let end = TunnelEnd { address: Some(OUR_ADDRESS), sources: vec![sources], ..TunnelEnd::default() };
    let hasher = FlowHasher::random();
    let flows = flow::Settings { flows: 1000, ..flow::Settings::default() };
    let (mut policies, mut logs, mut inspect) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..topology.workers() {
        let (offer, offered) = swap();
        let (tell, told) = events(256);
        inspect.push(Inspect {
            inspector: Inspector::new(&flows, hasher, policy.clone()),
            detectors: offered,
            events: tell,
            frames: |bytes: &[u8]| Some(bytes.to_vec()),
        });
        policies.push(offer);
        logs.push(told);
    }
    let steer = vec![Steer { end, hasher }];
    let parts = Parts { sources: vec![nic], steer, inspect, sinks: vec![wire] };
    let launched = launch(topology, parts, clock(), |_| Ok::<_, Infallible>(())).unwrap();
    Appliance { launched, policies, logs }
}

impl Appliance {
    fn snapshot(&self) -> Snapshot {
        self.launched.stats.snapshot()
    }

    fn stop(self) -> (Snapshot, Vec<Event>) {
        self.launched.threads.stop();
        self.launched.threads.join().unwrap();
        let mut logs = self.logs;
        let told = logs.iter_mut().flat_map(|log| std::iter::from_fn(|| log.pull())).collect();
        assert!(logs.iter().all(EventReceiver::ended));
        (self.launched.stats.snapshot(), told)
    }
}

#[test]
fn the_table_of_fates_holds_in_both_wirings() {
    for topology in [run_to_completion(), roomy(pipeline(&[0], &[0, 1], &[1]))] {
        let cases = fates();
        let wire = Wire::new();
        let nic = Nic::lasting(cases.iter().map(|case| case.frame.clone()).collect());
        let mut appliance = start(&topology, nic, wire.clone(), &policy(1, ""));
        until(|| {
            let now = appliance.snapshot();
            now.received() == cases.len() as u64 && now.held() == 0
        });
        let punted: Vec<_> = std::iter::from_fn(|| appliance.launched.lane.pull()).collect();
        let (snapshot, _) = appliance.stop();

        let with = |fate: fn(&Fate) -> bool| {
            cases.iter().filter(move |case| fate(&case.fate)).map(|case| case.frame.clone())
        };
        let inspected = with(|fate| matches!(fate, Fate::Inspected(..))).map(reflected);
        assert_eq!(sorted(wire.frames()), sorted(inspected.collect()));
        assert_eq!(sorted(punted), sorted(with(|fate| matches!(fate, Fate::Local(_))).collect()));
        for reason in DropReason::ALL {
            let because = cases.iter().filter(|case| match case.fate {
                Fate::Refused(error) => DropReason::from(error) == reason,
                Fate::Malformed(error) => DropReason::from(error) == reason,
                Fate::Inspected(..) | Fate::Local(_) => false,
            });
            assert_eq!(snapshot.dropped(reason), because.count() as u64, "{reason:?}");
        }
        assert!(snapshot.conserved());
    }
}

#[test]
fn both_directions_of_a_flow_meet_in_one_worker() {
    let topology = roomy(pipeline(&[0], &[1, 1, 1], &[0]));
    let mut there_and_back = Vec::new();
    for client in 1..=100 {
        let (a, b) = (format!("10.1.2.{client}:50000"), "192.0.2.80:53".to_owned());
        for (source, destination) in [(&a, &b), (&b, &a)] {
            there_and_back.push(gwlb().inner(&udp(source, destination).build()).build());
        }
    }
    let appliance = start(&topology, Nic::lasting(there_and_back), Wire::new(), &policy(1, ""));
    until(|| appliance.snapshot().transmitted() == 200);
    let (snapshot, _) = appliance.stop();
    let of_workers = |counter| -> Vec<_> {
        let workers = snapshot.roles.iter().filter(|(role, _)| matches!(role, Role::Worker(_)));
        workers.map(|(_, counts)| counts.of(counter)).collect()
    };
    let (flows, packets) = (of_workers(Counter::Flows), of_workers(Counter::Received));
    assert_eq!(flows.iter().sum::<u64>(), 100);
    for (flows, packets) in flows.into_iter().zip(packets) {
        assert!(flows > 0, "every worker has some");
        assert_eq!(packets, 2 * flows);
    }
}

#[test]
fn rules_decide_and_alerts_reach_the_log() {
    let rules = policy(7, r#"drop tcp any any -> any 23 (msg:"no telnet"; sid:1; rev:1;)"#);
    for topology in [run_to_completion(), pipeline(&[0], &[1, 1], &[0])] {
        let syn = |udp_port: u16| {
            let inner = tcp("10.1.2.10:50000", &format!("192.0.2.80:{udp_port}")).flags(TcpFlags::SYN);
            gwlb().inner(&inner.build()).build()
        };
        let wire = Wire::new();
        let nic = Nic::lasting(vec![syn(23), syn(80), syn(23)]);
        let appliance = start(&topology, nic, wire.clone(), &rules);
        until(|| appliance.snapshot().received() == 3 && appliance.snapshot().held() == 0);
        let (snapshot, told) = appliance.stop();
        assert_eq!(wire.frames(), [reflected(syn(80))]);
        assert_eq!(snapshot.dropped(DropReason::Policy), 2);
        let alerts: Vec<_> = told
            .iter()
            .filter_map(|event| if let Event::Alert(alert) = event { Some(alert) } else { None })
            .collect();
        assert_eq!(alerts.len(), 1);
        assert_eq!((alerts[0].sid, alerts[0].generation, alerts[0].dropped), (1, 7, true));
    }
}

#[test]
fn a_rejected_packet_is_answered_by_a_reset_that_goes_to_the_gwlb_and_is_accounted_for() {
    let rules = policy(1, "rejectboth tcp any any -> any 23 (sid:1;)");
    for topology in [run_to_completion(), pipeline(&[0], &[1, 1], &[0])] {
        let frames = 40;
        let syn = |host: usize| {
            let inner =
                tcp(&format!("10.1.2.{host}:50000"), "192.0.2.80:23").flags(TcpFlags::SYN).sequence(7);
            gwlb().cookie(u32::try_from(host).unwrap()).inner(&inner.build()).build()
        };
        let wire = Wire::new();
        let nic = Nic::lasting((1..=frames).map(syn).collect());
        let appliance = start(&topology, nic, wire.clone(), &rules);
        until(|| wire.frames().len() == 2 * frames);
        let (snapshot, _) = appliance.stop();
        assert!(snapshot.conserved());
        assert_eq!(snapshot.dropped(DropReason::Reject), frames as u64);
        assert_eq!((snapshot.injected(), snapshot.transmitted()), (2 * frames as u64, 2 * frames as u64));
        for host in 1..=frames {
            let rejected = reflected(syn(host));
            let of_it = |frame: &&Frame| frame[42..82] == rejected[42..82];
            let told: Vec<_> = wire.frames().iter().filter(of_it).cloned().collect();
            for frame in &told {
                assert_eq!((&frame[..12], &frame[26..38]), (&rejected[..12], &rejected[26..38]));
            }
            let flags: Vec<_> = told.iter().map(|frame| frame[82 + 33]).collect();
            assert_eq!(flags, [0x14, 0x04], "RST ACK to the client, RST to the server");
        }
    }
}

#[test]
fn a_new_policy_is_taken_by_every_worker_and_the_old_one_comes_back_to_be_freed() {
    let (old, new) = (policy(1, ""), policy(2, "drop ip any any -> any any (sid:1;)"));
    let topology = pipeline(&[0], &[1, 1], &[0]);
    let mut appliance = start(&topology, Nic::lasting(Vec::new()), Wire::new(), &old);
    for sender in &mut appliance.policies {
        assert!(sender.send(new.clone().into()).is_none());
    }
    let mut freed = 0;
    until(|| {
        freed += appliance.policies.iter_mut().filter_map(SwapSender::returned).count();
        freed == 2
    });
    assert_eq!((Arc::strong_count(&old), Arc::strong_count(&new)), (1, 3), "workers hold the new one only");
    appliance.stop();
}
