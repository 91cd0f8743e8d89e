//! Which records to visit now, so that all are visited in time and no turn is long.

use crate::Moment;

/// Nanoseconds for one round over the table: how much later than its time a flow may be found ended.
///
/// Visiting a record costs some 6 ns of its cache miss: a million every four seconds are 0.2 % of a core. The pace is the
/// clock's and not the turns', for an idle core turns millions of times a second.
const ROUND: u64 = 4_000_000_000;

#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// Records below this place have ever been used.
    reach: usize,
    next: usize,
    /// What was due up to this moment has been visited.
    paid: Moment,
}

impl Sweep {
    /// From now on visit this place, too.
    pub(crate) fn reaches(&mut self, place: usize) {
        self.reach = self.reach.max(place + 1);
    }

    /// The places due now, at most `budget`, each once.
    pub(crate) fn due(&mut self, now: Moment, budget: usize) -> impl Iterator<Item = usize> + use<> {
        let reach = self.reach as u64;
        let elapsed = now.0.saturating_sub(self.paid.0).min(ROUND);
        let due = usize::try_from(elapsed * reach / ROUND).unwrap_or(usize::MAX);
        if due >= budget.min(self.reach) || now < self.paid {
            self.paid = now; // what the budget does not allow is not owed
        } else if let Some(span) = (due as u64 * ROUND).checked_div(reach) {
            self.paid = Moment(self.paid.0 + span);
        }
        let due = due.min(budget);
        let from = if self.next >= self.reach { 0 } else { self.next };
        let to = self.reach.min(from + due);
        // Round the end: a table that grows as fast as it is swept would else never be swept from its start again.
        let again = from.min(due - (to - from));
        self.next = if again > 0 { again } else { to };
        (from..to).chain(0..again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_visits_every_place_once() {
        let mut sweep = Sweep::default();
        sweep.reaches(999);
        assert_eq!(sweep.due(Moment(5 * ROUND), 0).count(), 0);
        let mut visits = [0; 1000];
        for turn in 1..=4000 {
            for place in sweep.due(Moment(5 * ROUND + turn * ROUND / 4000), 64) {
                visits[place] += 1;
            }
        }
        assert!(visits.iter().all(|&visits| visits == 1), "{visits:?}");
    }

    #[test]
    fn a_table_that_grows_is_swept_from_its_start_again() {
        let mut sweep = Sweep::default();
        let mut first = 0;
        for turn in 0..8000 {
            sweep.reaches(turn);
            first +=
                sweep.due(Moment((turn as u64 + 1) * ROUND / 4000), 64).filter(|&place| place == 0).count();
        }
        assert!((2..10).contains(&first), "place 0 was visited {first} times in two rounds");
    }

    #[test]
    fn the_budget_holds_whatever_the_clock_does() {
        let mut sweep = Sweep::default();
        sweep.reaches(99_999);
        for now in [ROUND, 9 * ROUND, 1, u64::MAX, 0, u64::MAX] {
            assert!(sweep.due(Moment(now), 64).count() <= 64);
        }
    }
}
