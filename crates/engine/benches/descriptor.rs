//! What should cross a ring? Two pinned threads: one receives (copies a frame into its buffer, as a capture's NIC does),
//! parses, sends a descriptor; the other looks its flow up by the descriptor and sends it back; the first turns the frame
//! round. Descriptors of several sizes; the hash carried in them or computed again from the key.
//!
//! `cargo bench -p engine --bench descriptor`
#![expect(clippy::cast_possible_truncation, reason = "any bytes will do")]

use std::hash::BuildHasher;
use std::thread;
use std::time::Instant;

use arrayvec::ArrayVec;
use rtrb::{Consumer, Producer, RingBuffer};

const FRAMES: usize = 1 << 14;
const FLOWS: usize = 10_000;
const PACKETS: usize = 200_000;
const ROUNDS: usize = 41;
const KEY: usize = 46;

type Buffer = Box<[u8; 2048]>;

/// A buffer, the hash of its flow, and as much of the key and the rest as there is room for. On the way back either the
/// same, or the buffer alone.
struct Descriptor<const REST: usize> {
    frame: Buffer,
    hash: u32,
    rest: [u8; REST],
}

#[derive(Clone, Copy)]
enum Hash {
    Carried,
    Again,
    /// The descriptor has no room for the key: the worker reads it from the frame.
    FromFrame,
}

fn main() {
    println!(
        "{} packets, {FLOWS} flows, {FRAMES} buffers of 2 KiB; Mpps, median of {ROUNDS} (least, most)",
        PACKETS
    );
    let mut table = vec![
        (
            "16 bytes: pointer and hash; key read from the frame",
            Vec::new(),
            round::<4, false> as fn(Hash) -> f64,
            Hash::FromFrame,
        ),
        ("16 there, 8 back; key read from the frame", Vec::new(), round::<4, true>, Hash::FromFrame),
        ("48 bytes", Vec::new(), round::<36, false>, Hash::Carried),
        ("64 bytes", Vec::new(), round::<52, false>, Hash::Carried),
        ("72 bytes", Vec::new(), round::<60, false>, Hash::Carried),
        ("48 there, 8 back", Vec::new(), round::<36, true>, Hash::Carried),
        ("64 there, 8 back", Vec::new(), round::<52, true>, Hash::Carried),
        ("64 there, 8 back, hash again", Vec::new(), round::<52, true>, Hash::Again),
        ("72 there, 8 back", Vec::new(), round::<60, true>, Hash::Carried),
        ("80 there, 8 back", Vec::new(), round::<68, true>, Hash::Carried),
    ];
    for _ in 0..ROUNDS {
        for (_, rates, round, hash) in &mut table {
            rates.push(round(*hash));
        }
    }
    for (name, mut rates, ..) in table {
        rates.sort_by(f64::total_cmp);
        println!("{name:55} {:5.2} ({:5.2}, {:5.2})", rates[ROUNDS / 2], rates[0], rates[ROUNDS - 1]);
    }
}

fn round<const REST: usize, const BARE: bool>(hash: Hash) -> f64 {
    let (mut to_worker, from_receiver) = RingBuffer::new(1024);
    let (to_receiver, mut from_worker) = RingBuffer::new(1024);
    let (bare_to_receiver, mut bare_from_worker) = RingBuffer::new(1024);
    let worker = thread::spawn(move || {
        core_affinity::set_for_current(core_affinity::CoreId { id: 1 });
        work::<REST, BARE>(from_receiver, to_receiver, bare_to_receiver, hash);
    });
    core_affinity::set_for_current(core_affinity::CoreId { id: 0 });
    let capture: Vec<[u8; 160]> =
        (0..FLOWS).map(|flow| std::array::from_fn(|at| (flow >> (at % 4 * 8)) as u8)).collect();
    let seed = foldhash::fast::FixedState::with_seed(7);
    let mut free: std::collections::VecDeque<Buffer> = (0..FRAMES).map(|_| Box::new([0; 2048])).collect();
    let (mut sent, mut back) = (0, 0);
    let mut burst: ArrayVec<Descriptor<REST>, 32> = ArrayVec::new();
    let start = Instant::now();
    while back < PACKETS {
        while sent < PACKETS && burst.len() < 32 {
            let Some(mut frame) = free.pop_front() else { break };
            frame[..160].copy_from_slice(&capture[sent % FLOWS]);
            let key: &[u8] = &frame[50..50 + KEY];
            let digest = seed.hash_one(key) as u32;
            let mut rest = [0; REST];
            let kept = KEY.min(REST);
            rest[..kept].copy_from_slice(&key[..kept]);
            burst.push(Descriptor { frame, hash: digest, rest });
            sent += 1;
        }
        put(&mut to_worker, &mut burst);
        if BARE {
            let mut returned: ArrayVec<Buffer, 32> = ArrayVec::new();
            take(&mut bare_from_worker, &mut returned);
            back += returned.len();
            for mut frame in returned {
                frame[..12].rotate_left(6);
                frame[26..34].rotate_left(4);
                free.push_back(frame);
            }
        } else {
            let mut returned: ArrayVec<Descriptor<REST>, 32> = ArrayVec::new();
            take(&mut from_worker, &mut returned);
            back += returned.len();
            for mut packet in returned {
                packet.frame[..12].rotate_left(6);
                packet.frame[26..34].rotate_left(4);
                free.push_back(packet.frame);
            }
        }
    }
    let rate = PACKETS as f64 / start.elapsed().as_secs_f64() / 1e6;
    drop(to_worker);
    let _ = worker.join();
    rate
}

fn work<const REST: usize, const BARE: bool>(
    mut from: Consumer<Descriptor<REST>>,
    mut to: Producer<Descriptor<REST>>,
    mut bare: Producer<Buffer>,
    hash: Hash,
) {
    let seed = foldhash::fast::FixedState::with_seed(7);
    let mut flows = vec![[0_u64; 8]; 1 << 16];
    let mut burst: ArrayVec<Descriptor<REST>, 32> = ArrayVec::new();
    while !(from.is_abandoned() && from.is_empty()) {
        take(&mut from, &mut burst);
        for packet in &burst {
            let (key, digest) = match hash {
                Hash::Carried => (&packet.rest[..KEY.min(REST)], packet.hash),
                Hash::Again => {
                    (&packet.rest[..KEY.min(REST)], seed.hash_one(&packet.rest[..KEY.min(REST)]) as u32)
                }
                Hash::FromFrame => (&packet.frame[50..50 + KEY], packet.hash),
            };
            let record = &mut flows[digest as usize & 0xffff];
            record[0] += 1;
            record[1] =
                record[1].wrapping_add(key.iter().step_by(8).map(|byte| u64::from(*byte)).sum::<u64>());
        }
        if BARE {
            let mut frames: ArrayVec<Buffer, 32> = burst.drain(..).map(|packet| packet.frame).collect();
            while !frames.is_empty() {
                put(&mut bare, &mut frames);
            }
        }
        while !burst.is_empty() {
            put(&mut to, &mut burst);
        }
    }
    std::hint::black_box(flows);
}

fn put<T>(ring: &mut Producer<T>, burst: &mut ArrayVec<T, 32>) {
    let count = burst.len().min(ring.slots());
    if let Ok(chunk) = ring.write_chunk_uninit(count) {
        chunk.fill_from_iter(burst.drain(..count));
    }
}

fn take<T>(ring: &mut Consumer<T>, burst: &mut ArrayVec<T, 32>) {
    let count = ring.slots().min(burst.remaining_capacity());
    if let Ok(chunk) = ring.read_chunk(count) {
        burst.extend(chunk);
    }
}
