//! `gwlb-lab conformance`: does an appliance keep the rules?

use std::process::ExitCode;

use serde_json::json;

use super::Done;
use super::place::Place;
use crate::conformance::{Bench, Finding, Level, run};

pub(super) fn conformance(place: &Place, appliance: Option<&str>, as_json: bool, prefix: &str) -> Done {
    if !rustix::process::geteuid().is_root() {
        return Err("making network namespaces needs root: run with sudo".into());
    }
    place.make()?;
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
