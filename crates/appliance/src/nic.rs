//! The two adapters between `engine` and `dpdk`, neither of which knows the other.

use dpdk::{Mbuf, RxQueue, TxQueue};
use engine::{Pulled, Sink, Source};
use inspect::{Burst, DropReason};

/// A receive queue as a source of packets. It never closes: the engine closes it at the stop.
#[derive(Debug)]
pub struct NicSource(pub RxQueue);

impl Source<Mbuf> for NicSource {
    fn pull(&mut self, burst: &mut Burst<Mbuf>) -> Pulled {
        match burst.receive(|frames| self.0.recv(frames)) {
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
        burst.give(|frames, _| self.0.send(frames));
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}
