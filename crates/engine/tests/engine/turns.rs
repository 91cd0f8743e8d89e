//! One role, turn by turn, with a clock that the test holds.

use std::cell::Cell;
use std::time::Duration;

use engine::{Core, Counter, LocalPort, Return, Role, Sink, Stats, Turn, Turned, Wiring, local_lane};
use flow::Moment;
use inspect::{Burst, DropReason};

use crate::common::{Frame, Judge, Learn, Nic, Wire, frames, number_of, reflected};

/// A sink that takes what the test allows.
struct Stubborn<'a> {
    room: &'a Cell<usize>,
    wire: Wire,
}

impl Sink<Frame> for Stubborn<'_> {
    fn push(&mut self, burst: &mut Burst<Frame>) {
        self.wire.at_once = self.room.get();
        let before = burst.len();
        self.wire.push(burst);
        self.room.set(self.room.get() - (before - burst.len()));
    }

    fn full(&self) -> DropReason {
        self.wire.full()
    }
}

fn role<'a>(
    (nic, room, wire): (Nic, &'a Cell<usize>, &Wire),
    local: LocalPort<Frame>,
    patience: Duration,
    stats: &mut Stats,
) -> impl Turn + use<'a> {
    let sink = Stubborn { room, wire: wire.clone() };
    let stage = ((Learn, Judge), Return);
    let stats = stats.add(Role::Rtc(0));
    Core::from(Wiring { source: nic, stage, sink, bypass: None, local, patience, stats })
}

fn at(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

fn turn(role: &mut impl Turn, millis: u64) -> Turned {
    let turned = role.turn(at(millis));
    role.spent(turned, at(millis + 1));
    turned
}

const PATIENCE: Duration = Duration::from_millis(10);

#[test]
fn what_a_sink_refuses_is_held_in_order_and_nothing_more_is_pulled() {
    let (room, wire, mut stats) = (Cell::new(5), Wire::new(), Stats::default());
    let nic = Nic::closing(frames(1, 40));
    let mut role = role((nic, &room, &wire), LocalPort::none(), PATIENCE, &mut stats);

    assert_eq!(turn(&mut role, 0), Turned::Idle, "it may rest: the sink is full");
    let snapshot = stats.snapshot();
    assert_eq!((snapshot.received(), snapshot.transmitted(), snapshot.held()), (32, 5, 27));
    assert!(snapshot.conserved());

    room.set(20);
    turn(&mut role, 9);
    turn(&mut role, 18); // patience counts from the last packet that was taken
    assert_eq!((stats.snapshot().received(), stats.snapshot().held()), (32, 7));

    room.set(100);
    assert_eq!(turn(&mut role, 18), Turned::Busy);
    assert_eq!(turn(&mut role, 19), Turned::Busy);
    assert_eq!(turn(&mut role, 20), Turned::Ended);
    assert_eq!(turn(&mut role, 21), Turned::Ended, "a role that has ended stays so");
    let numbers: Vec<_> = wire.frames().iter().map(|frame| number_of(frame)).collect();
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
    assert_eq!(stats.snapshot().dropped_in_all(), 0);
}

#[test]
fn patience_ends_and_the_rest_is_dropped_with_the_sinks_reason() {
    for (patience, dropped_at_first) in [(Duration::ZERO, 40), (PATIENCE, 0)] {
        let (room, wire, mut stats) = (Cell::new(0), Wire::new(), Stats::default());
        let nic = Nic::closing(frames(1, 40));
        let mut role = role((nic, &room, &wire), LocalPort::none(), patience, &mut stats);
        turn(&mut role, 0);
        turn(&mut role, 9);
        let first = stats.snapshot();
        for millis in [10, 11, 20, 30, 40] {
            turn(&mut role, millis);
        }
        let snapshot = stats.snapshot();
        assert!(first.conserved() && snapshot.conserved());
        assert_eq!(first.dropped(DropReason::TxFull), dropped_at_first);
        assert_eq!(snapshot.dropped(DropReason::TxFull), 40);
        assert_eq!((snapshot.held(), snapshot.transmitted()), (0, 0));
    }
}

#[test]
fn a_full_local_lane_drops_with_its_reason_and_a_missing_one_frees() {
    let punted = || (0..40).map(|n| crate::common::frame(1, n, crate::common::Fate::Punt)).collect();
    let (mut lane, port) = local_lane(10);
    for (port, expected) in [(port, (10, 30)), (LocalPort::none(), (40, 0))] {
        let (room, wire, mut stats) = (Cell::new(100), Wire::new(), Stats::default());
        let mut role = role((Nic::closing(punted()), &room, &wire), port, PATIENCE, &mut stats);
        while turn(&mut role, 0) != Turned::Ended {}
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.punted(), snapshot.dropped(DropReason::LocalLaneFull)), expected);
        assert!(snapshot.conserved());
    }
    assert_eq!(
        std::iter::from_fn(|| lane.pull()).map(|frame| number_of(&frame)).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
}

#[test]
fn time_is_counted_as_busy_or_idle_by_what_the_turn_did() {
    let (room, wire, mut stats) = (Cell::new(100), Wire::new(), Stats::default());
    let nic = Nic::lasting(frames(1, 33));
    let mut role = role((nic, &room, &wire), LocalPort::none(), PATIENCE, &mut stats);
    for millis in 0..5 {
        turn(&mut role, millis);
    }
    let (_, counts) = stats.snapshot().roles[0];
    let of = |counter| counts.of(counter);
    assert_eq!((of(Counter::BusyTurns), of(Counter::IdleTurns), of(Counter::Bursts)), (2, 3, 2));
    assert_eq!((of(Counter::BusyNanos), of(Counter::ElapsedNanos)), (2_000_000, 5_000_000));
    assert_eq!(of(Counter::Heartbeat), at(5).0);
    assert_eq!(wire.frames()[0], reflected(frames(1, 1).remove(0)));
}
