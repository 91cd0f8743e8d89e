//! How long a packet is in the appliance: frames arrive on a schedule, whatever the appliance does, and each carries the
//! moment at which it was due. What is late because of an earlier stall counts as late.
//!
//! ```text
//! net_ring ─▶ Scheduled: waits until a frame is due, writes when that was ─▶ the appliance ─▶ Timed ─▶ net_ring
//! ```
//! The operating system may run something else on a core meanwhile, and then all percentiles are its own. So they are told
//! twice: of all packets, and of those that were not on their way at such a time ([`away`]).

use std::collections::VecDeque;
use std::error::Error;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use appliance::NicSink;
use arrayvec::ArrayVec;
use dpdk::{Mbuf, RxQueue, tsc, tsc_hz};
use engine::{Pulled, Sink, Source, Stage};
use flow::Moment;
use inspect::{Burst, DropReason, Packet};
use serde::{Deserialize, Serialize};
use wire::reflect;

use super::away::{self, Span, Watch};
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

/// What came of it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Outcome {
    pub(crate) all: Lateness,
    /// Without the packets that were on their way while the operating system had taken a core away, or for as long again.
    pub(crate) undisturbed: Lateness,
    /// How often it did.
    pub(crate) times_away: usize,
    /// For how long in all, in milliseconds.
    pub(crate) away: f64,
}

/// How late packets were, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Lateness {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) most: f64,
    pub(crate) packets: usize,
}

impl Lateness {
    fn of(mut late: Vec<u64>, hz: u64) -> Self {
        late.sort_unstable();
        let at = |share: f64| {
            let nth = ((late.len() as f64 * share) as usize).min(late.len().saturating_sub(1));
            late.get(nth).copied().unwrap_or_default() as f64 * 1e6 / hz as f64
        };
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1.0), packets: late.len() }
    }
}

/// Measure in this process.
pub(crate) fn measure(setup: &Setup) -> Result<Outcome, Box<dyn Error>> {
    let eal = eal()?;
    let (rx, tx) = port(&eal, pool(&eal)?, &Supply::Ring(Size::Fixed(64)))?;
    let hz = tsc_hz(&eal);
    let ((tell, samples), (tell_away, spans)) = (channel(), channel());
    let source = Scheduled {
        rx,
        watch: Watch::new(hz, tell_away.clone()),
        waiting: VecDeque::with_capacity(1024),
        interval: hz / setup.rate,
        due: 0,
        flows: setup.flows,
        random: Random::new(3),
    };
    let from = tsc() + hz / 2;
    let sink = Timed { nic: NicSink(tx), from, samples: Vec::with_capacity(1 << 23), tell };
    let launched = start(setup.wiring, (source, sink), Watched(Watch::new(hz, tell_away)))?;
    thread::sleep(Duration::from_secs_f64(0.5 + setup.seconds));
    launched.threads.stop();
    if launched.threads.join().is_err() {
        return Err("a thread died".into());
    }
    let samples = samples.recv()?;
    let away: Vec<Span> = spans.iter().flatten().filter(|(_, to)| *to >= from).collect();
    let disturbed = away::disturbed(away.clone());
    let undisturbed = samples.iter().filter(|(due, sent)| !away::touches(&disturbed, *due, *sent));
    let late = |(due, sent): &Span| sent.saturating_sub(*due);
    Ok(Outcome {
        undisturbed: Lateness::of(undisturbed.map(late).collect(), hz),
        all: Lateness::of(samples.iter().map(late).collect(), hz),
        times_away: away.len(),
        away: away.iter().map(late).sum::<u64>() as f64 * 1e3 / hz as f64,
    })
}

/// Looks at the clock once in each turn of a worker, and does nothing else.
struct Watched(Watch);

impl Stage<Mbuf> for Watched {
    fn tick(&mut self, _: Moment) {
        self.0.look();
    }

    fn run(&mut self, _: Moment, _: &mut [Mbuf], _: &mut [Packet]) {}
}

/// Lets frames of a looped ring pass when they are due.
struct Scheduled {
    rx: RxQueue,
    watch: Watch,
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
        let now = self.watch.look();
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
    /// When each was due, and when it was sent.
    samples: Vec<Span>,
    tell: Sender<Vec<Span>>,
}

impl Sink<Mbuf> for Timed {
    fn push(&mut self, burst: &mut Burst<Mbuf>) {
        let stamp = |frame: &Mbuf| frame.as_ref().last_chunk().map(|tail| u64::from_le_bytes(*tail));
        let due: ArrayVec<u64, 32> = burst.frames().iter().filter_map(stamp).collect();
        self.nic.push(burst);
        let (sent, now) = (due.len() - burst.len(), tsc());
        for due in due.into_iter().take(sent).filter(|due| *due >= self.from) {
            if self.samples.len() < self.samples.capacity() {
                self.samples.push((due, now));
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
        let _ = self.tell.send(std::mem::take(&mut self.samples));
    }
}
