//! The resolved plan: what will run where, and how much memory that takes. `sluice check` prints it.
//!
//! ```text
//! mbufs = descriptors + rings + bursts in hand + mempool caches + local lane + packets held, rounded up to 2^n - 1
//! ```
//! A pool that is smaller than what can be in flight starves the receive queues under load, quietly; so the sum is a
//! condition, not a hint.

use std::fmt;

use engine::{LOCAL_LANE_LEN, Role, Sharing, Topology};
use serde::Serialize;

use crate::cores::CoreSettings;
use crate::document::Document;
use crate::eal::EalSettings;
use crate::inspection::InspectionSettings;
use crate::port::{PortSettings, Profile};

/// What GENEVE adds to an inner packet on the wire, without Ethernet: IPv4 20, UDP 8, GENEVE with GWLB's options 40.
pub const OVERHEAD: u16 = 68;
/// Mbufs that a thread's mempool cache may keep aside.
const CACHE: u32 = 256;
/// Bytes in front of a frame in its mbuf (`RTE_PKTMBUF_HEADROOM`).
const HEADROOM: u16 = 128;
/// Bytes of an mbuf and its pool header besides its data room.
const MBUF: u64 = 128 + 64;
/// Bytes of an ordinary page.
const PAGE: u64 = 4096;
/// Mbufs in the fill ring of an XDP socket.
const XDP_FILL: u64 = 2048;
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
    /// One for each CPU that has a data core, and the control thread.
    pub threads: Vec<Thread>,
    /// Whether data threads have their CPUs to themselves and spin, or give way.
    pub spin: bool,
    /// Rings between data cores.
    pub rings: u64,
    /// Packets each ring holds.
    pub ring_capacity: u64,
    /// The port's MTU: the largest outer packet.
    pub outer_mtu: u16,
    /// The packet pool.
    pub mempool: Pool,
    /// Memory for DPDK, in MiB.
    pub memory_mb: u64,
    /// Whether that memory is huge pages.
    pub huge_pages: bool,
    /// Memory for the flow tables of all workers when they are full, in MiB.
    pub flow_mb: u64,
    /// Memory that streams of each worker may take, in MiB.
    pub stream_mb: u64,
    /// Memory that parts of datagrams of each worker may take, in MiB.
    pub fragment_mb: u64,
    /// Flows that each worker may look into at a time.
    pub sessions: u64,
}

/// A thread and its place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Thread {
    /// Its roles: `rx0`, `worker1`, `rx0+tx0`, `rtc0`, `control`.
    pub name: String,
    /// The CPU it is pinned to.
    pub cpu: usize,
    /// Receive queues it polls.
    pub rx_queues: Vec<usize>,
    /// Transmit queues it fills.
    pub tx_queues: Vec<usize>,
}

/// The packet pool, and why it is as large as it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Pool {
    /// Mbufs in it.
    pub mbufs: u64,
    /// Mbufs that can be in use at once; the pool is never smaller.
    pub needed: u64,
    /// Of these, in descriptors and XDP sockets' fill rings.
    pub descriptors: u64,
    /// In rings and in cores' hands.
    pub held: u64,
    /// In the threads' mempool caches.
    pub caches: u64,
    /// In the local lane.
    pub lane: u64,
    /// Held until a name is judged.
    pub hold: u64,
    /// Mbufs that one thread's cache may keep aside.
    pub cache: u32,
    /// Bytes for a frame in each mbuf, headroom included.
    pub data_room: u16,
}

impl Plan {
    pub(crate) fn new(
        eal: &EalSettings,
        port: &PortSettings,
        cores: &CoreSettings,
        (flows, hold): (u32, u16),
        inspection: &InspectionSettings,
    ) -> Self {
        let topology = &cores.topology;
        let threads = threads(cores);
        let outer_mtu = port.mtu + OVERHEAD;
        let mempool = Pool::new(port, topology, (threads.len() as u64, hold.into()), outer_mtu);
        let free = eal.huge_page_bytes >> 20;
        let fits = free >= eal.memory.map_or(mempool.megabytes(true) + EAL_MB, u64::from);
        let huge_pages = eal.huge_pages.unwrap_or(fits);
        let memory_mb = eal.memory.map_or(mempool.megabytes(huge_pages) + EAL_MB, u64::from);
        Self {
            threads,
            spin: topology.sharing() == Sharing::Exclusive,
            rings: rings(topology),
            ring_capacity: topology.inbox_len as u64,
            outer_mtu,
            mempool,
            memory_mb,
            huge_pages,
            flow_mb: (u64::from(flows) * FLOW_BYTES).div_ceil(1 << 20),
            stream_mb: inspection.stream_memory.into(),
            fragment_mb: u64::from(inspection.fragment_memory).div_ceil(1024),
            sessions: inspection.sessions.into(),
        }
    }

    /// Tell what cannot be: a pool that is too small, memory that is too small or not there.
    pub(crate) fn check(&self, document: &mut Document<'_>, eal: &EalSettings) {
        let pool = &self.mempool;
        if pool.mbufs < pool.needed {
            let Pool { needed, descriptors, held, caches, lane, hold, .. } = pool;
            let wanted = format!(
                "must be at least {needed}: {descriptors} for descriptors, {held} for rings and cores, {caches} for \
                 mempool caches, {lane} for the local lane, {hold} to be held"
            );
            document.wrong("port.mempool", wanted);
        }
        if pool.needed > MBUFS {
            let needed = pool.needed;
            let wanted =
                format!("would be {needed} mbufs, more than {MBUFS}: fewer cores or a smaller cores.inbox");
            document.wrong("port.mempool", wanted);
        }
        let taken = pool.megabytes(self.huge_pages);
        if self.memory_mb < taken + EAL_MB {
            let needed = taken + EAL_MB;
            let wanted = format!("must be at least {needed} (MiB): {} mbufs take {taken}", pool.mbufs);
            document.wrong("eal.memory", wanted);
        }
        let free = eal.huge_page_bytes >> 20;
        if self.huge_pages && free < self.memory_mb {
            let wanted = format!(
                "needs {} MiB of free huge pages and {free} are there; dpdk-config/README.md says how to get them, \
                 \"auto\" does without",
                self.memory_mb
            );
            document.wrong("eal.huge_pages", wanted);
        }
    }
}

impl Pool {
    fn new(port: &PortSettings, topology: &Topology, (threads, hold): (u64, u64), outer_mtu: u16) -> Self {
        let (rx, tx) = (topology.rx_queues() as u64, topology.tx_queues() as u64);
        // An XDP socket lends the kernel mbufs besides, for its fill ring (net_af_xdp, ETH_AF_XDP_DFLT_NUM_DESCS).
        let lent = if port.profile == Profile::AfXdp { rx * XDP_FILL } else { 0 };
        let descriptors = rx * u64::from(port.rx_descriptors) + tx * u64::from(port.tx_descriptors) + lent;
        let held = topology.most_held() as u64;
        // A cache is flushed at one and a half times its size (`CALC_CACHE_FLUSHTHRESH`), and DPDK's main thread has one.
        let caches = (threads + 1) * u64::from(CACHE) * 3 / 2;
        let lane = 2 * LOCAL_LANE_LEN as u64;
        let needed = descriptors + held + caches + lane + hold;
        Self {
            // A pool of 2^n - 1 wastes the least memory (DPDK, rte_mempool_create).
            mbufs: port.mempool.map_or((needed + 1).next_power_of_two() - 1, u64::from),
            needed,
            descriptors,
            held,
            caches,
            lane,
            hold,
            cache: CACHE,
            data_room: data_room(port.profile, outer_mtu),
        }
    }

    /// Memory of the pool in MiB. No mbuf may cross a page that might not be followed by its neighbour
    /// (`rte_mempool_populate_default`): a large one begins a page, small ones share one.
    fn megabytes(&self, huge_pages: bool) -> u64 {
        let mbuf = u64::from(self.data_room) + MBUF;
        let bytes = match huge_pages {
            // What is lost at the end of each 2 MiB page is less than a mbuf.
            true => self.mbufs.div_ceil((2 << 20) / mbuf) * (2 << 20),
            false if mbuf > PAGE => self.mbufs * mbuf.next_multiple_of(PAGE),
            false => self.mbufs.div_ceil(PAGE / mbuf) * PAGE,
        };
        bytes.div_ceil(1 << 20)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = if self.spin { "CPUs of their own: spin" } else { "shared CPUs: yield, then sleep" };
        writeln!(f, "cores    {idle}")?;
        for thread in &self.threads {
            let queues = |queues: &[usize]| queues.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
            write!(f, "  cpu {:<3}{}", thread.cpu, thread.name)?;
            if !thread.rx_queues.is_empty() {
                write!(f, ", receive queue {}", queues(&thread.rx_queues))?;
            }
            if !thread.tx_queues.is_empty() {
                write!(f, ", transmit queue {}", queues(&thread.tx_queues))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "rings    {} of {} packets", self.rings, self.ring_capacity)?;
        let Pool { mbufs, needed, descriptors, held, caches, lane, hold, data_room, .. } = &self.mempool;
        writeln!(
            f,
            "mempool  {mbufs} mbufs of {data_room} bytes for frames of an MTU of {}",
            self.outer_mtu
        )?;
        writeln!(
            f,
            "  at once {needed}: descriptors {descriptors}, rings and cores {held}, caches {caches}, lane {lane}, hold {hold}"
        )?;
        let pages = if self.huge_pages { "huge pages" } else { "ordinary pages" };
        writeln!(f, "memory   {} MiB of {pages} for DPDK", self.memory_mb)?;
        writeln!(f, "  {} MiB for the flow tables", self.flow_mb)?;
        writeln!(
            f,
            "  of each worker at most {} MiB for streams and {} MiB for datagrams in parts, in {} flows looked into",
            self.stream_mb, self.fragment_mb, self.sessions
        )
    }
}

fn threads(cores: &CoreSettings) -> Vec<Thread> {
    let queues = |roles: &[Role], which: fn(Role) -> bool| {
        let number = |role: &Role| match *role {
            Role::Rx(index) | Role::Worker(index) | Role::Tx(index) | Role::Rtc(index) => index,
        };
        roles.iter().filter(|role| which(**role)).map(number).collect()
    };
    let data = cores.topology.threads().into_iter().map(|thread| Thread {
        name: thread.name(),
        cpu: thread.cpu,
        rx_queues: queues(&thread.roles, Role::receives),
        tx_queues: queues(&thread.roles, Role::transmits),
    });
    let control =
        Thread { name: "control".into(), cpu: cores.control, rx_queues: Vec::new(), tx_queues: Vec::new() };
    data.chain([control]).collect()
}

fn rings(topology: &Topology) -> u64 {
    let (rx, workers, tx) = (topology.rx_queues(), topology.workers(), topology.tx_queues());
    let bypasses = if topology.fail_open { rx * tx } else { 0 };
    if topology.runs_to_completion() { 0 } else { (rx * workers + workers * tx + bypasses) as u64 }
}

/// Room for one whole frame: an mbuf is one segment, so that inspection sees a packet's bytes in one piece.
fn data_room(profile: Profile, outer_mtu: u16) -> u16 {
    match profile {
        // The kernel keeps 256 bytes in front of an XDP frame, and no frame may be larger than a page, the mbuf's own
        // 192 bytes included: so this is not rounded up as the others are, and 3498 just fits.
        Profile::AfXdp => ((outer_mtu + 18 + 256).next_multiple_of(64) + HEADROOM).max(2048 + HEADROOM),
        // A packet socket's slot holds 84 bytes besides the packet and is a multiple of 512; the others need less.
        _ => (outer_mtu + 84).next_multiple_of(512) + HEADROOM,
    }
}
