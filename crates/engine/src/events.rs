//! How a worker tells the log what happened: small records over a ring of its own. A full ring loses the newest, and
//! counts it: the log may be slow, a worker may not. Which kinds it loses first, [`Losses`] says.

use inspect::{EventKind, Losses};
use rtrb::{Consumer, Producer, RingBuffer};

/// A ring of `capacity` events from one worker to the log.
#[must_use]
pub fn events<E>(capacity: usize) -> (EventSender<E>, EventReceiver<E>) {
    let (ring, consumer) = RingBuffer::new(capacity);
    (EventSender { ring, losses: Losses::default() }, EventReceiver { ring: consumer })
}

/// The worker's end.
#[derive(Debug)]
pub struct EventSender<E> {
    ring: Producer<E>,
    losses: Losses,
}

impl<E> EventSender<E> {
    /// Send events, oldest first, as far as there is room for their kind.
    pub fn send(&mut self, events: impl IntoIterator<Item = E>, kind: impl Fn(&E) -> EventKind) {
        for event in events {
            if self.losses.admit(kind(&event), self.ring.slots(), self.ring.buffer().capacity()) {
                // There is room: nobody else fills the ring.
                let _ = self.ring.push(event);
            }
        }
    }

    /// How many found no room.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.losses
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
    fn a_full_ring_loses_the_newest_those_that_say_little_first_and_counts_them() {
        let (mut sender, mut receiver) = events(8);
        sender.send(1..=9, |_| EventKind::Flow);
        sender.send(10..=13, |_| EventKind::Alert);
        assert_eq!((sender.losses().of(EventKind::Flow), sender.losses().of(EventKind::Alert)), (3, 2));
        let pulled: Vec<_> = std::iter::from_fn(|| receiver.pull()).collect();
        assert_eq!(pulled, [1, 2, 3, 4, 5, 6, 10, 11]);
        sender.send([6], |_| EventKind::Drop);
        assert!(!receiver.ended());
        drop(sender);
        assert!(!receiver.ended(), "one is left");
        assert_eq!(receiver.pull(), Some(6));
        assert!(receiver.ended());
    }
}
