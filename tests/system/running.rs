//! A process that ends with its test.

use std::process::{Child, Command, Stdio};

use libtest_mimic::Failed;

/// A command that runs until it is dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Start it; what it says goes nowhere.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failed> {
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(Self(started.map_err(|error| format!("{command:?}: {error}"))?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
