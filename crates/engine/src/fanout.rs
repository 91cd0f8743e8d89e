//! One role's outgoing rings, one per receiver, and who gets which packet.
//!
//! Steering uses the high half of the flow's hash: both directions of a flow have one hash, so one worker sees both, and
//! the low half stays free for that worker's flow table, whose index would otherwise use a fraction of its buckets.

use arrayvec::ArrayVec;
use crossbeam::utils::CachePadded;
use inspect::{Burst, DropReason, Packet};
use rtrb::{Producer, RingBuffer};

use crate::{Inbox, Sink};

/// The sending ends of a role's rings. Dropping it closes them.
#[derive(Debug)]
pub struct Fanout<B> {
    lanes: Vec<CachePadded<Lane<B>>>,
}

#[derive(Debug)]
struct Lane<B> {
    ring: Producer<Packet<B>>,
    staged: Burst<B>,
}

/// Rings of `capacity` packets from each of `from` senders to each of `to` receivers. The only maker of ring ends.
#[must_use]
pub fn mesh<B>(from: usize, to: usize, capacity: usize) -> (Vec<Fanout<B>>, Vec<Inbox<B>>) {
    let mut consumers: Vec<Vec<_>> = (0..to).map(|_| Vec::with_capacity(from)).collect();
    let fanouts = (0..from)
        .map(|_| Fanout {
            lanes: consumers
                .iter_mut()
                .map(|inbox| {
                    let (ring, consumer) = RingBuffer::new(capacity);
                    inbox.push(consumer);
                    CachePadded::new(Lane { ring, staged: Burst::new() })
                })
                .collect(),
        })
        .collect();
    (fanouts, consumers.into_iter().map(Inbox::new).collect())
}

impl<B> Sink<B> for Fanout<B> {
    fn push(&mut self, burst: &mut Burst<B>) {
        if let [lane] = &mut self.lanes[..] {
            return put(&mut lane.ring, burst);
        }
        for packet in burst.drain(..) {
            let index = lane_of(&packet, self.lanes.len());
            if let Some(lane) = self.lanes.get_mut(index) {
                lane.staged.push(packet);
            }
        }
        for lane in &mut self.lanes {
            let Lane { ring, staged } = &mut **lane;
            if !staged.is_empty() {
                put(ring, staged);
                burst.extend(staged.drain(..));
            }
        }
    }

    fn full(&self) -> DropReason {
        DropReason::InboxFull
    }
}

/// Which of `lanes` receivers gets this packet. What has no flow goes to the first.
fn lane_of<B>(packet: &Packet<B>, lanes: usize) -> usize {
    let high = packet.about.map_or(0, |about| about.hash >> 16);
    (high as usize * lanes) >> 16
}

/// Move what fits from the front of the burst into the ring, with one index update.
fn put<T, const N: usize>(ring: &mut Producer<T>, burst: &mut ArrayVec<T, N>) {
    let known = ring.cached_slots();
    let room = if known < burst.len() { ring.slots() } else { known };
    let count = burst.len().min(room);
    if let Ok(chunk) = ring.write_chunk_uninit(count) {
        chunk.fill_from_iter(burst.drain(..count));
    }
}
