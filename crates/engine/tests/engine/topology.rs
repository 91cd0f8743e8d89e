//! Which layouts are right, and what follows from them.

use engine::{Counter, Layout, Sharing, Topology, TopologyError};

fn pipeline(rx: &[usize], workers: &[usize], tx: &[usize]) -> Layout {
    Layout::Pipeline { rx: rx.to_vec(), workers: workers.to_vec(), tx: tx.to_vec() }
}

fn refusal(layout: &Layout, usable: &[usize]) -> String {
    Topology::new(layout, usable, None).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_is_refused_with_its_value() {
    let cpus = [0, 1, 2, 3];
    assert_eq!(
        refusal(&pipeline(&[0], &[], &[1]), &cpus),
        "no worker core: a pipeline needs at least one of each of rx, worker and tx"
    );
    assert_eq!(
        refusal(&pipeline(&[0], &[1, 7], &[1]), &cpus),
        "worker1 is to run on CPU 7, but this process may use only [0, 1, 2, 3]"
    );
    assert_eq!(refusal(&pipeline(&[0], &[1; 65], &[1]), &cpus), "65 worker cores: at most 64 make sense");
    for count in [0, 2, 3] {
        let layout = Layout::RunToCompletion { cpus: cpus[..count].to_vec() };
        assert_eq!(Topology::new(&layout, &cpus, None), Err(TopologyError::RunToCompletion(count)));
    }
}

#[test]
fn data_threads_that_leave_no_cpu_to_others_share_theirs() {
    let sharing =
        |layout: &Layout, usable: &[usize], said| Topology::new(layout, usable, said).unwrap().sharing();
    let two = pipeline(&[0], &[1], &[0]);
    assert_eq!(sharing(&two, &[0, 1], None), Sharing::Shared);
    assert_eq!(sharing(&two, &[0, 1, 2], None), Sharing::Exclusive);
    assert_eq!(sharing(&two, &[0, 1], Some(Sharing::Exclusive)), Sharing::Exclusive);
    let one = Layout::RunToCompletion { cpus: vec![1] };
    assert_eq!(sharing(&one, &[0, 1], None), Sharing::Exclusive);
    assert_eq!(sharing(&one, &[1], None), Sharing::Shared);
}

#[test]
fn queues_tables_and_mbufs_follow_from_the_layout() {
    let mut topology = Topology::new(&pipeline(&[0, 1], &[2, 3, 4], &[0]), &[0, 1, 2, 3, 4], None).unwrap();
    topology.inbox_len = 100;
    assert_eq!((topology.rx_queues(), topology.workers(), topology.tx_queues()), (2, 3, 1));
    assert_eq!(topology.most_held(), 6 * 32 + (2 * 3 + 3) * 100);
    topology.fail_open = true;
    assert_eq!(topology.most_held(), 6 * 32 + (2 * 3 + 3 + 2) * 100);
    let one = Topology::new(&Layout::RunToCompletion { cpus: vec![0] }, &[0, 1], None).unwrap();
    assert_eq!((one.rx_queues(), one.workers(), one.tx_queues(), one.most_held()), (1, 1, 1, 32));
}

#[test]
fn counters_have_names_of_their_own() {
    for (at, counter) in Counter::ALL.into_iter().enumerate() {
        assert_eq!(counter as usize, at, "{counter:?} has the cell of its place in the list");
        let same = Counter::ALL.into_iter().filter(|other| other.name() == counter.name());
        assert_eq!(same.count(), 1, "{counter:?}");
    }
}
