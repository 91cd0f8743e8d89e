//! What the engine does with packets, whatever they are.

use crate::common::{
    self, Fate, Nic, Wire, clock, frame, frames, pass, pipeline, reflected, roomy, run_to_completion, send,
    sorted, started, until,
};
use engine::{Counter, Launched, Parts, Role, launch};
use inspect::DropReason;
use proptest::prelude::*;

#[test]
fn one_flow_keeps_its_order_through_one_rx_three_workers_and_one_tx() {
    let topology = roomy(pipeline(&[0], &[1, 2, 3], &[4]));
    let outcome = pass(&topology, vec![Nic::closing(frames(7, 9001)).in_bursts_of(13)], vec![Wire::new()]);
    let returned = &outcome.returned[0];
    assert_eq!(returned.len(), 9001);
    let mut next = [0; 7];
    for frame in returned {
        let flow = common::flow_of(frame) as usize;
        assert_eq!(common::number_of(frame), next[flow], "flow {flow}");
        next[flow] += 1;
    }
    let busy_workers = outcome
        .snapshot
        .roles
        .iter()
        .filter(|(role, counts)| matches!(role, Role::Worker(_)) && counts.of(Counter::Received) > 0);
    assert_eq!(busy_workers.count(), 3);
}

#[test]
fn both_wirings_return_the_same_frames_reflected() {
    let fates = [Fate::Forward, Fate::Deny, Fate::Forward, Fate::Punt, Fate::Foreign];
    let all: Vec<_> = (0..5000).map(|at: u32| frame(at % 97, at, fates[at as usize % fates.len()])).collect();
    let expected = sorted(all.iter().filter(|frame| frame[42] == 0).cloned().map(reflected).collect());
    let wirings =
        [run_to_completion(), roomy(pipeline(&[0], &[1, 2], &[3])), roomy(pipeline(&[0], &[0], &[0]))];
    for topology in wirings {
        let outcome = pass(&topology, vec![Nic::closing(all.clone())], vec![Wire::new()]);
        let snapshot = outcome.snapshot;
        assert_eq!(sorted(outcome.returned.concat()), expected);
        assert_eq!(outcome.punted.len() as u64, snapshot.punted());
        assert_eq!(snapshot.punted() + snapshot.dropped(DropReason::LocalLaneFull), 1000);
        assert_eq!(snapshot.dropped(DropReason::Policy), 1000);
        assert_eq!(snapshot.dropped(DropReason::NotOurs), 1000);
        assert!(snapshot.conserved());
        assert_eq!(snapshot.held(), 0);
    }
}

#[test]
fn frames_of_the_control_thread_leave_as_they_are_and_count_as_injected() {
    for topology in [run_to_completion(), pipeline(&[0], &[1], &[0])] {
        let wire = Wire::new();
        let Launched { mut lane, stats, threads } =
            started(&topology, vec![Nic::lasting(frames(3, 100))], vec![wire.clone()]);
        for number in 0..700 {
            send(&mut lane, frame(9, number, Fate::Forward));
        }
        until(|| stats.snapshot().transmitted() == 800);
        threads.stop();
        threads.join().unwrap();
        let injected: Vec<_> =
            wire.frames().into_iter().filter(|frame| common::flow_of(frame) == 9).collect();
        assert_eq!(injected, (0..700).map(|number| frame(9, number, Fate::Forward)).collect::<Vec<_>>());
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.received(), snapshot.injected(), snapshot.held()), (100, 700, 0));
        assert!(snapshot.conserved());
        assert_eq!(lane.send(vec![1]), Err(vec![1]), "nobody is left to transmit it");
    }
}

#[test]
fn a_stop_returns_everything_that_the_nic_had_received() {
    for topology in [run_to_completion(), roomy(pipeline(&[0], &[1, 2, 3], &[4]))] {
        let launched = started(&topology, vec![Nic::lasting(frames(50, 4000))], vec![Wire::new()]);
        launched.threads.stop(); // while most of the frames are still in the NIC
        launched.threads.join().unwrap();
        let snapshot = launched.stats.snapshot();
        assert_eq!((snapshot.received(), snapshot.transmitted()), (4000, 4000));
        assert!(snapshot.conserved());
    }
}

#[test]
fn a_source_that_never_runs_empty_ends_too() {
    let launched = started(&run_to_completion(), vec![Nic::lasting(frames(50, 400_000))], vec![Wire::new()]);
    launched.threads.stop();
    launched.threads.join().unwrap();
    assert!(launched.stats.snapshot().conserved());
}

#[test]
fn every_reading_of_a_running_system_is_conserved_and_hearts_beat() {
    let topology = pipeline(&[0], &[1], &[0]);
    let launched = started(&topology, vec![Nic::lasting(frames(11, 300_000))], vec![Wire::new()]);
    let mut beats = 0;
    let mut last = 0;
    until(|| {
        let snapshot = launched.stats.snapshot();
        assert!(snapshot.conserved(), "{snapshot:?}");
        let beat = snapshot.roles[1].1.of(Counter::Heartbeat);
        assert!(beat >= last);
        beats += usize::from(beat > last);
        last = beat;
        snapshot.received() == 300_000 && beats > 10 && snapshot.held() == 0
    });
    launched.threads.stop();
    launched.threads.join().unwrap();
}

#[test]
fn a_thread_that_cannot_start_ends_the_others_and_is_named() {
    #[derive(Debug, thiserror::Error)]
    #[error("no such place")]
    struct NoPlace;

    let topology = pipeline(&[0], &[1, 1], &[2]);
    let parts = Parts {
        sources: vec![Nic::lasting(frames(3, 100))],
        steer: vec![common::Learn],
        inspect: vec![common::Judge; 2],
        sinks: vec![Wire::new()],
    };
    let refuse = |plan: &engine::ThreadPlan| if plan.cpu == 1 { Err(NoPlace) } else { Ok(()) };
    let error = launch(&topology, parts, clock(), refuse).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "worker0+worker1 could not start");
}

#[test]
fn parts_that_do_not_fit_the_topology_are_refused() {
    let parts = Parts {
        sources: vec![Nic::closing(vec![])],
        steer: vec![common::Learn],
        inspect: vec![common::Judge],
        sinks: vec![Wire::new()],
    };
    let error = launch(&pipeline(&[0], &[1, 2], &[0]), parts, clock(), |_| Ok::<_, std::fmt::Error>(()));
    assert_eq!(
        error.map(|_| ()).unwrap_err().to_string(),
        "the topology needs 2 judging stages, but there are 1"
    );
}

#[test]
fn threads_are_named_after_their_roles() {
    let topology = pipeline(&[0, 2], &[1, 3], &[0]);
    let (tell, told) = std::sync::mpsc::channel();
    let parts = Parts {
        sources: vec![Nic::closing(vec![]), Nic::closing(vec![])],
        steer: vec![common::Learn; 2],
        inspect: vec![common::Judge; 2],
        sinks: vec![Wire::new()],
    };
    let note = move |plan: &engine::ThreadPlan| {
        tell.send((plan.cpu, std::thread::current().name().unwrap().to_owned())).unwrap();
        Ok::<_, std::fmt::Error>(())
    };
    launch(&topology, parts, clock(), note).unwrap().threads.join().unwrap();
    let mut names: Vec<_> = told.into_iter().collect();
    names.sort();
    let expected = [(0, "rx0+tx0"), (1, "worker0"), (2, "rx1"), (3, "worker1")];
    assert_eq!(names, expected.map(|(cpu, name)| (cpu, name.to_owned())));
}

#[test]
fn a_full_inbox_drops_with_its_reason_or_lets_pass_uninspected() {
    for fail_open in [false, true] {
        let mut topology = pipeline(&[0], &[0], &[0]);
        (topology.inbox_len, topology.fail_open) = (8, fail_open);
        let wire = Wire::taking(3); // the bottleneck: of each burst of 32 only so many find room
        let denied = (0..2000).map(|number| frame(1, number, Fate::Deny)).collect();
        let outcome = pass(&topology, vec![Nic::closing(denied)], vec![wire]);
        let snapshot = outcome.snapshot;
        assert_eq!(snapshot.received(), 2000);
        assert!(snapshot.dropped(DropReason::InboxFull) > 0);
        assert_eq!(snapshot.uninspected() > 0, fail_open);
        assert_eq!(
            outcome.returned[0].len() as u64,
            snapshot.uninspected(),
            "only what was not judged passes"
        );
        assert!(snapshot.conserved());
        assert_eq!(snapshot.held(), 0);
    }
}

fn any_frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let fate = prop_oneof![
        4 => Just(Fate::Forward), 1 => Just(Fate::Deny), 1 => Just(Fate::Punt), 1 => Just(Fate::Foreign)
    ];
    let one = (0..20u32, fate);
    proptest::collection::vec(one, 0..300)
        .prop_map(|all| (0..).zip(all).map(|(at, (flow, fate))| frame(flow, at, fate)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_the_topology_packets_are_conserved_and_flows_ordered(
        rx in proptest::collection::vec(0..3usize, 1..3),
        workers in proptest::collection::vec(0..3usize, 1..4),
        tx in proptest::collection::vec(0..3usize, 1..3),
        per_queue in proptest::collection::vec(any_frames(), 2),
        burst in 1..=32usize,
        inbox_len in 1..100usize,
        at_once in 1..=32usize,
    ) {
        let mut topology = pipeline(&rx, &workers, &tx);
        topology.inbox_len = inbox_len;
        // Each queue its own flows, as RSS would have it.
        let nics = (0..).zip(per_queue.iter().take(rx.len())).map(|(queue, frames)| {
            let mut frames = frames.clone();
            frames.iter_mut().for_each(|frame| frame[34] = queue);
            Nic::closing(frames).in_bursts_of(burst)
        });
        let offered: usize = per_queue.iter().take(rx.len()).map(Vec::len).sum();
        let wires = tx.iter().map(|_| Wire::taking(at_once)).collect();
        let outcome = pass(&topology, nics.collect(), wires);
        prop_assert_eq!(outcome.snapshot.received(), offered as u64);
        prop_assert!(outcome.snapshot.conserved());
        prop_assert_eq!(outcome.snapshot.held(), 0);
        prop_assert_eq!(outcome.snapshot.punted(), outcome.punted.len() as u64);
        prop_assert_eq!(outcome.snapshot.transmitted(), outcome.returned.iter().map(Vec::len).sum::<usize>() as u64);
        for returned in &outcome.returned {
            let mut last = std::collections::HashMap::new();
            for frame in returned {
                let number = common::number_of(frame);
                if let Some(before) = last.insert(common::flow_of(frame), number) {
                    prop_assert!(before < number);
                }
            }
        }
    }
}
