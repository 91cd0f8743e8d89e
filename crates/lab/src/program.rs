//! The programs of instances: an appliance is a process in its namespace, an application server a thread of the lab's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::configuration::{self, ConfigurationError};
use crate::net::names;
use crate::net::namespace::NamespaceError;
use crate::state::{Instance, InstanceState, Role, State};
use crate::web::Web;

/// The TCP port of the web servers.
const WEB_PORT: u16 = 80;

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The appliance itself is not there.
    #[error("there is no sluice beside gwlb-lab ({0}): build it, or name another program with --appliance")]
    NoSluice(PathBuf),
    /// A file of an appliance could not be written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// A program could not be started.
    #[error("cannot start the program of {0}: {1}")]
    Start(String, io::Error),
    /// The user's configuration of appliances cannot be used.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// A web server's namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
}

/// What runs, by namespace.
#[derive(Debug)]
pub struct Programs {
    dir: PathBuf,
    running: BTreeMap<String, Program>,
}

#[derive(Debug)]
enum Program {
    Web(#[expect(dead_code, reason = "it serves as long as it is kept")] Web),
    Process(Process),
}

/// A process that is ended with all it started, and waited for, when it is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; its namespace goes, so it is not asked to drain. It leads a group of its own.
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.0.wait();
    }
}

impl Programs {
    /// None yet. Logs and configurations go to `dir`.
    #[must_use]
    pub const fn new(dir: PathBuf) -> Self {
        Self { dir, running: BTreeMap::new() }
    }

    /// Ends what `state` does not want.
    pub fn end_others(&mut self, state: &State) {
        let wanted = wanted(state);
        self.running.retain(|namespace, _| wanted.iter().any(|w| w.0 == *namespace));
    }

    /// Starts what `state` wants and does not run. A program that has ended by itself stays ended: an appliance that
    /// crashed is what a health check is for.
    ///
    /// # Errors
    /// Names the first program that could not be started.
    pub fn begin(&mut self, state: &State) -> Result<(), ProgramError> {
        for (namespace, instance) in wanted(state) {
            if self.running.contains_key(&namespace) {
                continue;
            }
            let program = match instance {
                Some(instance) if instance.role == Role::Appliance => {
                    Program::Process(self.appliance(state, instance)?)
                }
                _ => {
                    let failed = |e| ProgramError::Start(namespace.clone(), e);
                    Program::Web(Web::start(&namespace, WEB_PORT)?.map_err(failed)?)
                }
            };
            self.running.insert(namespace, program);
        }
        Ok(())
    }

    /// Process numbers by namespace.
    #[must_use]
    pub fn report(&self) -> Value {
        let pids = self.running.iter().filter_map(|(namespace, program)| match program {
            Program::Process(Process(child)) => Some((namespace.clone(), json!(child.id()))),
            Program::Web(_) => None,
        });
        Value::Object(pids.collect())
    }

    fn appliance(&self, state: &State, instance: &Instance) -> Result<Process, ProgramError> {
        let place = Place::of(state, instance);
        place.start(&self.dir, &instance.namespace, &instance.name, state.settings.appliance.as_deref())
    }
}

/// The namespaces in which something runs: the client's, and those of running instances but plain ones.
fn wanted(state: &State) -> Vec<(String, Option<&Instance>)> {
    if state.vpcs.is_empty() {
        return Vec::new();
    }
    let running =
        state.instances.values().filter(|i| i.state == InstanceState::Running && i.role != Role::Plain);
    let instances = running.map(|i| (i.namespace.clone(), Some(i)));
    std::iter::once((names::client(&state.settings), None)).chain(instances).collect()
}

/// The appliance's program: beside this one.
fn sluice() -> Result<PathBuf, ProgramError> {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.with_file_name("sluice");
    if beside.is_file() { Ok(beside) } else { Err(ProgramError::NoSluice(beside)) }
}

/// Where an appliance stands.
pub(crate) struct Place {
    /// Its address, with the length of its network.
    pub(crate) address: String,
    /// Its router.
    pub(crate) gateway: String,
    /// The networks in which nodes of load balancers are.
    pub(crate) sources: Vec<String>,
    /// The CPU that it runs on.
    pub(crate) core: usize,
    /// How long it drains, in seconds.
    pub(crate) drain_s: u32,
    /// Files of rules.
    pub(crate) rules: Vec<PathBuf>,
    /// What else it is told, over what its place asks for.
    pub(crate) config: Option<PathBuf>,
}

impl Place {
    fn of(state: &State, instance: &Instance) -> Self {
        let subnet = state.subnets.get(&instance.interface.subnet);
        let length = subnet.map_or(24, |s| s.ipv4.prefix_len());
        let vpc = subnet.and_then(|s| state.vpcs.get(&s.vpc));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let turn = state
            .instances
            .values()
            .filter(|i| i.role == Role::Appliance && i.serial < instance.serial)
            .count();
        Self {
            address: format!("{}/{length}", instance.interface.ipv4),
            gateway: subnet.map(|s| s.router_ipv4().to_string()).unwrap_or_default(),
            sources: vpc.map(|v| v.ipv4.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            core: turn % cores,
            drain_s: 25_u32.div_ceil(state.settings.time_scale.max(1)),
            rules: state.settings.rules.iter().cloned().collect(),
            config: state.settings.config.clone(),
        }
    }

    /// Starts the appliance `name` in `namespace`: `own`, a command for `sh`, or else sluice. Its configuration, log and
    /// events go to `dir`.
    pub(crate) fn start(
        &self,
        dir: &Path,
        namespace: &str,
        name: &str,
        own: Option<&str>,
    ) -> Result<Process, ProgramError> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]);
        if let Some(own) = own {
            command.args(["sh", "-c", own]);
        } else {
            let sluice = sluice()?;
            let file = dir.join(format!("{name}.toml"));
            let mut text = self.configuration(&dir.join(format!("{name}.events")));
            if let Some(config) = &self.config {
                text = configuration::over(&text, config)?;
            }
            fs::write(&file, text).map_err(|e| ProgramError::File(file.clone(), e))?;
            command.arg(sluice).args(["run", "--config"]).arg(file);
        }
        command.env("LAB_NAME", name).env("LAB_INTERFACE", names::ETH0);
        command.env("LAB_ADDRESS", &self.address).env("LAB_GATEWAY", &self.gateway);
        let log = dir.join(format!("{name}.log"));
        let out = File::create(&log).map_err(|e| ProgramError::File(log.clone(), e))?;
        let err = out.try_clone().map_err(|e| ProgramError::File(log, e))?;
        command.process_group(0).stdin(Stdio::null()).stdout(out).stderr(err);
        command.spawn().map(Process).map_err(|e| ProgramError::Start(name.to_owned(), e))
    }

    /// What `sluice run` is given. One core does all: the machine is shared with the rest of the lab.
    fn configuration(&self, events: &Path) -> String {
        let Self { address, gateway, sources, core, drain_s, rules, config: _ } = self;
        format!(
            "[port]\nprofile = \"af_packet\"\ndevice = \"{}\"\naddress = \"{address}\"\ngateway = \"{gateway}\"\n\n\
             [cores]\nmode = \"run-to-completion\"\nworker = [{core}]\ncontrol = {core}\n\n\
             [tunnel]\nsources = {sources:?}\n\n\
             [flow]\ncapacity = 65536\n\n\
             [policy]\nrules = {rules:?}\n\n\
             [health]\nprotocol = \"tcp\"\n\n\
             [events]\noutput = {events:?}\n\n\
             [drain]\ndelay = {drain_s}\n",
            names::ETH0
        )
    }
}
