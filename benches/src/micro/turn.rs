//! A whole turn of the one loop, run to completion, without DPDK: frames that stand in the cache, 10,000 flows. What it
//! costs more with DPDK is the driver's and the frames' way through the caches.

use std::error::Error;
use std::sync::Arc;

use engine::{
    Core, Inspect, LocalPort, Pulled, Return, Role, Sink, Source, Stats, Steer, Turn, Wiring, events, swap,
};
use flow::{FlowHasher, Moment};
use inspect::{Burst, Detector, DropReason, Inspector};
use rtrb::{Consumer, Producer, RingBuffer};
use wire::reflect;

use super::{Part, part};
use crate::capture::{Random, Size, frames_to_set, set_flow};
use crate::whole::sluice::{policy, tunnel_end};

const FLOWS: u32 = 10_000;
const TURNS: usize = 4096;

pub(crate) fn whole_turn() -> Result<Part, Box<dyn Error>> {
    let hasher = FlowHasher::random();
    let flows = flow::Settings { flows: 1 << 20, ..flow::Settings::default() };
    let inspector = Inspector::new(&flows, hasher, Arc::new(Detector::new(policy()?)));
    let ((_offer, detectors), (events, _log)) = (swap(), events(8192));
    let (mut free, frames) = RingBuffer::new(64);
    for mut frame in frames_to_set(64, Size::Fixed(64)) {
        reflect(&mut frame); // as it comes back
        let _ = free.push(frame); // there is room for all
    }
    let mut core = Core::from(Wiring {
        source: Nic { frames, random: Random::new(9) },
        stage: (
            (
                Steer { end: tunnel_end()?, hasher },
                Inspect { inspector, detectors, events, frames: |_: &[u8]| None::<Vec<u8>> },
            ),
            Return,
        ),
        sink: Wire(free),
        bypass: None,
        local: LocalPort::none(),
        patience: std::time::Duration::ZERO,
        stats: Stats::default().add(Role::Rtc(0)),
    });
    let mut now = 1_u64 << 40;
    let mut work = || {
        for _ in 0..TURNS {
            let turned = core.turn(Moment(now));
            now += 1000;
            core.spent(turned, Moment(now));
        }
    };
    for _ in 0..4 {
        work(); // every flow has begun by then
    }
    Ok(part("whole turn, run to completion, without DPDK", TURNS * 32, work))
}

struct Nic {
    frames: Consumer<Vec<u8>>,
    random: Random,
}

impl Source<Vec<u8>> for Nic {
    fn pull(&mut self, burst: &mut Burst<Vec<u8>>) -> Pulled {
        while !burst.is_full() {
            let Ok(mut frame) = self.frames.pop() else { break };
            reflect(&mut frame); // turned round once more, so that it is for us
            set_flow(&mut frame, u32::try_from(self.random.next() % u64::from(FLOWS)).unwrap_or(0));
            burst.extend([frame]);
        }
        if burst.is_empty() { Pulled::Idle } else { Pulled::Some }
    }
}

struct Wire(Producer<Vec<u8>>);

impl Sink<Vec<u8>> for Wire {
    fn push(&mut self, burst: &mut Burst<Vec<u8>>) {
        for frame in burst.take(burst.len()) {
            let _ = self.0.push(frame); // as many as came out fit back in
        }
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}
