//! A moment as logs write it: UTC, microseconds, in the form of the EVE log: `2026-11-23T15:04:05.123456+0000`.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    /// The time `after` an epoch. Times before 1970 are 1970.
    pub(crate) fn new(epoch: SystemTime, after: Duration) -> Self {
        let since = epoch.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(after);
        Self(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }

    /// Whole seconds since 1970.
    pub(crate) fn seconds(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let (days, second) = (seconds / 86400, seconds % 86400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}+0000")
    }
}

/// The Gregorian date so many days after 1970-01-01. Years begin in March here, so that a leap day is a year's last.
fn date(days: u64) -> (u64, u64, u64) {
    const FOUR_CENTURIES: u64 = 146_097;
    let days = days + 719_468; // since 0000-03-01
    let (era, of_era) = (days / FOUR_CENTURIES, days % FOUR_CENTURIES);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_calendar_has_them() {
        let at = |seconds, micros| {
            Timestamp::new(UNIX_EPOCH + Duration::from_secs(seconds), Duration::from_micros(micros))
                .to_string()
        };
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000000+0000");
        assert_eq!(at(951_782_399, 999_999), "2000-02-28T23:59:59.999999+0000");
        assert_eq!(at(951_782_400, 0), "2000-02-29T00:00:00.000000+0000");
        assert_eq!(at(1_709_251_199, 1), "2024-02-29T23:59:59.000001+0000");
        assert_eq!(at(4_107_542_400, 0), "2100-03-01T00:00:00.000000+0000");
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut before = date(0);
        for days in 1..146_097 {
            let today = date(days);
            let next_day = (before.0, before.1, before.2 + 1);
            let next_month = (before.0 + before.1 / 12, before.1 % 12 + 1, 1);
            assert!(today == next_day || today == next_month && before.2 >= 28, "{before:?} {today:?}");
            before = today;
        }
        assert_eq!(before, (2369, 12, 31));
    }
}
