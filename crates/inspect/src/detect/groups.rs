//! The groups that one worker has met.
//!
//! ```text
//! packet ─▶ class ─▶ known? ─▶ group
//!                      └ no: made, and an example of such packets is left ─▶ whoever makes the next detector makes it
//!                                                                            beforehand
//! ```
//! To make one takes as long as to judge a hundred packets. So the groups of a detector that comes in another's place are made
//! before ([`Successor`](super::Successor)), by the examples that workers left; only what is met for the first time is
//! made by a worker.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use policy::{HeaderClass, RuleSet, Way};
use wire::{EndpointId, FiveTuple};

use super::compiled::{Compiled, Place};
use super::group::Group;
use super::shared::Shared;
use crate::matcher::Scratch;

/// Groups that are kept; for one more the oldest is forgotten.
pub(super) const GROUPS_MAX: usize = 4096;

/// Packets that are of one group: one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example {
    pub(crate) endpoint: EndpointId,
    pub(crate) tuple: FiveTuple,
    pub(crate) way: Way,
}

type Key = (usize, HeaderClass, Way, Place);

/// Groups by the class of their packets, a bounded number of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    known: HashMap<Key, Arc<Group>, RandomState>,
    /// Oldest first.
    order: VecDeque<Key>,
    evicted: u64,
}

impl Groups {
    /// The group of packets as this one, by the set's number, its rules as read and as compiled.
    pub(crate) fn of(
        &mut self,
        (number, rules, compiled): (usize, &RuleSet, &Compiled),
        shared: &Shared,
        example: &Example,
    ) -> Arc<Group> {
        let (class, place) = (rules.class(&example.tuple), Place::of(example.tuple.protocol));
        let key = (number, class, example.way, place);
        if let Some(group) = self.known.get(&key) {
            return Arc::clone(group);
        }
        if self.order.len() >= GROUPS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
            self.evicted += 1;
        }
        let group = Arc::new(compiled.group(rules.of_class(class, example.way), example.way, place));
        self.known.insert(key, Arc::clone(&group));
        self.order.push_back(key);
        shared.meet(*example);
        group
    }

    /// How many gave way to others.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The same groups, in place of others whose count goes on.
    pub(super) fn after(self, others: &Self) -> Self {
        Self { evicted: others.evicted, ..self }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Makes room in a scratch for the patterns of all of them.
    pub(super) fn fit(&self, scratch: &mut Scratch) {
        self.known.values().for_each(|group| group.patterns().fit(scratch));
    }
}
