//! Frames, sources, stages and sinks that the engine's tests are made of. A frame is 34 bytes that are reflected, then
//! the flow's number, the packet's number in its flow, and what the worker shall say of it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{
    Launched, Layout, LocalLane, Parts, Pulled, Sharing, Sink, Snapshot, Source, Stage, Topology, launch,
};
use flow::{FlowKey, Moment};
use inspect::{About, Burst, DropReason, Packet, Verdict};
use wire::{Address, EndpointId, FiveTuple};

pub(crate) type Frame = Vec<u8>;

/// What the worker shall say of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Fate {
    Forward,
    Deny,
    Punt,
    /// Refused by the receive core already.
    Foreign,
}

pub(crate) fn frame(flow: u32, number: u32, fate: Fate) -> Frame {
    let mut frame: Frame = (0..34).collect();
    frame.extend(flow.to_be_bytes());
    frame.extend(number.to_be_bytes());
    frame.push(fate as u8);
    frame
}

pub(crate) fn flow_of(frame: &[u8]) -> u32 {
    u32::from_be_bytes(frame[34..38].try_into().unwrap())
}

pub(crate) fn number_of(frame: &[u8]) -> u32 {
    u32::from_be_bytes(frame[38..42].try_into().unwrap())
}

pub(crate) fn reflected(mut frame: Frame) -> Frame {
    wire::reflect(&mut frame);
    frame
}

/// Frames of `flows` flows in turn, `count` in all.
pub(crate) fn frames(flows: u32, count: u32) -> Vec<Frame> {
    (0..count).map(|at| frame(at % flows, at / flows, Fate::Forward)).collect()
}

/// A NIC that has these frames, in bursts of at most `burst`, and closes after them, or waits to be stopped.
pub(crate) struct Nic {
    frames: std::vec::IntoIter<Frame>,
    burst: usize,
    closes: bool,
}

impl Nic {
    pub(crate) fn closing(frames: Vec<Frame>) -> Self {
        Self { frames: frames.into_iter(), burst: 32, closes: true }
    }

    pub(crate) fn lasting(frames: Vec<Frame>) -> Self {
        Self { closes: false, ..Self::closing(frames) }
    }

    pub(crate) fn in_bursts_of(self, burst: usize) -> Self {
        Self { burst, ..self }
    }
}

impl Source<Frame> for Nic {
    fn pull(&mut self, burst: &mut Burst<Frame>) -> Pulled {
        let room = self.burst.min(burst.room());
        burst.extend(self.frames.by_ref().take(room));
        match (burst.is_empty(), self.closes) {
            (false, _) => Pulled::Some,
            (true, true) => Pulled::Closed,
            (true, false) => Pulled::Idle,
        }
    }
}

/// Learns flow and hash from a frame, as the receive core does.
#[derive(Clone, Copy)]
pub(crate) struct Learn;

impl Stage<Frame> for Learn {
    fn run(&mut self, _: Moment, frames: &mut [Frame], packets: &mut [Packet]) {
        for (frame, packet) in frames.iter().zip(packets) {
            packet.about = Some(about(flow_of(frame)));
            if frame[42] == Fate::Foreign as u8 {
                packet.verdict = Verdict::Drop(DropReason::NotOurs);
            }
        }
    }
}

/// What is learnt of a frame of this flow: even ones are IPv4, odd ones IPv6.
pub(crate) fn about(flow: u32) -> About {
    let four = |last: u32| Address::from(Ipv4Addr::from(last));
    let six = |last: u32| Address::from(Ipv6Addr::from(u128::from(last).wrapping_mul(0x0001_0203_0405_0607)));
    let (version, end): (u8, &dyn Fn(u32) -> Address) =
        if flow.is_multiple_of(2) { (4, &four) } else { (6, &six) };
    let tuple = FiveTuple {
        source: end(flow),
        destination: end(u32::MAX),
        source_port: 1,
        destination_port: 2,
        protocol: 17,
        version,
    };
    let (key, direction) = FlowKey::new(EndpointId(flow.into()), &tuple);
    let hash = flow.wrapping_mul(0x9e37_79b9);
    About { key, hash, mark: flow, direction, tcp_flags: 7, inner_len: 8, inner_at: 34 }
}

/// Says of each frame what the frame asks for.
#[derive(Clone, Copy)]
pub(crate) struct Judge;

impl Stage<Frame> for Judge {
    fn run(&mut self, _: Moment, frames: &mut [Frame], packets: &mut [Packet]) {
        let forward = |(_, packet): &(_, &mut Packet)| packet.verdict == Verdict::Forward;
        for (frame, packet) in frames.iter().zip(packets).filter(forward) {
            let (learnt, expected) = (packet.about.unwrap(), about(flow_of(frame)));
            assert_eq!(format!("{learnt:?}"), format!("{expected:?}"), "what was learnt crosses whole");
            packet.verdict = match frame[42] {
                fate if fate == Fate::Deny as u8 => Verdict::Drop(DropReason::Policy),
                fate if fate == Fate::Punt as u8 => Verdict::Punt,
                _ => Verdict::Forward,
            };
        }
    }
}

/// A NIC's transmit side that keeps what it took. It takes at most `at_once` per push.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) frames: Arc<Mutex<Vec<Frame>>>,
    pub(crate) at_once: usize,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self { frames: Arc::default(), at_once: 32 }
    }

    pub(crate) fn taking(at_once: usize) -> Self {
        Self { at_once, ..Self::new() }
    }

    pub(crate) fn frames(&self) -> Vec<Frame> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink<Frame> for Wire {
    fn push(&mut self, burst: &mut Burst<Frame>) {
        let taken = burst.take(self.at_once);
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}

/// The clock of the tests' threads: real, because threads are.
pub(crate) fn clock() -> impl Fn() -> Moment + Clone + Send + 'static {
    let start = Instant::now();
    move || Moment(u64::try_from(start.elapsed().as_nanos()).unwrap())
}

/// The CPUs of this machine, numbered as the tests number them.
fn cpus() -> Vec<usize> {
    (0..64).collect()
}

pub(crate) fn pipeline(rx: &[usize], workers: &[usize], tx: &[usize]) -> Topology {
    let layout = Layout::Pipeline { rx: rx.to_vec(), workers: workers.to_vec(), tx: tx.to_vec() };
    Topology::new(&layout, &cpus(), Some(Sharing::Shared)).unwrap()
}

pub(crate) fn run_to_completion() -> Topology {
    Topology::new(&Layout::RunToCompletion { cpus: vec![0] }, &cpus(), Some(Sharing::Shared)).unwrap()
}

/// As many packets may be in the rings as the tests have, so that none is dropped for want of room.
pub(crate) fn roomy(mut topology: Topology) -> Topology {
    topology.inbox_len = 1 << 14;
    topology
}

pub(crate) fn sorted(mut frames: Vec<Frame>) -> Vec<Frame> {
    frames.sort();
    frames
}

/// What came of a whole run.
pub(crate) struct Outcome {
    pub(crate) returned: Vec<Vec<Frame>>,
    pub(crate) punted: Vec<Frame>,
    pub(crate) snapshot: Snapshot,
}

/// Run frames, one list per receive core, through a topology until every role has ended.
pub(crate) fn pass(topology: &Topology, nics: Vec<Nic>, wires: Vec<Wire>) -> Outcome {
    let Launched { mut lane, stats, threads } = started(topology, nics, wires.clone());
    let mut punted = Vec::new();
    while !threads.ended() {
        punted.extend(std::iter::from_fn(|| lane.pull()));
        std::thread::yield_now();
    }
    threads.join().unwrap();
    punted.extend(std::iter::from_fn(|| lane.pull()));
    Outcome { returned: wires.iter().map(Wire::frames).collect(), punted, snapshot: stats.snapshot() }
}

pub(crate) fn started(topology: &Topology, nics: Vec<Nic>, wires: Vec<Wire>) -> Launched<Frame> {
    let steer = vec![Learn; topology.rx_queues()];
    let inspect = vec![Judge; topology.workers()];
    let parts = Parts { sources: nics, steer, inspect, sinks: wires };
    launch(topology, parts, clock(), |_| Ok::<_, Infallible>(())).unwrap()
}

/// Wait until `done`, and fail rather than hang.
pub(crate) fn until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited for a minute");
        std::thread::yield_now();
    }
}

/// Send as the control thread would: again while the ring is full.
pub(crate) fn send(lane: &mut LocalLane<Frame>, frame: Frame) {
    let mut frame = Some(frame);
    until(|| match lane.send(frame.take().unwrap()) {
        Ok(()) => true,
        Err(back) => {
            frame = Some(back);
            false
        }
    });
}
