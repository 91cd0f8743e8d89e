//! `gwlb-lab down`: end the lab, and remove what it or a killed one left.

use std::fs;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::place::Place;
use super::{Done, conformance};
use crate::net;

/// How long a lab may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn down(place: &Place) -> Done {
    let prefix = place.state().map(|s| s.settings.prefix).ok();
    if let Some(pid) = place.running().filter(|r| serves(r.pid)).and_then(|r| Pid::from_raw(r.pid)) {
        kill_process(pid, Signal::TERM)?;
        let until = Instant::now() + PATIENCE;
        while test_kill_process(pid).is_ok() {
            if Instant::now() > until {
                return Err(format!("the lab (process {}) does not end", pid.as_raw_nonzero()).into());
            }
            sleep(Duration::from_millis(20));
        }
    }
    if let Some(prefix) = prefix
        && rustix::process::geteuid().is_root()
    {
        net::clean(&prefix)?;
    }
    if rustix::process::geteuid().is_root() {
        conformance::clean(place)?;
    }
    // What the lab keeps is all in its directory; other files there are not the lab's.
    if let Ok(entries) = fs::read_dir(place.dir()) {
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let own =
                ["state.json", "prerequisites.json", "running.json", "lock", "aws-config", "aws-credentials"];
            if own.contains(&&*name)
                || name.ends_with(".log")
                || name.ends_with(".toml")
                || name.ends_with(".events")
            {
                fs::remove_file(entry.path())?;
            }
        }
    }
    let _ = fs::remove_dir(place.dir());
    Ok(ExitCode::SUCCESS)
}

/// Whether the process is a lab: its number may have been given to another since.
fn serves(pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
        let words: Vec<&[u8]> = line.split(|b| *b == 0).collect();
        words.contains(&&b"serve"[..]) && words.first().is_some_and(|w| w.ends_with(b"gwlb-lab"))
    })
}
