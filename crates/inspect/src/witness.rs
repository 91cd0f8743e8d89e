//! Who looks on while rules are asked, and learns why each matched or did not.
//!
//! ```text
//! packet ─▶ looks ─▶ asks, asked · asks, asked · … ─▶ settled ─▶ decided, if all that follows is
//! ```
//! The judge itself says why a rule failed, so what a witness learns cannot differ from what was judged. Without one, an
//! asked rule pays one look at an empty place.

use std::fmt::Debug;

use flow::{Direction, FlowKey};
use policy::{Outcome, Protocol, RuleIndex, Way};

pub use crate::detect::Failed;

/// Somebody who looks on.
pub trait Witness: Debug + Send {
    /// A packet is looked into. All that is told next is about it.
    fn looks(&mut self, packet: &Looked<'_>);

    /// A rule is about to be asked.
    fn asks(&mut self);

    /// What it said.
    fn asked(&mut self, asked: &Asked);

    /// What became of a rule that matched.
    fn settled(&mut self, rule: RuleIndex, transaction: Option<u32>, fate: Fate);

    /// What becomes of the flow is certain: by that rule, or because none can match any more. For one direction only
    /// where rules on headers alone were asked.
    fn decided(&mut self, outcome: Outcome, by: Option<RuleIndex>);

    /// The packet does not fit its stream, and no rule is asked about it.
    fn misfit(&mut self);
}

/// A packet that is looked into.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// Counts the packets that the inspector was given, from 1; 0 is the flow's end.
    pub packet: u64,
    /// Its flow.
    pub key: &'a FlowKey,
    /// Which way the initiator's packets go.
    pub initiator: Direction,
}

/// A rule that was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Asked {
    /// Its place in the rules of the flow's endpoint.
    pub rule: RuleIndex,
    /// Which way what it was asked about goes: a packet may make bytes of the other way ready.
    pub way: Way,
    /// The transaction that it was asked about, if it was one.
    pub transaction: Option<u32>,
    /// What the flow speaks above TCP or UDP, if that is known.
    pub app: Option<Protocol>,
    /// Whether it matched, or what did not hold.
    pub said: Result<(), Failed>,
}

/// What became of a rule that matched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It did what it does, and is told.
    Told,
    /// It did what it does, and is told to nobody: so it says itself, or it passes.
    Silent,
    /// It did what it does, and its `threshold` keeps it from being told.
    Withheld,
    /// A rule before it had decided.
    Overruled(RuleIndex),
    /// More was to be told of the packet than there is room for.
    Unroomed,
}
