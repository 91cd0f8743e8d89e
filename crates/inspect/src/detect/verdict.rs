//! What the rules that matched mean for the packet and its flow.

use arrayvec::ArrayVec;
use policy::{ALERTS_MAX, Action, Order, Outcome, RejectTo};

use super::compiled::Compiled;
use super::hit::{Hit, Scope};
use crate::Cause;
use crate::witness::Fate;

/// What becomes of a packet by the rules that it met.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Settled {
    /// What the rule said that decided, if one did.
    pub(crate) by: Option<Decided>,
    /// What is told, in the order of verdicts.
    pub(crate) alerts: ArrayVec<Hit, ALERTS_MAX>,
    /// How many more were to be told than there was room for.
    pub(crate) alerts_lost: u32,
}

/// What passed or dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Decided {
    pub(crate) cause: Cause,
    pub(crate) outcome: Outcome,
    pub(crate) reject: Option<RejectTo>,
    /// Whether all that follows of the flow is decided with it.
    pub(crate) flow: bool,
}

impl Settled {
    /// What became of one of the hits that were settled.
    pub(crate) fn fate(&self, hit: &Hit, compiled: &Compiled, order: Order) -> Fate {
        let ends = |by: &Decided| by.outcome == Outcome::Forward || order == Order::Strict;
        let by = self.by.filter(ends).and_then(|by| by.cause.rule());
        match by.filter(|rule| *rule < hit.index) {
            Some(rule) => Fate::Overruled(rule),
            None if self.alerts.contains(hit) => Fate::Told,
            None if hit.told => Fate::Unroomed,
            None if compiled.rule(hit.rank).is_some_and(|rule| rule.tells) => Fate::Withheld,
            None => Fate::Silent,
        }
    }
}

/// Puts hits in the order of verdicts and follows them to the one that ends it.
pub(crate) fn settle(hits: &mut [Hit], compiled: &Compiled, order: Order) -> Settled {
    hits.sort_unstable_by_key(|hit| (hit.index, hit.transaction));
    let mut settled = Settled { by: None, alerts: ArrayVec::new(), alerts_lost: 0 };
    for hit in hits {
        let Some(rule) = compiled.rule(hit.rank) else { continue };
        if hit.told && settled.alerts.try_push(*hit).is_err() {
            settled.alerts_lost += 1;
        }
        let (outcome, reject) = match rule.action {
            Action::Alert => continue,
            Action::Pass => (Outcome::Forward, None),
            Action::Drop => (Outcome::Drop, None),
            Action::Reject(to) => (Outcome::Drop, Some(to)),
        };
        let cause = Cause::Rule(hit.index);
        let decided = Decided { cause, outcome, reject, flow: hit.scope == Scope::Flow };
        match &mut settled.by {
            None => settled.by = Some(decided),
            // A later rule cannot change what becomes of the packet, but what becomes of the flow.
            Some(before) => before.flow |= decided.flow,
        }
        if outcome == Outcome::Forward || order == Order::Strict {
            break;
        }
    }
    settled
}
