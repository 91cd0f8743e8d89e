//! The appliance in this process: DPDK ports, the engine's threads, the stages of `sluice run`. One run per process,
//! since DPDK starts once.
//!
//! ```text
//! net_pcap or net_ring ─▶ NicSource [─▶ Rewriting] ─▶ Steer ─▶ Inspect [─▶ Busy] ─▶ Return ─▶ NicSink
//! ```
//! What stands in brackets is the bench's; all else is the product's.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use appliance::{NicSink, NicSource, clock, enter};
use core_affinity::CoreId;
use dpdk::{
    Eal, EalArgs, LogLevel, Mbuf, Memory, Mempool, MempoolSpec, PortSpec, RxQueue, TxQueue, tsc, tsc_hz,
};
use engine::{
    Inspect, Launched, Layout, Parts, Pulled, Sharing, Sink, Source, Stage, Steer, Topology, events, launch,
    swap,
};
use flow::{FlowHasher, Moment};
use inspect::{Burst, Detector, Frame, Inspector, Packet};
use policy::{Loading, Policy, RuleFile};
use serde::{Deserialize, Serialize};
use wire::testkit::OUR_ADDRESS;
use wire::{Ipv4Prefix, TunnelEnd, reflect};

use crate::capture::{Random, Size, frames_to_set, set_flow};
use crate::threads::{ThreadTime, busiest, of};

/// Records of each flow table: the default of `flow.capacity`, and some.
const TABLE: usize = 1 << 20;
/// Mbufs on the looped ring: few enough to stay in the cache, as a NIC's would with its descriptors.
const LOOPED: usize = 256;

/// What one process measures.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Setup {
    pub(crate) supply: Supply,
    /// If not 0, each frame is made one of so many flows, first in turn, then at random.
    pub(crate) rewrite: u32,
    pub(crate) wiring: Wiring,
    /// Nanoseconds that a worker spends on each packet beside judging it.
    pub(crate) inspection: u64,
    pub(crate) seconds: f64,
}

/// Where frames come from.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Supply {
    /// `net_pcap` playing this capture round and round; what is sent is dropped.
    Pcap(PathBuf),
    /// `net_ring`: what is sent comes back.
    Ring(Size),
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum Wiring {
    /// One core.
    RunToCompletion,
    /// One core that receives and transmits, one worker core.
    Pipeline,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Outcome {
    pub(crate) packets: u64,
    pub(crate) dropped: u64,
    pub(crate) flows: u64,
    pub(crate) seconds: f64,
    /// What the busiest data thread had of its CPU in that time, in seconds.
    pub(crate) cpu: f64,
}

/// DPDK, started for benches.
pub(crate) fn eal() -> Result<Eal, Box<dyn Error>> {
    let args = |memory| EalArgs { memory, memory_mb: 200, log_level: LogLevel::Error, ..EalArgs::default() };
    Ok(Eal::init(&args(Memory::HugePages))?)
}

/// What both contenders have of packet memory.
pub(crate) struct Pool {
    pub(crate) mbufs: u32,
    pub(crate) cache: u32,
    pub(crate) data_room: u16,
}

/// testpmd's own sizes: as large a cache, as large mbufs.
pub(crate) const POOL: Pool = Pool { mbufs: 32_767, cache: 250, data_room: 2176 };
/// Descriptors of each queue.
pub(crate) const DESCRIPTORS: u16 = 512;

pub(crate) fn pool(eal: &Eal) -> Result<Mempool, Box<dyn Error>> {
    let Pool { mbufs, cache, data_room } = POOL;
    Ok(Mempool::create(eal, &MempoolSpec { name: "packets".to_owned(), mbufs, cache, data_room })?)
}

/// The port, its queues and, if it is a looped ring, frames on it.
pub(crate) fn port(eal: &Eal, pool: Mempool, supply: &Supply) -> Result<(RxQueue, TxQueue), Box<dyn Error>> {
    let device = match supply {
        Supply::Pcap(capture) => format!("net_pcap0,rx_pcap={},infinite_rx=1", capture.display()),
        Supply::Ring(_) => "net_ring0".to_owned(),
    };
    let spec = PortSpec {
        device,
        rx_queues: 1,
        tx_queues: 1,
        rx_descriptors: DESCRIPTORS,
        tx_descriptors: DESCRIPTORS,
        mtu: 1500,
    };
    let mut started = spec.start(eal, pool)?;
    let (Some(rx), Some(mut tx)) = (started.rx.pop(), started.tx.pop()) else {
        return Err("the port has no queues".into());
    };
    if let Supply::Ring(size) = supply {
        for mut frame in frames_to_set(LOOPED, *size) {
            reflect(&mut frame); // as it comes back; whoever takes it from the ring turns it round again
            tx.send(&mut arrayvec::ArrayVec::<Mbuf, 1>::from_iter([Mbuf::from_bytes(pool, &frame)?]));
        }
    }
    Ok((rx, tx))
}

/// Where packets are received and sent, as testpmd's.
pub(crate) const DATA_CORE: CoreId = CoreId { id: 1 };

/// The layout of a wiring; a worker of its own runs on CPU 0.
pub(crate) fn topology(wiring: Wiring) -> Result<Topology, Box<dyn Error>> {
    let layout = match wiring {
        Wiring::RunToCompletion => Layout::RunToCompletion { cpus: vec![DATA_CORE.id] },
        Wiring::Pipeline => {
            Layout::Pipeline { rx: vec![DATA_CORE.id], workers: vec![0], tx: vec![DATA_CORE.id] }
        }
    };
    Ok(Topology::new(&layout, &[0, 1], Some(Sharing::Exclusive))?)
}

/// The appliance's threads over this source and sink, with one stage more behind the worker's own.
pub(crate) fn start<I, O, S>(
    wiring: Wiring,
    (source, sink): (I, O),
    beside: S,
) -> Result<Launched<Mbuf>, Box<dyn Error>>
where
    I: Source<Mbuf> + Send + 'static,
    O: Sink<Mbuf> + Send + 'static,
    S: Stage<Mbuf> + Send + 'static,
{
    let hasher = FlowHasher::random();
    let flows = flow::Settings { flows: TABLE, ..flow::Settings::default() };
    let inspector = Inspector::new(&flows, hasher, Arc::new(Detector::new(policy()?)));
    let ((_, detectors), (events, log)) = (swap(), events(8192));
    drop(log);
    let parts = Parts {
        sources: vec![source],
        steer: vec![Steer { end: tunnel_end()?, hasher }],
        inspect: vec![(Inspect { inspector, detectors, events, frames: |_: &[u8]| None::<Mbuf> }, beside)],
        sinks: vec![sink],
    };
    Ok(launch(&topology(wiring)?, parts, clock(), enter)?)
}

/// The benches' rules, as an operator's file.
pub(crate) fn policy() -> Result<Arc<Policy>, Box<dyn Error>> {
    let text = include_bytes!("../../rules.rules").to_vec();
    let loading =
        Loading::new(&[RuleFile { name: "rules.rules".into(), text }], &policy::Settings::default());
    match loading.refusals.first() {
        Some(refusal) => Err(refusal.to_string().into()),
        None => Ok(Arc::new(Policy::new(1, Arc::new(loading.rules)))),
    }
}

/// Our address, and the configuration's default sources.
pub(crate) fn tunnel_end() -> Result<TunnelEnd, Box<dyn Error>> {
    let private = [([10, 0, 0, 0], 8), ([100, 64, 0, 0], 10), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)];
    let sources = private.map(|(network, length)| Ipv4Prefix::new(network.into(), length));
    let sources = sources.into_iter().collect::<Result<_, _>>()?;
    Ok(TunnelEnd { address: Some(OUR_ADDRESS), sources, ..TunnelEnd::default() })
}

/// Measure in this process.
pub(crate) fn measure(setup: &Setup) -> Result<Outcome, Box<dyn Error>> {
    let eal = eal()?;
    let (rx, tx) = port(&eal, pool(&eal)?, &setup.supply)?;
    let inspection = Busy(setup.inspection * tsc_hz(&eal) / 1_000_000_000);
    let (source, sink) = (NicSource(rx), NicSink(tx));
    let launched = match setup.rewrite {
        0 => start(setup.wiring, (source, sink), inspection)?,
        flows => {
            let looped = matches!(setup.supply, Supply::Ring(_));
            start(setup.wiring, (Rewriting::new(source, flows, looped), sink), inspection)?
        }
    };
    let warm = 3 * u64::from(setup.rewrite);
    let began = Instant::now();
    while launched.stats.snapshot().received() < warm || began.elapsed() < Duration::from_millis(250) {
        if began.elapsed() > Duration::from_secs(20) {
            return Err(format!("{warm} packets did not come in 20 s").into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    let look =
        || Ok::<_, Box<dyn Error>>((launched.stats.snapshot(), of(std::process::id())?, Instant::now()));
    let (before, cpu_before, since) = look()?;
    thread::sleep(Duration::from_secs_f64(setup.seconds));
    let (after, cpu_after, until) = look()?;
    let flows = after.roles.iter().map(|(_, counts)| counts.of(engine::Counter::Flows)).sum();
    let outcome = Outcome {
        packets: after.transmitted() - before.transmitted(),
        dropped: after.dropped_in_all() - before.dropped_in_all(),
        flows,
        seconds: (until - since).as_secs_f64(),
        cpu: busiest_data_thread(&cpu_before, &cpu_after),
    };
    launched.threads.stop();
    if launched.threads.join().is_err() || !launched.stats.snapshot().conserved() {
        return Err("a thread died, or packets were lost without a reason".into());
    }
    Ok(outcome)
}

fn busiest_data_thread(before: &[ThreadTime], after: &[ThreadTime]) -> f64 {
    busiest(before, after, |name| ["rtc", "rx", "worker"].iter().any(|role| name.starts_with(role)))
}

/// A source whose frames are made packets of any number of flows on their way: a capture of a million flows would not
/// fit the pool from which `net_pcap` plays it.
pub(crate) struct Rewriting<I> {
    inner: I,
    flows: u32,
    /// Frames come back as they were sent, to the GWLB.
    looped: bool,
    begun: u32,
    random: Random,
}

impl<I> Rewriting<I> {
    fn new(inner: I, flows: u32, looped: bool) -> Self {
        Self { inner, flows, looped, begun: 0, random: Random::new(2) }
    }

    /// Each flow once, then any: visits in turn would let the processor guess the next record.
    #[inline]
    fn next_flow(&mut self) -> u32 {
        if self.begun < self.flows {
            self.begun += 1;
            return self.begun - 1;
        }
        let random = self.random.next() & 0xffff_ffff;
        u32::try_from((random * u64::from(self.flows)) >> 32).unwrap_or(0)
    }
}

impl<B: Frame, I: Source<B>> Source<B> for Rewriting<I> {
    fn pull(&mut self, burst: &mut Burst<B>) -> Pulled {
        let held = burst.len();
        let pulled = self.inner.pull(burst);
        for frame in &mut burst.parts().0[held..] {
            let flow = self.next_flow();
            let frame = frame.as_mut();
            if self.looped {
                reflect(frame);
            }
            set_flow(frame, flow);
        }
        pulled
    }
}

/// A stage that takes so many ticks of the time stamp counter for each packet, as an inspection of its contents would.
struct Busy(u64);

impl<B> Stage<B> for Busy {
    fn run(&mut self, _: Moment, _: &mut [B], packets: &mut [Packet]) {
        if self.0 == 0 {
            return;
        }
        for _ in packets {
            let until = tsc() + self.0;
            while tsc() < until {
                std::hint::spin_loop();
            }
        }
    }
}
