//! Nanoseconds per frame for each way of reading one, frames hot in the first-level cache: `cargo bench -p wire`.
//!
//! Sixty-four frames that differ in their ports, read 200 times a round; the best and the median of 100 rounds.

use std::hint::black_box;
use std::time::Instant;

use wire::testkit::{FrameBuilder, OUR_ADDRESS, gwlb, tcp, udp};
use wire::{Arrival, Inner, TunnelEnd, classify, reflect};

const TIMES: usize = 200;
const ROUNDS: usize = 100;

fn main() {
    let end = TunnelEnd { address: Some(OUR_ADDRESS), ..TunnelEnd::default() };
    let segment = |port| tcp(&format!("10.1.2.10:{port}"), "192.0.2.80:443").payload(&[7; 24]).build();
    let segment6 =
        |port| tcp(&format!("[2001:db8::1]:{port}"), "[2001:db8::2]:443").payload(&[7; 24]).build();
    let datagram =
        |port, len| udp(&format!("10.1.2.10:{port}"), "192.0.2.80:443").payload(&vec![7; len]).build();
    let (endpoint, cookie) = ((0x0108, 1, &[1; 8][..]), (0x0108, 3, &[2; 4][..]));

    let usual = frames(|port| gwlb().inner(&segment(port)));
    report("classify only", &usual, |frame| {
        if let Ok(Arrival::Gwlb(gwlb)) = classify(frame, &end) {
            black_box((gwlb.tags(), gwlb.inner_at(), gwlb.inner().len()));
        }
    });
    let whole = |frame: &mut [u8]| {
        let Ok(Arrival::Gwlb(gwlb)) = classify(frame, &end) else { return };
        if let Ok(inner) = Inner::parse(gwlb.inner(), gwlb.protocol_type()) {
            black_box((inner.tuple, gwlb.tags(), inner.packet.len(), inner.payload().len(), gwlb.inner_at()));
        }
    };
    report("whole, IPv4 and TCP", &usual, whole);
    report("whole, IPv6 and TCP", &frames(|port| gwlb().inner(&segment6(port))), whole);
    report("whole, IPv4 and UDP", &frames(|port| gwlb().inner(&datagram(port, 24))), whole);
    let unusual = frames(|port| gwlb().options(&[cookie, endpoint]).inner(&segment(port)));
    report("whole, options in another order", &unusual, whole);
    let summed = frames(|port| gwlb().udp_checksum().inner(&datagram(port, 1372)));
    report("whole, UDP checksum over 1,400 bytes inside", &summed, whole);
    report("reflect", &usual, reflect);
}

fn frames(frame: impl Fn(u16) -> FrameBuilder) -> Vec<Vec<u8>> {
    (0..64).map(|i| frame(1000 + i).build()).collect()
}

fn report(name: &str, frames: &[Vec<u8>], read: impl Fn(&mut [u8])) {
    let mut frames = frames.to_vec();
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..TIMES {
                for frame in &mut frames {
                    read(black_box(frame));
                }
            }
            start.elapsed().as_secs_f64() * 1e9 / (TIMES * frames.len()) as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{name:44} best {:6.1} ns, median {:6.1} ns", rounds[0], rounds[ROUNDS / 2]);
}
