//! The parts of a packet's way, each alone: nanoseconds and allocations per packet.

mod ring;
mod turn;

pub(crate) use turn::whole_turn;

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use flow::{BURST, FlowHasher, FlowKey, FlowTable, Moment, Settings, Sighting};
use inspect::{About, Packet, learn};
use serde::Serialize;
use wire::testkit::{gwlb, tcp, udp};
use wire::{EndpointId, Inner, TunnelEnd, classify, reflect};

use crate::allocations;
use crate::capture::{Random, Size, frames_of_flows};
use crate::samples::Samples;
use crate::whole::sluice::tunnel_end;

/// One part.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Nanoseconds per packet.
    pub(crate) nanos: Samples,
    /// Allocations per packet.
    pub(crate) allocations: f64,
}

/// Rounds of each part.
const ROUNDS: usize = 15;

/// Measure all parts.
pub(crate) fn all() -> Result<Vec<Part>, Box<dyn Error>> {
    let mut parts = reading()?;
    parts.push(hashing()?);
    for flows in [10_000, 1_000_000, 8_000_000] {
        parts.push(tracking(flows)?);
    }
    parts.push(ring::hand_over()?);
    parts.push(whole_turn()?);
    Ok(parts)
}

/// The median of several rounds of `work`, which handles `packets` packets; one more before them, unmeasured.
pub(crate) fn part(name: &str, packets: usize, mut work: impl FnMut()) -> Part {
    work();
    let before = allocations::so_far();
    let nanos = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e9 / packets as f64
        })
        .collect();
    // Collecting the samples allocates a few times; a part that allocates does so for every packet.
    let made = allocations::so_far().saturating_sub(before + 8);
    Part { name: name.to_owned(), nanos, allocations: made as f64 / (packets * ROUNDS) as f64 }
}

/// What is learnt of a frame for us.
pub(crate) fn learnt(frame: &[u8], end: &TunnelEnd, hasher: &FlowHasher) -> Option<About> {
    let mut packet = Packet::UNREAD;
    learn(frame, end, hasher, &mut packet);
    packet.about
}

fn reading() -> Result<Vec<Part>, Box<dyn Error>> {
    let end = tunnel_end()?;
    let segment = |port| tcp(&format!("10.1.2.10:{port}"), "192.0.2.80:443").payload(&[7; 24]).build();
    let segment6 =
        |port| tcp(&format!("[2001:db8::1]:{port}"), "[2001:db8::2]:443").payload(&[7; 24]).build();
    let sum = |port| {
        gwlb()
            .udp_checksum()
            .inner(&udp(&format!("10.1.2.10:{port}"), "192.0.2.80:53").payload(&[7; 1372]).build())
    };
    let (endpoint, cookie) = ((0x0108, 1, &[1; 8][..]), (0x0108, 3, &[2; 4][..]));
    let kinds = [
        ("parse: IPv4, TCP", (0..64).map(|n| gwlb().inner(&segment(1000 + n)).build()).collect()),
        ("parse: IPv6, TCP", (0..64).map(|n| gwlb().inner(&segment6(1000 + n)).build()).collect()),
        (
            "parse: options in another order",
            (0..64).map(|n| gwlb().options(&[cookie, endpoint]).inner(&segment(1000 + n)).build()).collect(),
        ),
        ("parse: outer UDP checksum over 1,400 bytes", (0..64).map(|n| sum(1000 + n).build()).collect()),
    ];
    let mut parts: Vec<_> =
        kinds.into_iter().map(|(name, frames)| over(name, frames, |frame| parse(frame, &end))).collect();
    let frames: Vec<_> = (0..64).map(|n| gwlb().inner(&segment(1000 + n)).build()).collect();
    parts.push(over("reflect", frames, reflect));
    Ok(parts)
}

fn parse(frame: &[u8], end: &TunnelEnd) {
    if let Ok(wire::Arrival::Gwlb(gwlb)) = classify(frame, end)
        && let Ok(inner) = Inner::parse(gwlb.inner(), gwlb.protocol_type())
    {
        black_box((inner.tuple, gwlb.tags(), inner.packet.len(), gwlb.inner_at()));
    }
}

fn over(name: &str, mut frames: Vec<Vec<u8>>, mut read: impl FnMut(&mut [u8])) -> Part {
    const TIMES: usize = 1000;
    part(name, TIMES * frames.len(), || {
        for _ in 0..TIMES {
            for frame in &mut frames {
                read(black_box(frame));
            }
        }
    })
}

fn hashing() -> Result<Part, Box<dyn Error>> {
    let (end, hasher) = (tunnel_end()?, FlowHasher::random());
    let keys: Vec<FlowKey> = frames_of_flows(1000, Size::Fixed(64))
        .iter()
        .filter_map(|frame| learnt(frame, &end, &hasher))
        .map(|about| about.key)
        .collect();
    Ok(part("hash: one flow key", keys.len() * 100, || {
        for key in std::iter::repeat_n(&keys, 100).flatten() {
            black_box(hasher.hash(black_box(key)));
        }
    }))
}

/// Look up, compare and count packets of random flows, a burst at a time.
fn tracking(flows: u32) -> Result<Part, Box<dyn Error>> {
    const PACKETS: usize = 1 << 18;
    let hasher = FlowHasher::random();
    let mut table = FlowTable::<u32>::new(&Settings { flows: flows as usize, ..Settings::default() }, hasher);
    let mut random = Random::new(5);
    let mut flow_of = |nth: u32| {
        if nth < flows { nth } else { u32::try_from(random.next() % u64::from(flows)).unwrap_or(0) }
    };
    let mut track = |numbers: &[u32]| {
        let keys: [_; BURST] = std::array::from_fn(|at| key(numbers[at]));
        let hashes = keys.map(|(key, _)| hasher.hash(&key));
        let candidates = table.look_ahead(hashes);
        for (nth, ((key, direction), hash)) in keys.iter().zip(hashes).enumerate() {
            let sighting = Sighting { key, hash, mark: 1, direction: *direction, tcp_flags: 0, bytes: 64 };
            black_box(table.track(Moment(1), candidates.of(nth), &sighting, || None).is_ok());
        }
    };
    let mut burst = [0; BURST];
    for first in (0..flows).step_by(BURST) {
        burst.iter_mut().zip(first..).for_each(|(number, nth)| *number = flow_of(nth.min(flows - 1)));
        track(&burst);
    }
    Ok(part(&format!("look-up and count: {flows} flows, random"), PACKETS, || {
        for _ in 0..PACKETS / BURST {
            burst.iter_mut().for_each(|number| *number = flow_of(u32::MAX));
            track(&burst);
        }
    }))
}

fn key(number: u32) -> (FlowKey, flow::Direction) {
    let tuple = wire::FiveTuple {
        source: std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into(),
        destination: std::net::Ipv4Addr::new(192, 0, 2, 80).into(),
        source_port: 40_000,
        destination_port: 53,
        protocol: 17,
        version: 4,
    };
    FlowKey::new(EndpointId(7), &tuple)
}

/// Bytes that a flow table takes per flow of its capacity, index and headers included.
pub(crate) fn bytes_per_flow() -> f64 {
    let flows = 1_000_000;
    let table = FlowTable::<u32>::new(&Settings { flows, ..Settings::default() }, FlowHasher::random());
    table.memory() as f64 / flows as f64
}
