//! The bench: `make bench` runs it whole and keeps the results, `bench PART...` runs parts of it and prints them.
//!
//! ```text
//! bench [--samples N] [--seconds S] [--out FOLDER] [--rules FILE] [pcap] [flows] [ring] [latency] [veth] [sessions] [reload] [micro]
//! bench capture FILE FLOWS 64|1400|imix
//! bench turn                                the whole turn alone, for a profiler
//! ```
//! Each sample of the whole appliance is a child of this program (`bench sluice SETUP`), since DPDK starts once in a process.

#![allow(clippy::cast_possible_truncation)] // figures: counts and shares far below any limit

mod allocations;
mod capture;
mod children;
mod machine;
mod micro;
mod report;
mod samples;
mod sessions;
mod threads;
mod veth;
mod whole;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use capture::Size;
use machine::Machine;
use report::{Report, Table, chart};
use whole::sluice::{Setup, Supply, Wiring};
use whole::{Contender, compare, in_child, latency};

/// Flows of the captures.
const FLOWS: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sluice", setup] => print(&whole::sluice::measure(&serde_json::from_str(setup)?)?),
        ["latency", setup] if setup.starts_with('{') => {
            print(&latency::measure(&serde_json::from_str(setup)?)?)
        }
        ["veth", setup] if setup.starts_with('{') => print(&veth::generate(&serde_json::from_str(setup)?)?),
        ["sessions", setup] if setup.starts_with('{') => {
            print(&sessions::measure(&serde_json::from_str(setup)?)?)
        }
        ["turn"] => print(&micro::whole_turn()?),
        ["capture", path, flows, size] => {
            let size = if size == "imix" { Size::Imix } else { Size::Fixed(size.parse()?) };
            Ok(capture::write(path.as_ref(), &capture::frames_of_flows(flows.parse()?, size))?)
        }
        _ => bench(&Options::of(words)?),
    }
}

fn print(outcome: &impl serde::Serialize) -> Result<(), Box<dyn Error>> {
    println!("{}", serde_json::to_string(outcome)?);
    Ok(())
}

/// What is asked for.
struct Options {
    samples: usize,
    seconds: f64,
    out: Option<PathBuf>,
    /// A rule file under which conversations are judged as well.
    rules: Option<PathBuf>,
    parts: Vec<String>,
}

const PARTS: [&str; 8] = ["pcap", "flows", "ring", "latency", "veth", "sessions", "reload", "micro"];

/// Packets of the conversations.
const PACKETS: usize = 2_000_000;

impl Options {
    fn of(words: Vec<String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { samples: 5, seconds: 0.5, out: None, rules: None, parts: Vec::new() };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word}: a value is missing"));
            match word.as_str() {
                "--samples" => options.samples = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--out" => options.out = Some(value()?.into()),
                "--rules" => options.rules = Some(value()?.into()),
                part if PARTS.contains(&part) => options.parts.push(word),
                other => {
                    return Err(format!(
                        "{other}: not one of {PARTS:?}, --samples, --seconds, --out, --rules"
                    )
                    .into());
                }
            }
        }
        Ok(options)
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

fn bench(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("sluice-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(options, &folder);
    fs::remove_dir_all(&folder)?;
    let report = measured?;
    println!("{}", report.markdown());
    if let Some(out) = &options.out {
        let out = out.join(format!("{}-{}", report.machine.date, report.machine.commit));
        fs::create_dir_all(&out)?;
        fs::write(out.join("results.json"), serde_json::to_string_pretty(&report)? + "\n")?;
        fs::write(out.join("README.md"), report.markdown())?;
        fs::write(out.join("chart.svg"), chart(&report.tables))?;
        println!("written to {}", out.display());
    }
    Ok(())
}

fn measure(options: &Options, folder: &Path) -> Result<Report, Box<dyn Error>> {
    let machine = Machine::here();
    let mut report = Report {
        machine,
        tables: Vec::new(),
        latency: Vec::new(),
        veth: None,
        sessions: Vec::new(),
        reloads: Vec::new(),
        bytes_per_flow: micro::bytes_per_flow(),
        micro: Vec::new(),
    };
    for size in Size::ALL {
        if options.wants("pcap") {
            eprintln!("net_pcap, {}", size.name());
            report.tables.push(over_pcap(options, folder, size)?);
        }
    }
    if options.wants("flows") {
        eprintln!("10k and 1M flows");
        report.tables.push(many_flows(options, folder)?);
    }
    if options.wants("ring") {
        eprintln!("net_ring");
        report.tables.push(over_ring(options)?);
    }
    if options.wants("latency") {
        eprintln!("latency");
        let (rtc, pipeline) = (Some(Wiring::RunToCompletion), Some(Wiring::Pipeline));
        for (wiring, name) in [(None, "no appliance"), (rtc, "run to completion"), (pipeline, "pipeline")] {
            let setup = latency::Setup { wiring, rate: 1_000_000, flows: 10_000, seconds: 3.0 };
            report.latency.push((format!("{name}, 1 Mpps"), in_child("latency", &setup)?));
        }
    }
    if options.wants("veth") {
        eprintln!("veth");
        report.veth = Some(veth::measure(Path::new("target/release/sluice"), folder)?);
    }
    if let Some(rules) = options.rules.as_deref().filter(|_| options.wants("reload")) {
        eprintln!("new rules under full load");
        for _ in 0..options.samples {
            report.reloads.push(sessions::reload::measure(PACKETS, rules)?);
        }
    }
    if options.wants("sessions") {
        eprintln!("conversations");
        let rounds = options.samples.min(3); // each makes two million packets anew
        report.sessions = sessions::compare(rounds, PACKETS, options.rules.as_deref())?;
    }
    if options.wants("micro") {
        eprintln!("micro");
        core_affinity::set_for_current(core_affinity::CoreId { id: 1 });
        report.micro = micro::all()?;
    }
    Ok(report)
}

fn testpmd(mode: &str) -> Contender {
    Contender::Testpmd(mode.to_owned())
}

fn sluice(wiring: Wiring, rewrite: u32, inspection: u64) -> Contender {
    let supply = Supply::Ring(Size::Fixed(64)); // the table's own comes in its place
    Contender::Sluice(Setup { supply, rewrite, wiring, inspection, seconds: 0.0 })
}

fn over_pcap(options: &Options, folder: &Path, size: Size) -> Result<Table, Box<dyn Error>> {
    let path = folder.join("flows.pcap");
    capture::write(&path, &capture::frames_of_flows(FLOWS, size))?;
    let (rtc, pipeline) = (Wiring::RunToCompletion, Wiring::Pipeline);
    let contenders = [
        ("testpmd rxonly", testpmd("rxonly")),
        ("testpmd io", testpmd("io")),
        ("testpmd macswap", testpmd("macswap")),
        ("testpmd 5tswap", testpmd("5tswap")),
        ("testpmd csum", testpmd("csum")),
        ("sluice, one core", sluice(rtc, 0, 0)),
        ("sluice, pipeline", sluice(pipeline, 0, 0)),
        ("sluice, one core, 200 ns inspection", sluice(rtc, 0, 200)),
        ("sluice, pipeline, 200 ns inspection", sluice(pipeline, 0, 200)),
    ];
    let rows = compare(&Supply::Pcap(path), &contenders, options.samples, options.seconds)?;
    let title = format!("net_pcap, {FLOWS} flows, inner packets of {}", size.name());
    Ok(Table { title, rows, beside: "testpmd 5tswap" })
}

fn many_flows(options: &Options, folder: &Path) -> Result<Table, Box<dyn Error>> {
    let path = folder.join("to-set.pcap");
    capture::write(&path, &capture::frames_to_set(FLOWS, Size::Fixed(64)))?;
    let (rtc, pipeline) = (Wiring::RunToCompletion, Wiring::Pipeline);
    let contenders = [
        ("one core, 10k flows", sluice(rtc, 10_000, 0)),
        ("one core, 1M flows", sluice(rtc, 1_000_000, 0)),
        ("pipeline, 10k flows", sluice(pipeline, 10_000, 0)),
        ("pipeline, 1M flows", sluice(pipeline, 1_000_000, 0)),
    ];
    let rows = compare(&Supply::Pcap(path), &contenders, options.samples, options.seconds)?;
    let title = "net_pcap, frames rewritten to random flows, inner packets of 64 B".to_owned();
    Ok(Table { title, rows, beside: "one core, 10k flows" })
}

fn over_ring(options: &Options) -> Result<Table, Box<dyn Error>> {
    let contenders = [
        ("testpmd io", testpmd("io")),
        ("testpmd macswap", testpmd("macswap")),
        ("testpmd 5tswap", testpmd("5tswap")),
        ("sluice, one core", sluice(Wiring::RunToCompletion, 10_000, 0)),
        ("sluice, pipeline", sluice(Wiring::Pipeline, 10_000, 0)),
    ];
    let supply = Supply::Ring(Size::Fixed(64));
    let rows = compare(&supply, &contenders, options.samples, options.seconds)?;
    let title =
        "net_ring looped, 256 hot mbufs, inner packets of 64 B, sluice's rewritten to 10k flows".to_owned();
    Ok(Table { title, rows, beside: "testpmd 5tswap" })
}
