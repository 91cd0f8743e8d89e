use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::prerequisites::Prerequisites;
use crate::snapshot;
use crate::state::State;

/// The directory in which a lab keeps what outlives its process, and what its commands find it by.
pub(super) struct Place {
    dir: PathBuf,
}

/// That a lab runs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Running {
    /// The process that serves it.
    pub(super) pid: i32,
    /// The TCP port of its API.
    pub(super) port: u16,
}

impl Place {
    pub(super) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The state.
    pub(super) fn state_file(&self) -> PathBuf {
        self.dir.join("state.json")
    }

    /// The AWS command line's configuration.
    pub(super) fn aws_config(&self) -> PathBuf {
        self.dir.join("aws-config")
    }

    /// The AWS command line's credentials: dummies.
    pub(super) fn aws_credentials(&self) -> PathBuf {
        self.dir.join("aws-credentials")
    }

    /// Where `name` (the lab or an appliance) logs.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.log"))
    }

    /// Held by the process that serves the lab.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Held by a conformance bench that runs.
    pub(super) fn bench_file(&self) -> PathBuf {
        self.dir.join("bench")
    }

    /// Makes the directory.
    pub(super) fn make(&self) -> Result<(), String> {
        fs::create_dir_all(&self.dir).map_err(|e| format!("cannot make {}: {e}", self.dir.display()))
    }

    /// The lab that runs here, if one has said so. It may have been killed since.
    pub(super) fn running(&self) -> Option<Running> {
        serde_json::from_slice(&fs::read(self.dir.join("running.json")).ok()?).ok()
    }

    /// Says that a lab runs here.
    pub(super) fn set_running(&self, running: &Running) -> io::Result<()> {
        fs::write(self.dir.join("running.json"), serde_json::to_vec(running)?)
    }

    /// Says that none does.
    pub(super) fn clear_running(&self) {
        // That it is gone is all that is wanted.
        let _ = fs::remove_file(self.dir.join("running.json"));
    }

    /// What the lab that runs here was built with, or a sentence that none does.
    pub(super) fn prerequisites(&self) -> Result<Prerequisites, String> {
        let file = self.dir.join("prerequisites.json");
        let text = fs::read(&file).map_err(|_| self.nothing())?;
        serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", file.display()))
    }

    /// Keeps what the lab was built with.
    pub(super) fn set_prerequisites(&self, made: &Prerequisites) -> io::Result<()> {
        fs::write(self.dir.join("prerequisites.json"), serde_json::to_vec_pretty(made)?)
    }

    /// The state as it was last kept.
    pub(super) fn state(&self) -> Result<State, String> {
        snapshot::read(&self.state_file()).map_err(|e| e.to_string())?.ok_or_else(|| self.nothing())
    }

    fn nothing(&self) -> String {
        format!("there is no lab in {}; gwlb-lab up builds one", self.dir.display())
    }
}
