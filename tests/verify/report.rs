//! What came of many cases.

use std::fmt;

use crate::alert::Alert;
use crate::case::{Outcome, Verdict};

/// Differences of one case that are named; a case may have thousands.
const NAMED: usize = 2;

/// The outcomes of a set, by name.
#[derive(Default)]
pub(crate) struct Report(Vec<(String, Outcome)>);

impl Report {
    pub(crate) fn add(&mut self, name: String, outcome: Outcome) {
        self.0.push((name, outcome));
    }

    /// Whether the set has reached what it had reached before.
    pub(crate) fn verdict(&self, floor: usize) -> Result<(), String> {
        let (agreed, broken) = (self.count(Verdict::Agreed), self.count(Verdict::Broken));
        match (agreed < floor, broken) {
            (_, 1..) => Err(format!("{broken} cases died or hung")),
            (true, _) => Err(format!("{agreed} cases agree, and {floor} did before")),
            (false, 0) => Ok(()),
        }
    }

    fn of(&self, verdict: Verdict) -> impl Iterator<Item = &(String, Outcome)> {
        self.0.iter().filter(move |(_, outcome)| outcome.verdict == verdict)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.of(verdict).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let silent = self.of(Verdict::Agreed).filter(|(_, outcome)| !outcome.said.is_empty()).count();
        writeln!(
            f,
            "{} agreed of {} ({silent} of them though something was refused), {} differing, {} unsupported, {} broken",
            self.count(Verdict::Agreed),
            self.0.len(),
            self.count(Verdict::Differing),
            self.count(Verdict::Unsupported),
            self.count(Verdict::Broken)
        )?;
        for (name, outcome) in self.of(Verdict::Agreed).filter(|(_, outcome)| outcome.drift() > 2) {
            writeln!(f, "  agreed       {name}: at packets that differ by up to {}", outcome.drift())?;
        }
        for (name, outcome) in self.of(Verdict::Differing) {
            writeln!(f, "  differing    {name}: {}", differences(outcome))?;
        }
        for (name, outcome) in self.of(Verdict::Unsupported) {
            let reasons: Vec<&str> = outcome.said.lines().filter(|line| !line.ends_with("hold")).collect();
            let first = reasons.first().unwrap_or(&"");
            writeln!(
                f,
                "  unsupported  {name}: {first} ({} in all); {}",
                reasons.len(),
                differences(outcome)
            )?;
        }
        for (name, outcome) in self.of(Verdict::Broken) {
            writeln!(f, "  broken       {name}: {}", outcome.said.lines().last().unwrap_or_default())?;
        }
        Ok(())
    }
}

fn differences(outcome: &Outcome) -> String {
    let (missing, surplus) = outcome.difference();
    let told = |what, alerts: &[Alert]| {
        let named: Vec<String> = alerts.iter().take(NAMED).map(Alert::to_string).collect();
        format!("{} {what} [{}]", alerts.len(), named.join(", "))
    };
    format!("{}, {}", told("missing", &missing), told("too many", &surplus))
}
