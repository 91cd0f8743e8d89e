//! How long a packet is in the appliance: frames arrive on a schedule, whatever the appliance does, and each carries the
//! moment at which it was due. What is late because of an earlier stall counts as late.
//!
//! ```text
//! net_ring ─▶ Scheduled: waits until a frame is due, writes when that was ─▶ the appliance ─▶ Timed ─▶ net_ring
//! ```
//! The core may run something else meanwhile, and then all percentiles are its own. So they are told three times: of all
//! packets, of those that were not on their way while Linux had given the core away, and of those that were not in any
//! [`gap`]. The same is told of a loop with no appliance between source and sink: that is the machine's own part.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use appliance::NicSink;
use arrayvec::ArrayVec;
use dpdk::{Lcore, Mbuf, RxQueue, tsc, tsc_hz};
use engine::{Pulled, Sink, Source, Stage};
use flow::Moment;
use inspect::{Burst, DropReason, Packet};
use serde::{Deserialize, Serialize};
use wire::reflect;

use super::gap::{self, Gap, Span, Watch};
use super::sluice::{DATA_CORE, Supply, Wiring, eal, pool, port, start};
use crate::capture::{Random, Size, set_flow};

/// What one process measures.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Setup {
    /// None: from the source to the sink, with nothing between.
    pub(crate) wiring: Option<Wiring>,
    /// Packets per second.
    pub(crate) rate: u64,
    pub(crate) flows: u32,
    pub(crate) seconds: f64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Outcome {
    pub(crate) all: Lateness,
    /// Without packets that were on their way while Linux had given a core away, or for as long again.
    pub(crate) while_there: Lateness,
    /// Without packets that were on their way in a gap of any kind, or for as long again.
    pub(crate) between_gaps: Lateness,
    /// Gaps in which Linux had given a core away.
    pub(crate) away: Gaps,
    /// All others.
    pub(crate) other: Gaps,
}

/// How often, and for how many milliseconds in all.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Gaps {
    pub(crate) times: usize,
    pub(crate) millis: f64,
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
    let ((tell, samples), (tell_gaps, gaps)) = (channel(), channel());
    let source = Scheduled {
        rx,
        watch: Watch::new(hz, tell_gaps.clone()),
        waiting: VecDeque::with_capacity(1024),
        interval: hz / setup.rate,
        due: 0,
        flows: setup.flows,
        random: Random::new(3),
    };
    let from = tsc() + hz / 2;
    let sink = Timed { nic: NicSink(tx), from, samples: Vec::with_capacity(1 << 23), tell };
    let time = Duration::from_secs_f64(0.5 + setup.seconds);
    match setup.wiring {
        Some(wiring) => {
            let launched = start(wiring, (source, sink), Watched(Watch::new(hz, tell_gaps)))?;
            thread::sleep(time);
            launched.threads.stop();
            launched.threads.join().map_err(|_| "a thread died")?;
        }
        None => {
            drop(tell_gaps);
            thread::spawn(move || hand_over((source, sink), time)).join().map_err(|_| "the thread died")?;
        }
    }
    let gaps: Vec<Gap> = gaps.iter().flatten().filter(|gap| gap.span.1 >= from).collect();
    Ok(Outcome::of(&samples.recv()?, &gaps, hz))
}

/// Source to sink on the data core, with nothing between.
fn hand_over((mut source, mut sink): (Scheduled, Timed), time: Duration) {
    core_affinity::set_for_current(DATA_CORE);
    let (_lcore, mut burst, start) = (Lcore::register(), Burst::default(), Instant::now());
    while start.elapsed() < time {
        source.pull(&mut burst);
        burst.parts().0.iter_mut().for_each(|frame| reflect(frame.as_mut())); // the ring wants it as it is returned
        sink.push(&mut burst);
    }
}

impl Outcome {
    fn of(samples: &[Span], gaps: &[Gap], hz: u64) -> Self {
        let late = |(due, sent): &Span| sent.saturating_sub(*due);
        let without = |which: fn(&Gap) -> bool| {
            let disturbed = gap::disturbed(gaps.iter().filter(|gap| which(gap)).map(|gap| gap.span));
            let calm = samples.iter().filter(|(due, sent)| !gap::touches(&disturbed, *due, *sent));
            Lateness::of(calm.map(late).collect(), hz)
        };
        let count = |which: fn(&Gap) -> bool| {
            let of_kind: Vec<_> = gaps.iter().filter(|gap| which(gap)).map(|gap| late(&gap.span)).collect();
            Gaps { times: of_kind.len(), millis: of_kind.iter().sum::<u64>() as f64 * 1e3 / hz as f64 }
        };
        Self {
            all: Lateness::of(samples.iter().map(late).collect(), hz),
            while_there: without(|gap| gap.is_away),
            between_gaps: without(|_| true),
            away: count(|gap| gap.is_away),
            other: count(|gap| !gap.is_away),
        }
    }
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
