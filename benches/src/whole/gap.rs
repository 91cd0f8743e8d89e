//! When a data thread's clock jumped: its core ran something else, and what then waited is no doing of the appliance's.
//!
//! ```text
//! look ──── turn ──── look ──────────────────────────────────── look      clock
//!  ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓                                    ▓▓▓        the thread's CPU time
//!                      └ a gap; the thread ran for less than half of it: away
//! ```
//! A gap for all of which Linux charged the thread is an interrupt's, or of the machine below a virtual one, or the
//! appliance itself was slow. Nobody can tell from within; how many of them a loop without an appliance has, can be seen.

use std::sync::mpsc::Sender;
use std::time::Duration;

use dpdk::tsc;

use crate::threads;

/// From and to, in ticks of the time stamp counter.
pub(crate) type Span = (u64, u64);

/// A turn far longer than any that 32 packets take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    pub(crate) span: Span,
    /// Linux had given the core to somebody else.
    pub(crate) is_away: bool,
}

/// Looks at the clock once per turn of a thread's; tells its gaps when it is dropped.
pub(crate) struct Watch {
    hz: u64,
    last: Option<u64>,
    /// The thread's CPU time at the last gap, and when that was.
    ran: Option<(u64, Duration)>,
    gaps: Vec<Gap>,
    tell: Sender<Vec<Gap>>,
}

/// Turns that last no longer are no gaps, in microseconds: 32 packets take some three.
pub(crate) const SHORT: u64 = 20;

impl Watch {
    pub(crate) fn new(hz: u64, tell: Sender<Vec<Gap>>) -> Self {
        Self { hz, last: None, ran: None, gaps: Vec::with_capacity(1 << 16), tell }
    }

    /// On the thread itself, once per turn. Gives the present.
    #[inline]
    pub(crate) fn look(&mut self) -> u64 {
        let now = tsc();
        let last = self.last.replace(now).unwrap_or(now);
        if now.saturating_sub(last) > SHORT * self.hz / 1_000_000 || self.ran.is_none() {
            self.look_closer(last, now);
        }
        now
    }

    /// Between two looks of this kind there was one gap, this one: what the thread did not run for, it was away in it.
    #[cold]
    fn look_closer(&mut self, last: u64, now: u64) {
        let cpu = threads::cpu();
        if let Some((since, before)) = self.ran.replace((now, cpu)) {
            let ran = cpu.saturating_sub(before).as_secs_f64() * self.hz as f64;
            let missing = (now - since) as f64 - ran;
            if self.gaps.len() < self.gaps.capacity() {
                self.gaps.push(Gap { span: (last, now), is_away: missing * 2.0 > (now - last) as f64 });
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Nobody listens any more only if the measurement was given up.
        let _ = self.tell.send(std::mem::take(&mut self.gaps));
    }
}

/// The spans in which one of the threads was in a gap or could not yet have caught up: each as long again as it was. In
/// order, without overlaps.
pub(crate) fn disturbed(gaps: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut gaps: Vec<Span> = gaps.collect();
    gaps.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for (from, to) in gaps {
        let to = to + (to - from);
        match spans.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => spans.push((from, to)),
        }
    }
    spans
}

/// Whether a time from `due` to `sent` touches one of these spans.
pub(crate) fn touches(spans: &[Span], due: u64, sent: u64) -> bool {
    let next = spans.partition_point(|(_, to)| *to < due);
    spans.get(next).is_some_and(|(from, _)| *from <= sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_as_long_again_and_swallows_those_that_begin_in_it() {
        let spans = disturbed([(100, 110), (10, 20), (25, 26), (29, 40)].into_iter());
        assert_eq!(spans, [(10, 51), (100, 120)]);
        let touching = [(0, 9), (0, 10), (51, 60), (52, 99), (60, 130), (121, 130)]
            .map(|(due, sent)| touches(&spans, due, sent));
        assert_eq!(touching, [false, true, true, false, true, false]);
    }
}
