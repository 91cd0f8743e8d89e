//! A role whose events are written turn by turn: no event of a capture is lost to a full ring.
//!
//! Behind the capture's end the clock runs on until every flow is over, as it would on an appliance that gets no more
//! packets: what only a flow's end completes is told too. A capture whose clock jumps may have flows of a far future; nobody
//! waits for those.

use std::time::Duration;

use control::EventLog;
use engine::{Counter, EventReceiver, Stats, Turn, Turned};
use flow::Moment;
use inspect::Event;

/// How far the clock goes on with each turn behind the end.
const STEP: Duration = Duration::from_secs(1);
/// How far it goes on at most: longer than any timeout that makes sense.
const LAST: Duration = Duration::from_secs(24 * 3600);

/// A role and its log.
pub(crate) struct Told<'a, T> {
    /// The role.
    pub(crate) role: T,
    /// Where the role's events come out.
    pub(crate) events: EventReceiver<Event>,
    /// Where they are written.
    pub(crate) log: &'a mut EventLog,
    /// Where the role's figures are published.
    pub(crate) stats: &'a Stats,
    /// How long ago the capture has ended.
    pub(crate) since_end: Duration,
}

impl<T: Turn> Turn for Told<'_, T> {
    fn turn(&mut self, now: Moment) -> Turned {
        let turned = self.role.turn(now.after(self.since_end));
        let is_over = || self.stats.snapshot().roles.iter().all(|(_, counts)| counts.of(Counter::Flows) == 0);
        if turned != Turned::Ended || self.since_end >= LAST || is_over() {
            return turned;
        }
        self.since_end += STEP;
        Turned::Busy
    }

    fn spent(&mut self, turned: Turned, now: Moment) {
        self.role.spent(turned, now);
        while let Some(event) = self.events.pull() {
            self.log.write(&event);
        }
    }
}
