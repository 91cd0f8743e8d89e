//! Where an inspector stands to the traffic that it judges.

use wire::{FiveTuple, may_carry};

/// Where an inspector stands to the traffic that it judges.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Mode {
    /// It only listens: no packet of a customer's is dropped, and what it sees may not be all that was sent.
    pub passive: bool,
    /// TCP connections whose beginning was not seen are not followed: their packets are looked at one by one.
    pub only_whole: bool,
    /// What is thought of packets whose own checksums are wrong.
    pub checksums: Checksums,
    /// What new rules mean for flows that are decided.
    pub at_swap: AtSwap,
    /// What is thought of packets inside other packets.
    pub tunnels: Tunnels,
}

impl Mode {
    /// Whether packets between these ends are looked into for packets that they carry.
    #[inline]
    pub(crate) fn looks_into(&self, tuple: &FiveTuple) -> bool {
        self.tunnels == Tunnels::LookInside && may_carry(tuple)
    }
}

/// What is thought of packets that customers' packets carry in tunnels of their own.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tunnels {
    /// They are judged as well, each by its own flow; whoever carries what must not pass does not pass.
    #[default]
    LookInside,
    /// They are the payload of what carries them.
    Opaque,
}

/// What new rules mean for flows that are decided.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AtSwap {
    /// They are judged anew with their next packet.
    #[default]
    Rejudge,
    /// They stay as they are.
    Keep,
    /// They end with their next packet, which begins a flow anew: amid a connection, for TCP.
    Flush,
}

/// What is thought of packets whose own checksums are wrong.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Checksums {
    /// Their receiver will throw them away, so they are no part of their stream.
    #[default]
    Verify,
    /// They were captured before a network card filled them in: they count as any other.
    Ignore,
}
