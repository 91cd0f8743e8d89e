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
    /// Not GENEVE for us, nor anything that the local lane answers.
    NotOurs,
    /// A rule or the default action said so.
    Policy,
}

impl DropReason {
    /// Every reason, in the order of the counters.
    pub const ALL: [Self; 2] = [Self::NotOurs, Self::Policy];

    /// The reason's name in metrics and reports, kebab-case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotOurs => "not-ours",
            Self::Policy => "policy",
        }
    }
}
