//! From rule files to a set of rules: what can be loaded is loaded, what cannot is refused alone and listed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::address::AddressItem;
use crate::caution::{Caution, Warning};
use crate::classification::{Class, Classification, PRIORITY_DEFAULT};
use crate::domain::Lists;
use crate::fault::{Fault, Place, Refusal, Why, quoted};
use crate::header::Header;
use crate::index::Ends;
use crate::line::{Line, lines};
use crate::lint::Lint;
use crate::list::{Item, List, Set};
use crate::port::PortItem;
use crate::rule::{Action, Parsed, Rule, sid_of};
use crate::rule_set::{LoadedRule, RuleSet};
use crate::suspicions::Suspicions;
use crate::variables::{Resolver, Variables};

/// Longest text of one rule, in bytes; the reference's bound is 8192.
pub const RULE_BYTES_MAX: usize = 1 << 16;
/// Most rules that one set holds: what one bit per rule and class of packets can bear (see the header index).
pub const RULES_MAX: usize = 1 << 17;
/// Most rules times the ranges of all their different lists: what bounds the header index to about a gigabyte, were
/// every range to overlap every other. Real sets stay a thousand times below.
const INDEX_MAX: usize = 1 << 35;
/// How many refusals, and how many warnings, are told of; all refusals are counted.
pub const TOLD_MAX: usize = 1 << 16;

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
    /// All that pass, then all that drop, then all that reject, then all that alert; within each by priority, then as
    /// they stand: the reference's default. A rule that passes ends it; one that drops does not keep later alerts
    /// from being told.
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
    /// It is dropped if its flow is established: handshakes pass (AWS: "Drop established").
    DropEstablished,
    /// It is dropped if its flow is established and what the client said first was heard to its end, however many packets
    /// that took (AWS: "Application layer drop established").
    DropEstablishedApp,
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
    /// What classes of events there are.
    pub classification: Classification,
    /// What is done about what is odd in itself.
    pub suspicions: Suspicions,
}

/// What came of loading: the rules, and everything that did not become one.
#[derive(Debug)]
pub struct Loading {
    /// The rules that were loaded, ready to judge.
    pub rules: RuleSet,
    /// The rules that were not, in the files' order; the first [`TOLD_MAX`] of them.
    pub refusals: Vec<Refusal>,
    /// How many rules were not.
    pub refused: usize,
    /// What is probably not meant, by place; also about refused rules, if they could be read. At most [`TOLD_MAX`].
    pub warnings: Vec<Warning>,
    /// How many rules were left out because they require what is not here (`requires`).
    pub skipped: usize,
    /// How many rules the files hold: loaded, refused, left out, or replaced by a later revision.
    pub seen: usize,
}

impl Loading {
    /// Loads the rules of all files into one set.
    #[must_use]
    pub fn new(files: &[RuleFile], settings: &Settings) -> Self {
        Self::knowing(files, Lists::default(), settings)
    }

    /// As [`Loading::new`], with the domain lists that rules may name.
    #[must_use]
    pub fn knowing(files: &[RuleFile], lists: Lists, settings: &Settings) -> Self {
        let mut loader = Loader {
            classification: &settings.classification,
            addresses: Interned::new(settings.variables.addresses()),
            ports: Interned::new(settings.variables.ports()),
            loaded: Vec::new(),
            sids: HashMap::new(),
            refusals: Vec::new(),
            refused: 0,
            skipped: 0,
            lint: Lint::default(),
            seen: 0,
        };
        for file in files {
            for line in lines(&file.text, RULE_BYTES_MAX) {
                loader.line(&file.name, &line);
            }
        }
        let Loader { loaded, refusals, refused, skipped, lint, seen, .. } = loader;
        let mut loaded: Vec<LoadedRule> = loaded.into_iter().flatten().collect();
        if settings.order == Order::Action {
            loaded.sort_by_key(|loaded| (rank(loaded.rule.action), loaded.priority));
        }
        let mut warnings = lint.finish(&loaded, settings.order);
        let file_of = |place: &Place| files.iter().position(|file| file.name == place.file);
        warnings.sort_by_key(|warning| (file_of(&warning.place), warning.place.line, warning.place.column));
        let rules = RuleSet::new(loaded, settings).knowing(lists);
        Self { rules, refusals, refused, warnings, skipped, seen }
    }

    /// The rules, if every one was loaded.
    ///
    /// # Errors
    /// The refusals, if there is one.
    pub fn strict(self) -> Result<RuleSet, Vec<Refusal>> {
        match self.refused {
            0 => Ok(self.rules),
            _ => Err(self.refusals),
        }
    }
}

fn rank(action: Action) -> u8 {
    match action {
        Action::Pass => 0,
        Action::Drop => 1,
        Action::Reject(_) => 2,
        Action::Alert => 3,
    }
}

struct Loader<'a> {
    classification: &'a Classification,
    addresses: Interned<'a, AddressItem>,
    ports: Interned<'a, PortItem>,
    /// In the files' order; a place is empty once a later revision took over.
    loaded: Vec<Option<LoadedRule>>,
    /// By group and signature id.
    sids: HashMap<(u32, u32), usize>,
    refusals: Vec<Refusal>,
    refused: usize,
    skipped: usize,
    lint: Lint,
    seen: usize,
}

impl<'a> Loader<'a> {
    fn line(&mut self, file: &Arc<str>, line: &Line) {
        self.seen += 1;
        let place = |offset: usize| {
            let (line, column) = line.position(offset);
            Place { file: Arc::clone(file), line, column }
        };
        if let Err(Fault { at, option, why, suggestion }) = self.rule(line, &place) {
            if matches!(why, Why::Unmet(_)) {
                self.skipped += 1;
                return;
            }
            self.refused += 1;
            if self.refusals.len() == TOLD_MAX {
                return;
            }
            self.refusals.push(Refusal {
                place: place(at),
                sid: sid_of(&line.text),
                option,
                why,
                suggestion,
            });
        }
    }

    fn rule(&mut self, line: &Line, place: &impl Fn(usize) -> Place) -> Result<(), Fault> {
        if line.cut {
            let why = Why::TooMuch { what: "the bytes or lines of a rule", limit: RULE_BYTES_MAX };
            return Err(Fault::new(0, why));
        }
        let Parsed { rule, lists_at, unjudged, cautions } = Rule::parse(&line.text)?;
        let ends = self.ends(&rule.header, lists_at)?;
        for (at, caution) in cautions {
            self.lint.note(place(at), rule.about.sid, caution);
        }
        self.lint.rule(&rule, &place(0));
        let class = self.class(&rule, place(0));
        let priority = rule.about.priority.or(class.map(|class| class.priority)).unwrap_or(PRIORITY_DEFAULT);
        let category = class.map(|class| Arc::clone(&class.description)).unwrap_or_default();
        match unjudged {
            Some(fault) => Err(fault),
            None => self.enter(LoadedRule { rule, priority, category, place: place(0), ends }),
        }
    }

    fn ends(&mut self, header: &Header, lists_at: [usize; 4]) -> Result<Ends, Fault> {
        let [source_at, source_port_at, destination_at, destination_port_at] = lists_at;
        Ok(Ends {
            source: self.addresses.set(&header.source, source_at)?,
            source_port: self.ports.set(&header.source_port, source_port_at)?,
            destination: self.addresses.set(&header.destination, destination_at)?,
            destination_port: self.ports.set(&header.destination_port, destination_port_at)?,
        })
    }

    /// The class that a rule names, if there is one of that name.
    fn class(&mut self, rule: &Rule, place: Place) -> Option<&'a Class> {
        let name = rule.about.classtype.as_deref()?;
        let class = self.classification.class(name);
        if class.is_none() {
            self.lint.note(place, rule.about.sid, Caution::Classtype(name.to_owned()));
        }
        class
    }

    /// Takes a rule in, unless its sid is taken by a revision as new.
    fn enter(&mut self, new: LoadedRule) -> Result<(), Fault> {
        let slot = self.loaded.len();
        let about = &new.rule.about;
        if (slot + 1).saturating_mul(self.addresses.ranges + self.ports.ranges) > INDEX_MAX {
            return Err(Fault::new(
                0,
                Why::TooMuch { what: "rules times the ranges of their lists", limit: INDEX_MAX },
            ));
        }
        match self.sids.entry((about.gid, about.sid)) {
            Entry::Vacant(free) => {
                if slot >= RULES_MAX {
                    return Err(Fault::new(0, Why::TooMuch { what: "the rules of a set", limit: RULES_MAX }));
                }
                free.insert(slot);
            }
            Entry::Occupied(mut taken) => {
                let Some(before) = self.loaded.get_mut(*taken.get()) else { return Ok(()) };
                let Some(older) = before.take_if(|before| before.rule.about.rev < about.rev) else {
                    return Err(duplicate(about.sid, before.as_ref()));
                };
                taken.insert(slot);
                let caution = Caution::Replaced { rev: about.rev, by: new.place.clone() };
                self.lint.note(older.place, about.sid, caution);
            }
        }
        self.loaded.push(Some(new));
        Ok(())
    }
}

fn duplicate(sid: u32, first: Option<&LoadedRule>) -> Fault {
    let why = match first {
        Some(first) => Why::Duplicate { sid, at: first.place.clone() },
        None => Why::Twice,
    };
    Fault::new(0, why)
}

/// Sets by the text of their lists, each made once.
struct Interned<'a, T: Item> {
    resolver: Resolver<'a, T>,
    known: HashMap<String, Result<Arc<T::Set>, Why>>,
    /// How many ranges the different sets have.
    ranges: usize,
}

impl<'a, T: Item> Interned<'a, T> {
    fn new(resolver: Resolver<'a, T>) -> Self {
        Self { resolver, known: HashMap::new(), ranges: 0 }
    }

    /// The set that a list stands for; `at` is where the list stands.
    fn set(&mut self, list: &List<T>, at: usize) -> Result<Arc<T::Set>, Fault> {
        let text = list.to_string();
        if !self.known.contains_key(&text) {
            let set = list.resolve(&mut self.resolver).and_then(|set| match set.is_empty() {
                true => Err(Why::Empty(quoted(text.as_bytes()))),
                false => Ok(Arc::new(set)),
            });
            self.ranges += set.as_ref().map_or(0, |set| set.len());
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
