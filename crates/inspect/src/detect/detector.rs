//! A policy made ready to judge by.

use std::collections::HashMap;
use std::sync::Arc;

use policy::{Buffer, LoadedRule, Policy, RuleIndex, RuleSet};
use wire::EndpointId;

use super::compile::{Compiler, order, pattern};
use super::compiled::Compiled;
use super::marks::Names;
use super::outside::Outside;
use super::shared::Shared;
use super::tailor::Tailor;
use crate::app::Anomaly;
use crate::matcher::{Literal, Scratch};
use crate::payload::ProgramError;
use crate::payload::sets::Sets;
use crate::truth::Memory;

/// A policy compiled: made on the control thread, shared by all workers, never changed.
#[derive(Debug)]
pub struct Detector {
    policy: Arc<Policy>,
    /// Each set once, whoever shares it.
    sets: Vec<Compiled>,
    /// By the address of the set that the policy gives.
    places: HashMap<usize, usize>,
    shared: Arc<Shared>,
    outside: Outside,
    tells: bool,
    uncompiled: Vec<Uncompiled>,
}

/// A rule that was read and cannot be judged: it never matches, and whoever loads it must tell.
#[derive(Debug)]
pub struct Uncompiled {
    /// Its signature id.
    pub sid: u32,
    /// Its place in its set.
    pub rule: RuleIndex,
    /// Why.
    pub why: ProgramError,
}

/// By what a rule is found, before its conditions are asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sought {
    /// It is asked of whatever it may be about.
    Always,
    /// This must be in that buffer.
    Pattern(Buffer, Literal),
}

impl Detector {
    /// Compiles a policy. Takes long: not for a data core.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        Self::with(policy, Outside::default(), Arc::default())
    }

    /// Compiles a policy whose rules ask for more than the packets.
    #[must_use]
    pub fn knowing(policy: Arc<Policy>, outside: Outside) -> Self {
        Self::with(policy, outside, Arc::default())
    }

    /// Compiles the policy that comes after this one. What workers remember together, marks on addresses and counts, goes
    /// on.
    #[must_use]
    pub fn next(&self, policy: Arc<Policy>) -> Self {
        let next = Self::with(policy, self.outside.after(), Arc::clone(&self.shared));
        Self { tells: self.tells, ..next }
    }

    fn with(policy: Arc<Policy>, outside: Outside, shared: Arc<Shared>) -> Self {
        let mut detector = Self {
            sets: Vec::new(),
            places: HashMap::new(),
            shared,
            outside,
            tells: false,
            uncompiled: Vec::new(),
            policy: Arc::clone(&policy),
        };
        if policy.sets().any(|rules| rules.suspicions().names()) {
            detector.shared.remember_names();
        }
        for rules in policy.sets() {
            let place = detector.sets.len();
            if *detector.places.entry(address(rules)).or_insert(place) == place {
                let compiled = detector.compile(rules);
                detector.sets.push(compiled);
            }
        }
        detector
    }

    /// The same detector, for a log that tells every transaction: flows are parsed though no rule asks what they say.
    #[must_use]
    pub fn telling(self) -> Self {
        Self { tells: true, ..self }
    }

    /// The same detector, and who cuts patterns to the groups of flows that its workers meet. Until that one works, and
    /// without it, all packets are looked through for the patterns of all rules.
    #[must_use]
    pub fn tailored(mut self) -> (Self, Tailor) {
        let (requests, tailor) = Tailor::new();
        self.sets.iter_mut().for_each(|compiled| compiled.ask(requests.clone()));
        (self, tailor)
    }

    /// The policy it was made of.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The rules that cannot be judged.
    #[must_use]
    pub fn uncompiled(&self) -> &[Uncompiled] {
        &self.uncompiled
    }

    /// By what a rule of an endpoint is found; none for one that cannot be judged.
    #[must_use]
    pub fn sought(&self, endpoint: EndpointId, rule: RuleIndex) -> Option<Sought> {
        let (_, rules, compiled) = self.set(endpoint)?;
        let ready = compiled.rule(compiled.rank(rule)?)?;
        let found = pattern(&rules.get(rule)?.rule.options, ready.kind);
        Some(found.map_or(Sought::Always, |found| Sought::Pattern(found.buffer, found.literal)))
    }

    /// The data sets that rules name.
    #[must_use]
    pub fn sets(&self) -> &Sets {
        &self.outside.sets
    }

    /// Bytes that patterns take.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.sets.iter().map(Compiled::memory).sum()
    }

    /// How many marks, counts and tags gave way to others before their time.
    #[must_use]
    pub fn marks_evicted(&self) -> u64 {
        self.shared.evicted()
    }

    /// How often each anomaly was seen, by all workers and since the first policy.
    pub fn anomalies(&self) -> impl Iterator<Item = (Anomaly, u64)> {
        self.shared.anomalies()
    }

    /// How many names and addresses gave way to others before their time.
    #[must_use]
    pub fn names_evicted(&self) -> u64 {
        self.shared.names().map_or(0, Memory::evicted)
    }

    /// Makes room in a scratch for all patterns.
    pub(super) fn fit(&self, scratch: &mut Scratch) {
        self.sets.iter().for_each(|compiled| compiled.fit(scratch));
    }

    /// Whether every transaction is told.
    pub(crate) fn tells(&self) -> bool {
        self.tells
    }

    /// What workers remember together.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The rules of an endpoint, as read and as compiled, and the number of the set.
    pub(crate) fn set(&self, endpoint: EndpointId) -> Option<(usize, &RuleSet, &Compiled)> {
        let rules = self.policy.rules(endpoint);
        let place = *self.places.get(&address(rules))?;
        Some((place, rules, self.sets.get(place)?))
    }

    fn compile(&mut self, rules: &RuleSet) -> Compiled {
        let Self { shared, outside, uncompiled, .. } = self;
        outside.sets.know(rules.lists());
        let mut compiler = Compiler { names: Names::default(), shared, outside };
        let loaded: Vec<&LoadedRule> = rules.iter().collect();
        let mut ready = Vec::with_capacity(loaded.len());
        for nth in order(&loaded) {
            let (Some(loaded), Ok(index)) = (loaded.get(nth), u32::try_from(nth)) else { continue };
            let index = RuleIndex(index);
            match compiler.rule(index, loaded) {
                Ok((rule, pattern)) => ready.push((rule, loaded.rule.header.protocol, pattern)),
                Err(why) => {
                    uncompiled.push(Uncompiled { sid: loaded.rule.about.sid, rule: index, why });
                }
            }
        }
        Compiled::new(ready, loaded.len())
    }
}

fn address(rules: &Arc<RuleSet>) -> usize {
    Arc::as_ptr(rules).addr()
}
