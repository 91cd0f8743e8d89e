//! The appliance's own stages in both wirings: frames of 10,000 flows are copied into buffers, as a capture's NIC does,
//! and go through the engine on pinned threads. Buffers circulate, so that none is ever dropped.
//!
//! `cargo bench -p engine --bench wirings`

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use core_affinity::CoreId;
use engine::{
    Inspect, Layout, Parts, Pulled, Sharing, Sink, Source, Steer, ThreadPlan, Topology, events, launch, swap,
};
use flow::{FlowHasher, Moment};
use inspect::{Burst, Detector, DropReason, Inspector, Packet};
use policy::{Loading, Policy};
use rtrb::{Consumer, Producer, RingBuffer};
use wire::TunnelEnd;
use wire::testkit::{gwlb, udp};

const BUFFERS: usize = 2048;
const FLOWS: usize = 10_000;
const PACKETS: usize = 400_000;
const ROUNDS: usize = 21;
const CPUS: usize = 2;

/// A buffer of a pool. It is a pointer, as an mbuf is.
struct Buffer(Box<[u8; 2048]>);

/// Length of every frame.
const LEN: usize = 146;

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0[..LEN]
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0[..LEN]
    }
}

struct Nic {
    capture: Arc<Vec<Vec<u8>>>,
    next: usize,
    left: usize,
    free: Consumer<Buffer>,
}

impl Source<Buffer> for Nic {
    fn pull(&mut self, burst: &mut Burst<Buffer>) -> Pulled {
        if self.left == 0 {
            return Pulled::Closed;
        }
        let count = self.left.min(burst.remaining_capacity()).min(self.free.slots());
        let Ok(chunk) = self.free.read_chunk(count) else { return Pulled::Idle };
        for mut buffer in chunk {
            buffer.0[..LEN].copy_from_slice(&self.capture[self.next]);
            self.next = (self.next + 1) % FLOWS;
            burst.push(Packet::new(buffer));
        }
        self.left -= count;
        if count == 0 { Pulled::Idle } else { Pulled::Some }
    }
}

struct Wire {
    free: Producer<Buffer>,
}

impl Sink<Buffer> for Wire {
    fn push(&mut self, burst: &mut Burst<Buffer>) {
        if let Ok(chunk) = self.free.write_chunk_uninit(burst.len()) {
            chunk.fill_from_iter(burst.drain(..).map(|packet| packet.frame));
        }
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}

fn main() {
    let rtc = Layout::RunToCompletion { cpus: vec![0] };
    let pipeline = |rx, worker, tx| Layout::Pipeline { rx: vec![rx], workers: vec![worker], tx: vec![tx] };
    // A number beyond the machine's CPUs is a further thread on one of them.
    let rows = [
        ("rtc0, spinning", &rtc, Sharing::Exclusive),
        ("rx0+tx0 | worker0, spinning", &pipeline(0, 1, 0), Sharing::Exclusive),
        ("rx0+tx0 | worker0, yielding", &pipeline(0, 1, 0), Sharing::Shared),
        ("rx0, tx0 each a thread | worker0, yielding", &pipeline(0, 1, 2), Sharing::Shared),
        ("rx0+worker0+tx0 on one thread", &pipeline(0, 0, 0), Sharing::Exclusive),
    ];
    let capture = Arc::new(capture());
    println!("{PACKETS} packets of {LEN} bytes, {FLOWS} flows: Mpps, median of {ROUNDS} (least, most)");
    let mut rates = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for ((_, layout, sharing), rates) in rows.iter().zip(&mut rates) {
            rates.push(round(layout, *sharing, &capture));
        }
    }
    for ((name, ..), mut rates) in rows.iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        println!("{name:45} {:5.2} ({:5.2}, {:5.2})", rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]);
    }
}

fn capture() -> Vec<Vec<u8>> {
    let frame = |flow: usize| {
        let source = format!("10.1.{}.{}:{}", flow / 250, flow % 250, 1024 + flow);
        gwlb().cookie(1).inner(&udp(&source, "192.0.2.80:53").payload(&[0; 36]).build()).build()
    };
    (0..FLOWS).map(frame).collect()
}

fn round(layout: &Layout, sharing: Sharing, capture: &Arc<Vec<Vec<u8>>>) -> f64 {
    let Ok(mut topology) = Topology::new(layout, &[0, 1, 2], Some(sharing)) else { return 0.0 };
    topology.inbox_len = BUFFERS;
    let (mut free, pool) = RingBuffer::new(BUFFERS);
    for _ in 0..BUFFERS {
        let _ = free.push(Buffer(Box::new([0; 2048])));
    }
    let hasher = FlowHasher::new([3, 5, 0x1234_5678_9abc_def1, 0x0fed_cba9_8765_4321]);
    let flows = flow::Settings { flows: 1 << 15, ..flow::Settings::default() };
    let rules = Loading::new(&[], &policy::Settings::default()).rules;
    let inspector =
        Inspector::new(&flows, hasher, Arc::new(Detector::new(Arc::new(Policy::new(1, Arc::new(rules))))));
    let ((_policies, offered), (tell, _log)) = (swap(), events(1024));
    let parts = Parts {
        sources: vec![Nic { capture: capture.clone(), next: 0, left: PACKETS, free: pool }],
        steer: vec![Steer { end: TunnelEnd::default(), hasher }],
        inspect: vec![Inspect { inspector, detectors: offered, events: tell }],
        sinks: vec![Wire { free }],
    };
    let begin = Instant::now();
    let clock = move || Moment(u64::try_from(begin.elapsed().as_nanos()).unwrap_or(0));
    let pin = |plan: &ThreadPlan| {
        core_affinity::set_for_current(CoreId { id: plan.cpu % CPUS });
        Ok::<_, Infallible>(())
    };
    let start = Instant::now();
    let Ok(launched) = launch(&topology, parts, clock, pin) else { return 0.0 };
    let joined = launched.threads.join();
    let rate = PACKETS as f64 / start.elapsed().as_secs_f64() / 1e6;
    let snapshot = launched.stats.snapshot();
    assert!(
        joined.is_ok() && snapshot.conserved() && snapshot.transmitted() == PACKETS as u64,
        "{snapshot:?}"
    );
    rate
}
