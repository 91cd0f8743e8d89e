//! The canonical name of a flow: its endpoint and its two ends, ordered, so that both directions have one key.

use wire::{Address, EndpointId, FiveTuple};

/// Which way a packet goes, as its key orders the ends. The flow knows which of the two is the initiator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// From the lower end to the higher.
    Up,
    /// From the higher end to the lower.
    Down,
}

/// Endpoint id and inner five-tuple with ordered ends: 46 bytes without padding, compared and hashed as they stand.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(C)]
pub struct FlowKey {
    low: Address,
    high: Address,
    endpoint: [u8; 8],
    low_port: u16,
    high_port: u16,
    protocol: u8,
    version: u8,
}

impl FlowKey {
    /// The key of a packet, and the direction in which that packet goes.
    #[must_use]
    pub fn new(endpoint: EndpointId, tuple: &FiveTuple) -> (Self, Direction) {
        let source = (tuple.source, tuple.source_port);
        let destination = (tuple.destination, tuple.destination_port);
        let (low, high, direction) = if source <= destination {
            (source, destination, Direction::Up)
        } else {
            (destination, source, Direction::Down)
        };
        let key = Self {
            low: low.0,
            high: high.0,
            endpoint: endpoint.0.to_be_bytes(),
            low_port: low.1,
            high_port: high.1,
            protocol: tuple.protocol,
            version: tuple.version,
        };
        (key, direction)
    }

    /// The endpoint this flow came through.
    #[must_use]
    pub fn endpoint(&self) -> EndpointId {
        EndpointId(u64::from_be_bytes(self.endpoint))
    }

    /// The five-tuple of a packet of this flow that goes in `direction`.
    #[must_use]
    pub fn tuple(&self, direction: Direction) -> FiveTuple {
        let (low, high) = ((self.low, self.low_port), (self.high, self.high_port));
        let (source, destination) = match direction {
            Direction::Up => (low, high),
            Direction::Down => (high, low),
        };
        FiveTuple {
            source: source.0,
            destination: destination.0,
            source_port: source.1,
            destination_port: destination.1,
            protocol: self.protocol,
            version: self.version,
        }
    }
}
