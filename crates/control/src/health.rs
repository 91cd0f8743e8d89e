//! Is this appliance fit to receive flows? One verdict from values; nothing here looks anything up.

use std::fmt;
use std::time::Duration;

use flow::Moment;
use serde::Serialize;

/// A core that has not finished a turn for this long is taken for dead.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Reasons that an answer names at most.
const NAMED: usize = 8;

/// What the verdict rests on, as read at `now`.
#[derive(Clone, Debug)]
pub struct Vitals {
    /// The moment of the reading.
    pub now: Moment,
    /// Whether the port's link is up.
    pub link_up: bool,
    /// When each core ended its last turn; the zero moment if it never did.
    pub heartbeats: Vec<(String, Moment)>,
    /// Which policy is in force, if one is.
    pub generation: Option<u64>,
    /// Whether the appliance is on its way out.
    pub draining: bool,
}

/// One reason why no new flows should come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The port has no link.
    LinkDown,
    /// A core has not started yet.
    NotStarted(String),
    /// A core has not finished a turn for so long.
    Silent(String, Duration),
    /// No policy is loaded.
    NoPolicy,
    /// The appliance is on its way out.
    Draining,
}

/// The verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Health {
    reasons: Vec<Reason>,
    generation: u64,
    cores: usize,
}

impl Health {
    /// Judge the vitals: healthy is who has nothing against it.
    #[must_use]
    pub fn of(vitals: &Vitals) -> Self {
        let mut reasons = Vec::new();
        if !vitals.link_up {
            reasons.push(Reason::LinkDown);
        }
        for (core, heartbeat) in &vitals.heartbeats {
            let silent = vitals.now.since(*heartbeat);
            if *heartbeat == Moment::default() {
                reasons.push(Reason::NotStarted(core.clone()));
            } else if silent >= HEARTBEAT {
                reasons.push(Reason::Silent(core.clone(), silent));
            }
        }
        if vitals.generation.is_none() {
            reasons.push(Reason::NoPolicy);
        }
        if vitals.draining {
            reasons.push(Reason::Draining);
        }
        Self { reasons, generation: vitals.generation.unwrap_or(0), cores: vitals.heartbeats.len() }
    }

    /// Whether new flows may come.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.reasons.is_empty()
    }

    /// What speaks against it.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The verdict as one small JSON object, the body of a health check's answer.
    #[must_use]
    pub fn body(&self) -> String {
        let named: Vec<String> = self.reasons.iter().take(NAMED).map(Reason::to_string).collect();
        let body = match self.is_healthy() {
            true => serde_json::to_string(&Healthy {
                status: "healthy",
                generation: self.generation,
                cores: self.cores,
            }),
            false => serde_json::to_string(&Unhealthy {
                status: "unhealthy",
                reasons: &named,
                unnamed: self.reasons.len() - named.len(),
            }),
        };
        // Numbers and text in plain structures always become JSON.
        body.unwrap_or_default()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkDown => f.write_str("the link is down"),
            Self::NotStarted(core) => write!(f, "core {core} has not started"),
            Self::Silent(core, since) => {
                write!(f, "core {core} has been silent for {:.1} s", since.as_secs_f64())
            }
            Self::NoPolicy => f.write_str("no policy is loaded"),
            Self::Draining => f.write_str("draining"),
        }
    }
}

#[derive(Serialize)]
struct Healthy {
    status: &'static str,
    generation: u64,
    cores: usize,
}

#[derive(Serialize)]
struct Unhealthy<'a> {
    status: &'static str,
    reasons: &'a [String],
    #[serde(skip_serializing_if = "is_zero")]
    unnamed: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn vitals() -> Vitals {
        Vitals {
            now: Moment(100 * SECOND),
            link_up: true,
            heartbeats: vec![
                ("rx0".into(), Moment(100 * SECOND - 5)),
                ("worker0".into(), Moment(99 * SECOND + 1)),
            ],
            generation: Some(3),
            draining: false,
        }
    }

    #[test]
    fn who_has_nothing_against_it_is_healthy() {
        let health = Health::of(&vitals());
        assert!(health.is_healthy());
        assert_eq!(health.body(), r#"{"status":"healthy","generation":3,"cores":2}"#);
    }

    #[test]
    fn every_single_reason_suffices() {
        let late = Moment(98 * SECOND + SECOND / 2);
        let broken = [
            (Vitals { link_up: false, ..vitals() }, "the link is down"),
            (
                Vitals { heartbeats: vec![("rx0".into(), late)], ..vitals() },
                "core rx0 has been silent for 1.5 s",
            ),
            (Vitals { heartbeats: vec![("rx0".into(), Moment(0))], ..vitals() }, "core rx0 has not started"),
            (Vitals { generation: None, ..vitals() }, "no policy is loaded"),
            (Vitals { draining: true, ..vitals() }, "draining"),
        ];
        for (vitals, reason) in broken {
            let health = Health::of(&vitals);
            assert!(!health.is_healthy());
            assert_eq!(health.body(), format!(r#"{{"status":"unhealthy","reasons":["{reason}"]}}"#));
        }
    }

    #[test]
    fn a_heartbeat_a_second_old_is_too_old_and_one_from_the_future_is_not() {
        let mut vitals = vitals();
        vitals.heartbeats[1].1 = Moment(99 * SECOND);
        assert!(!Health::of(&vitals).is_healthy());
        vitals.heartbeats[1].1 = Moment(101 * SECOND);
        assert!(Health::of(&vitals).is_healthy());
    }

    #[test]
    fn the_answer_stays_small_however_many_cores_are_silent() {
        let mut vitals = vitals();
        vitals.heartbeats = (0..500).map(|core| (format!("worker{core}"), Moment(0))).collect();
        let health = Health::of(&vitals);
        assert_eq!(health.reasons().len(), 500);
        assert!(
            health.body().len() < 1000 && health.body().contains(r#""unnamed":492"#),
            "{}",
            health.body()
        );
    }
}
