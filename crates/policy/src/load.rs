//! From rule files to a set of rules: what can be loaded is loaded, what cannot is refused alone and listed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::address::AddressItem;
use crate::fault::{Fault, Place, Refusal, Why, quoted};
use crate::header::Header;
use crate::index::Ends;
use crate::line::{Line, lines};
use crate::list::{Item, List, Set};
use crate::port::PortItem;
use crate::rule::{Action, Rule, sid_of};
use crate::rule_set::{LoadedRule, RuleSet};
use crate::variables::{Resolver, Variables};

/// Longest text of one rule, in bytes; the reference's bound is 8192.
pub const RULE_BYTES_MAX: usize = 1 << 16;
/// Most rules that one set holds: what one bit per rule and class of packets can bear (see the header index).
pub const RULES_MAX: usize = 1 << 17;

/// A file of rules: its name, for messages, and its bytes.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The name that messages give.
    pub name: Arc<str>,
    /// What the file holds, as it is on disk.
    pub text: Vec<u8>,
}

/// In which order the rules of a set are asked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// As they stand in the files; the first that passes or drops ends it. AWS Network Firewall recommends this one
    /// ("Evaluation order for stateful rule groups").
    #[default]
    Strict,
    /// All that pass, then all that drop, then all that alert, and in the files' order within each: the reference's
    /// default. A rule that passes ends it; one that drops does not keep later alerts from being told.
    Action,
}

/// What becomes of a packet that no rule passes or drops.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DefaultAction {
    /// It is forwarded.
    #[default]
    Forward,
    /// It is dropped.
    Drop,
}

/// What the operator says besides the rules.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// In which order rules are asked.
    pub order: Order,
    /// What becomes of packets that no rule decides.
    pub default_action: DefaultAction,
    /// What names in headers stand for.
    pub variables: Variables,
}

/// What came of loading: the rules, and everything that did not become one.
#[derive(Debug)]
pub struct Loading {
    /// The rules that were loaded, ready to judge.
    pub rules: RuleSet,
    /// The rules that were not, in the files' order.
    pub refusals: Vec<Refusal>,
    /// How many rules the files hold, loaded or refused.
    pub seen: usize,
}

impl Loading {
    /// Loads the rules of all files into one set.
    #[must_use]
    pub fn new(files: &[RuleFile], settings: &Settings) -> Self {
        let mut loader = Loader {
            addresses: Interned::new(settings.variables.addresses()),
            ports: Interned::new(settings.variables.ports()),
            loaded: Vec::new(),
            sids: HashMap::new(),
            refusals: Vec::new(),
            seen: 0,
        };
        for file in files {
            for line in lines(&file.text, RULE_BYTES_MAX) {
                loader.line(&file.name, &line);
            }
        }
        let mut loaded: Vec<LoadedRule> = loader.loaded.into_iter().flatten().collect();
        if settings.order == Order::Action {
            loaded.sort_by_key(|loaded| match loaded.rule.action {
                Action::Pass => 0,
                Action::Drop => 1,
                Action::Alert => 2,
            });
        }
        let rules = RuleSet::new(loaded, settings.order, settings.default_action);
        Self { rules, refusals: loader.refusals, seen: loader.seen }
    }

    /// The rules, if every one was loaded.
    ///
    /// # Errors
    /// All refusals, if there is one.
    pub fn strict(self) -> Result<RuleSet, Vec<Refusal>> {
        match self.refusals.is_empty() {
            true => Ok(self.rules),
            false => Err(self.refusals),
        }
    }
}

struct Loader<'a> {
    addresses: Interned<'a, AddressItem>,
    ports: Interned<'a, PortItem>,
    /// In the files' order; a place is empty once a later revision took over.
    loaded: Vec<Option<LoadedRule>>,
    sids: HashMap<u32, usize>,
    refusals: Vec<Refusal>,
    seen: usize,
}

impl Loader<'_> {
    fn line(&mut self, file: &Arc<str>, line: &Line) {
        self.seen += 1;
        let place = |offset: usize| {
            let (line, column) = line.position(offset);
            Place { file: Arc::clone(file), line, column }
        };
        let told = self.rule(line).and_then(|(rule, ends)| self.enter(rule, ends, place(0)));
        if let Err(Fault { at, option, why, suggestion }) = told {
            self.refusals.push(Refusal {
                place: place(at),
                sid: sid_of(&line.text),
                option,
                why,
                suggestion,
            });
        }
    }

    fn rule(&mut self, line: &Line) -> Result<(Rule, Ends), Fault> {
        if line.cut {
            let why = Why::TooMuch { what: "the bytes or lines of a rule", limit: RULE_BYTES_MAX };
            return Err(Fault::new(0, why));
        }
        let (rule, [source_at, source_port_at, destination_at, destination_port_at]) =
            Rule::parse(&line.text)?;
        let Header { source, source_port, destination, destination_port, .. } = &rule.header;
        let ends = Ends {
            source: self.addresses.set(source, source_at)?,
            source_port: self.ports.set(source_port, source_port_at)?,
            destination: self.addresses.set(destination, destination_at)?,
            destination_port: self.ports.set(destination_port, destination_port_at)?,
        };
        Ok((rule, ends))
    }

    /// Takes a rule in, unless its sid is taken by a revision as new.
    fn enter(&mut self, rule: Rule, ends: Ends, place: Place) -> Result<(), Fault> {
        let slot = self.loaded.len();
        match self.sids.entry(rule.sid) {
            Entry::Vacant(free) => {
                if slot == RULES_MAX {
                    return Err(Fault::new(0, Why::TooMuch { what: "the rules of a set", limit: RULES_MAX }));
                }
                free.insert(slot);
            }
            Entry::Occupied(mut taken) => {
                let before = self.loaded.get_mut(*taken.get());
                match before.and_then(|before| before.take_if(|before| before.rule.rev < rule.rev)) {
                    Some(_) => taken.insert(slot),
                    None => return Err(self.duplicate(rule.sid)),
                };
            }
        }
        self.loaded.push(Some(LoadedRule { rule, ends, place }));
        Ok(())
    }

    fn duplicate(&self, sid: u32) -> Fault {
        let first = self.sids.get(&sid).and_then(|slot| self.loaded.get(*slot)).and_then(Option::as_ref);
        let why = match first {
            Some(first) => Why::Duplicate { sid, at: first.place.clone() },
            None => Why::Twice,
        };
        Fault::new(0, why)
    }
}

/// Sets by the text of their lists, each made once.
struct Interned<'a, T: Item> {
    resolver: Resolver<'a, T>,
    known: HashMap<String, Result<Arc<T::Set>, Why>>,
}

impl<'a, T: Item> Interned<'a, T> {
    fn new(resolver: Resolver<'a, T>) -> Self {
        Self { resolver, known: HashMap::new() }
    }

    /// The set that a list stands for; `at` is where the list stands.
    fn set(&mut self, list: &List<T>, at: usize) -> Result<Arc<T::Set>, Fault> {
        let text = list.to_string();
        if !self.known.contains_key(&text) {
            let set = list.resolve(&mut self.resolver).and_then(|set| match set.is_empty() {
                true => Err(Why::Empty(quoted(text.as_bytes()))),
                false => Ok(Arc::new(set)),
            });
            self.known.insert(text.clone(), set);
        }
        let set = self.known.get(&text).cloned().unwrap_or(Err(Why::Missing("the list")));
        set.map_err(|why| {
            let suggestion = match &why {
                Why::Undefined(name) => self.resolver.nearest(name),
                _ => None,
            };
            Fault::new(at, why).suggest(suggestion)
        })
    }
}
