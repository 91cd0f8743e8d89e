//! The whole appliance beside what a core can do at most.
//!
//! Every sample is a process of its own, since DPDK starts once, and all contenders take turns: what disturbs one round
//! disturbs all of them. Rates are per second of the busiest data thread's CPU time, so that a neighbour on the same CPU
//! makes a sample shorter and not slower; how much of its CPU a thread had is reported beside them.

pub(crate) mod gap;
pub(crate) mod latency;
pub(crate) mod sluice;
pub(crate) mod testpmd;

use std::error::Error;
use std::process::Command;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::children::bound;
use crate::samples::Samples;
use sluice::{Outcome, Setup, Supply};

/// One way to forward.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Contender {
    /// testpmd in a forwarding mode.
    Testpmd(String),
    /// The appliance; its supply is the table's.
    Sluice(Setup),
}

/// What was measured of a contender.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Million packets per second.
    pub(crate) mpps: Samples,
    /// The least share of its CPU that the busiest data thread had in a sample.
    pub(crate) least_share: f64,
    /// Packets dropped in all samples.
    pub(crate) dropped: u64,
    pub(crate) flows: u64,
}

/// Measure all contenders over one supply, in turns, `rounds` times.
pub(crate) fn compare(
    supply: &Supply,
    contenders: &[(&str, Contender)],
    rounds: usize,
    seconds: f64,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let row = |(name, _): &(&str, Contender)| Row {
        name: (*name).to_owned(),
        mpps: Samples::default(),
        least_share: 1.0,
        dropped: 0,
        flows: 0,
    };
    let mut rows: Vec<Row> = contenders.iter().map(row).collect();
    for _ in 0..rounds {
        for ((_, contender), row) in contenders.iter().zip(&mut rows) {
            let outcome: Outcome = match contender {
                Contender::Testpmd(mode) => testpmd::measure(mode, supply, seconds)?,
                Contender::Sluice(setup) => {
                    let setup = Setup { supply: supply.clone(), seconds, ..setup.clone() };
                    in_child("sluice", &setup)?
                }
            };
            row.mpps.push(outcome.packets as f64 / outcome.cpu / 1e6);
            row.least_share = row.least_share.min(outcome.cpu / outcome.seconds);
            row.dropped += outcome.dropped;
            row.flows = outcome.flows;
        }
    }
    Ok(rows)
}

/// Measure in a process of its own: this program, with `what` and the setup as arguments.
pub(crate) fn in_child<T: DeserializeOwned>(what: &str, setup: &impl Serialize) -> Result<T, Box<dyn Error>> {
    let setup = serde_json::to_string(setup)?;
    let output = bound(Command::new(std::env::current_exe()?).args([what, &setup])).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("bench {what} {setup}: {}: {said}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
