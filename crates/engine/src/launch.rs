//! Threads, one per CPU of the topology, and how they end.
//!
//! Ending is ownership: [`Threads::stop`] makes the NIC sources close, a role whose source is closed drops its fanout, and
//! with it the inboxes behind it close in turn. Each role ends only when nothing is left before it, so nothing in flight is
//! lost, and no role needs to be told.
//!
//! What a thread must do before it touches a packet (pin itself, register with DPDK) is the caller's: `on_start` runs on
//! the new thread and returns a guard, which is dropped after the thread's last packet.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use flow::Moment;
use inspect::Frame;
use thiserror::Error;

use crate::roles::roles_of;
use crate::{Idle, LocalLane, Sink, Source, Stage, Stats, ThreadPlan, Topology, Turn, local_lane, run};

/// How many frames the local lane holds each way.
pub const LOCAL_LANE_LEN: usize = 512;

/// What the caller brings: one source and one steering stage per receive core, one judging stage per worker, one sink
/// per transmit core; one of each to run to completion.
#[derive(Debug)]
pub struct Parts<I, S, W, O> {
    /// NIC receive queues, or what stands for them.
    pub sources: Vec<I>,
    /// What parses and hashes.
    pub steer: Vec<S>,
    /// What judges.
    pub inspect: Vec<W>,
    /// NIC transmit queues, or what stands for them.
    pub sinks: Vec<O>,
}

/// What [`launch()`] leaves in the caller's hands.
#[derive(Debug)]
pub struct Launched<B> {
    /// The control thread's end of the local lane.
    pub lane: LocalLane<B>,
    /// Every role's figures.
    pub stats: Stats,
    /// The threads themselves.
    pub threads: Threads,
}

/// Why the threads could not be started. Those that had been have ended.
#[derive(Debug, Error)]
pub enum LaunchError<E: Error + 'static> {
    /// The parts do not fit the topology.
    #[error("the topology needs {need} {what}, but there are {have}")]
    Parts {
        /// Which part.
        what: &'static str,
        /// How many the topology needs.
        need: usize,
        /// How many there are.
        have: usize,
    },
    /// The system gave no thread.
    #[error("no thread for {thread}")]
    Spawn {
        /// The thread's name.
        thread: String,
        /// Why.
        source: io::Error,
    },
    /// The thread could not begin.
    #[error("{thread} could not start")]
    Start {
        /// The thread's name.
        thread: String,
        /// What `on_start` said.
        source: E,
    },
}

/// The data threads.
#[derive(Debug)]
pub struct Threads {
    stop: Arc<AtomicBool>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Take no more from the NIC; let every role end when it has finished what is before it.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether every thread has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.handles.iter().all(JoinHandle::is_finished)
    }

    /// Wait for every thread to end. The names of those that panicked, if any did.
    pub fn join(self) -> Result<(), Vec<String>> {
        let mut died = Vec::new();
        for handle in self.handles {
            let name = handle.thread().name().unwrap_or_default().to_owned();
            if handle.join().is_err() {
                died.push(name);
            }
        }
        if died.is_empty() { Ok(()) } else { Err(died) }
    }
}

/// Start every thread of the topology and wait until each has begun.
pub fn launch<B, I, S, W, O, G, E>(
    topology: &Topology,
    parts: Parts<I, S, W, O>,
    clock: impl Fn() -> Moment + Clone + Send + 'static,
    on_start: impl Fn(&ThreadPlan) -> Result<G, E> + Clone + Send + 'static,
) -> Result<Launched<B>, LaunchError<E>>
where
    B: Frame + 'static,
    I: Source<B> + Send + 'static,
    S: Stage<B> + Send + 'static,
    W: Stage<B> + Send + 'static,
    O: Sink<B> + Send + 'static,
    E: Error + Send + 'static,
{
    fits("sources", topology.rx_queues(), parts.sources.len())?;
    fits("steering stages", topology.rx_queues(), parts.steer.len())?;
    fits("judging stages", topology.workers(), parts.inspect.len())?;
    fits("sinks", topology.tx_queues(), parts.sinks.len())?;

    let mut threads = Threads { stop: Arc::default(), handles: Vec::new() };
    let (lane, port) = local_lane(LOCAL_LANE_LEN);
    let mut stats = Stats::default();
    let mut roles = roles_of(topology, parts, (port, &threads.stop), &mut stats);

    let (failed, failures) = mpsc::channel();
    let mut trouble = None;
    for plan in topology.threads() {
        let mine: Vec<_> = roles.extract_if(.., |(role, _)| plan.roles.contains(role)).collect();
        let (clock, on_start, failed) = (clock.clone(), on_start.clone(), failed.clone());
        let (name, idle) = (plan.name(), Idle::new(topology.sharing()));
        let work = move || {
            let _guard = match on_start(&plan) {
                Ok(guard) => guard,
                Err(source) => return drop(failed.send((plan.name(), source))),
            };
            drop(failed); // without a word: the thread has begun
            run(mine.into_iter().map(|(_, turn)| turn as Box<dyn Turn>).collect(), idle, clock);
        };
        match thread::Builder::new().name(name.clone()).spawn(work) {
            Ok(handle) => threads.handles.push(handle),
            Err(source) => trouble = trouble.or(Some(LaunchError::Spawn { thread: name, source })),
        }
    }
    drop(failed);
    for (thread, source) in failures {
        trouble = trouble.or(Some(LaunchError::Start { thread, source }));
    }
    match trouble {
        None => Ok(Launched { lane, stats, threads }),
        Some(trouble) => {
            threads.stop();
            let _ = threads.join(); // the trouble that is reported came first
            Err(trouble)
        }
    }
}

fn fits<E: Error>(what: &'static str, need: usize, have: usize) -> Result<(), LaunchError<E>> {
    if need == have { Ok(()) } else { Err(LaunchError::Parts { what, need, have }) }
}
