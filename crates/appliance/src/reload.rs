//! New rules for a running appliance.
//!
//! ```text
//! SIGHUP ─▶ control thread ─▶ "reload": files ─▶ policy ─▶ detector ─▶ what workers would make of it
//!                 │◀──────────────────────────────────────────────────────┘ or why not: the old rules stay
//!                 ├─▶ the log knows the policy ─▶ each worker takes its successor at a turn's start
//!                 └◀─ what it had of the old ones comes back, and is freed here
//! ```
//! Why a thread of its own: rules take seconds to compile, and the control thread answers health checks. Why more than the
//! detector is made there: a worker has a millisecond ([`Successor`]).

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use config::Machine;
use control::{LogThread, Reloads};
use engine::SwapSender;
use inspect::{Detector, Retired, Successor};

use crate::policy_files::{self, RuleSets};
use crate::settings;

/// Where rules come from, as the command line and the start of the process have it.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// Whether one refused rule makes all of them unfit.
    pub(crate) strict: bool,
    /// The machine as it was before DPDK pinned threads and took memory.
    pub(crate) machine: Machine,
}

impl Origin {
    /// Read the configuration's rules and compile them, to come after those of `now` on so many workers.
    fn successors(&self, now: &Detector, workers: usize) -> Result<Made, Box<dyn Error>> {
        let settings = settings::read_for(&self.config, &self.machine)?;
        let sets = RuleSets::read(Some(&settings), &[])?;
        sets.loadings().iter().for_each(policy_files::tell_refusals);
        policy_files::strict(self.strict, sets.loadings())?;
        let detector = now.next(Arc::new(sets.policy(now.policy().generation() + 1)));
        policy_files::tell_uncompiled(&detector);
        let (detector, mut tailor) = detector.tailored();
        let detector = Arc::new(detector);
        let successors = Successor::prepared(&detector, workers, || _ = tailor.turn());
        policy_files::employ(tailor);
        Ok(Made { detector, successors })
    }
}

/// New rules, ready.
struct Made {
    detector: Arc<Detector>,
    /// One for each worker.
    successors: Vec<Successor>,
}

/// Detectors on their way to the workers.
pub(crate) struct Reload {
    origin: Origin,
    workers: Vec<SwapSender<Successor, Retired>>,
    /// What workers judge by, or are about to.
    now: Arc<Detector>,
    making: Option<JoinHandle<Result<Made, String>>>,
    /// Somebody asked, and what is being made may have read the files before.
    asked: bool,
    reloads: Reloads,
}

impl Reload {
    /// The way to `workers`, who judge by this detector.
    pub(crate) fn new(
        origin: Origin,
        workers: Vec<SwapSender<Successor, Retired>>,
        now: Arc<Detector>,
    ) -> Self {
        Self { origin, workers, now, making: None, asked: false, reloads: Reloads::default() }
    }

    /// Read the rules again, soon.
    pub(crate) fn ask(&mut self) {
        self.asked = true;
    }

    /// Once per turn of the control thread.
    pub(crate) fn turn(&mut self, log: &LogThread) -> io::Result<()> {
        for worker in &mut self.workers {
            drop(worker.returned());
        }
        if let Some(making) = self.making.take_if(|making| making.is_finished()) {
            let made = making.join().unwrap_or_else(|_| Err("the reload thread died".to_owned()));
            match made {
                Ok(made) => self.swap(made, log),
                Err(why) => {
                    self.reloads.refused += 1;
                    eprintln!("sluice: the rules stay as they are: {why}");
                }
            }
        }
        if self.asked && self.making.is_none() {
            self.asked = false;
            let (origin, now, workers) = (self.origin.clone(), self.now.clone(), self.workers.len());
            let make = move || origin.successors(&now, workers).map_err(|error| crate::told(error.as_ref()));
            self.making = Some(thread::Builder::new().name("reload".to_owned()).spawn(make)?);
        }
        Ok(())
    }

    /// The generation that workers judge by, or are about to.
    pub(crate) fn generation(&self) -> u64 {
        self.now.policy().generation()
    }

    /// What workers judge by, or are about to.
    pub(crate) fn detector(&self) -> &Detector {
        &self.now
    }

    /// How reloads went.
    pub(crate) fn counts(&self) -> Reloads {
        self.reloads
    }

    fn swap(&mut self, Made { detector, successors }: Made, log: &LogThread) {
        self.reloads.taken += 1;
        log.know(detector.policy().clone());
        for (worker, successor) in self.workers.iter_mut().zip(successors) {
            // What a worker has not taken yet comes back, and is freed here.
            drop(worker.send(successor));
        }
        let rules = detector.policy().rules(wire::EndpointId::default()).len();
        self.now = detector;
        eprintln!("sluice: new rules: generation {}, {rules} rules", self.generation());
    }
}
