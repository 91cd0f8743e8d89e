//! `gwlb-lab conformance`: does an appliance keep the rules?

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use super::Done;
use super::place::Place;
use crate::conformance::{Bench, Finding, Level, run};
use crate::net;

pub(super) fn conformance(place: &Place, appliance: Option<&str>, as_json: bool, prefix: &str) -> Done {
    if !rustix::process::geteuid().is_root() {
        return Err("making network namespaces needs root: run with sudo".into());
    }
    place.make()?;
    let _mark = Mark::set(place, prefix)?;
    let bench = Bench::raise(prefix, place.dir(), appliance)?;
    let findings = run(&bench)?;
    let broken = |level: Level| findings.iter().filter(|f| f.level == level && f.broken.is_some()).count();
    let (must, should) = (broken(Level::Must), broken(Level::Should));
    if as_json {
        let appliance = appliance.unwrap_or("sluice");
        let told = json!({
            "appliance": appliance, "rules": findings,
            "kept": findings.len() - must - should, "broken": must, "advice_not_taken": should,
        });
        println!("{told}");
    } else {
        findings.iter().for_each(print);
        println!(
            "{} rules: {} kept, {must} broken, {should} not as advised",
            findings.len(),
            findings.len() - must - should
        );
    }
    Ok(if must == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// That a bench of some prefix runs: a file with the prefix, locked by the process that runs it.
struct Mark(File, PathBuf);

impl Mark {
    fn set(place: &Place, prefix: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let path = place.bench_file();
        let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| format!("another bench runs in {}; choose another --dir", place.dir().display()))?;
        file.set_len(0)?;
        file.write_all(prefix.as_bytes())?;
        Ok(Self(file, path))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // Its lock goes with the file's last handle; without it the next `up` or `down` looks for leftovers, and finds none.
        let _ = std::fs::remove_file(&self.1);
        let _ = self.0.set_len(0);
    }
}

/// Removes what a bench left that was killed; one that runs is let be.
pub(super) fn clean(place: &Place) -> Result<(), Box<dyn std::error::Error>> {
    let path = place.bench_file();
    let Ok(file) = File::open(&path) else { return Ok(()) };
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    let name = std::fs::read_to_string(&path)?;
    if super::prefix(&name).is_ok() {
        net::clean(&name)?;
    }
    Ok(std::fs::remove_file(&path)?)
}

fn print(finding: &Finding) {
    let word = match (finding.broken.is_some(), finding.level) {
        (false, _) => "kept",
        (true, Level::Must) => "BROKEN",
        (true, Level::Should) => "advice",
    };
    println!("{word:<7} {:<62} {}", finding.rule, finding.source);
    if let Some(why) = &finding.broken {
        println!("        {why}");
    }
}
