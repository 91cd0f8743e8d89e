//! Packets that wait for a verdict, in lanes, and those that were let go and go out with the next bursts.
//!
//! ```text
//! lane 0   ▶ slot 4 ▶ slot 1             all FIFOs are chains through one slab: to let a lane go is to hang
//! lane 1   ▶ slot 7                      its chain behind the one that goes out, and no packet is moved
//! ready    ▶ slot 2 ▶ slot 3 ▶ slot 9
//! vacant   ▶ slot 0 ▶ …
//! ```
//! How many there may be is the stage's to say, by how often it says [`Verdict::Hold`]; here is a place for each.

use inspect::hold::{Lane, LetGo};
use inspect::{Burst, Packet, Verdict};

/// Packets held, by lane, and those that were let go.
#[derive(Debug)]
pub(crate) struct Held<B> {
    slots: Vec<Slot<B>>,
    vacant: Chain,
    lanes: Vec<Chain>,
    ready: Chain,
    len: usize,
}

#[derive(Debug)]
struct Slot<B> {
    packet: Option<(B, Packet)>,
    next: Option<u32>,
}

/// First and last slot of a FIFO.
type Chain = Option<(u32, u32)>;

impl<B> Default for Held<B> {
    fn default() -> Self {
        Self { slots: Vec::new(), vacant: None, lanes: Vec::new(), ready: None, len: 0 }
    }
}

impl<B> Held<B> {
    /// How many packets there are, waiting and let go.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether some were let go and not taken yet.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    /// Put a packet into a lane, behind those that are there.
    pub(crate) fn hold(&mut self, lane: Lane, frame: B, packet: &Packet) {
        let at = self.place(frame, packet);
        let lane = usize::from(lane.0);
        if self.lanes.len() <= lane {
            self.lanes.resize(lane + 1, None);
        }
        let chain = self.lanes.get(lane).copied().flatten();
        let longer = self.joined(chain, at);
        if let Some(chain) = self.lanes.get_mut(lane) {
            *chain = longer;
        }
    }

    /// A packet that goes forward, behind all that were let go before it.
    pub(crate) fn queue(&mut self, frame: B, packet: &Packet) {
        let at = self.place(frame, packet);
        self.ready = self.joined(self.ready, at);
    }

    /// Let a lane go. Those that are dropped are freed here; gives how many.
    pub(crate) fn let_go(&mut self, gone: LetGo) -> usize {
        let lane = self.lanes.get_mut(usize::from(gone.lane.0)).and_then(Option::take);
        if gone.verdict == Verdict::Forward {
            self.ready = self.joined(self.ready, lane);
            return 0;
        }
        let before = self.len;
        let mut chain = lane;
        while self.take(&mut chain).is_some() {}
        before - self.len
    }

    /// Move those that were let go into a burst, as far as it has room. True if there were any.
    pub(crate) fn refill(&mut self, burst: &mut Burst<B>) -> bool {
        let before = burst.len();
        let mut chain = self.ready;
        while !burst.is_full()
            && let Some((frame, packet)) = self.take(&mut chain)
        {
            burst.push(frame, Packet { verdict: Verdict::Forward, ..packet });
        }
        self.ready = chain;
        burst.len() > before
    }

    /// A slot with this packet, as a chain of one.
    fn place(&mut self, frame: B, packet: &Packet) -> Chain {
        self.len += 1;
        let full = Slot { packet: Some((frame, *packet)), next: None };
        if let Some((at, last)) = self.vacant {
            let slot = self.slots.get_mut(at as usize)?;
            self.vacant = slot.next.map(|next| (next, last));
            *slot = full;
            return Some((at, at));
        }
        let at = u32::try_from(self.slots.len()).ok()?;
        self.slots.push(full);
        Some((at, at))
    }

    /// The first packet of a chain, which begins with the next from then on.
    fn take(&mut self, chain: &mut Chain) -> Option<(B, Packet)> {
        let (first, last) = (*chain)?;
        let slot = self.slots.get_mut(first as usize)?;
        *chain = slot.next.take().map(|next| (next, last));
        let packet = slot.packet.take()?;
        self.len -= 1;
        self.vacant = self.joined(Some((first, first)), self.vacant);
        Some(packet)
    }

    /// One chain behind the other.
    fn joined(&mut self, before: Chain, behind: Chain) -> Chain {
        match (before, behind) {
            (Some((first, end)), Some((start, last))) => {
                if let Some(slot) = self.slots.get_mut(end as usize) {
                    slot.next = Some(start);
                }
                Some((first, last))
            }
            (one, other) => one.or(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};

    use proptest::prelude::*;

    use super::*;

    fn gone(lane: u16, verdict: Verdict) -> LetGo {
        LetGo { before: 0, lane: Lane(lane), verdict }
    }

    proptest! {
        #[test]
        fn every_lane_is_a_fifo_and_nothing_is_lost(steps in prop::collection::vec((0..4u8, 0..5u16), 0..300)) {
            let (mut held, mut lanes) = (Held::default(), HashMap::<u16, Vec<usize>>::new());
            let (mut ready, mut came_out) = (VecDeque::new(), Vec::new());
            for (number, (step, lane)) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => {
                        held.hold(Lane(lane), number, &Packet::UNREAD);
                        lanes.entry(lane).or_default().push(number);
                    }
                    2 => {
                        prop_assert_eq!(held.let_go(gone(lane, Verdict::Forward)), 0);
                        ready.extend(lanes.remove(&lane).unwrap_or_default());
                    }
                    _ if lane == 0 => {
                        let mut burst = Burst::default();
                        let any = held.refill(&mut burst);
                        prop_assert_eq!(any, !ready.is_empty());
                        came_out.extend(burst.take(32));
                        for number in came_out.drain(..) {
                            prop_assert_eq!(Some(number), ready.pop_front());
                        }
                    }
                    _ => {
                        let dropped = held.let_go(gone(lane, Verdict::Punt));
                        prop_assert_eq!(dropped, lanes.remove(&lane).unwrap_or_default().len());
                    }
                }
                let waiting: usize = lanes.values().map(Vec::len).sum();
                prop_assert_eq!(held.len(), waiting + ready.len());
                prop_assert_eq!(held.is_ready(), !ready.is_empty());
            }
        }
    }
}
