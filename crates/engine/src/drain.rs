//! How the appliance ends: first the health check fails, then the cores stop, in the order in which packets pass them.
//!
//! ```text
//! Serving ──signal──▶ Draining ──delay over──▶ Stopping ──cores ended──▶ Stopped
//!                        └──────── second signal ──┴───────────────────────▲
//! ```
//! Data, not threads: the control thread asks once a turn which phase it is, and acts. While draining, traffic flows as
//! before, so that the GWLB has time to see the failed health check and to send new flows elsewhere.

use std::time::Duration;

use flow::Moment;

/// Where on its way from start to end the appliance is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// Traffic flows, health answers 200.
    Serving,
    /// Traffic flows, health answers 503.
    Draining,
    /// No more is taken from the NIC; what is in flight is finished.
    Stopping,
    /// Nothing runs any more, or nothing shall be waited for.
    Stopped,
}

/// The way through the phases. Time and signals are arguments.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    phase: Phase,
    since: Moment,
    delay: Duration,
}

impl Drain {
    /// Serving; traffic will flow for `delay` after the first signal.
    #[must_use]
    pub fn new(delay: Duration) -> Self {
        Self { phase: Phase::Serving, since: Moment::default(), delay }
    }

    /// SIGTERM or SIGINT came: the first begins the drain, any later one ends at once.
    pub fn signal(&mut self, now: Moment) {
        self.since = now;
        self.phase = if self.phase == Phase::Serving { Phase::Draining } else { Phase::Stopped };
    }

    /// Every core has ended.
    pub fn ended(&mut self) {
        self.phase = Phase::Stopped;
    }

    /// The phase at `now`.
    pub fn tick(&mut self, now: Moment) -> Phase {
        if self.phase == Phase::Draining && now.since(self.since) >= self.delay {
            self.phase = Phase::Stopping;
        }
        self.phase
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1_000_000_000)
    }

    #[test]
    fn traffic_flows_for_the_delay_and_then_stops() {
        let mut drain = Drain::new(5 * SECOND);
        assert_eq!(drain.tick(at(100)), Phase::Serving);
        drain.signal(at(100));
        assert_eq!(drain.tick(at(104)), Phase::Draining);
        assert_eq!(drain.tick(at(105)), Phase::Stopping);
        drain.ended();
        assert_eq!(drain.tick(at(105)), Phase::Stopped);
    }

    #[test]
    fn a_second_signal_ends_at_once_in_every_phase() {
        for first_at in [1, 100] {
            let mut drain = Drain::new(5 * SECOND);
            drain.signal(at(first_at));
            drain.tick(at(50));
            drain.signal(at(101));
            assert_eq!(drain.tick(at(101)), Phase::Stopped);
        }
    }

    #[test]
    fn no_delay_stops_at_the_next_look() {
        let mut drain = Drain::new(Duration::ZERO);
        drain.signal(at(1));
        assert_eq!(drain.tick(at(1)), Phase::Stopping);
    }
}
