//! Which CPU does what.
//!
//! Any number of receive, worker and transmit cores, several of them on one CPU if the operator says so; or one core that
//! runs to completion. Not several: both directions of a flow would have to reach the same core, and the NIC's RSS, which
//! sees the outer tuple only, cannot promise that. The pipeline steers by the inner tuple and has no such doubt.

use std::fmt;

use inspect::Burst;
use thiserror::Error;

use crate::Sharing;

/// What a core does, and which one of its kind it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// Takes frames from a NIC queue, parses them, steers them to the workers.
    Rx(usize),
    /// Finds the flow and judges.
    Worker(usize),
    /// Turns packets round and hands them to a NIC queue.
    Tx(usize),
    /// All of it: runs to completion.
    Rtc(usize),
}

impl Role {
    /// Whether its source is a NIC queue.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::Rx(_) | Self::Rtc(_))
    }

    /// Whether its sink is a NIC queue.
    #[must_use]
    pub fn transmits(self) -> bool {
        matches!(self, Self::Tx(_) | Self::Rtc(_))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rx(index) => write!(f, "rx{index}"),
            Self::Worker(index) => write!(f, "worker{index}"),
            Self::Tx(index) => write!(f, "tx{index}"),
            Self::Rtc(index) => write!(f, "rtc{index}"),
        }
    }
}

/// Which CPU does what, as the operator says it. CPUs are named by the number that Linux gives them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Layout {
    /// One CPU number per role; the same number may stand several times.
    Pipeline {
        /// The CPUs of rx0, rx1, …
        rx: Vec<usize>,
        /// The CPUs of worker0, worker1, …
        workers: Vec<usize>,
        /// The CPUs of tx0, tx1, …
        tx: Vec<usize>,
    },
    /// The CPUs of rtc0, …
    RunToCompletion {
        /// Exactly one may stand here.
        cpus: Vec<usize>,
    },
}

/// Why a layout cannot be.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
pub enum TopologyError {
    /// A kind of role is missing.
    #[error("no {0} core: a pipeline needs at least one of each of rx, worker and tx")]
    None(&'static str),
    /// More roles of one kind than steering can tell apart or a NIC has queues for.
    #[error("{count} {kind} cores: at most {max} make sense", max = Topology::MOST_OF_A_KIND)]
    Many {
        /// Which kind.
        kind: &'static str,
        /// How many there were.
        count: usize,
    },
    /// The CPU does not exist, or this process may not run on it.
    #[error("{role} is to run on CPU {cpu}, but this process may use only {usable:?}")]
    NoSuchCpu {
        /// Whose CPU.
        role: Role,
        /// Which.
        cpu: usize,
        /// The CPUs it may use.
        usable: Vec<usize>,
    },
    /// Run to completion on another number of cores than one.
    #[error(
        "run to completion on {0} cores: it is right on exactly one, because RSS cannot promise that both directions of a \
         flow reach the same core; give rx, worker and tx cores instead (they may share CPUs)"
    )]
    RunToCompletion(usize),
}

/// A checked layout.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Topology {
    placed: Vec<(Role, usize)>,
    sharing: Sharing,
    /// How many packets each ring between two roles holds.
    pub inbox_len: usize,
    /// Whether a packet whose inbox is full is returned uninspected instead of dropped.
    pub fail_open: bool,
}

/// A thread to be started: the roles that share a CPU, which take turns on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ThreadPlan {
    /// Its roles, in the order of a packet's way.
    pub roles: Vec<Role>,
    /// Its CPU.
    pub cpu: usize,
}

impl ThreadPlan {
    /// The thread's name: its roles, joined by `+`. Linux shows the first fifteen characters.
    #[must_use]
    pub fn name(&self) -> String {
        self.roles.iter().map(Role::to_string).collect::<Vec<_>>().join("+")
    }
}

impl Topology {
    /// The most cores of one kind.
    pub const MOST_OF_A_KIND: usize = 64;
    /// How many packets a ring holds unless told otherwise: one millisecond at 1 Mpps, on 72 KiB of memory.
    pub const INBOX_LEN: usize = 1024;

    /// Check a layout against the CPUs that this process may use. `sharing` is derived if it is not given: data threads
    /// that leave no usable CPU to the rest of the system share theirs with it.
    pub fn new(layout: &Layout, usable: &[usize], sharing: Option<Sharing>) -> Result<Self, TopologyError> {
        let placed = match layout {
            Layout::RunToCompletion { cpus } => match cpus[..] {
                [cpu] => vec![(Role::Rtc(0), cpu)],
                _ => return Err(TopologyError::RunToCompletion(cpus.len())),
            },
            Layout::Pipeline { rx, workers, tx } => {
                let mut placed = place("rx", Role::Rx, rx)?;
                placed.extend(place("worker", Role::Worker, workers)?);
                placed.extend(place("tx", Role::Tx, tx)?);
                placed
            }
        };
        if let Some((role, cpu)) = placed.iter().find(|(_, cpu)| !usable.contains(cpu)) {
            return Err(TopologyError::NoSuchCpu { role: *role, cpu: *cpu, usable: usable.to_vec() });
        }
        let all_taken = usable.iter().all(|cpu| placed.iter().any(|(_, taken)| taken == cpu));
        let derived = if all_taken { Sharing::Shared } else { Sharing::Exclusive };
        Ok(Self { placed, sharing: sharing.unwrap_or(derived), inbox_len: Self::INBOX_LEN, fail_open: false })
    }

    /// Every role, in the order of a packet's way, and its CPU.
    #[must_use]
    pub fn placed(&self) -> &[(Role, usize)] {
        &self.placed
    }

    /// Whether data threads have their CPUs to themselves.
    #[must_use]
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// Whether one role does all.
    #[must_use]
    pub fn runs_to_completion(&self) -> bool {
        self.placed.iter().any(|(role, _)| matches!(role, Role::Rtc(_)))
    }

    /// How many receive queues the NIC must have: one per role that receives.
    #[must_use]
    pub fn rx_queues(&self) -> usize {
        self.placed.iter().filter(|(role, _)| role.receives()).count()
    }

    /// How many transmit queues the NIC must have: one per role that transmits.
    #[must_use]
    pub fn tx_queues(&self) -> usize {
        self.placed.iter().filter(|(role, _)| role.transmits()).count()
    }

    /// How many flow tables there are: one per role that judges.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.placed.iter().filter(|(role, _)| matches!(role, Role::Worker(_) | Role::Rtc(_))).count()
    }

    /// The threads to start, one per CPU.
    #[must_use]
    pub fn threads(&self) -> Vec<ThreadPlan> {
        let mut threads: Vec<ThreadPlan> = Vec::new();
        for &(role, cpu) in &self.placed {
            match threads.iter_mut().find(|thread| thread.cpu == cpu) {
                Some(thread) => thread.roles.push(role),
                None => threads.push(ThreadPlan { roles: vec![role], cpu }),
            }
        }
        threads
    }

    /// The most packets that rings and roles can hold at once: what a mempool must have beside the NIC's descriptors.
    #[must_use]
    pub fn most_held(&self) -> usize {
        let in_hand = self.placed.len() * Burst::<()>::CAPACITY;
        let (rx, tx) = (self.rx_queues(), self.tx_queues());
        if self.runs_to_completion() {
            return in_hand;
        }
        let workers = self.workers();
        let bypasses = if self.fail_open { rx * tx } else { 0 };
        in_hand + (rx * workers + workers * tx + bypasses) * self.inbox_len
    }
}

fn place(
    kind: &'static str,
    role: fn(usize) -> Role,
    cpus: &[usize],
) -> Result<Vec<(Role, usize)>, TopologyError> {
    match cpus.len() {
        0 => Err(TopologyError::None(kind)),
        count if count > Topology::MOST_OF_A_KIND => Err(TopologyError::Many { kind, count }),
        _ => Ok(cpus.iter().enumerate().map(|(index, cpu)| (role(index), *cpu)).collect()),
    }
}
