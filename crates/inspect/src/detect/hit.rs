//! A rule that a packet completes.

use flow::Direction;
use policy::RuleIndex;

use super::rule::Rank;

/// A rule that matched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    /// Where it stands in the order of verdicts.
    pub(crate) index: RuleIndex,
    pub(crate) rank: Rank,
    /// What it decides about, if it decides.
    pub(crate) scope: Scope,
    /// The transaction that met it.
    pub(crate) transaction: Option<u32>,
    /// Whether it is told.
    pub(crate) told: bool,
    /// Which way what met it goes: a packet may make bytes of the other way ready.
    pub(crate) direction: Direction,
}

/// What a rule decides about that passes or drops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    /// The packet that it matched.
    Packet,
    /// All that follows of the flow.
    Flow,
}
