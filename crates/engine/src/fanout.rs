//! One role's outgoing rings, one per receiver, and who gets which packet.
//!
//! Steering uses the high half of the flow's hash: both directions of a flow have one hash, so one worker sees both, and
//! the low half stays free for that worker's flow table, whose index would otherwise use a fraction of its buckets.

use crossbeam::utils::CachePadded;
use inspect::{Burst, DropReason, Packet};

use crate::crossing::Crossing;
use crate::ring::{RingSender, ring};
use crate::{Inbox, Sink};

/// The sending ends of a role's rings. Dropping it closes them.
#[derive(Debug)]
pub struct Fanout<B, T> {
    lanes: Vec<CachePadded<Lane<B, T>>>,
}

#[derive(Debug)]
struct Lane<B, T> {
    ring: RingSender<T>,
    staged: Burst<B>,
}

/// Rings of `capacity` packets from each of `from` senders to each of `to` receivers. The only maker of ring ends.
#[must_use]
pub fn mesh<B, T>(from: usize, to: usize, capacity: usize) -> (Vec<Fanout<B, T>>, Vec<Inbox<T>>) {
    let mut receivers: Vec<Vec<_>> = (0..to).map(|_| Vec::with_capacity(from)).collect();
    let fanouts = (0..from)
        .map(|_| Fanout {
            lanes: receivers
                .iter_mut()
                .map(|inbox| {
                    let (sender, receiver) = ring(capacity);
                    inbox.push(receiver);
                    CachePadded::new(Lane { ring: sender, staged: Burst::default() })
                })
                .collect(),
        })
        .collect();
    (fanouts, receivers.into_iter().map(Inbox::new).collect())
}

impl<B, T: Crossing<B>> Sink<B> for Fanout<B, T> {
    fn push(&mut self, burst: &mut Burst<B>) {
        if let [lane] = &mut self.lanes[..] {
            return lane.ring.put(burst);
        }
        burst.give(|frames, packets| {
            for (frame, packet) in frames.drain(..).zip(packets) {
                let index = lane_of(packet, self.lanes.len());
                if let Some(lane) = self.lanes.get_mut(index) {
                    lane.staged.push(frame, *packet); // there is room: a lane is empty after each push
                }
            }
        });
        for lane in &mut self.lanes {
            let Lane { ring, staged } = &mut **lane;
            if !staged.is_empty() {
                ring.put(staged);
                staged.give(|frames, packets| {
                    for (frame, packet) in frames.drain(..).zip(packets) {
                        burst.push(frame, *packet);
                    }
                });
            }
        }
    }

    fn full(&self) -> DropReason {
        DropReason::InboxFull
    }
}

/// Which of `lanes` receivers gets this packet. What has no flow goes to the first.
fn lane_of(packet: &Packet, lanes: usize) -> usize {
    let high = packet.about.as_ref().map_or(0, |about| about.hash >> 16);
    (high as usize * lanes) >> 16
}
