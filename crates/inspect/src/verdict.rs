//! The end of a packet's way: one verdict, and for every drop one reason.

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Return it to the GWLB.
    Forward,
    /// Free it and count the reason.
    Drop(DropReason),
    /// Hand it to the local lane: ARP, ping, health checks.
    Punt,
}

/// Why a packet was dropped. The discriminant is the counter's index; [`DropReason::name`] is the metric's label.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum DropReason {
    /// The next core's inbox was full for longer than its sender may wait.
    InboxFull,
    /// The local lane was full.
    LocalLaneFull,
    /// Not GENEVE for us, nor anything that the local lane answers.
    NotOurs,
    /// A rule or the default action said so.
    Policy,
    /// The NIC's transmit queue was full for longer than its core may wait.
    TxFull,
}

impl DropReason {
    /// Every reason, in the order of the counters.
    pub const ALL: [Self; 5] =
        [Self::InboxFull, Self::LocalLaneFull, Self::NotOurs, Self::Policy, Self::TxFull];

    /// The reason's name in metrics and reports, kebab-case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InboxFull => "inbox-full",
            Self::LocalLaneFull => "local-lane-full",
            Self::NotOurs => "not-ours",
            Self::Policy => "policy",
            Self::TxFull => "tx-full",
        }
    }
}
