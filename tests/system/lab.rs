//! A lab of its own for a test: raised with the tutorial done, driven by its command line, taken down when it is dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use crate::place::binary;
use crate::trial::run;

/// How long anything in the lab may take to become true.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running lab.
pub(crate) struct Lab {
    dir: PathBuf,
}

impl Lab {
    /// Raise a lab under `name` (also the prefix of its namespaces) and do the tutorial in it.
    pub(crate) fn up(name: &str, api_port: u16, options: &[&str]) -> Result<Self, Failed> {
        let lab = Self { dir: PathBuf::from("/run").join(format!("sluice-test-{name}")) };
        let (prefix, port) = (format!("--prefix={name}"), format!("--port={api_port}"));
        let _ = lab.command(&["down"]).output();
        run(lab.command(&["up", &prefix, &port, "--time-scale=10"]).args(options))?;
        lab.run(&["tutorial", "--quick"])?;
        Ok(lab)
    }

    /// `gwlb-lab` for this lab.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary("gwlb-lab"));
        command.env("GWLB_LAB_DIR", &self.dir).args(words);
        command
    }

    /// Run `gwlb-lab` to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Output, Failed> {
        run(&mut self.command(words))
    }

    /// A command in one of the lab's namespaces.
    pub(crate) fn within(&self, name: &str, words: &[&str]) -> Command {
        let mut command = self.command(&["exec", name, "--"]);
        command.args(words);
        command
    }

    /// The lab's folder: configurations, logs and events of its appliances.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The states of the targets, appliance1 first.
    pub(crate) fn targets(&self) -> Result<Vec<String>, Failed> {
        let status = self.run(&["status"])?;
        let status = String::from_utf8_lossy(&status.stdout).into_owned();
        let targets = status.lines().filter_map(|line| line.trim().strip_prefix("target "));
        Ok(targets.filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned)).collect())
    }

    /// Wait until the targets are in these states.
    pub(crate) fn wait_for(&self, states: &[&str]) -> Result<(), Failed> {
        let mut seen = Vec::new();
        let reached = wait(|| {
            seen = self.targets()?;
            Ok(seen == states)
        })?;
        if reached { Ok(()) } else { Err(format!("targets are {seen:?}, not {states:?}").into()) }
    }

    /// The process that is the appliance called `name`.
    pub(crate) fn appliance_pid(&self, name: &str) -> Result<i32, Failed> {
        let status = self.run(&["status", "--json"])?;
        let status: serde_json::Value = serde_json::from_slice(&status.stdout)?;
        let programs = status["network"]["programs"].as_object().ok_or("no programs in the status")?;
        let pid = programs.iter().find(|(namespace, _)| namespace.ends_with(name));
        let pid = pid.and_then(|(_, pid)| pid.as_i64()).ok_or_else(|| format!("{name} does not run"))?;
        Ok(i32::try_from(pid)?)
    }

    /// What an appliance has logged.
    pub(crate) fn log(&self, name: &str) -> Result<String, Failed> {
        Ok(fs::read_to_string(self.dir.join(format!("{name}.log")))?)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.command(&["down"]).output();
    }
}

/// Look again and again, for a while, until it is so.
pub(crate) fn wait(mut so: impl FnMut() -> Result<bool, Failed>) -> Result<bool, Failed> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if so()? {
            return Ok(true);
        }
        std::thread::yield_now();
    }
    Ok(false)
}
