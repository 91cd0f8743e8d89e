//! A role's incoming rings, one per sender, drained in turn.
//!
//! One single-producer ring per sender rather than one ring for all: no sender ever waits for another, and the order of
//! each is kept. A burst goes out of a ring with one index update (rtrb's chunks; DESIGN.md, "Rings").

use crossbeam::utils::CachePadded;
use inspect::{Burst, Packet};
use rtrb::Consumer;

use crate::{Pulled, Source};

/// The receiving ends of a role's rings. Closed when every sender has dropped its end and every ring is empty.
#[derive(Debug)]
pub struct Inbox<B> {
    rings: Vec<CachePadded<Consumer<Packet<B>>>>,
    next: usize,
}

impl<B> Inbox<B> {
    pub(crate) fn new(rings: Vec<Consumer<Packet<B>>>) -> Self {
        Self { rings: rings.into_iter().map(CachePadded::new).collect(), next: 0 }
    }

    /// Take in the rings of another inbox: its senders send to this role too.
    pub(crate) fn join(&mut self, other: Self) {
        self.rings.extend(other.rings);
    }
}

impl<B> Source<B> for Inbox<B> {
    fn pull(&mut self, burst: &mut Burst<B>) -> Pulled {
        let before = burst.len();
        for _ in 0..self.rings.len() {
            if self.next >= self.rings.len() {
                self.next = 0;
            }
            take(&mut self.rings[self.next], burst);
            self.next += 1; // the ring that filled the burst comes last in the next turn
            if burst.is_full() {
                break;
            }
        }
        if burst.len() > before {
            return Pulled::Some;
        }
        // In this order: what was pushed before its sender ended is seen by a look after the end was seen.
        self.rings.retain(|ring| !(ring.is_abandoned() && ring.is_empty()));
        if self.rings.is_empty() { Pulled::Closed } else { Pulled::Idle }
    }
}

/// Move what fits from a ring into the burst. The sender's index is read only when the last reading is used up.
pub(crate) fn take<T, const N: usize>(ring: &mut Consumer<T>, burst: &mut arrayvec::ArrayVec<T, N>) {
    let room = burst.remaining_capacity();
    let known = ring.cached_slots();
    let count = if known == 0 { ring.slots() } else { known }.min(room);
    if let Ok(chunk) = ring.read_chunk(count) {
        burst.extend(chunk);
    }
}
