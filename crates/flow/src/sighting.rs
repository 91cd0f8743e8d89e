//! What a flow table must know of one packet.

use crate::state::{FlowState, opens};
use crate::{Direction, FlowKey};

/// One packet of a flow: no byte of it is needed but these.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// The flow's key.
    pub key: &'a FlowKey,
    /// The key's hash by the table's own [`FlowHasher`](crate::FlowHasher).
    pub hash: u32,
    /// [`FlowHasher::mark`](crate::FlowHasher::mark) of the packet's encapsulation.
    pub mark: u32,
    /// Which way it goes.
    pub direction: Direction,
    /// Its TCP flags; ignored for other protocols.
    pub tcp_flags: u8,
    /// The inner packet's length.
    pub bytes: u16,
}

impl Sighting<'_> {
    /// Whether it asks for a new TCP connection.
    #[inline]
    pub(crate) fn opens(&self) -> bool {
        opens(self.tcp_flags) && self.key.is_tcp()
    }

    /// Whether it is, if it has no flow, amid a TCP connection whose beginning was not seen.
    pub(crate) fn is_midstream(&self) -> bool {
        !opens(self.tcp_flags) && self.key.is_tcp()
    }

    /// The initiator and the state of the flow that begins with it.
    pub(crate) fn first(&self) -> (Direction, FlowState) {
        let (state, sender_is_initiator) = FlowState::first(self.key.is_tcp(), self.tcp_flags);
        let initiator = if sender_is_initiator { self.direction } else { self.direction.opposite() };
        (initiator, state)
    }
}
