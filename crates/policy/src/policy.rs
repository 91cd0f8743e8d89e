//! The policy: which rules judge the packets of which endpoint. Made on the control thread, given to the workers
//! whole, never changed.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use wire::{EndpointId, FiveTuple};

use crate::rule_set::{Judgement, RuleSet};

/// Every endpoint's rules, of one generation.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    generation: u64,
    rules: Arc<RuleSet>,
    /// Asked for every new flow, on data cores.
    tenants: HashMap<EndpointId, Arc<RuleSet>, RandomState>,
}

impl Policy {
    /// The policy that judges every endpoint by the same rules. Generations count up from 1 with each reload.
    #[must_use]
    pub fn new(generation: u64, rules: Arc<RuleSet>) -> Self {
        Self { generation, rules, tenants: HashMap::default() }
    }

    /// The same policy, but with rules of its own for one endpoint.
    #[must_use]
    pub fn with_tenant(mut self, endpoint: EndpointId, rules: Arc<RuleSet>) -> Self {
        self.tenants.insert(endpoint, rules);
        self
    }

    /// Judges one packet by its header, with the rules of the endpoint it came through.
    #[must_use]
    pub fn judge(&self, endpoint: EndpointId, tuple: &FiveTuple) -> Judgement {
        self.rules(endpoint).judge(tuple)
    }

    /// The rules of an endpoint; rule indexes of its judgements are places in them.
    #[must_use]
    pub fn rules(&self, endpoint: EndpointId) -> &Arc<RuleSet> {
        match self.tenants.is_empty() {
            true => &self.rules,
            false => self.tenants.get(&endpoint).unwrap_or(&self.rules),
        }
    }

    /// All sets of rules; one that several endpoints share may come several times.
    pub fn sets(&self) -> impl Iterator<Item = &Arc<RuleSet>> {
        std::iter::once(&self.rules).chain(self.tenants.values())
    }

    /// How many times the policy was made anew.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}
