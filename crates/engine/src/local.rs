//! The local lane: what is not GENEVE for us goes to the control thread, and its answers leave by the same NIC.
//!
//! ```text
//! rx0 … ─┐ punt
//! rx1 … ─┴──▶ [ shared queue ] ──▶ LocalLane (control thread: ARP, ping, health) ──▶ [ ring ] ──▶ tx0 or rtc0 ──▶ NIC
//! ```
//! The way in has many senders and little traffic, so it is crossbeam's queue; the way out has one of each. Answers join
//! behind the stage: they are whole frames, neither inspected nor reflected.

use std::sync::Arc;

use arrayvec::ArrayVec;
use crossbeam::queue::ArrayQueue;
use inspect::{Burst, DropReason};
use rtrb::{Consumer, Producer, PushError, RingBuffer};

/// The control thread's end.
#[derive(Debug)]
pub struct LocalLane<B> {
    punted: Arc<ArrayQueue<B>>,
    outgoing: Producer<B>,
}

impl<B> LocalLane<B> {
    /// The next frame that a core punted.
    pub fn pull(&mut self) -> Option<B> {
        self.punted.pop()
    }

    /// Send a whole frame. It comes back if the ring is full or its core has ended.
    pub fn send(&mut self, frame: B) -> Result<(), B> {
        if self.outgoing.is_abandoned() {
            return Err(frame);
        }
        self.outgoing.push(frame).map_err(|PushError::Full(frame)| frame)
    }
}

/// A role's end. Every role may punt; one role, which owns a transmit queue, takes what the control thread sends.
#[derive(Debug)]
pub struct LocalPort<B> {
    punted: Option<Arc<ArrayQueue<B>>>,
    incoming: Option<Consumer<B>>,
}

/// A local lane of `capacity` frames each way: the control thread's end, and the end of the role that transmits for it.
#[must_use]
pub fn local_lane<B>(capacity: usize) -> (LocalLane<B>, LocalPort<B>) {
    let punted = Arc::new(ArrayQueue::new(capacity.max(1)));
    let (outgoing, incoming) = RingBuffer::new(capacity);
    (
        LocalLane { punted: punted.clone(), outgoing },
        LocalPort { punted: Some(punted), incoming: Some(incoming) },
    )
}

impl<B> LocalPort<B> {
    /// No local lane, as over a capture: what is punted is counted and freed.
    #[must_use]
    pub fn none() -> Self {
        Self { punted: None, incoming: None }
    }

    /// Another role's end of the same lane, for punting only.
    #[must_use]
    pub fn punt_only(&self) -> Self {
        Self { punted: self.punted.clone(), incoming: None }
    }

    /// Hand punted packets over; what the lane cannot take stays.
    pub(crate) fn punt(&mut self, frames: &mut ArrayVec<B, 32>) {
        let Some(punted) = &self.punted else { return frames.clear() };
        for frame in frames.take() {
            if let Err(frame) = punted.push(frame) {
                frames.push(frame);
            }
        }
    }

    /// Take what the control thread sent, as far as it fits. True if there was any.
    pub(crate) fn inject(&mut self, burst: &mut Burst<B>) -> bool {
        let before = burst.len();
        if let Some(incoming) = &mut self.incoming
            && !incoming.is_empty()
        {
            burst.extend(std::iter::from_fn(|| incoming.pop().ok()));
        }
        burst.len() > before
    }

    /// The reason for which packets are dropped that the lane would not take.
    pub(crate) fn full(&self) -> DropReason {
        DropReason::LocalLaneFull
    }
}
