//! How a new policy reaches a worker, and how the old one comes back.
//!
//! ```text
//! control thread   send(new) ──▶ [ newest ] ──▶ take()   worker, at a turn's start
//!                  returned() ◀── [ old ] ◀─── give_back()
//! ```
//! The worker must not free a policy: that may take milliseconds. So the old one travels back, and the control thread
//! frees it. Of two policies sent before a turn began the newer wins. crossbeam's queue because the control thread must be
//! able to replace what it sent, which a single-producer ring cannot.

use std::sync::Arc;

use crossbeam::queue::ArrayQueue;

/// A way for values of `T` to one core, and back.
#[must_use]
pub fn swap<T>() -> (SwapSender<T>, SwapReceiver<T>) {
    let (newest, old) = (Arc::new(ArrayQueue::new(1)), Arc::new(ArrayQueue::new(1)));
    (SwapSender { newest: newest.clone(), old: old.clone() }, SwapReceiver { newest, old })
}

/// The control thread's end.
#[derive(Debug)]
pub struct SwapSender<T> {
    newest: Arc<ArrayQueue<T>>,
    old: Arc<ArrayQueue<T>>,
}

impl<T> SwapSender<T> {
    /// Send a value; what the core has not taken yet comes back at once.
    pub fn send(&mut self, value: T) -> Option<T> {
        self.newest.force_push(value)
    }

    /// What the core has given back, to be dropped here.
    pub fn returned(&mut self) -> Option<T> {
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
pub struct SwapReceiver<T> {
    newest: Arc<ArrayQueue<T>>,
    old: Arc<ArrayQueue<T>>,
}

impl<T> SwapReceiver<T> {
    /// Exchange what the core uses for what was sent, if anything was and the way back is free. Once per turn: on a quiet
    /// queue it reads two unchanged cache lines.
    pub fn exchange(&mut self, replace: impl FnOnce(T) -> T) {
        if self.newest.is_empty() || self.old.is_full() {
            return;
        }
        if let Some(value) = self.newest.pop() {
            // One core fills `old` and it was not full: the push succeeds.
            let _ = self.old.push(replace(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_every_value_comes_home() {
        let (mut sender, mut receiver) = swap();
        let mut current = 0;
        assert_eq!(sender.send(1), None);
        assert_eq!(sender.send(2), Some(1));
        assert!(!sender.is_taken());
        receiver.exchange(|new| std::mem::replace(&mut current, new));
        assert!(sender.is_taken());
        assert_eq!((current, sender.returned(), sender.returned()), (2, Some(0), None));
    }

    #[test]
    fn a_core_waits_with_the_next_until_the_old_one_was_fetched() {
        let (mut sender, mut receiver) = swap();
        let mut current = 0;
        for next in [1, 2] {
            sender.send(next);
            receiver.exchange(|new| std::mem::replace(&mut current, new));
        }
        assert_eq!(current, 1);
        assert_eq!(sender.returned(), Some(0));
        receiver.exchange(|new| std::mem::replace(&mut current, new));
        assert_eq!((current, sender.returned()), (2, Some(1)));
    }
}
