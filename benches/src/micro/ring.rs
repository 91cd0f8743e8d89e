//! Packets from one core to another and back: two threads on two CPUs, the engine's own rings, what crosses of a learnt
//! packet there (48 bytes) and a frame back (8 bytes).

use std::error::Error;
use std::thread;
use std::time::Instant;

use engine::{Bare, Learnt, Pulled, Sink, Source, mesh};
use flow::FlowHasher;
use inspect::{Burst, Packet};

use super::{Part, learnt};
use crate::capture::{Size, frames_of_flows};
use crate::samples::Samples;
use crate::whole::sluice::tunnel_end;

/// Packets under way at once, each a box that circulates.
const PACKETS: usize = 512;
/// Hand-overs there and back per round.
const TURNS: usize = 2_000_000;
const ROUNDS: usize = 7;

pub(super) fn hand_over() -> Result<Part, Box<dyn Error>> {
    let (end, hasher) = (tunnel_end()?, FlowHasher::random());
    let frames = frames_of_flows(PACKETS, Size::Fixed(64));
    let abouts: Vec<_> = frames.iter().filter_map(|frame| learnt(frame, &end, &hasher)).collect();
    let nanos: Samples = (0..ROUNDS).map(|_| round(&abouts)).collect();
    Ok(Part { name: "ring: to the worker and back".to_owned(), nanos, allocations: 0.0 })
}

fn round(abouts: &[inspect::About]) -> f64 {
    let (mut there, mut worker_inbox) = mesh::<Box<u64>, Learnt<_>>(1, 1, 1024);
    let (mut back, mut inbox) = mesh::<Box<u64>, Bare<_>>(1, 1, 1024);
    let (Some(mut there), Some(mut worker_inbox)) = (there.pop(), worker_inbox.pop()) else { return 0.0 };
    let (Some(mut back), Some(mut inbox)) = (back.pop(), inbox.pop()) else { return 0.0 };
    let worker = thread::spawn(move || {
        core_affinity::set_for_current(core_affinity::CoreId { id: 0 });
        let mut burst = Burst::default();
        while worker_inbox.pull(&mut burst) != Pulled::Closed {
            while !burst.is_empty() {
                back.push(&mut burst);
            }
        }
    });
    core_affinity::set_for_current(core_affinity::CoreId { id: 1 });
    let mut free: Vec<Box<u64>> = (0..PACKETS as u64).map(Box::new).collect();
    let (mut burst, mut returned, mut came) = (Burst::default(), Burst::default(), 0);
    let start = Instant::now();
    while came < TURNS {
        while !burst.is_full() {
            let Some(frame) = free.pop() else { break };
            let about = abouts.get(usize::try_from(*frame).unwrap_or(0)).copied();
            burst.push(frame, Packet { about, ..Packet::UNREAD });
        }
        there.push(&mut burst);
        inbox.pull(&mut returned);
        came += returned.len();
        free.extend(returned.take(Burst::<()>::CAPACITY));
    }
    let nanos = start.elapsed().as_secs_f64() * 1e9 / came as f64;
    drop(there);
    // A worker that panicked would have been seen above: its rings would be closed and nothing come back.
    let _ = worker.join();
    nanos
}
