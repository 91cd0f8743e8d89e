//! `[cores]` and `[overload]`: which CPU does what.
//!
//! The engine's topology judges what is possible; here is where each of its objections points to in the file, and what
//! is proposed to whoever names no cores.

use engine::{Layout, Role, Sharing, Topology, TopologyError};
use toml::de::DeValue;

use crate::document::Document;
use crate::machine::Machine;
use crate::value;

/// Which CPU does what. Only a valid [`crate::Settings`] hands one out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CoreSettings {
    /// The data cores, and the inboxes between them.
    pub topology: Topology,
    /// CPU of the control thread.
    pub control: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Pipeline,
    RunToCompletion,
}

impl CoreSettings {
    /// `None` if the topology cannot be; the document then holds the problem.
    pub(crate) fn read(document: &mut Document<'_>, machine: &Machine) -> Option<Self> {
        let modes = [("pipeline", Mode::Pipeline), ("run-to-completion", Mode::RunToCompletion)];
        let mode = document.optional("cores", "mode", value::choice(&modes));
        let rx = document.optional("cores", "rx", value::list(cpu));
        let worker = document.optional("cores", "worker", value::list(cpu));
        let tx = document.optional("cores", "tx", value::list(cpu));
        let control = document.optional("cores", "control", cpu);
        let inbox = document.value("cores", "inbox", Topology::INBOX_LEN, inbox);
        let full = [("drop", false), ("reflect", true)];
        let fail_open = document.value("overload", "inbox_full", false, value::choice(&full));

        let pipeline = rx.is_some() || tx.is_some() || machine.cpus.len() >= 4;
        let mode = mode.unwrap_or(if pipeline { Mode::Pipeline } else { Mode::RunToCompletion });
        if mode == Mode::RunToCompletion {
            for key in ["cores.rx", "cores.tx"] {
                if document.stands(key) {
                    document.wrong(key, "is not used in run-to-completion: name the core in cores.worker");
                }
            }
        }
        let layout = propose(mode, &machine.cpus, [rx, worker, tx]);
        let control = control.or(machine.cpus.first().copied()).unwrap_or(0);
        if !machine.cpus.contains(&control) {
            document.wrong("cores.control", format!("CPU {control} is not there: {}", usable(&machine.cpus)));
        }
        // Who has the control thread beside it must give way to it, as to any other.
        let shared = layout_cpus(&layout).contains(&control).then_some(Sharing::Shared);
        match Topology::new(&layout, &machine.cpus, shared) {
            Ok(mut topology) => {
                (topology.inbox_len, topology.fail_open) = (inbox, fail_open);
                Some(Self { topology, control })
            }
            Err(error) => {
                document.wrong(key_of(&error), told(&error, &machine.cpus));
                None
            }
        }
    }
}

fn layout_cpus(layout: &Layout) -> Vec<usize> {
    match layout {
        Layout::Pipeline { rx, workers, tx } => [rx, workers, tx].into_iter().flatten().copied().collect(),
        Layout::RunToCompletion { cpus } => cpus.clone(),
    }
}

/// Where in the file the objection points to.
fn key_of(error: &TopologyError) -> &'static str {
    let kind = match error {
        TopologyError::None(kind) | TopologyError::Many { kind, .. } => *kind,
        TopologyError::NoSuchCpu { role: Role::Rx(_), .. } => "rx",
        TopologyError::NoSuchCpu { role: Role::Tx(_), .. } => "tx",
        TopologyError::NoSuchCpu { .. } | TopologyError::RunToCompletion(_) => "worker",
    };
    match kind {
        "rx" => "cores.rx",
        "tx" => "cores.tx",
        _ => "cores.worker",
    }
}

fn told(error: &TopologyError, cpus: &[usize]) -> String {
    match error {
        TopologyError::NoSuchCpu { cpu, .. } => format!("CPU {cpu} is not there: {}", usable(cpus)),
        other => other.to_string(),
    }
}

fn cpu(value: &DeValue<'_>) -> Result<usize, String> {
    value::number(0..=4095)(value).map(|cpu| cpu as usize)
}

fn inbox(value: &DeValue<'_>) -> Result<usize, String> {
    value::power_of_two(64..=65536)(value).map(|inbox| inbox as usize)
}

/// The lists that are given, and for those that are not: the control thread on the first CPU, and data cores on CPUs of
/// their own as far as there are enough.
fn propose(mode: Mode, cpus: &[usize], [rx, workers, tx]: [Option<Vec<usize>>; 3]) -> Layout {
    let at = |index: usize| cpus.get(index).or(cpus.last()).copied().unwrap_or(0);
    if mode == Mode::RunToCompletion {
        return Layout::RunToCompletion { cpus: workers.unwrap_or_else(|| vec![at(1)]) };
    }
    let (rx_at, workers_at, tx_at) = match cpus {
        [] | [_] | [_, _] => (0, vec![at(1)], 0),
        [_, _, _] => (1, vec![at(2)], 1),
        [_, _, _, rest @ ..] => (1, rest.to_vec(), 2),
    };
    Layout::Pipeline {
        rx: rx.unwrap_or_else(|| vec![at(rx_at)]),
        workers: workers.unwrap_or(workers_at),
        tx: tx.unwrap_or_else(|| vec![at(tx_at)]),
    }
}

/// The CPUs there are, as people write them: `0-3, 6`.
fn usable(cpus: &[usize]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for cpu in cpus {
        match spans.last_mut() {
            Some((_, end)) if *end + 1 == *cpu => *end = *cpu,
            _ => spans.push((*cpu, *cpu)),
        }
    }
    let text = |(start, end): &(usize, usize)| {
        if start == end { format!("{start}") } else { format!("{start}-{end}") }
    };
    let spans: Vec<String> = spans.iter().map(text).collect();
    format!("this process may use {}", spans.join(", "))
}
