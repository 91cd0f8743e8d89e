//! `sluice inspect`: the stages of the appliance over a capture, with the capture's own clock.
//!
//! ```text
//! capture ─▶ CaptureSource ─▶ Steer ─▶ Inspect ─▶ Return ─▶ CaptureSink ─▶ returned.pcap
//! ```
//! It is the run-to-completion wiring under the same loop; only source, sink and clock differ. Nothing is random: the
//! hash secrets are fixed, so two runs of one capture give the same output.

mod capture;
mod encap;
mod explain;
mod link;
mod profile;
mod sink;
mod source;
mod summary;
mod told;
mod watch;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use config::EventSettings;
use control::{EventLog, Learner};
use engine::{Core, Idle, Inspect, LocalPort, Return, Role, Sharing, Stats, Steer, Wiring, events, swap};
use flow::FlowHasher;
use inspect::{Inspector, Mode, hold};
use policy::Policy;
use wire::TunnelEnd;

use crate::Failure;
use crate::args;
use crate::policy_files::{self, RuleSets};
use crate::settings;
use crate::wiring;
use capture::{Capture, CaptureError};
use encap::Encap;
use explain::Notes;
pub(crate) use explain::Subject;
use profile::Profile;
use sink::{CaptureSink, WriteError};
use source::{CaptureSource, holds_geneve};
use summary::Summary;
use told::Told;
use watch::Watch;

/// Why a capture could not be judged, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfflineError {
    #[error("{path}: {source}", path = .path.display())]
    Capture { path: PathBuf, source: CaptureError },
    #[error("{path}: {source}", path = .path.display())]
    Write { path: PathBuf, source: WriteError },
    #[error("{path}: {source}", path = .path.display())]
    Eve { path: PathBuf, source: io::Error },
    #[error("{path}: {source}", path = .path.display())]
    Learn { path: PathBuf, source: io::Error },
    #[error("{path}: {failed} events could not be written", path = .path.display())]
    Unwritten { path: PathBuf, failed: u64 },
}

/// Flow-hash secrets of a run that must be repeatable. Whoever makes a capture to collide flows slows down a desk.
const SECRETS: [u64; 4] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89];

/// Events of one turn, which is one packet's: twice what an inspector keeps for one.
const EVENTS: usize = 2048;

/// Judge a capture and print what became of it. Rules that were refused are told on standard error.
pub(crate) fn run(args: &args::Inspect) -> Result<(), Failure> {
    let settings = args.config.as_deref().map(settings::read).transpose().map_err(Failure::refused)?;
    let sets = RuleSets::read(settings.as_ref(), &args.rules).map_err(Failure::refused)?;
    sets.loadings().iter().for_each(policy_files::tell_refusals);
    policy_files::strict(args.strict, sets.loadings()).map_err(Failure::refused)?;
    let files = sets.files().to_vec();
    let policy = Arc::new(sets.policy(1));
    let detector = policy_files::detector(&policy, &files, args.eve.is_some() || args.learn.is_some());
    let watch = watch(args, &policy);

    let events_wanted =
        settings.as_ref().map(|settings| settings.service().events.clone()).unwrap_or_default();
    let mut log = log(args.eve.as_deref(), events_wanted)?;
    if let Some(file) = &args.learn {
        log = log.learning(Learner::new(file.clone()));
    }
    log.know(policy);
    let flows = settings.as_ref().map_or_else(flow::Settings::default, |settings| wiring::flows(settings, 1));
    let hold = settings.as_ref().map_or_else(unpooled, |settings| wiring::hold(settings, 1));
    let tunnels = settings.as_ref().map(wiring::tunnels).unwrap_or_default();
    let mode = Mode { tunnels, ..args.mode() };
    let mut inspector = Inspector::new(&flows, FlowHasher::new(SECRETS), detector.clone()).in_mode(mode);
    if let Some(settings) = &settings {
        inspector = inspector.within(&wiring::limits(settings)).in_mode(mode);
    }
    inspector = inspector.holding(hold);
    if let Some(watch) = &watch {
        inspector = inspector.watched_by(Box::new(watch.clone()));
    }
    let (summary, whole) = judge(args, settings.as_ref(), inspector, &mut log)?;
    summary.odd(&detector).watched(watch.as_ref(), &detector).print(args.json);
    finish(&mut log, args.eve.as_deref())?;
    if let Some(file) = &args.learn {
        learnt(file, &mut log)?;
    }
    Ok(whole?)
}

/// Writes what was learnt, and says where.
fn learnt(file: &Path, log: &mut EventLog) -> Result<(), OfflineError> {
    let written =
        log.end_learning().map_err(|source| OfflineError::Learn { path: file.to_owned(), source })?;
    if written.is_empty() {
        eprintln!("no name was asked for: {} is as it was", file.display());
    }
    written.iter().for_each(|file| eprintln!("names learnt: {}", file.display()));
    Ok(())
}

/// Who looks on, if anything is asked for that needs it.
fn watch(args: &args::Inspect, policy: &Arc<Policy>) -> Option<Watch> {
    let notes = (!args.explain.is_empty()).then(|| Notes::new(args.explain.clone(), policy.clone()));
    let profile = args.profile.then(Profile::default);
    (notes.is_some() || profile.is_some()).then(|| Watch::new(notes, profile))
}

/// Let every packet of the capture through the stages. Also gives why that were not all, if they were not.
fn judge(
    args: &args::Inspect,
    settings: Option<&config::Settings>,
    inspector: Inspector,
    log: &mut EventLog,
) -> Result<(Summary, Result<(), OfflineError>), OfflineError> {
    let capture_error = |source| OfflineError::Capture { path: args.pcap.clone(), source };
    let encap = match args.encap {
        args::Encap::Geneve => Encap::Geneve,
        args::Encap::None => Encap::None,
        args::Encap::Auto if holds_geneve(&args.pcap).map_err(capture_error)? => Encap::Geneve,
        args::Encap::Auto => Encap::None,
    };
    let source = CaptureSource::new(Capture::open(&args.pcap).map_err(capture_error)?, encap);
    let progress = source.progress();
    let out = args.out.clone().unwrap_or_default();
    let write_error = |source| OfflineError::Write { path: out.clone(), source };
    let sink = CaptureSink::new(args.out.as_deref()).map_err(|error: io::Error| write_error(error.into()))?;
    let unwritten = sink.trouble();
    let end = match (settings, encap) {
        (Some(settings), Encap::Geneve) => wiring::tunnel_end(settings),
        _ => TunnelEnd::default(),
    };
    // Nobody swaps the policy here.
    let (_policies, swaps) = swap();
    let (sender, events) = events(EVENTS);
    let pulled = progress.clone();
    let frames = move |bytes: &[u8]| pulled.pulled().map(|record| encap.injected(record, bytes));
    let judge = Inspect { inspector, detectors: swaps, events: sender, frames };
    let stage = ((Steer { end, hasher: FlowHasher::new(SECRETS) }, judge), Return);
    let mut stats = Stats::default();
    let wiring = Wiring {
        source,
        stage,
        sink,
        bypass: None,
        local: LocalPort::none(),
        patience: Duration::ZERO,
        stats: stats.add(Role::Rtc(0)),
    };
    let role = Core::from(wiring);
    let role = Told { role, events, log, stats: &stats, since_end: Duration::ZERO };
    engine::run(vec![Box::new(role)], Idle::new(Sharing::Exclusive), || progress.now());

    log.write_stats(progress.now(), &stats.snapshot(), progress.span());
    let whole = match (unwritten.take(), progress.trouble()) {
        (Some(error), _) => Err(write_error(error)),
        (None, Some(error)) => Err(capture_error(error)),
        (None, None) => Ok(()),
    };
    Ok((Summary::of(&stats.snapshot()), whole))
}

/// How first flights are held without a configuration: no packet pool bounds how many packets there are.
fn unpooled() -> hold::Settings {
    hold::Settings { packets: u16::MAX, ..hold::Settings::default() }
}

/// The event log of this run; one to nowhere if nobody asked for it.
fn log(path: Option<&Path>, settings: EventSettings) -> Result<EventLog, OfflineError> {
    let Some(path) = path else { return Ok(EventLog::off()) };
    // A run's events, and not those of the run before.
    let file = File::create(path).map_err(|source| OfflineError::Eve { path: path.to_owned(), source })?;
    Ok(EventLog::to(Box::new(BufWriter::new(file)), settings, UNIX_EPOCH).numbered())
}

/// Write what is left, and tell of what could not be.
fn finish(log: &mut EventLog, path: Option<&Path>) -> Result<(), OfflineError> {
    log.flush();
    match (log.counts().failed, path) {
        (failed @ 1.., Some(path)) => Err(OfflineError::Unwritten { path: path.to_owned(), failed }),
        _ => Ok(()),
    }
}
