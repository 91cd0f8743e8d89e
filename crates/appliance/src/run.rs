//! `sluice run`: DPDK, the data threads, and the control thread that looks after both.
//!
//! ```text
//! main       waits for signals, the second of which ends the process at once
//! control    starts DPDK and the port, launches the data threads, then a turn every millisecond:
//!            local lane · link · health · drain · DPDK's timers
//! rx… worker… tx…   one thread per CPU of the topology, pinned and registered with DPDK
//! ```

use std::error::Error;
use std::io;
use std::process;
use std::sync::Arc;
use std::thread;

use appliance::{NicSink, NicSource, clock, enter};
use config::{RunningFlows, Settings};
use core_affinity::CoreId;
use crossbeam::channel::{Receiver, Sender, unbounded};
use dpdk::{Eal, Mbuf, Mempool, Started};
use engine::{Inspect, Parts, Steer, events, launch, swap};
use flow::FlowHasher;
use inspect::{AtSwap, Inspector, Mode};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::Failure;
use crate::args;
use crate::control::{Control, Dataplane};
use crate::policy_files::{self, RuleSets};
use crate::reload::{Origin, Reload};
use crate::settings;
use crate::wiring;

/// Events between a worker and the log.
const EVENTS: usize = 8192;

/// Run until a signal has drained the appliance.
pub(crate) fn run(args: &args::Run) -> Result<(), Failure> {
    let origin = Origin { config: args.config.clone(), strict: args.strict, machine: wiring::machine() };
    let settings = settings::read_for(&origin.config, &origin.machine).map_err(Failure::refused)?;
    let sets = RuleSets::read(Some(&settings), &[]).map_err(Failure::refused)?;
    sets.loadings().iter().for_each(policy_files::tell_refusals);
    policy_files::strict(args.strict, sets.loadings()).map_err(Failure::refused)?;
    eprintln!("sluice {}", *crate::version::LONG);

    let signals = signals()?;
    let control = thread::Builder::new().name("control".to_owned()).spawn(move || {
        // The error crosses to the main thread as what it says: not every error of the way may leave its thread.
        serve(&settings, (sets, origin), &signals).map_err(|error| crate::told(error.as_ref()))
    })?;
    match control.join() {
        Ok(ended) => Ok(ended?),
        Err(_) => Err("the control thread died".into()),
    }
}

/// What somebody outside wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    /// Drain and end: SIGTERM, SIGINT.
    End,
    /// Read the rules again, and begin the event log's file anew: SIGHUP.
    Reload,
}

/// Signals as wishes. The second wish to end ends the process here, whatever the others are doing.
fn signals() -> io::Result<Receiver<Wish>> {
    let (sender, receiver): (Sender<Wish>, _) = unbounded();
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut ending = false;
        for signal in signals.forever() {
            let wish = if signal == SIGHUP { Wish::Reload } else { Wish::End };
            if wish == Wish::End && std::mem::replace(&mut ending, true) {
                eprintln!("sluice: a second signal: ending at once");
                process::exit(1);
            }
            // Nobody listens only when the process is about to end anyway.
            let _ = sender.send(wish);
        }
    })?;
    Ok(receiver)
}

/// The control thread: start everything, look after it, end it.
fn serve(
    settings: &Settings,
    (sets, origin): (RuleSets, Origin),
    signals: &Receiver<Wish>,
) -> Result<(), Box<dyn Error>> {
    let topology = &settings.cores().topology;
    let eal = Eal::init(&wiring::eal_args(settings))?;
    core_affinity::set_for_current(CoreId { id: settings.cores().control });
    let pool = Mempool::create(&eal, &wiring::mempool_spec(settings))?;
    let Started { port, rx, tx } = wiring::port_spec(settings).start(&eal, pool)?;

    let files = sets.files().to_vec();
    let policy = Arc::new(sets.policy(1));
    let detector = policy_files::detector(&policy, &files, settings.service().learn.is_some());
    let at_swap = match settings.running_flows() {
        RunningFlows::Keep => AtSwap::Keep,
        RunningFlows::Rejudge => AtSwap::Rejudge,
        RunningFlows::Flush => AtSwap::Flush,
    };
    let mode = Mode { at_swap, tunnels: wiring::tunnels(settings), ..Mode::default() };
    let hasher = FlowHasher::random();
    let flows = wiring::flows(settings, topology.workers());
    let hold = wiring::hold(settings, topology.workers());
    let limits = wiring::limits(settings);
    let (mut inspects, mut logs, mut offers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..topology.workers() {
        let (events, log) = events(EVENTS);
        let (offer, detectors) = swap();
        offers.push(offer);
        inspects.push(Inspect {
            inspector: Inspector::new(&flows, hasher, detector.clone())
                .within(&limits)
                .in_mode(mode)
                .holding(hold.clone()),
            detectors,
            events,
            frames: move |bytes: &[u8]| Mbuf::from_bytes(pool, bytes).ok(),
        });
        logs.push(log);
    }
    let steer = |_: &dpdk::RxQueue| Steer { end: wiring::tunnel_end(settings), hasher };
    let parts = Parts {
        steer: rx.iter().map(steer).collect(),
        sources: rx.into_iter().map(NicSource).collect(),
        inspect: inspects,
        sinks: tx.into_iter().map(NicSink).collect(),
    };
    let clock = clock();
    let launched = launch(topology, parts, clock.clone(), enter)?;
    eprintln!(
        "sluice: {} on {} ({}): {} data threads, {} rules",
        settings.port().address,
        settings.port().device,
        port.driver()?,
        topology.threads().len(),
        policy.rules(wire::EndpointId::default()).len()
    );
    let dataplane = Dataplane { eal: &eal, port, pool };
    let reload = Reload::new(origin, offers, detector);
    Control::new(settings, dataplane, (&policy, limits.tenants), (logs, reload), clock())?
        .run(launched, signals, clock)
}
