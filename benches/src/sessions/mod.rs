//! Judging conversations that do not repeat: one pass over millions of packets from memory, under rule sets.
//!
//! ```text
//! Traffic ─▶ Replay ─▶ Steer ─▶ Inspect ─▶ Return ─▶ (dropped)          one core, run to completion
//! ```
//! Each sample is a process of its own, so that its memory can be told.

pub(crate) mod reload;
mod session;
mod text;
mod traffic;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use engine::{
    Core, EventSender, Idle, Inspect, LocalPort, Return, Role, Sharing, Sink, Stats, Steer, SwapReceiver,
    Turn, Wiring, events, swap,
};
use flow::{FlowHasher, Moment};
use inspect::{Burst, Detector, DropReason, Event, Inspector, Retired, Successor};
use policy::{Loading, Policy, RuleFile};
use serde::{Deserialize, Serialize};
use wire::TunnelEnd;

use crate::capture::Random;
use crate::samples::Samples;
use crate::threads;
use crate::whole::in_child;
use text::MARKER;
use traffic::{Replay, Traffic};

/// Conversations that go on at once.
const ACTIVE: usize = 2000;
/// Of a million HTTP conversations, how many hold the marker.
const MARKED: u64 = 10_000;

/// What one process measures.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Setup {
    packets: usize,
    rules: Rules,
}

/// Under which rules.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum Rules {
    /// None at all.
    None,
    /// The benches' header rules.
    Headers,
    /// A thousand patterns that nothing holds, and the marker.
    Contents,
    /// An operator's file.
    File(PathBuf),
}

/// What came of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Outcome {
    packets: usize,
    bits: f64,
    /// CPU time of the one thread, in seconds.
    cpu: f64,
    flows: u64,
    /// Flows that the generator began.
    flows_made: u64,
    alerts: u64,
    /// Conversations that hold the marker.
    marked: u64,
    /// Packets dropped, by reason: the traffic gives none.
    dropped: BTreeMap<String, u64>,
    rules: usize,
    refused: usize,
    /// Seconds to read and compile the rules.
    load: f64,
    /// Memory that the compiled rules take, in bytes.
    rules_memory: f64,
    /// Memory beside traffic and rules at the end of the pass, in bytes.
    memory: f64,
}

/// One rule set's figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    name: &'static str,
    kpps: Samples,
    last: Outcome,
}

/// Measure all rule sets in turns. `rules` is an operator's rule file, if one is at hand.
pub(crate) fn compare(
    rounds: usize,
    packets: usize,
    rules: Option<&Path>,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut contenders = vec![
        ("no rules", Rules::None),
        ("header rules", Rules::Headers),
        ("1,001 contents", Rules::Contents),
    ];
    contenders.extend(rules.map(|rules| ("rule file", Rules::File(rules.to_owned()))));
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..rounds {
        for (name, rules) in &contenders {
            let last: Outcome = in_child("sessions", &Setup { packets, rules: rules.clone() })?;
            let rate = last.packets as f64 / last.cpu / 1e3;
            match rows.iter_mut().find(|row| row.name == *name) {
                Some(row) => {
                    row.kpps.push(rate);
                    row.last = last;
                }
                None => rows.push(Row { name, kpps: Samples::from_iter([rate]), last }),
            }
        }
    }
    Ok(rows)
}

/// Rows as Markdown.
pub(crate) fn write(to: &mut String, rows: &[Row]) -> std::fmt::Result {
    use std::fmt::Write as _;
    writeln!(to, "\n## Conversations that do not repeat, one pass, one core, run to completion\n")?;
    writeln!(
        to,
        "| rules | kpps: median (least to most) | Gbit/s | loaded | refused | load s | rules MB | other MB | flows (made) | alerts (marked) |\n|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for Row { name, kpps, last } in rows {
        let Outcome { packets, bits, flows, flows_made, alerts, marked, rules, refused, load, .. } = last;
        let gigabits = kpps.median() * 1e3 * bits / *packets as f64 / 1e9;
        let (rules_memory, memory) = (last.rules_memory / 1e6, last.memory / 1e6);
        writeln!(
            to,
            "| {name} | {:.0} ({:.0} to {:.0}) | {gigabits:.2} | {rules} | {refused} | {load:.2} | {rules_memory:.0} | {memory:.0} | {flows} ({flows_made}) | {alerts} ({marked}) |",
            kpps.median(),
            kpps.least(),
            kpps.most()
        )?;
    }
    Ok(())
}

/// Measure in this process.
pub(crate) fn measure(setup: &Setup) -> Result<Outcome, Box<dyn Error>> {
    core_affinity::set_for_current(core_affinity::CoreId { id: 1 });
    let (before, began) = (resident()?, Instant::now());
    let loading = load(&setup.rules)?;
    let (rules, refused) = (loading.rules.len(), loading.refused);
    let policy = Arc::new(Policy::new(1, Arc::new(loading.rules)));
    // Kept to the end: to free a policy is not a worker's work.
    let (detector, tailor) = Detector::new(policy).tailored();
    let detector = Arc::new(detector);
    thread::spawn(|| {
        core_affinity::set_for_current(core_affinity::CoreId { id: 0 }); // beside the pass, as in the appliance
        tailor.run();
    });
    let load = began.elapsed().as_secs_f64();
    let rules_memory = resident()? - before;

    let hasher = FlowHasher::random();
    let flows = flow::Settings { flows: 1 << 18, ..flow::Settings::default() };
    let ((_policies, detectors), (told, _log)) = (swap(), events(1 << 16));
    let inspector = Inspector::new(&flows, hasher, Arc::clone(&detector));
    let traffic = Traffic::new(setup.packets, ACTIVE, MARKED);
    let (bits, flows_made, marked) = (traffic.bits(), traffic.flows, traffic.marked);
    let source = Replay::new(traffic);
    let with_traffic = resident()?;
    let mut stats = Stats::default();
    let role: Box<dyn Turn> = Box::new(core(source, inspector, (detectors, told), hasher, &mut stats));
    let clock = Instant::now();
    let cpu = threads::own()?;
    engine::run(vec![role], Idle::new(Sharing::Exclusive), || Moment(clock.elapsed().as_nanos() as u64));
    let cpu = threads::own()? - cpu;
    drop(detector); // held until now: to free the rules is not the pass's work
    let snapshot = stats.snapshot();
    if !snapshot.conserved() {
        return Err("packets were lost without a reason".into());
    }
    let dropped =
        DropReason::ALL.into_iter().map(|reason| (reason.name().to_owned(), snapshot.dropped(reason)));
    let dropped = dropped.filter(|(_, count)| *count > 0);
    let sum = |counter| snapshot.roles.iter().map(|(_, counts)| counts.of(counter)).sum();
    Ok(Outcome {
        packets: setup.packets,
        bits,
        cpu,
        flows: sum(engine::Counter::FlowsBegun),
        flows_made,
        alerts: sum(engine::Counter::Alerts),
        marked,
        dropped: dropped.collect(),
        rules,
        refused,
        load,
        rules_memory,
        memory: resident()? - with_traffic,
    })
}

/// A core that judges all of a source, run to completion.
fn core(
    source: Replay,
    inspector: Inspector,
    (detectors, events): (SwapReceiver<Successor, Retired>, EventSender<Event>),
    hasher: FlowHasher,
    stats: &mut Stats,
) -> impl Turn + use<> {
    let judge = Inspect { inspector, detectors, events, frames: |_: &[u8]| None };
    Core::from(Wiring {
        source,
        stage: ((Steer { end: TunnelEnd::default(), hasher }, judge), Return),
        sink: Gone,
        bypass: None,
        local: LocalPort::none(),
        patience: Duration::ZERO,
        stats: stats.add(Role::Rtc(0)),
    })
}

fn load(rules: &Rules) -> Result<Loading, Box<dyn Error>> {
    let (name, text) = match rules {
        Rules::None => (PathBuf::from("none"), Vec::new()),
        Rules::Headers => (PathBuf::from("rules.rules"), include_bytes!("../../rules.rules").to_vec()),
        Rules::Contents => (PathBuf::from("contents"), contents()),
        Rules::File(path) => (path.clone(), std::fs::read(path)?),
    };
    Ok(Loading::new(
        &[RuleFile { name: name.display().to_string().into(), text }],
        &policy::Settings::default(),
    ))
}

/// A thousand rules whose patterns of 8 to 23 letters nothing holds, and one for the marker.
fn contents() -> Vec<u8> {
    let mut random = Random::new(7);
    let mut text = format!("alert tcp any any -> any any (msg:\"marker\"; content:\"{MARKER}\"; sid:1;)\n");
    for sid in 2..=1001 {
        let len = 8 + random.next() % 16;
        let pattern: String = (0..len).map(|_| char::from(b'a' + (random.next() % 26) as u8)).collect();
        text += &format!(
            "alert tcp any any -> any any (msg:\"{sid}\"; content:\"{pattern}\"; nocase; sid:{sid};)\n"
        );
    }
    text.into_bytes()
}

/// Bytes of this process that are in memory (proc(5): `statm`).
fn resident() -> Result<f64, Box<dyn Error>> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm.split(' ').nth(1).ok_or("/proc/self/statm is short")?.parse()?;
    Ok(pages * 4096.0)
}

/// Where frames end.
struct Gone;

impl<B> Sink<B> for Gone {
    fn push(&mut self, burst: &mut Burst<B>) {
        burst.clear();
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}
