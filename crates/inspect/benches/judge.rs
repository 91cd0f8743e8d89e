//! Nanoseconds per packet from frame to verdict, as one core does it: `cargo bench -p inspect`.
//!
//! A burst of 32 frames, hot in the cache, is given random flows by patching the inner source; patching is measured alone
//! and subtracted. Best of seven rounds of two million packets.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use flow::{FlowHasher, Moment, Settings};
use inspect::{Burst, Detector, Inspector, learn};
use policy::{Loading, Policy, RuleFile, RuleSet};
use wire::TunnelEnd;
use wire::testkit::{gwlb, tcp};

const BURST: usize = 32;
const BURSTS: usize = 2_000_000 / BURST;
const NOW: Moment = Moment(1 << 40);

fn main() {
    println!("flows         learn | judge (rules asked once per flow)");
    for flows in [10_000, 1_000_000, 8_000_000] {
        measure(flows);
    }
}

fn measure(flows: u32) {
    let (hasher, end) = (FlowHasher::random(), TunnelEnd::default());
    let settings = Settings { flows: flows as usize, ..Settings::default() };
    let mut inspector = Inspector::new(&settings, hasher, policy());
    let frame = gwlb().inner(&tcp("10.0.0.1:1024", "192.0.2.80:443").payload(&[7; 24]).build()).build();
    let mut burst = Burst::default();
    burst.extend(vec![frame; BURST]);
    let learn_all = |burst: &mut Burst<Vec<u8>>| {
        let (frames, packets) = burst.parts();
        for (frame, packet) in frames.iter().zip(packets) {
            learn(frame, &end, &hasher, packet);
        }
    };
    for first in (0..flows).step_by(BURST) {
        let mut n = first;
        patch(&mut burst, || {
            n += 1;
            (n - 1) % flows
        });
        learn_all(&mut burst);
        judge_all(&mut inspector, &mut burst);
        inspector.events();
    }
    assert_eq!(inspector.flows().len(), flows as usize);
    let (mut patched, mut learnt, mut judged) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..7 {
        patched = patched.min(round(flows, &mut burst, |_| ()));
        learnt = learnt.min(round(flows, &mut burst, learn_all));
        judged = judged.min(round(flows, &mut burst, |burst| {
            learn_all(burst);
            judge_all(&mut inspector, burst);
        }));
    }
    println!("{flows:9} {:9.1} | {:.1}", learnt - patched, judged - learnt);
}

fn judge_all(inspector: &mut Inspector, burst: &mut Burst<Vec<u8>>) {
    let (frames, packets) = burst.parts();
    inspector.judge(NOW, frames, packets);
}

fn round(flows: u32, burst: &mut Burst<Vec<u8>>, mut work: impl FnMut(&mut Burst<Vec<u8>>)) -> f64 {
    let mut state = 99_u64;
    let start = Instant::now();
    for _ in 0..BURSTS {
        patch(burst, || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(((state >> 32) * u64::from(flows)) >> 32).unwrap_or_default()
        });
        work(black_box(burst));
    }
    start.elapsed().as_secs_f64() * 1e9 / (BURSTS * BURST) as f64
}

/// Make each frame one of another flow: its inner source address.
fn patch(burst: &mut Burst<Vec<u8>>, mut flow: impl FnMut() -> u32) {
    for frame in burst.parts().0 {
        frame[94..98].copy_from_slice(&(0x0a00_0000 + flow()).to_be_bytes());
    }
}

fn policy() -> Arc<Detector> {
    let text = b"drop tcp any any -> any 23 (msg:\"no telnet\"; sid:1; rev:1;)".to_vec();
    let file = RuleFile { name: "bench.rules".into(), text };
    let rules: RuleSet = Loading::new(&[file], &policy::Settings::default()).rules;
    Arc::new(Detector::new(Arc::new(Policy::new(1, Arc::new(rules)))))
}
