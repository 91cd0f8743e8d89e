//! The two adapters between `engine` and `dpdk`, neither of which knows the other.

use arrayvec::ArrayVec;
use dpdk::{Mbuf, RxQueue, TxQueue};
use engine::{Pulled, Sink, Source};
use inspect::{Burst, DropReason, Packet};

/// A receive queue as a source of packets. It never closes: the engine closes it at the stop.
#[derive(Debug)]
pub struct NicSource(pub RxQueue);

impl Source<Mbuf> for NicSource {
    fn pull(&mut self, burst: &mut Burst<Mbuf>) -> Pulled {
        let room = burst.remaining_capacity();
        match self.0.recv_with(room, |mbuf| burst.push(Packet::new(mbuf))) {
            0 => Pulled::Idle,
            _ => Pulled::Some,
        }
    }
}

/// A transmit queue as a sink.
#[derive(Debug)]
pub struct NicSink(pub TxQueue);

impl Sink<Mbuf> for NicSink {
    fn push(&mut self, burst: &mut Burst<Mbuf>) {
        let mut mbufs: ArrayVec<Mbuf, 32> = burst.drain(..).map(|packet| packet.frame).collect();
        self.0.send(&mut mbufs);
        burst.extend(mbufs.into_iter().map(Packet::new));
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}
