//! The resolved plan: what will run where, and how much memory that takes. `sluice check` prints it.
//!
//! ```text
//! mbufs = descriptors + rings + bursts in hand + mempool caches + local lane, rounded up to 2^n - 1
//! ```
//! A pool that is smaller than what can be in flight starves the receive queues under load, quietly; so the sum is a
//! condition, not a hint.

use std::fmt;

use serde::Serialize;

use crate::cores::{CoreSettings, Mode};
use crate::document::Document;
use crate::port::{PortSettings, Profile};
use crate::sections::EalSettings;

/// What GENEVE adds to an inner packet on the wire, without Ethernet: IPv4 20, UDP 8, GENEVE with GWLB's options 40.
pub const OVERHEAD: u32 = 68;
/// Packets a burst holds at most.
const BURST: u64 = 32;
/// Mbufs in a core's mempool cache: 256, flushed at one and a half times that (DPDK, `CALC_CACHE_FLUSHTHRESH`).
const CACHE: u64 = 384;
/// Frames between the data cores and the local lane, both ways.
pub const LANE: u64 = 256;
/// Bytes in front of a frame in its mbuf (`RTE_PKTMBUF_HEADROOM`).
const HEADROOM: u32 = 128;
/// Bytes of an mbuf and its pool header besides its data room.
const MBUF: u32 = 128 + 64;
/// What DPDK itself needs: port, rings, its own tables.
const EAL_MB: u64 = 32;
/// Mbufs in a pool at most; more than this is a mistake in the layout, not a need.
const MBUFS: u64 = (1 << 24) - 1;
/// At most, per tracked flow, index included (SPECIFICATION.md).
const FLOW_BYTES: u64 = 160;

/// The resolved plan.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// One thread each, the control thread last.
    pub threads: Vec<Thread>,
    /// How a core waits for packets.
    pub idle: Idle,
    /// Rings between data cores.
    pub rings: u64,
    /// Packets each ring holds.
    pub ring_capacity: u32,
    /// The port's MTU: the largest outer packet.
    pub outer_mtu: u32,
    /// The packet pool.
    pub mempool: Pool,
    /// Memory for DPDK, in MiB.
    pub memory_mb: u64,
    /// Whether that memory is huge pages.
    pub huge_pages: bool,
    /// Memory for the flow tables of all workers when they are full, in MiB.
    pub flow_mb: u64,
}

/// A thread and its place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Thread {
    /// `rx0`, `worker1`, `tx0`, `control`.
    pub name: String,
    /// The CPU it is pinned to.
    pub cpu: usize,
    /// Receive queues it polls.
    pub rx_queues: Vec<u32>,
    /// The transmit queue it fills, if any.
    pub tx_queue: Option<u32>,
}

/// How a core waits for packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// Every data core has its CPU to itself and spins.
    Spin,
    /// Threads share a CPU, so whoever finds nothing gives way.
    Yield,
}

/// The packet pool, and why it is as large as it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Pool {
    /// Mbufs in it.
    pub mbufs: u64,
    /// Mbufs that can be in use at once; the pool is never smaller.
    pub needed: u64,
    /// Of these, in descriptors.
    pub descriptors: u64,
    /// In rings.
    pub rings: u64,
    /// In cores' hands and their mempool caches.
    pub cores: u64,
    /// In the local lane.
    pub lane: u64,
    /// Bytes for a frame in each mbuf, headroom included.
    pub data_room: u32,
}

impl Plan {
    pub(crate) fn new(eal: &EalSettings, port: &PortSettings, cores: &CoreSettings, flows: u32) -> Self {
        let threads = threads(port, cores);
        let rings = match cores.mode {
            Mode::Pipeline => count(&cores.worker) * (count(&cores.rx) + count(&cores.tx)),
            Mode::RunToCompletion => 0,
        };
        let mempool = Pool::new(port, cores, rings, count(&threads));
        let memory_mb = eal.memory.map_or_else(|| mempool.megabytes() + EAL_MB, u64::from);
        Self {
            idle: idle(&threads),
            threads,
            rings,
            ring_capacity: cores.inbox,
            outer_mtu: port.mtu + OVERHEAD,
            mempool,
            memory_mb,
            huge_pages: eal.huge_pages.unwrap_or(eal.huge_page_bytes >> 20 >= memory_mb),
            flow_mb: (u64::from(flows) * FLOW_BYTES).div_ceil(1 << 20),
        }
    }

    /// Tell what cannot be: a pool that is too small, memory that is too small or not there.
    pub(crate) fn check(&self, document: &mut Document<'_>, eal: &EalSettings) {
        let pool = &self.mempool;
        if pool.mbufs < pool.needed {
            let wanted = format!(
                "must be at least {}: {} for descriptors, {} for rings, {} for cores and their caches, {} for the \
                 local lane",
                pool.needed, pool.descriptors, pool.rings, pool.cores, pool.lane
            );
            document.wrong("port.mempool", wanted);
        }
        if pool.needed > MBUFS {
            let wanted = format!(
                "would have to be {}, more than {MBUFS}: fewer queues, fewer cores or a smaller inbox",
                pool.needed
            );
            document.wrong("port.mempool", wanted);
        }
        let needed = pool.megabytes() + EAL_MB;
        if self.memory_mb < needed {
            let wanted =
                format!("must be at least {needed} (MiB): {} mbufs take {}", pool.mbufs, pool.megabytes());
            document.wrong("eal.memory", wanted);
        }
        if self.huge_pages && eal.huge_page_bytes >> 20 < self.memory_mb {
            let wanted = format!(
                "needs {} MiB of free huge pages and {} are there; dpdk-config/README.md says how to get them, \
                 \"auto\" does without",
                self.memory_mb,
                eal.huge_page_bytes >> 20
            );
            document.wrong("eal.huge_pages", wanted);
        }
    }
}

impl Pool {
    fn new(port: &PortSettings, cores: &CoreSettings, rings: u64, threads: u64) -> Self {
        let tx_queues = cores.transmitters() as u64;
        let descriptors = u64::from(port.rx_queues) * u64::from(port.rx_descriptors)
            + tx_queues * u64::from(port.tx_descriptors);
        let rings = rings * u64::from(cores.inbox);
        // One more than the threads: DPDK's main thread has a cache too.
        let in_cores = (threads + 1) * (CACHE + 2 * BURST);
        let lane = 2 * LANE;
        let needed = descriptors + rings + in_cores + lane;
        Self {
            // A pool of 2^n - 1 wastes the least memory (DPDK, rte_mempool_create).
            mbufs: port.mempool.map_or((needed + 1).next_power_of_two() - 1, u64::from),
            needed,
            descriptors,
            rings,
            cores: in_cores,
            lane,
            data_room: data_room(port),
        }
    }

    fn megabytes(&self) -> u64 {
        (self.mbufs * u64::from(self.data_room + MBUF)).div_ceil(1 << 20)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = match self.idle {
            Idle::Spin => "cores of their own, spin",
            Idle::Yield => "threads share a CPU, yield",
        };
        writeln!(f, "cores      {idle}")?;
        for thread in &self.threads {
            let queues = |queues: &[u32]| queues.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
            write!(f, "  {:<9}cpu {}", thread.name, thread.cpu)?;
            if !thread.rx_queues.is_empty() {
                write!(f, ", receive queue {}", queues(&thread.rx_queues))?;
            }
            if let Some(queue) = thread.tx_queue {
                write!(f, ", transmit queue {queue}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "rings      {} of {} packets", self.rings, self.ring_capacity)?;
        let pool = &self.mempool;
        writeln!(
            f,
            "mempool    {} mbufs of {} bytes (at once: {})",
            pool.mbufs, pool.data_room, pool.needed
        )?;
        writeln!(f, "             descriptors {}, rings {}", pool.descriptors, pool.rings)?;
        writeln!(f, "             cores {}, local lane {}", pool.cores, pool.lane)?;
        let pages = if self.huge_pages { "huge pages" } else { "ordinary pages" };
        writeln!(f, "memory     {} MiB of {pages} for DPDK", self.memory_mb)?;
        writeln!(f, "           {} MiB for flow tables when full", self.flow_mb)
    }
}

fn threads(port: &PortSettings, cores: &CoreSettings) -> Vec<Thread> {
    let receivers = u32::try_from(cores.receivers()).unwrap_or(u32::MAX);
    // Queues are dealt out like cards, so that every receive core has one.
    let queues = |receiver: u32| (0..port.rx_queues).filter(|queue| queue % receivers == receiver).collect();
    let pipeline = cores.mode == Mode::Pipeline;
    let role = |name: &str, cpus: &[usize], receives: bool, transmits: bool| -> Vec<Thread> {
        let thread = |(index, cpu): (u32, &usize)| Thread {
            name: format!("{name}{index}"),
            cpu: *cpu,
            rx_queues: if receives { queues(index) } else { Vec::new() },
            tx_queue: transmits.then_some(index),
        };
        (0..).zip(cpus).map(thread).collect()
    };
    let mut threads = role("rx", &cores.rx, true, false);
    threads.extend(role("worker", &cores.worker, !pipeline, !pipeline));
    threads.extend(role("tx", &cores.tx, false, true));
    threads.push(Thread {
        name: "control".into(),
        cpu: cores.control,
        rx_queues: Vec::new(),
        tx_queue: None,
    });
    threads
}

fn idle(threads: &[Thread]) -> Idle {
    let mut cpus: Vec<usize> = threads.iter().map(|thread| thread.cpu).collect();
    cpus.sort_unstable();
    if cpus.array_windows().any(|[a, b]| a == b) { Idle::Yield } else { Idle::Spin }
}

/// Room for one whole frame: an mbuf is one segment, so that inspection sees a packet's bytes in one piece.
fn data_room(port: &PortSettings) -> u32 {
    let frame = 14 + OVERHEAD + port.mtu;
    match port.profile {
        // Packet sockets copy into slots whose size is a power of two, slot header included, and the driver wants the
        // mbuf to hold a whole slot.
        Profile::AfPacket => (frame + 128).next_power_of_two() + HEADROOM,
        // The kernel keeps 256 bytes of each XDP frame for itself.
        Profile::AfXdp => (frame + 256).next_multiple_of(512) + HEADROOM,
        // GWLB may add options one day: there is room for them up to the next KiB.
        _ => frame.next_multiple_of(1024) + HEADROOM,
    }
}

fn count<T>(of: &[T]) -> u64 {
    of.len() as u64
}
