//! How a worker tells the log what happened: small records over a ring of its own. A full ring loses the newest, and
//! counts it: the log may be slow, a worker may not.

use rtrb::{Consumer, Producer, RingBuffer};

/// A ring of `capacity` events from one worker to the log.
#[must_use]
pub fn events<E>(capacity: usize) -> (EventSender<E>, EventReceiver<E>) {
    let (ring, consumer) = RingBuffer::new(capacity);
    (EventSender { ring, lost: 0 }, EventReceiver { ring: consumer })
}

/// The worker's end.
#[derive(Debug)]
pub struct EventSender<E> {
    ring: Producer<E>,
    lost: u64,
}

impl<E> EventSender<E> {
    /// Send events, oldest first, as far as there is room.
    pub fn send(&mut self, events: impl IntoIterator<Item = E>) {
        for event in events {
            if self.ring.push(event).is_err() {
                self.lost += 1;
            }
        }
    }

    /// How many found no room.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// The log's end.
#[derive(Debug)]
pub struct EventReceiver<E> {
    ring: Consumer<E>,
}

impl<E> EventReceiver<E> {
    /// The oldest event that is there.
    pub fn pull(&mut self) -> Option<E> {
        self.ring.pop().ok()
    }

    /// Whether the worker has ended and everything it told was pulled.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ring.is_abandoned() && self.ring.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_loses_the_newest_and_counts_them() {
        let (mut sender, mut receiver) = events(3);
        sender.send(1..=5);
        assert_eq!(sender.lost(), 2);
        assert_eq!(std::iter::from_fn(|| receiver.pull()).collect::<Vec<_>>(), [1, 2, 3]);
        sender.send([6]);
        assert!(!receiver.ended());
        drop(sender);
        assert!(!receiver.ended(), "one is left");
        assert_eq!(receiver.pull(), Some(6));
        assert!(receiver.ended());
    }
}
