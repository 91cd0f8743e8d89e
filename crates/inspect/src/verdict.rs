//! The end of a packet's way: one verdict, and for every drop one reason.

use crate::DropReason;
use crate::hold::Lane;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Return it to the GWLB.
    Forward,
    /// Free it and count the reason.
    Drop(DropReason),
    /// Keep it in this lane, behind what is there, until the lane is let go.
    Hold(Lane),
    /// Hand it to the local lane: ARP, ping, health checks.
    Punt,
}

impl<E: Into<DropReason>> From<E> for Verdict {
    fn from(reason: E) -> Self {
        Self::Drop(reason.into())
    }
}
