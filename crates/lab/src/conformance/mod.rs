//! The conformance bench: one appliance alone, driven through what GWLB may send it, and judged rule by rule.
//!
//! ```text
//!  namespace PREFIX-node                    namespace PREFIX-appliance
//!  node 10.100.1.20 (kernel: TCP, ARP)  ── veth ──  eth0 10.100.1.30, the appliance
//!  a frame socket sends and sees all
//! ```
//! It is no load balancer: it sends what a load balancer would never send, and looks at bytes that one would not look at.
//! Each rule names who makes it. Rules are judged by what comes back, with no sleep: after a frame that must be dropped a good
//! one is sent, and by its return the other's time is over; every frame carries a token of its own, so one that comes back
//! late still counts against its rule.

mod bench;
mod link;
mod local;
mod rule;
mod tunnel;

pub use bench::{Bench, BenchError};
pub use rule::{Finding, Level};

use rule::Rule;

/// Judges the appliance of `bench` by every rule.
///
/// # Errors
/// When the bench itself fails: a frame cannot be sent.
pub fn run(bench: &Bench) -> Result<Vec<Finding>, BenchError> {
    let rules: Vec<Rule> = tunnel::rules().into_iter().chain(local::rules()).collect();
    bench.wait_for_appliance()?;
    let mut findings = Vec::new();
    for rule in &rules {
        findings.push(Finding::new(rule, rule.judge(bench)?));
    }
    for stray in bench.strays() {
        if let Some(finding) = findings.get_mut(stray).filter(|f| f.broken.is_none()) {
            finding.broken = Some("it came back after all".to_owned());
        }
    }
    Ok(findings)
}
