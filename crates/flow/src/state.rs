//! Where a flow is in its life, from TCP flags alone.
//!
//! ```text
//!            SYN            SYN ACK            ACK               FIN            FIN            ACK
//! (no flow) ────▶ Opening ──────────▶ Answered ────▶ Established ────▶ Closing ────▶ LastAck ────▶ Closed
//!                                        RST, from either side, in any state ───────────────────▶ Reset
//! ```
//! Sequence numbers are not followed: a forged RST or FIN only makes the table forget the flow sooner, and only if its
//! packets cease; what a flow may do is decided by its verdict, not by its state.

/// TCP's flag bits (RFC 9293 §3.1).
mod flag {
    pub(super) const FIN: u8 = 0x01;
    pub(super) const SYN: u8 = 0x02;
    pub(super) const RST: u8 = 0x04;
    pub(super) const ACK: u8 = 0x10;
}

/// What a flow has shown of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum FlowState {
    /// Packets from the initiator only: a SYN, or the first datagrams.
    Opening,
    /// SYN ACK seen, the initiator's ACK not yet.
    Answered,
    /// Handshake complete, or picked up midstream; without TCP: packets both ways.
    Established,
    /// The initiator sent FIN.
    ClosingByInitiator,
    /// The responder sent FIN.
    ClosingByResponder,
    /// Both sent FIN.
    LastAck,
    /// Both FINs and an ACK after them.
    Closed,
    /// RST seen.
    Reset,
}

impl FlowState {
    /// The state after a flow's first packet with these TCP flags, and whether its sender is the initiator (a SYN ACK comes
    /// from the other side).
    #[must_use]
    pub fn first(tcp: bool, flags: u8) -> (Self, bool) {
        match flags & (flag::SYN | flag::ACK | flag::RST) {
            _ if !tcp => (Self::Opening, true),
            reset if reset & flag::RST != 0 => (Self::Reset, true),
            flag::SYN => (Self::Opening, true),
            both if both & flag::SYN != 0 => (Self::Answered, false),
            _ if flags & flag::FIN != 0 => (Self::ClosingByInitiator, true),
            _ => (Self::Established, true),
        }
    }

    /// Whether one packet more with these TCP flags changes nothing, and does not begin another flow: true of nearly every
    /// packet, false also of some that [`next`](Self::next) finds to change nothing.
    #[inline]
    pub(crate) fn stays(self, tcp: bool, flags: u8, from_initiator: bool) -> bool {
        // Without branches: which protocol the next packet has nobody can guess.
        (flags & (flag::FIN | flag::SYN | flag::RST) == 0)
            & ((self == Self::Established) | (!tcp & from_initiator))
    }

    /// The state after one packet more with these TCP flags.
    #[must_use]
    #[inline]
    pub fn next(self, tcp: bool, flags: u8, from_initiator: bool) -> Self {
        if !tcp {
            return if from_initiator { self } else { Self::Established };
        }
        if flags & flag::RST != 0 {
            return Self::Reset;
        }
        let (fin, ack, syn) = (flags & flag::FIN != 0, flags & flag::ACK != 0, flags & flag::SYN != 0);
        match (self, from_initiator) {
            (Self::Opening, false) if syn && ack => Self::Answered,
            (Self::Opening | Self::Answered | Self::Established, true) if fin => Self::ClosingByInitiator,
            (Self::Opening | Self::Answered | Self::Established, false) if fin => Self::ClosingByResponder,
            (Self::Opening, false) | (Self::Answered, true) if ack && !syn => Self::Established,
            (Self::ClosingByInitiator, false) | (Self::ClosingByResponder, true) if fin => Self::LastAck,
            (Self::LastAck, _) if ack && !fin => Self::Closed,
            _ => self,
        }
    }

    /// Whether the flow is over: a new SYN then begins another.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Reset)
    }

    /// Whether rules that ask for `established` apply: handshake done, or packets seen both ways.
    #[must_use]
    pub fn is_established(self) -> bool {
        !matches!(self, Self::Opening | Self::Answered)
    }
}

/// Whether these flags ask for a new connection.
#[inline]
pub(crate) fn opens(flags: u8) -> bool {
    flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) == flag::SYN
}
