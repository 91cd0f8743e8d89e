//! What this machine lets us do, and with which tools.

use std::path::PathBuf;
use std::process::{Command, Output};

use libtest_mimic::{Failed, Trial};

use crate::place::root;

/// The Python of `make tools`, which has scapy and the aws CLI beside it.
pub(crate) fn python() -> PathBuf {
    root().join("target/tools/bin/python")
}

/// A test that needs nothing but what `make test` prepared.
pub(crate) fn test(name: &str, run: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(name, run)
}

/// A test that makes network namespaces: as anybody but root it is ignored, or fails where nothing may be skipped.
pub(crate) fn root_test(name: &str, run: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    // SAFETY: geteuid only reads the process's credentials; it cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    if is_root {
        return Trial::test(name, run);
    }
    eprintln!("{name}: needs root for network namespaces; skipped");
    if std::env::var_os("SLUICE_NO_SKIP").is_some() {
        return Trial::test(name, || Err("needs root, and nothing may be skipped here".into()));
    }
    Trial::test(name, run).with_ignored_flag(true)
}

/// Run a command to its end; a failure tells the command and all that it printed.
pub(crate) fn run(command: &mut Command) -> Result<Output, Failed> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{command:?}: {}\n{out}\n{err}", output.status).into())
}
