//! What each rule costs: how often it was asked, how often it matched, how long that took.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use policy::{Policy, RuleIndex};
use serde::Serialize;
use wire::EndpointId;

/// Rules that the table for people shows.
const SHOWN: usize = 30;

/// What rules have cost so far.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    costs: HashMap<(EndpointId, RuleIndex), Cost>,
    begun: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    checks: u64,
    matches: u64,
    spent: Duration,
    longest: Duration,
}

/// One row of the table.
#[derive(Debug, Serialize)]
pub(crate) struct RuleCost {
    signature_id: u32,
    signature: String,
    checks: u64,
    matches: u64,
    nanoseconds: u64,
    nanoseconds_avg: f64,
    nanoseconds_max: u64,
    /// Percent of what all rules took.
    share: f64,
}

impl Profile {
    /// A rule is about to be asked.
    pub(crate) fn asks(&mut self) {
        self.begun = Some(Instant::now());
    }

    /// It was.
    pub(crate) fn asked(&mut self, endpoint: EndpointId, rule: RuleIndex, matched: bool) {
        let spent = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let cost = self.costs.entry((endpoint, rule)).or_default();
        cost.checks += 1;
        cost.matches += u64::from(matched);
        cost.spent += spent;
        cost.longest = cost.longest.max(spent);
    }

    /// Every rule that was asked, the dearest first.
    pub(crate) fn costs(&self, policy: &Policy) -> Vec<RuleCost> {
        // Endpoints that share their rules share their rows.
        let mut rows: HashMap<(usize, RuleIndex), (EndpointId, Cost)> = HashMap::new();
        for ((endpoint, rule), cost) in &self.costs {
            let set = std::sync::Arc::as_ptr(policy.rules(*endpoint)).addr();
            let (_, sum) = rows.entry((set, *rule)).or_insert((*endpoint, Cost::default()));
            sum.checks += cost.checks;
            sum.matches += cost.matches;
            sum.spent += cost.spent;
            sum.longest = sum.longest.max(cost.longest);
        }
        let all: Duration = rows.values().map(|(_, cost)| cost.spent).sum();
        let row = |((_, rule), (endpoint, cost)): (&(usize, RuleIndex), &(EndpointId, Cost))| {
            let about = &policy.rules(*endpoint).get(*rule)?.rule.about;
            Some(RuleCost {
                signature_id: about.sid,
                signature: about.msg.clone().unwrap_or_default(),
                checks: cost.checks,
                matches: cost.matches,
                nanoseconds: nanos(cost.spent),
                nanoseconds_avg: rounded(cost.spent.as_secs_f64() * 1e9 / cost.checks as f64),
                nanoseconds_max: nanos(cost.longest),
                share: rounded(100.0 * cost.spent.as_secs_f64() / all.as_secs_f64().max(1e-9)),
            })
        };
        let mut rows: Vec<RuleCost> = rows.iter().filter_map(row).collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(row.nanoseconds), row.signature_id));
        rows
    }

    /// The table for people: the dearest rules, and what the others come to.
    pub(crate) fn table(rows: &[RuleCost]) -> String {
        let mut table = format!(
            "\n{:>10} {:>10} {:>9} {:>12} {:>10} {:>10} {:>7}  signature\n",
            "sid", "checks", "matches", "total ns", "avg ns", "max ns", "share %"
        );
        for row in rows.iter().take(SHOWN) {
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                table,
                "{:>10} {:>10} {:>9} {:>12} {:>10.1} {:>10} {:>7.2}  {}",
                row.signature_id,
                row.checks,
                row.matches,
                row.nanoseconds,
                row.nanoseconds_avg,
                row.nanoseconds_max,
                row.share,
                row.signature
            );
        }
        let left = rows.get(SHOWN..).unwrap_or_default();
        let sum = |figure: fn(&RuleCost) -> u64, rows: &[RuleCost]| -> u64 { rows.iter().map(figure).sum() };
        for (name, rows) in [("others", left), ("all", rows)].into_iter().filter(|(_, rows)| !rows.is_empty())
        {
            let _ = writeln!(
                table,
                "{name:>10} {:>10} {:>9} {:>12}   ({} rules)",
                sum(|row| row.checks, rows),
                sum(|row| row.matches, rows),
                sum(|row| row.nanoseconds, rows),
                rows.len()
            );
        }
        table
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// To the hundredth.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
