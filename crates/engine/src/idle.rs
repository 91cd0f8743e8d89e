//! What a thread does when none of its roles had work.
//!
//! A thread that has its CPU to itself spins: anything else adds to the latency of the next packet. A thread that shares
//! it yields at the first empty pass, because whoever waits for the CPU may be the one who sends to us, and sleeps only
//! when nothing at all has come for a while: a sleep costs at least the timer's slack (50 µs on Linux).

use std::time::Duration;

use flow::Moment;

/// Whether a data thread has its CPU to itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sharing {
    /// Nothing else is meant to run there.
    Exclusive,
    /// Other threads or other programs run there too.
    Shared,
}

/// How a thread waits.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    sharing: Sharing,
    since: Option<Moment>,
}

impl Idle {
    /// How long a thread that shares its CPU yields before it begins to sleep.
    pub const SLEEP_AFTER: Duration = Duration::from_millis(1);
    /// How long one sleep is, before the timer's slack.
    pub const SLEEP: Duration = Duration::from_micros(50);

    /// How a thread waits on a CPU of this kind.
    #[must_use]
    pub fn new(sharing: Sharing) -> Self {
        Self { sharing, since: None }
    }

    /// End a pass over the thread's roles: wait a little if none was busy. True if time was spent that way.
    pub(crate) fn rest(&mut self, busy: bool, now: Moment) -> bool {
        if busy {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        match self.sharing {
            Sharing::Exclusive => std::hint::spin_loop(),
            Sharing::Shared if now.since(since) < Self::SLEEP_AFTER => std::thread::yield_now(),
            Sharing::Shared => std::thread::sleep(Self::SLEEP),
        }
        true
    }
}
