//! The rules of one loading, in the order in which they are asked, and how a packet's header is judged by them.

use std::sync::Arc;

use arrayvec::ArrayVec;
use wire::FiveTuple;

use crate::domain::Lists;
use crate::fault::Place;
use crate::index::{Ends, HeaderClass, HeaderIndex};
use crate::load::{DefaultAction, Order, Settings};
use crate::option::flow::Way;
use crate::rule::{Action, Rule};
use crate::suspicions::Suspicions;

/// Most alerts that one packet can raise, as with the reference.
pub const ALERTS_MAX: usize = 15;

/// A rule's place in its set.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RuleIndex(pub u32);

/// A rule, the sets of its header, and where it stands.
#[derive(Debug)]
pub struct LoadedRule {
    /// The rule as written.
    pub rule: Rule,
    /// How grave it is: its own priority, or that of its class; 1 is gravest.
    pub priority: u8,
    /// What events call its class; empty if it names none that is known.
    pub category: Arc<str>,
    /// Where it stands.
    pub place: Place,
    pub(crate) ends: Ends,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It goes on.
    Forward,
    /// It is dropped.
    Drop,
}

/// What the rules say of a packet's header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// What becomes of the packet.
    pub action: Outcome,
    /// The rule that passed or dropped it; `None` if the default action did.
    pub by: Option<RuleIndex>,
    /// The rules that want to be told, in order; the one that drops among them.
    pub alerts: ArrayVec<RuleIndex, ALERTS_MAX>,
    /// How many more wanted to be told than there was room for.
    pub alerts_lost: u32,
}

/// Rules in the order in which they are asked. Immutable.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<LoadedRule>,
    index: HeaderIndex,
    order: Order,
    default_action: DefaultAction,
    lists: Lists,
    suspicions: Suspicions,
}

impl RuleSet {
    pub(crate) fn new(rules: Vec<LoadedRule>, settings: &Settings) -> Self {
        let headers = rules.iter().map(|loaded| {
            let header = &loaded.rule.header;
            (header.protocol, header.arrow, &loaded.ends)
        });
        let Settings { order, default_action, suspicions, .. } = settings;
        let (order, default_action, suspicions) = (*order, *default_action, suspicions.clone());
        Self {
            index: HeaderIndex::new(headers),
            rules,
            order,
            default_action,
            suspicions,
            lists: Lists::default(),
        }
    }

    pub(crate) fn knowing(self, lists: Lists) -> Self {
        Self { lists, ..self }
    }

    /// Judges one packet by its header, as far as rules that ask for nothing else say. No allocation; the time is bounded by the number of rules over 512 and the
    /// number of rules that match.
    #[must_use]
    pub fn judge(&self, tuple: &FiveTuple) -> Judgement {
        let action = match self.default_action {
            DefaultAction::Forward | DefaultAction::DropEstablished | DefaultAction::DropEstablishedApp => {
                Outcome::Forward
            }
            DefaultAction::Drop => Outcome::Drop,
        };
        let mut judgement = Judgement { action, by: None, alerts: ArrayVec::new(), alerts_lost: 0 };
        for index in self.index.matches(self.index.class(tuple), Way::ToServer) {
            let Some(loaded) = self.rules.get(index as usize) else { break };
            if !loaded.rule.is_header_only() {
                continue;
            }
            let index = RuleIndex(index);
            match loaded.rule.action {
                Action::Alert => judgement.alert(index),
                Action::Pass => {
                    (judgement.action, judgement.by) = (Outcome::Forward, Some(index));
                    break;
                }
                Action::Drop | Action::Reject(_) => {
                    judgement.alert(index);
                    (judgement.action, judgement.by) = (Outcome::Drop, judgement.by.or(Some(index)));
                    if self.order == Order::Strict {
                        break;
                    }
                }
            }
        }
        judgement
    }

    /// What class of packets this one is of, as far as headers tell.
    #[must_use]
    pub fn class(&self, tuple: &FiveTuple) -> HeaderClass {
        self.index.class(tuple)
    }

    /// The rules whose headers match packets of a class that go one way, in the order in which they are asked.
    pub fn of_class(&self, class: HeaderClass, way: Way) -> impl Iterator<Item = RuleIndex> {
        self.index.matches(class, way).map(RuleIndex)
    }

    /// The domain lists that rules name.
    #[must_use]
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// In which order rules are asked.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// What becomes of packets that no rule decides.
    #[must_use]
    pub fn default_action(&self) -> DefaultAction {
        self.default_action
    }

    /// What is done about what is odd in itself.
    #[must_use]
    pub fn suspicions(&self) -> &Suspicions {
        &self.suspicions
    }

    /// The rule at that place.
    #[must_use]
    pub fn get(&self, index: RuleIndex) -> Option<&LoadedRule> {
        self.rules.get(index.0 as usize)
    }

    /// All rules, in the order in which they are asked.
    pub fn iter(&self) -> impl Iterator<Item = &LoadedRule> {
        self.rules.iter()
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

impl Judgement {
    fn alert(&mut self, rule: RuleIndex) {
        if self.alerts.try_push(rule).is_err() {
            self.alerts_lost += 1;
        }
    }
}
