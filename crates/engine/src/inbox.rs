//! A role's incoming rings, one per sender, drained in turn.
//!
//! One single-writer ring per sender rather than one ring for all: no sender ever waits for another, and the order of each
//! is kept.

use crossbeam::utils::CachePadded;
use inspect::Burst;

use crate::crossing::Crossing;
use crate::ring::RingReceiver;
use crate::{Pulled, Source};

/// The receiving ends of a role's rings. Closed when every sender has dropped its end and every ring is empty.
#[derive(Debug)]
pub struct Inbox<T> {
    rings: Vec<CachePadded<RingReceiver<T>>>,
    next: usize,
}

impl<T> Inbox<T> {
    pub(crate) fn new(rings: Vec<RingReceiver<T>>) -> Self {
        Self { rings: rings.into_iter().map(CachePadded::new).collect(), next: 0 }
    }

    /// Take in the rings of another inbox: its senders send to this role too.
    pub(crate) fn join(&mut self, other: Self) {
        self.rings.extend(other.rings);
    }
}

impl<B, T: Crossing<B>> Source<B> for Inbox<T> {
    fn pull(&mut self, burst: &mut Burst<B>) -> Pulled {
        let before = burst.len();
        for _ in 0..self.rings.len() {
            if self.next >= self.rings.len() {
                self.next = 0;
            }
            self.rings[self.next].take(burst);
            self.next += 1; // the ring that filled the burst comes last in the next turn
            if burst.is_full() {
                break;
            }
        }
        if burst.len() > before {
            return Pulled::Some;
        }
        self.rings.retain(|ring| !ring.is_closed());
        if self.rings.is_empty() { Pulled::Closed } else { Pulled::Idle }
    }
}
