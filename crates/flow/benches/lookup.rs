//! Nanoseconds per packet in the flow table, from its hash to its counted record: `cargo bench -p flow`.
//!
//! Flows are hit at random, every packet is plain (its flow is known, its encapsulation not new). Making a key and its hash
//! is measured alone and subtracted. Best of seven rounds of two million packets, since a shared machine only adds.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

use flow::{BURST, Direction, FlowHasher, FlowKey, FlowTable, Moment, Settings, Sighting};
use wire::{Address, AttachmentId, EndpointId, FiveTuple, FlowCookie};

const BURSTS: usize = 2_000_000 / BURST;
const ROUNDS: u64 = 7;
const NOW: Moment = Moment(1 << 40);

/// What a round does with a burst's keys and hashes.
type Work<'a> = &'a mut dyn FnMut(&[FlowKey; BURST], &[u32; BURST]);

fn main() {
    println!(
        "flows     key and hash | in bursts, one by one, first packet | visit of the sweep | bytes per flow"
    );
    for flows in [10_000, 1_000_000, 8_000_000] {
        measure(flows);
    }
}

fn measure(flows: u64) {
    let hasher = FlowHasher::random();
    let room = usize::try_from(flows).unwrap_or(usize::MAX);
    let mut table = FlowTable::<u32>::new(&Settings { flows: room, ..Settings::default() }, hasher);
    let start = Instant::now();
    for n in 0..flows {
        let key = key(n);
        track(&mut table, &key, hasher.hash(&key), flow::Hint::default());
    }
    let first = nanoseconds(start, flows);
    let (mut keys, mut bursts, mut singles) = (f64::MAX, f64::MAX, f64::MAX);
    for seed in 0..ROUNDS {
        keys = keys.min(round(&hasher, (flows, seed), &mut |_, _| ()));
        bursts = bursts.min(round(&hasher, (flows, seed), &mut |keys, hashes| {
            let candidates = table.look_ahead(*hashes);
            for (nth, (key, hash)) in keys.iter().zip(hashes).enumerate() {
                track(&mut table, key, *hash, candidates.of(nth));
            }
        }));
        singles = singles.min(round(&hasher, (flows, seed), &mut |keys, hashes| {
            for (key, hash) in keys.iter().zip(hashes) {
                track(&mut table, key, *hash, flow::Hint::default());
            }
        }));
    }
    let visit = sweep(&mut table, flows);
    println!(
        "{flows:9} {keys:12.1} | {:9.1}, {:10.1}, {:12.1} | {visit:18.1} | {:.1}",
        bursts - keys,
        singles - keys,
        first - keys,
        table.memory() as f64 / flows as f64
    );
}

/// Nanoseconds per packet of one round, the making of keys included.
fn round(hasher: &FlowHasher, (flows, seed): (u64, u64), work: Work<'_>) -> f64 {
    let mut state = mix(seed + 99);
    let start = Instant::now();
    for _ in 0..BURSTS {
        let keys: [FlowKey; BURST] = std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            key(((state >> 32) * flows) >> 32)
        });
        let hashes: [u32; BURST] = std::array::from_fn(|nth| hasher.hash(&keys[nth]));
        black_box((&keys, &hashes));
        work(&keys, &hashes);
    }
    nanoseconds(start, (BURSTS * BURST) as u64)
}

/// Nanoseconds per record that the sweep visits, over two rounds of the table.
fn sweep(table: &mut FlowTable<u32>, flows: u64) -> f64 {
    let (start, mut now) = (Instant::now(), NOW);
    for _ in 0..2 * flows / 128 {
        now.0 += 4_000_000_000 * 128 / flows + 1;
        table.expire(now, 128, |_| ());
    }
    nanoseconds(start, 2 * flows)
}

fn track(table: &mut FlowTable<u32>, key: &FlowKey, hash: u32, hint: flow::Hint) {
    let sighting = Sighting { key, hash, mark: 1, direction: Direction::Up, tcp_flags: 16, bytes: 100 };
    let encapsulation = || {
        Some(flow::Encapsulation {
            node: Ipv4Addr::LOCALHOST,
            udp_source_port: 1,
            cookie: FlowCookie(1),
            attachment: AttachmentId(0),
            header: &[],
        })
    };
    if let Ok(tracked) = table.track(NOW, hint, &sighting, encapsulation) {
        *tracked.memo = tracked.memo.wrapping_add(1);
    }
}

fn nanoseconds(start: Instant, packets: u64) -> f64 {
    start.elapsed().as_secs_f64() * 1e9 / packets as f64
}

/// The key of the `n`th flow.
fn key(n: u64) -> FlowKey {
    let [a, b, c, d, e, f, g, h] = mix(n).to_be_bytes();
    let tuple = FiveTuple {
        source: Address::from(Ipv4Addr::new(a, b, c, d)),
        destination: Address::from(Ipv4Addr::new(e, f, g, h)),
        source_port: u16::from_be_bytes([c, f]),
        destination_port: 443,
        protocol: 6,
        version: 4,
    };
    FlowKey::new(EndpointId(7), &tuple).0
}

/// A number without pattern, and another for every `n` (splitmix64's finaliser).
fn mix(n: u64) -> u64 {
    let n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ n >> 31
}
