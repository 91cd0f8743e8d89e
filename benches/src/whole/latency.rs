//! How long a packet is in the appliance: frames arrive on a schedule, whatever the appliance does, and each carries the
//! moment at which it was due. What is late because of an earlier stall counts as late.
//!
//! ```text
//! net_ring ─▶ Scheduled: waits until a frame is due, writes when that was ─▶ the appliance ─▶ Timed ─▶ net_ring
//! ```

use std::collections::VecDeque;
use std::error::Error;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use appliance::NicSink;
use arrayvec::ArrayVec;
use dpdk::{Mbuf, RxQueue, tsc, tsc_hz};
use engine::{Pulled, Sink, Source};
use inspect::{Burst, DropReason};
use serde::{Deserialize, Serialize};
use wire::reflect;

use super::sluice::{Supply, Wiring, eal, pool, port, start};
use crate::capture::{Random, Size, set_flow};

/// What one process measures.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Setup {
    pub(crate) wiring: Wiring,
    /// Packets per second.
    pub(crate) rate: u64,
    pub(crate) flows: u32,
    pub(crate) seconds: f64,
}

/// What came of it, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Outcome {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) most: f64,
    pub(crate) packets: usize,
}

/// Measure in this process.
pub(crate) fn measure(setup: &Setup) -> Result<Outcome, Box<dyn Error>> {
    let eal = eal()?;
    let (rx, tx) = port(&eal, pool(&eal)?, &Supply::Ring(Size::Fixed(64)))?;
    let hz = tsc_hz(&eal);
    let (sender, receiver) = channel();
    let source = Scheduled {
        rx,
        waiting: VecDeque::with_capacity(1024),
        interval: hz / setup.rate,
        due: 0,
        flows: setup.flows,
        random: Random::new(3),
    };
    let samples = Vec::with_capacity(1 << 24);
    let sink = Timed { nic: NicSink(tx), from: tsc() + hz / 2, samples, sender };
    let launched = start(setup.wiring, (source, sink), 0)?;
    thread::sleep(Duration::from_secs_f64(0.5 + setup.seconds));
    launched.threads.stop();
    if launched.threads.join().is_err() {
        return Err("a thread died".into());
    }
    let mut late = receiver.recv()?;
    late.sort_unstable();
    let at = |share: f64| {
        let nth = (late.len() as f64 * share) as usize;
        let ticks = late.get(nth.min(late.len().saturating_sub(1))).copied().unwrap_or_default();
        f64::from(ticks) * 1e6 / hz as f64
    };
    Ok(Outcome { p50: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1.0), packets: late.len() })
}

/// Lets frames of a looped ring pass when they are due.
struct Scheduled {
    rx: RxQueue,
    waiting: VecDeque<Mbuf>,
    interval: u64,
    due: u64,
    flows: u32,
    random: Random,
}

impl Source<Mbuf> for Scheduled {
    fn pull(&mut self, burst: &mut Burst<Mbuf>) -> Pulled {
        let mut came = ArrayVec::<Mbuf, 32>::new();
        if self.waiting.capacity() - self.waiting.len() >= came.capacity() {
            self.rx.recv(&mut came);
        }
        self.waiting.extend(came);
        let now = tsc();
        if self.due == 0 {
            self.due = now;
        }
        while self.due <= now && !burst.is_full() {
            let Some(mut mbuf) = self.waiting.pop_front() else { break };
            let flow = u32::try_from(self.random.next() % u64::from(self.flows)).unwrap_or(0);
            reflect(mbuf.as_mut()); // it comes back as it was sent, to the GWLB
            set_flow(mbuf.as_mut(), flow);
            if let Some(stamp) = mbuf.as_mut().last_chunk_mut::<8>() {
                *stamp = self.due.to_le_bytes();
            }
            self.due += self.interval;
            burst.extend([mbuf]);
        }
        if burst.is_empty() { Pulled::Idle } else { Pulled::Some }
    }
}

/// A sink that notes how late each frame was when the driver had taken it.
struct Timed {
    nic: NicSink,
    from: u64,
    samples: Vec<u32>,
    sender: Sender<Vec<u32>>,
}

impl Sink<Mbuf> for Timed {
    fn push(&mut self, burst: &mut Burst<Mbuf>) {
        let stamp = |frame: &Mbuf| frame.as_ref().last_chunk().map(|tail| u64::from_le_bytes(*tail));
        let due: ArrayVec<u64, 32> = burst.frames().iter().filter_map(stamp).collect();
        self.nic.push(burst);
        let (sent, now) = (due.len() - burst.len(), tsc());
        for due in due.into_iter().take(sent).filter(|due| *due >= self.from) {
            if self.samples.len() < self.samples.capacity() {
                self.samples.push(u32::try_from(now.saturating_sub(due)).unwrap_or(u32::MAX));
            }
        }
    }

    fn full(&self) -> DropReason {
        Sink::<Mbuf>::full(&self.nic)
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        // Nobody listens any more only if the measurement was given up.
        let _ = self.sender.send(std::mem::take(&mut self.samples));
    }
}
