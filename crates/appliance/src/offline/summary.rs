//! What became of a capture's packets; the parts add up to what was received.

use std::collections::BTreeMap;

use engine::{Counter, Snapshot};
use inspect::{Detector, DropReason};
use serde::Serialize;

use super::explain::Explanation;
use super::profile::{Profile, RuleCost};
use super::watch::Watch;

/// The figures of one run.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    received: u64,
    returned: u64,
    injected: u64,
    dropped: BTreeMap<&'static str, u64>,
    punted: u64,
    flows: u64,
    alerts: u64,
    anomalies: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Vec<RuleCost>>,
}

impl Summary {
    /// The figures that the loop has left.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let dropped = DropReason::ALL.map(|reason| (reason.name(), snapshot.dropped(reason)));
        Self {
            received: snapshot.received(),
            returned: snapshot.transmitted() - snapshot.injected(),
            injected: snapshot.injected(),
            dropped: dropped.into_iter().filter(|(_, count)| *count > 0).collect(),
            punted: snapshot.punted(),
            flows: sum(snapshot, Counter::FlowsBegun),
            alerts: sum(snapshot, Counter::Alerts),
            anomalies: BTreeMap::new(),
            explain: None,
            profile: None,
        }
    }

    /// And what was odd.
    pub(crate) fn odd(self, detector: &Detector) -> Self {
        let anomalies = detector.anomalies().map(|(anomaly, count)| (anomaly.name(), count));
        Self { anomalies: anomalies.filter(|(_, count)| *count > 0).collect(), ..self }
    }

    /// And what somebody who looked on has seen.
    pub(crate) fn watched(self, watch: Option<&Watch>, detector: &Detector) -> Self {
        let Some(watch) = watch else { return self };
        watch.with(|watched| Self {
            explain: watched.notes.as_ref().map(|notes| Explanation::new(notes, detector)),
            profile: watched.profile.as_ref().map(|profile| profile.costs(detector.policy())),
            ..self
        })
    }

    /// Print for people, or as one JSON object.
    pub(crate) fn print(&self, json: bool) {
        if json {
            // Numbers under fixed keys always serialize.
            println!("{}", serde_json::to_string(self).unwrap_or_default());
            return;
        }
        println!("received {:>12}", self.received);
        println!("returned {:>12}", self.returned);
        println!("injected {:>12}", self.injected);
        println!("dropped  {:>12}", self.dropped.values().sum::<u64>());
        for (reason, count) in &self.dropped {
            println!("  {count:>19} {reason}");
        }
        println!("punted   {:>12}   (ARP, ping and health checks: the local lane's)", self.punted);
        println!("flows    {:>12}", self.flows);
        println!("alerts   {:>12}", self.alerts);
        if !self.anomalies.is_empty() {
            println!("anomalies{:>12}", self.anomalies.values().sum::<u64>());
        }
        for (anomaly, count) in &self.anomalies {
            println!("  {count:>19} {anomaly}");
        }
        self.explain.iter().for_each(|explanation| print!("{explanation}"));
        self.profile.iter().for_each(|costs| print!("{}", Profile::table(costs)));
    }
}

fn sum(snapshot: &Snapshot, counter: Counter) -> u64 {
    snapshot.roles.iter().map(|(_, counts)| counts.of(counter)).sum()
}
