//! When which target is probed, and what the results make of it. Pure: time is an argument.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Instant;

use super::health::{Failure, Health, HealthCheck, Record, consensus};

/// Probes that make one check: AWS sends several per interval and does not say how many.
pub const PROBES: u32 = 3;

/// Probes of one target under way at once; while so many have no result, no more are sent. With AWS's own times there are
/// never more than three, as a timeout is no longer than an interval.
const UNDER_WAY: u32 = 2 * PROBES;

/// One node's checks of its targets.
#[derive(Debug, Default)]
pub struct Schedule {
    check: HealthCheck,
    targets: HashMap<Ipv4Addr, Watch>,
}

#[derive(Debug)]
struct Watch {
    record: Record,
    next: Instant,
    under_way: u32,
    results: Vec<Result<(), Failure>>,
}

impl Schedule {
    /// Check these targets like this from now on. What is known of a target stays; a new one is probed at once.
    pub fn configure(&mut self, check: HealthCheck, targets: &[Ipv4Addr], now: Instant) {
        self.check = check;
        self.targets.retain(|address, _| targets.contains(address));
        for address in targets {
            let new = || Watch { record: Record::default(), next: now, under_way: 0, results: Vec::new() };
            self.targets.entry(*address).or_insert_with(new);
        }
    }

    /// How targets are checked.
    #[must_use]
    pub fn check(&self) -> &HealthCheck {
        &self.check
    }

    /// The targets to probe now; the probes of one check are spread over its interval.
    pub fn due(&mut self, now: Instant) -> Vec<Ipv4Addr> {
        let pause = self.check.interval / PROBES;
        let mut due = Vec::new();
        for (address, watch) in &mut self.targets {
            if watch.next <= now {
                watch.next = now + pause;
                if watch.under_way < UNDER_WAY {
                    watch.under_way += 1;
                    due.push(*address);
                }
            }
        }
        due
    }

    /// When the next probe is due, if there is any target.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.targets.values().map(|watch| watch.next).min()
    }

    /// Take a probe's result; the target's health, if the result made it another.
    pub fn note(&mut self, target: Ipv4Addr, result: Result<(), Failure>) -> Option<Health> {
        let watch = self.targets.get_mut(&target)?;
        watch.under_way = watch.under_way.saturating_sub(1);
        watch.results.push(result);
        if watch.results.len() < PROBES as usize {
            return None;
        }
        let before = watch.record.health();
        watch.record.note(consensus(&watch.results), &self.check);
        watch.results.clear();
        Some(watch.record.health()).filter(|health| *health != before)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_target_is_healthy_after_threshold_times_interval_and_not_before() {
        let start = Instant::now();
        let target = Ipv4Addr::new(10, 1, 2, 11);
        let mut schedule = Schedule::default();
        schedule.configure(HealthCheck::default(), &[target], start);
        let (mut now, mut probes) = (start, 0);
        let health = loop {
            assert_eq!(schedule.due(now), [target]);
            assert!(schedule.due(now).is_empty());
            probes += 1;
            if let Some(health) = schedule.note(target, Ok(())) {
                break health;
            }
            now = schedule.next().unwrap();
        };
        assert_eq!((health, probes), (Health::Healthy, 5 * PROBES));
        assert!(now - start > Duration::from_secs(40) && now - start < Duration::from_secs(50));
    }

    #[test]
    fn a_target_that_does_not_answer_gathers_no_more_than_a_few_probes() {
        let (now, target) = (Instant::now(), Ipv4Addr::new(10, 1, 2, 11));
        let mut schedule = Schedule::default();
        schedule.configure(HealthCheck::default(), &[target], now);
        let asked = |schedule: &mut Schedule, from: u64| -> usize {
            (from..from + 100).map(|n| schedule.due(now + Duration::from_secs(10 * n)).len()).sum()
        };
        assert_eq!(asked(&mut schedule, 0), UNDER_WAY as usize);
        schedule.note(target, Err(Failure::Timeout));
        assert_eq!(asked(&mut schedule, 100), 1);
    }

    #[test]
    fn what_is_known_of_a_target_survives_a_new_configuration() {
        let now = Instant::now();
        let (a, b) = (Ipv4Addr::new(10, 1, 2, 11), Ipv4Addr::new(10, 1, 2, 12));
        let mut schedule = Schedule::default();
        schedule.configure(HealthCheck::default(), &[a], now);
        let failures = 2 * PROBES as usize;
        let states: Vec<_> = (0..failures).filter_map(|_| schedule.note(a, Err(Failure::Timeout))).collect();
        assert_eq!(states, [Health::Unhealthy(Failure::Timeout)]);
        schedule.configure(HealthCheck::default(), &[a, b], now);
        let again: Vec<_> = (0..failures).filter_map(|_| schedule.note(a, Err(Failure::Timeout))).collect();
        assert!(again.is_empty(), "still unhealthy is no news");
        schedule.configure(HealthCheck::default(), &[b], now);
        assert_eq!(schedule.note(a, Ok(())), None);
    }
}
