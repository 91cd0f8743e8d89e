//! `[cores]`: which CPU does what.

use serde::Serialize;

use crate::document::Document;
use crate::machine::Machine;
use crate::value;

/// How cores share the work.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Receive cores steer to workers over rings, workers hand on to transmit cores.
    Pipeline,
    /// One core receives, inspects and transmits.
    RunToCompletion,
}

/// Which CPU does what. Only a valid [`crate::Settings`] hands one out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CoreSettings {
    /// How cores share the work.
    pub mode: Mode,
    /// CPU of each receive core; empty in run-to-completion.
    pub rx: Vec<usize>,
    /// CPU of each worker.
    pub worker: Vec<usize>,
    /// CPU of each transmit core; empty in run-to-completion.
    pub tx: Vec<usize>,
    /// CPU of the control thread.
    pub control: usize,
    /// Packets each ring of an inbox holds; a power of two.
    pub inbox: u32,
}

impl CoreSettings {
    pub(crate) fn read(document: &mut Document<'_>, machine: &Machine) -> Self {
        let modes = [("pipeline", Mode::Pipeline), ("run-to-completion", Mode::RunToCompletion)];
        let mode = document.optional("cores", "mode", value::choice(&modes));
        let cpu = |value: &toml::de::DeValue<'_>| value::number(0..=4095)(value).map(|cpu| cpu as usize);
        let rx = document.optional("cores", "rx", value::list(cpu));
        let worker = document.optional("cores", "worker", value::list(cpu));
        let tx = document.optional("cores", "tx", value::list(cpu));
        let control = document.optional("cores", "control", cpu);
        let inbox = document.value("cores", "inbox", 1024, value::power_of_two(64..=65536));

        let lists_given = rx.is_some() || tx.is_some();
        let default_mode =
            if lists_given || machine.cpus.len() >= 4 { Mode::Pipeline } else { Mode::RunToCompletion };
        let mode = mode.unwrap_or(default_mode);
        let proposed = propose(mode, &machine.cpus);
        let cores = Self {
            mode,
            rx: rx.unwrap_or(proposed.rx),
            worker: worker.unwrap_or(proposed.worker),
            tx: tx.unwrap_or(proposed.tx),
            control: control.unwrap_or(proposed.control),
            inbox,
        };
        cores.check(document, machine);
        cores
    }

    /// The number of cores that receive from the port.
    #[must_use]
    pub fn receivers(&self) -> usize {
        if self.mode == Mode::Pipeline { self.rx.len() } else { self.worker.len() }
    }

    /// The number of cores that transmit to the port.
    #[must_use]
    pub fn transmitters(&self) -> usize {
        if self.mode == Mode::Pipeline { self.tx.len() } else { self.worker.len() }
    }

    fn check(&self, document: &mut Document<'_>, machine: &Machine) {
        let roles = [("cores.rx", &self.rx), ("cores.worker", &self.worker), ("cores.tx", &self.tx)];
        for (key, cpus) in roles {
            let unused = self.mode == Mode::RunToCompletion && key != "cores.worker";
            check_role(document, key, cpus, unused);
            check_exist(document, key, cpus, machine);
        }
        if self.mode == Mode::RunToCompletion && self.worker.len() > 1 {
            let wanted = "must be one CPU: a network card cannot bring both directions of a flow to one queue, so more \
                          cores need mode = \"pipeline\"";
            document.wrong("cores.worker", wanted);
        }
        check_exist(document, "cores.control", &[self.control], machine);
    }
}

fn check_role(document: &mut Document<'_>, key: &str, cpus: &[usize], unused: bool) {
    if unused && !cpus.is_empty() {
        document.wrong(key, "is not used in run-to-completion: name the core in cores.worker");
    }
    if !unused && cpus.is_empty() {
        document.wrong(key, "must name at least one CPU");
    }
    let mut seen = cpus.to_vec();
    seen.sort_unstable();
    if let Some([twice, _]) = seen.array_windows().find(|[a, b]| a == b) {
        document.wrong(key, format!("names CPU {twice} twice: one thread of a role per CPU"));
    }
}

fn check_exist(document: &mut Document<'_>, key: &str, cpus: &[usize], machine: &Machine) {
    for cpu in cpus.iter().filter(|cpu| !machine.cpus.contains(cpu)) {
        let wanted = format!("CPU {cpu} is not there; this process may use {}", ranges(&machine.cpus));
        document.wrong(key, wanted);
    }
}

/// The layout for who names no cores: the control thread on the first CPU, data cores on CPUs of their own as far as
/// there are enough.
fn propose(mode: Mode, cpus: &[usize]) -> CoreSettings {
    let at = |index: usize| cpus.get(index).or(cpus.last()).copied().unwrap_or(0);
    let control = at(0);
    let (rx, worker, tx) = match (mode, cpus.len()) {
        (Mode::RunToCompletion, _) => (vec![], vec![at(1)], vec![]),
        (Mode::Pipeline, 0..=2) => (vec![at(0)], vec![at(1)], vec![at(0)]),
        (Mode::Pipeline, 3) => (vec![at(1)], vec![at(2)], vec![at(1)]),
        (Mode::Pipeline, _) => (vec![at(1)], cpus[3..].to_vec(), vec![at(2)]),
    };
    CoreSettings { mode, rx, worker, tx, control, inbox: 0 }
}

/// CPU ids as people write them: `0-3, 6`.
pub(crate) fn ranges(cpus: &[usize]) -> String {
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
    if spans.is_empty() { "none".into() } else { spans.join(", ") }
}
