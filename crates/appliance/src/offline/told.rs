//! A role whose events are written turn by turn: no event of a capture is lost to a full ring.

use control::EventLog;
use engine::{EventReceiver, Turn, Turned};
use flow::Moment;
use inspect::Event;

/// A role and its log.
pub(crate) struct Told<'a, T> {
    /// The role.
    pub(crate) role: T,
    /// Where the role's events come out.
    pub(crate) events: EventReceiver<Event>,
    /// Where they are written.
    pub(crate) log: &'a mut EventLog,
}

impl<T: Turn> Turn for Told<'_, T> {
    fn turn(&mut self, now: Moment) -> Turned {
        self.role.turn(now)
    }

    fn spent(&mut self, turned: Turned, now: Moment) {
        self.role.spent(turned, now);
        while let Some(event) = self.events.pull() {
            self.log.write(&event);
        }
    }
}
