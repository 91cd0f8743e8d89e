//! The flow table's own, coarse time: four bytes in a record instead of eight.

use std::time::Duration;

use crate::Moment;

/// 2^24 ns, about 17 ms, per tick. Ticks wrap after 2.3 years; two of them less than half of that apart compare rightly.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tick(pub(crate) u32);

const SHIFT: u32 = 24;
/// Longest span that is told from a clock gone back: 1.1 years.
const LONGEST: u32 = i32::MAX as u32;

impl Tick {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "ticks wrap")]
    pub(crate) fn at(moment: Moment) -> Self {
        Self((moment.0 >> SHIFT) as u32)
    }

    /// Ticks from `earlier` to this; zero if the clock went back.
    #[inline]
    pub(crate) fn since(self, earlier: Self) -> u32 {
        let span = self.0.wrapping_sub(earlier.0);
        if span > LONGEST { 0 } else { span }
    }

    /// The moment this tick began, given a later moment less than 1.1 years after.
    pub(crate) fn moment(self, now: Moment) -> Moment {
        let ago = u64::from(Self::at(now).since(self)) << SHIFT;
        Moment((now.0 >> SHIFT << SHIFT).saturating_sub(ago))
    }
}

/// A span in ticks, rounded up, at most 1.1 years.
pub(crate) fn ticks(span: Duration) -> u32 {
    let ticks = span.as_nanos().div_ceil(1 << SHIFT);
    u32::try_from(ticks).unwrap_or(LONGEST).min(LONGEST - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_survive_the_wrap_and_a_clock_that_goes_back() {
        assert_eq!(Tick(5).since(Tick(u32::MAX - 4)), 10);
        assert_eq!(Tick(5).since(Tick(6)), 0);
    }

    #[test]
    fn a_span_in_ticks_is_never_shorter() {
        for seconds in [0, 1, 120, 350, 6000] {
            let span = Duration::from_secs(seconds);
            assert!(Duration::from_nanos(u64::from(ticks(span)) << SHIFT) >= span);
        }
        assert_eq!(ticks(Duration::MAX), LONGEST - 1);
    }

    #[test]
    fn a_tick_knows_its_moment() {
        let now = Moment(1_700_000_000_000_000_000);
        let then = Moment(now.0 - 350_000_000_000);
        let found = Tick::at(then).moment(now);
        assert!(found <= then && then.since(found) < Duration::from_millis(17));
    }
}
