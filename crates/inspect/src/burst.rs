//! A burst of packets where it lies: the frames in one array, what is known of each in another.
//!
//! ```text
//! frames   [ mbuf | mbuf | mbuf | … ]   8 bytes each: the driver writes them here, and takes them from here
//! packets  [ about, verdict | … ]       64 bytes each: written once by `learn`, then read in place
//! ```
//! Why two arrays: in one, a packet is 72 bytes that were copied whenever the burst passed from driver to stage to
//! driver, though all that passes is the frame's pointer (DESIGN.md, "Bursts stay where they are").

use arrayvec::ArrayVec;

use crate::{Packet, Verdict};

/// At most 32 packets, in the order in which they came.
#[derive(Debug)]
pub struct Burst<B> {
    frames: ArrayVec<B, 32>,
    /// As many count as there are frames.
    packets: [Packet; 32],
}

impl<B> Default for Burst<B> {
    fn default() -> Self {
        Self { frames: ArrayVec::new(), packets: [Packet::UNREAD; 32] }
    }
}

impl<B> Burst<B> {
    /// The most packets of a burst.
    pub const CAPACITY: usize = 32;

    /// How many packets it holds.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether it holds none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether it has no room.
    #[must_use]
    #[inline]
    pub fn is_full(&self) -> bool {
        self.frames.is_full()
    }

    /// For how many more packets it has room.
    #[must_use]
    #[inline]
    pub fn room(&self) -> usize {
        self.frames.remaining_capacity()
    }

    /// The frames.
    #[must_use]
    #[inline]
    pub fn frames(&self) -> &[B] {
        &self.frames
    }

    /// Both: the frames, and what is known of each.
    #[must_use]
    #[inline]
    pub fn parts(&mut self) -> (&mut [B], &mut [Packet]) {
        let Self { frames, packets } = self;
        let count = frames.len();
        (frames, &mut packets[..count])
    }

    /// Append frames of which nothing is known, as far as there is room.
    pub fn extend(&mut self, frames: impl IntoIterator<Item = B>) {
        let room = self.room();
        self.receive(|held| held.extend(frames.into_iter().take(room)));
    }

    /// Let `append` put more frames behind those that are here. Nothing is known of them.
    #[inline]
    pub fn receive<R>(&mut self, append: impl FnOnce(&mut ArrayVec<B, 32>) -> R) -> R {
        let Self { frames, packets } = self;
        let before = frames.len();
        let said = append(frames);
        for packet in packets.iter_mut().take(frames.len()).skip(before) {
            packet.forget();
        }
        said
    }

    /// Append a packet: `packet` writes what is known of it where it will lie, and gives its frame. False if there is no
    /// room, and `packet` is not asked.
    #[inline]
    pub fn place(&mut self, packet: impl FnOnce(&mut Packet) -> B) -> bool {
        let Self { frames, packets } = self;
        let Some(place) = packets.get_mut(frames.len()) else { return false };
        place.forget();
        frames.try_push(packet(place)).is_ok()
    }

    /// Append a packet; false if there is no room, and it is dropped.
    #[inline]
    pub fn push(&mut self, frame: B, packet: Packet) -> bool {
        self.place(|place| {
            *place = packet;
            frame
        })
    }

    /// Let `take` have frames from the front, and see what is known of each. The rest stay, in order.
    #[inline]
    pub fn give<R>(&mut self, take: impl FnOnce(&mut ArrayVec<B, 32>, &[Packet]) -> R) -> R {
        let Self { frames, packets } = self;
        let before = frames.len();
        let said = take(frames, &packets[..before]);
        let left = frames.len();
        if left > 0 {
            packets.copy_within(before.saturating_sub(left)..before, 0);
        }
        said
    }

    /// Take the first `count` frames, or all if there are fewer.
    pub fn take(&mut self, count: usize) -> impl Iterator<Item = B> + use<B> {
        let count = count.min(self.len());
        self.give(|frames, _| frames.drain(..count).collect::<ArrayVec<B, 32>>()).into_iter()
    }

    /// Keep what goes forward, in order; give `other` the rest, in order.
    pub fn sort_out(&mut self, mut other: impl FnMut(B, &Packet)) {
        let Self { frames, packets } = self;
        let mut kept = 0;
        for (at, frame) in frames.take().into_iter().enumerate() {
            if packets[at].verdict == Verdict::Forward {
                packets[kept] = packets[at];
                kept += 1;
                frames.push(frame);
            } else {
                other(frame, &packets[at]);
            }
        }
    }

    /// Free all of it.
    pub fn clear(&mut self) {
        self.frames.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DropReason;

    fn burst(count: u16) -> Burst<u16> {
        let mut burst = Burst::default();
        burst.extend(0..count);
        for (frame, packet) in burst.frames.iter().zip(&mut burst.packets) {
            packet.verdict =
                if frame % 3 == 0 { Verdict::Forward } else { DropReason::ALL[usize::from(*frame)].into() };
        }
        burst
    }

    fn verdicts(burst: &mut Burst<u16>) -> Vec<Verdict> {
        burst.parts().1.iter().map(|packet| packet.verdict).collect()
    }

    #[test]
    fn what_is_known_stays_with_its_frame_when_others_leave() {
        let mut held = burst(32);
        assert!(held.is_full());
        assert_eq!(held.take(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(held.frames(), (5..32).collect::<Vec<_>>());
        assert_eq!(verdicts(&mut held), verdicts(&mut burst(32))[5..]);
        let mut others = Vec::new();
        held.sort_out(|frame, packet| others.push((frame, packet.verdict)));
        assert_eq!(held.frames(), [6, 9, 12, 15, 18, 21, 24, 27, 30]);
        assert_eq!(verdicts(&mut held), [Verdict::Forward; 9]);
        assert_eq!(others.len(), 27 - 9);
        assert!(
            others.iter().all(|(frame, verdict)| *verdict == DropReason::ALL[usize::from(*frame)].into())
        );
    }

    #[test]
    fn nothing_is_known_of_what_comes_to_a_place_that_was_used_before() {
        let mut held = burst(32);
        assert_eq!(held.take(99).count(), 32);
        held.extend(100..200);
        assert_eq!(held.len(), 32, "no more than there is room");
        assert_eq!(verdicts(&mut held), [Verdict::Forward; 32]);
        assert!(!held.push(7, Packet::UNREAD));
        held.clear();
        assert!(held.push(7, Packet { verdict: Verdict::Punt, ..Packet::UNREAD }));
        assert_eq!(verdicts(&mut held), [Verdict::Punt]);
        assert_eq!(held.frames(), [7]);
    }
}
