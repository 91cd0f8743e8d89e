//! One ring between two roles: one writer, one reader, bursts at a time.
//!
//! rtrb's chunks move a burst with one index update, and each end re-reads the other's index only when it has to: the best
//! of the ready-made rings in the whole pipeline (DESIGN.md, "Rings").

use flow::Far;
use inspect::Burst;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::crossing::Crossing;

/// The sender's end. Dropping it closes the ring.
#[derive(Debug)]
pub(crate) struct RingSender<T> {
    packets: Producer<T>,
    fars: Producer<Far>,
}

/// The receiver's end.
#[derive(Debug)]
pub(crate) struct RingReceiver<T> {
    packets: Consumer<T>,
    fars: Consumer<Far>,
}

/// A ring of `capacity` packets.
pub(crate) fn ring<T>(capacity: usize) -> (RingSender<T>, RingReceiver<T>) {
    let (packets, packets_out) = RingBuffer::new(capacity);
    let (fars, fars_out) = RingBuffer::new(capacity);
    (RingSender { packets, fars }, RingReceiver { packets: packets_out, fars: fars_out })
}

impl<T> RingSender<T> {
    /// Move what fits from the front of the burst into the ring; the rest stays.
    pub(crate) fn put<B>(&mut self, burst: &mut Burst<B>)
    where
        T: Crossing<B>,
    {
        let known = self.packets.cached_slots();
        let room = if known < burst.len() { self.packets.slots() } else { known };
        let mut count = burst.len().min(room);
        for (at, packet) in burst.parts().1[..count].iter().enumerate() {
            if let Some(far) = T::far(packet)
                && self.fars.push(far).is_err()
            {
                count = at; // it and those behind it wait: a packet must not arrive without its far part
                break;
            }
        }
        if let Ok(chunk) = self.packets.write_chunk_uninit(count) {
            burst.give(|frames, packets| {
                let packets = frames.drain(..count).zip(packets);
                chunk.fill_from_iter(packets.map(|(frame, packet)| T::leave(frame, packet)))
            });
        }
    }
}

impl<T> RingReceiver<T> {
    /// Move what there is from the ring into the burst, as far as it has room.
    pub(crate) fn take<B>(&mut self, burst: &mut Burst<B>)
    where
        T: Crossing<B>,
    {
        let known = self.packets.cached_slots();
        let count = if known == 0 { self.packets.slots() } else { known }.min(burst.room());
        let Self { packets, fars } = self;
        if let Ok(chunk) = packets.read_chunk(count) {
            for packet in chunk {
                // There is room: it was counted.
                burst.place(|known| packet.arrive(|| fars.pop().ok(), known));
            }
        }
    }

    /// Whether the sender has ended and everything it sent was taken.
    pub(crate) fn is_closed(&self) -> bool {
        // In this order: what was sent before the end is seen by a look after the end was seen.
        self.packets.is_abandoned() && self.packets.is_empty()
    }
}
