//! The thread that takes events from the workers' rings and writes them.
//!
//! A slow disk or a stopped reader of standard output or of a named pipe holds up this thread alone: the rings fill, and the
//! workers count what they lose, by kind ([`inspect::Losses`]). Who ends waits for it no longer than he wants.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crossbeam::queue::ArrayQueue;
use engine::{EventReceiver, Snapshot};
use flow::Moment;
use inspect::Event;
use policy::Policy;

use crate::events::{EventLog, LogCounts};

/// Events taken from one ring before the next has its turn.
const TURN: usize = 256;
/// How long the thread sleeps when no ring has anything.
const SLEEP: Duration = Duration::from_millis(5);
/// Orders that may wait; of more the oldest is forgotten.
const ORDERS: usize = 16;

/// The thread. It ends when every worker has ended and everything is written.
pub struct LogThread {
    shared: Arc<Shared>,
    /// Nothing comes there but its end, which is the thread's.
    ended: Receiver<()>,
}

/// What the control thread wants of the log.
enum Order {
    Know(Arc<Policy>),
    Stats(Box<(Moment, Snapshot, Duration)>),
    Reopen,
    EndLearning,
}

struct Shared {
    orders: ArrayQueue<Order>,
    written: AtomicU64,
    failed: AtomicU64,
}

impl LogThread {
    /// Write what comes out of `rings` to `log`.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(log: EventLog, rings: Vec<EventReceiver<Event>>) -> io::Result<Self> {
        let orders = ArrayQueue::new(ORDERS);
        let shared = Arc::new(Shared { orders, written: AtomicU64::new(0), failed: AtomicU64::new(0) });
        let (working, (end, ended)): (_, (Sender<()>, _)) = (shared.clone(), channel());
        thread::Builder::new().name("log".into()).spawn(move || {
            work(log, rings, &working);
            drop(end);
        })?;
        Ok(Self { shared, ended })
    }

    /// Know the rules of a policy, to name them. Tell before the workers take it.
    pub fn know(&self, policy: Arc<Policy>) {
        self.shared.orders.force_push(Order::Know(policy));
    }

    /// Write what was counted up to `now`, `uptime` after the start.
    pub fn write_stats(&self, now: Moment, snapshot: &Snapshot, uptime: Duration) {
        self.shared.orders.force_push(Order::Stats(Box::new((now, snapshot.clone(), uptime))));
    }

    /// Begin a file anew under its name: whoever rotates logs has set it aside.
    pub fn reopen(&self) {
        self.shared.orders.force_push(Order::Reopen);
    }

    /// Write what was learnt, and learn no more.
    pub fn end_learning(&self) {
        self.shared.orders.force_push(Order::EndLearning);
    }

    /// What was written so far.
    #[must_use]
    pub fn counts(&self) -> LogCounts {
        LogCounts {
            written: self.shared.written.load(Ordering::Relaxed),
            failed: self.shared.failed.load(Ordering::Relaxed),
        }
    }

    /// Wait until everything is written, which comes only after the workers have ended. None if that takes longer: then
    /// nobody reads what is written, and the rest is left to the thread.
    #[must_use]
    pub fn join(self, patience: Duration) -> Option<LogCounts> {
        match self.ended.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => None,
            // A thread that panicked has written what it could.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Some(self.counts()),
        }
    }
}

fn work(mut log: EventLog, mut rings: Vec<EventReceiver<Event>>, shared: &Shared) {
    loop {
        while let Some(order) = shared.orders.pop() {
            match order {
                Order::Know(policy) => log.know(policy),
                Order::Stats(told) => {
                    let (now, snapshot, uptime) = *told;
                    log.write_stats(now, &snapshot, uptime);
                }
                Order::Reopen => log.reopen(),
                Order::EndLearning => end_learning(&mut log),
            }
        }
        let mut taken = 0;
        for ring in &mut rings {
            for event in std::iter::from_fn(|| ring.pull()).take(TURN) {
                log.write(&event);
                taken += 1;
            }
        }
        rings.retain(|ring| !ring.ended());
        if taken == 0 {
            log.flush();
        }
        shared.written.store(log.counts().written, Ordering::Relaxed);
        shared.failed.store(log.counts().failed, Ordering::Relaxed);
        match (taken, rings.is_empty()) {
            (0, true) => return end_learning(&mut log),
            (0, false) => thread::sleep(SLEEP),
            _ => {}
        }
    }
}

/// What was learnt goes to its file; where that is, or why not, is told on standard error.
fn end_learning(log: &mut EventLog) {
    match log.end_learning() {
        Ok(files) => files.iter().for_each(|file| eprintln!("sluice: names learnt: {}", file.display())),
        Err(why) => eprintln!("sluice: the names that were learnt cannot be written: {why}"),
    }
}
