//! How new rules reach a worker, and how what it had of the old ones comes back.
//!
//! ```text
//! control thread   send(new) ──▶ [ newest ] ──▶ take()        worker, at a turn's start
//!                  returned() ◀── [ old ] ◀──── give_back()   worker, some turns later
//! ```
//! The worker must not free a policy: that may take milliseconds. So the old one travels back, and the control thread
//! frees it. Of two policies sent before a turn began the newer wins. crossbeam's queue because the control thread must be
//! able to replace what it sent, which a single-producer ring cannot.

use std::sync::Arc;

use crossbeam::queue::ArrayQueue;

/// A way for values of `T` to one core, and for what they replaced back.
#[must_use]
pub fn swap<T, U>() -> (SwapSender<T, U>, SwapReceiver<T, U>) {
    let (newest, old) = (Arc::new(ArrayQueue::new(1)), Arc::new(ArrayQueue::new(1)));
    (SwapSender { newest: newest.clone(), old: old.clone() }, SwapReceiver { newest, old, owes: false })
}

/// The control thread's end.
#[derive(Debug)]
pub struct SwapSender<T, U> {
    newest: Arc<ArrayQueue<T>>,
    old: Arc<ArrayQueue<U>>,
}

impl<T, U> SwapSender<T, U> {
    /// Send a value; what the core has not taken yet comes back at once.
    pub fn send(&mut self, value: T) -> Option<T> {
        self.newest.force_push(value)
    }

    /// What the core has given back, to be dropped here.
    pub fn returned(&mut self) -> Option<U> {
        self.old.pop()
    }

    /// Whether the core has taken all that was sent.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.newest.is_empty()
    }
}

/// The core's end.
#[derive(Debug)]
pub struct SwapReceiver<T, U> {
    newest: Arc<ArrayQueue<T>>,
    old: Arc<ArrayQueue<U>>,
    /// Whether something was taken and what it replaced was not given back yet.
    owes: bool,
}

impl<T, U> SwapReceiver<T, U> {
    /// What was sent, if anything was and all that was replaced before has been given back and fetched: so a core never has
    /// more than two. Once per turn: on a quiet queue it reads two unchanged cache lines.
    pub fn take(&mut self) -> Option<T> {
        if self.newest.is_empty() || self.owes || self.old.is_full() {
            return None;
        }
        let taken = self.newest.pop();
        self.owes = taken.is_some();
        taken
    }

    /// Give back what was replaced by what was taken last.
    pub fn give_back(&mut self, old: U) {
        // Only this core fills it, and it took nothing while it was full: the push succeeds.
        let _ = self.old.push(old);
        self.owes = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_every_value_comes_home() {
        let (mut sender, mut receiver) = swap();
        assert_eq!(sender.send(1), None);
        assert_eq!(sender.send(2), Some(1));
        assert!(!sender.is_taken());
        assert_eq!(receiver.take(), Some(2));
        assert!(sender.is_taken());
        receiver.give_back("old");
        assert_eq!((sender.returned(), sender.returned()), (Some("old"), None));
    }

    #[test]
    fn a_core_waits_with_the_next_until_the_old_one_was_given_back_and_fetched() {
        let (mut sender, mut receiver) = swap();
        sender.send(1);
        assert_eq!(receiver.take(), Some(1));
        sender.send(2);
        assert_eq!(receiver.take(), None, "what 1 replaced is still in use");
        receiver.give_back(0);
        assert_eq!(receiver.take(), None, "nobody has fetched it");
        assert_eq!(sender.returned(), Some(0));
        assert_eq!(receiver.take(), Some(2));
    }
}
