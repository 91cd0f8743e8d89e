//! Health of targets: what a check is, and how its results make a state. Pure; [`super::probe`] does the connecting.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;

/// How a target group checks its targets (AWS, "Health checks for Gateway Load Balancer target groups").
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HealthCheck {
    /// What is spoken.
    pub protocol: Protocol,
    /// TCP port on the target's address; default 80.
    pub tcp_port: u16,
    /// Request target for HTTP and HTTPS; default `/`.
    pub path: String,
    /// Status codes that pass; default 200 to 399.
    pub matcher: Vec<RangeInclusive<u16>>,
    /// From one check to the next, 5 to 300 s; default 10.
    pub interval: Duration,
    /// How long one check may take, 2 to 120 s; default 5.
    pub timeout: Duration,
    /// Checks in a row that must pass, 2 to 10; default 5.
    pub healthy_threshold: u32,
    /// Checks in a row that must fail, 2 to 10; default 2.
    pub unhealthy_threshold: u32,
    /// HTTPS checks may use TLS 1.3.
    pub tls13: bool,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            protocol: Protocol::Tcp,
            tcp_port: 80,
            path: "/".to_owned(),
            matcher: vec![200..=399],
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            tls13: true,
        }
    }
}

/// What a check speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// A completed handshake passes.
    Tcp,
    /// A status within the matcher passes.
    Http,
    /// The same inside TLS; any certificate will do.
    Https,
}

/// Why a probe failed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Failure {
    /// Refused, unreachable, closed early, or an answer that is none.
    Failed,
    /// Nothing within the timeout.
    Timeout,
    /// A status outside the matcher.
    Status(u16),
}

/// What describe-target-health tells of a registered target that its listener uses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Health {
    /// Too few checks so far.
    #[default]
    Initial,
    /// Takes new flows.
    Healthy,
    /// Takes none.
    Unhealthy(Failure),
}

impl Health {
    /// `State` as in the API.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy(_) => "unhealthy",
        }
    }

    /// `Reason` as in the API.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Initial => Some("Elb.InitialHealthChecking"),
            Self::Healthy => None,
            Self::Unhealthy(Failure::Failed) => Some("Target.FailedHealthChecks"),
            Self::Unhealthy(Failure::Timeout) => Some("Target.Timeout"),
            Self::Unhealthy(Failure::Status(_)) => Some("Target.ResponseCodeMismatch"),
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Initial => f.write_str("Initial health checks in progress"),
            Self::Healthy => Ok(()),
            Self::Unhealthy(Failure::Failed) => f.write_str("Health checks failed"),
            Self::Unhealthy(Failure::Timeout) => f.write_str("Request timed out"),
            Self::Unhealthy(Failure::Status(code)) => {
                write!(f, "Health checks failed with these codes: [{code}]")
            }
        }
    }
}

impl Serialize for Health {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.state())
    }
}

/// The results of one target's checks, as one node sees them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record {
    health: Health,
    passed: u32,
    failed: u32,
}

impl Record {
    /// The state that the results so far make.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health
    }

    /// Note the result of one check.
    pub fn note(&mut self, result: Result<(), Failure>, check: &HealthCheck) {
        match result {
            Ok(()) => {
                self.failed = 0;
                self.passed = self.passed.saturating_add(1);
                if self.passed >= check.healthy_threshold {
                    self.health = Health::Healthy;
                }
            }
            Err(failure) => {
                self.passed = 0;
                self.failed = self.failed.saturating_add(1);
                if self.failed >= check.unhealthy_threshold {
                    self.health = Health::Unhealthy(failure);
                }
            }
        }
    }
}

/// One check is several probes (AWS: "distributed, with consensus"): it passes if more than half of them pass, and
/// fails with the failure met last.
///
/// # Errors
/// That failure.
pub fn consensus(probes: &[Result<(), Failure>]) -> Result<(), Failure> {
    let passed = probes.iter().filter(|probe| probe.is_ok()).count();
    let failure = probes.iter().rev().find_map(|probe| probe.err());
    match failure {
        Some(failure) if passed * 2 <= probes.len() => Err(failure),
        _ => Ok(()),
    }
}

/// The status code of an HTTP/1 answer's first line (RFC 9112 §4), if there is one.
#[must_use]
pub fn status_of(answer: &[u8]) -> Option<u16> {
    let rest = answer.strip_prefix(b"HTTP/1.")?;
    match rest {
        [minor, b' ', a, b, c, end, ..] if minor.is_ascii_digit() && matches!(end, b' ' | b'\r' | b'\n') => {
            let digits = [*a, *b, *c];
            std::str::from_utf8(&digits).ok()?.parse().ok().filter(|code| (100..600).contains(code))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(results: &str) -> Health {
        let check = HealthCheck { healthy_threshold: 3, unhealthy_threshold: 2, ..HealthCheck::default() };
        let mut record = Record::default();
        for result in results.chars() {
            record.note(if result == '+' { Ok(()) } else { Err(Failure::Timeout) }, &check);
        }
        record.health()
    }

    #[test]
    fn thresholds_count_results_in_a_row() {
        let down = Health::Unhealthy(Failure::Timeout);
        let table = [
            ("", Health::Initial),
            ("++", Health::Initial),
            ("+++", Health::Healthy),
            ("+-+", Health::Initial),
            ("--", down),
            ("+++-", Health::Healthy),
            ("+++-+-+-", Health::Healthy),
            ("+++--", down),
            ("+++--++", down),
            ("+++--+++", Health::Healthy),
        ];
        for (results, health) in table {
            assert_eq!(after(results), health, "{results}");
        }
    }

    #[test]
    fn a_check_needs_more_than_half_of_its_probes() {
        let no = Err(Failure::Failed);
        assert_eq!(consensus(&[Ok(()), Ok(()), no]), Ok(()));
        assert_eq!(consensus(&[Ok(()), no, no]), no);
        assert_eq!(consensus(&[Ok(()), no]), no);
        assert_eq!(consensus(&[no, Err(Failure::Status(503))]), Err(Failure::Status(503)));
    }

    #[test]
    fn a_status_is_read_from_the_first_line_only() {
        assert_eq!(status_of(b"HTTP/1.1 200 OK\r\n"), Some(200));
        assert_eq!(status_of(b"HTTP/1.0 503\r\n"), Some(503));
        for wrong in
            [&b"HTTP/2 200 OK"[..], b"HTTP/1.1 20", b"HTTP/1.1 2000 ", b"SSH-2.0-x", b"HTTP/1.1 999 x", b""]
        {
            assert_eq!(status_of(wrong), None, "{wrong:?}");
        }
    }
}
