//! One rule: `action header (options)`.

use std::fmt;
use std::str::FromStr;

use crate::about::About;
use crate::caution::Caution;
use crate::exchange;
use crate::fault::{Fault, Place, Refusal, Why, nearest, quoted};
use crate::header::{Header, Words};
use crate::line::lines;
use crate::load::RULE_BYTES_MAX;
use crate::option::draft::Draft;
use crate::option::raw::options;
use crate::option::{RuleOption, keywords, requires};

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Tell, and go on.
    Alert,
    /// Forward, and ask no further rule.
    Pass,
    /// Tell and drop.
    Drop,
    /// Tell, drop, and send an end of the flow a TCP RST or an ICMP error.
    Reject(RejectTo),
}

/// Who is told of a rejected packet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RejectTo {
    /// `reject`, `rejectsrc`: who sent it.
    Source,
    /// `rejectdst`: whom it was for.
    Destination,
    /// `rejectboth`.
    Both,
}

const ACTIONS: [(&str, Action); 7] = [
    ("alert", Action::Alert),
    ("pass", Action::Pass),
    ("drop", Action::Drop),
    ("reject", Action::Reject(RejectTo::Source)),
    ("rejectsrc", Action::Reject(RejectTo::Source)),
    ("rejectdst", Action::Reject(RejectTo::Destination)),
    ("rejectboth", Action::Reject(RejectTo::Both)),
];

impl Action {
    /// The word that rules use.
    #[must_use]
    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One rule as the operator wrote it, understood whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// What it does.
    pub action: Action,
    /// Which packets it is about.
    pub header: Header,
    /// What it says of itself.
    pub about: About,
    /// What else must hold, and what is left behind, in the order written.
    pub options: Vec<RuleOption>,
}

/// What reading one rule's text gives. Offsets are those of the text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) rule: Rule,
    /// Where the header's four lists stand.
    pub(crate) lists_at: [usize; 4],
    /// Why the appliance cannot judge the rule, if it cannot: the first reason in the text.
    pub(crate) unjudged: Option<Fault>,
    pub(crate) cautions: Vec<(usize, Caution)>,
}

impl Rule {
    /// Reads one rule.
    pub(crate) fn parse(text: &[u8]) -> Result<Parsed, Fault> {
        let mut words = Words::new(text);
        let action = action(&mut words)?;
        let protocol_at = words.at();
        let (header, lists_at) = Header::parse(&mut words)?;
        let (found, fault) = options(text, words.at());
        if let Some(fault) = fault {
            return Err(fault);
        }
        for option in found.iter().filter(|option| option.keyword == b"requires") {
            requires::check(option).map_err(|fault| fault.option("requires"))?;
        }
        let unsupported = |at: usize, what: String| Fault::new(at, Why::Unsupported(what));
        let mut unjudged = None;
        if !header.protocol.is_judged() {
            let what = format!("the protocol `{}`", header.protocol);
            unjudged = Some(unsupported(protocol_at, what));
        }
        let mut draft = Draft::new();
        for option in &found {
            let name = || quoted(option.keyword);
            let judged = keywords::read(&mut draft, option).map_err(|fault| fault.option(&name()))?;
            if !judged && unjudged.is_none() {
                let what = format!("the keyword `{}`", name());
                unjudged = Some(unsupported(option.at, what).option(&name()));
            }
        }
        let Draft { mut about, options, cautions, .. } = draft.finish();
        if about.sid == 0 {
            return Err(Fault::new(text.trim_ascii_end().len(), Why::Missing("`sid`")));
        }
        about.gid = about.gid.max(1);
        exchange::check(header.arrow, &options, protocol_at)?;
        Ok(Parsed { rule: Self { action, header, about, options }, lists_at, unjudged, cautions })
    }

    /// Whether header and action are all there is to it.
    #[must_use]
    pub fn is_header_only(&self) -> bool {
        self.options.iter().all(|option| matches!(option, RuleOption::Prefilter))
    }
}

impl FromStr for Rule {
    type Err = Refusal;

    /// Reads one rule, whether the appliance judges all of it or not; its lists are not looked up.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let line = lines(text.as_bytes(), RULE_BYTES_MAX).next().unwrap_or_default();
        Self::parse(&line.text).map(|parsed| parsed.rule).map_err(|Fault { at, option, why, suggestion }| {
            let (number, column) = line.position(at);
            let place = Place { file: "rule".into(), line: number, column };
            Refusal { place, sid: sid_of(&line.text), option, why, suggestion }
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, header, about, options } = self;
        write!(f, "{action} {header} ({about}")?;
        options.iter().try_for_each(|option| write!(f, " {option}"))?;
        f.write_str(")")
    }
}

/// The signature id of a text, whatever else may be wrong with it.
pub(crate) fn sid_of(text: &[u8]) -> Option<u32> {
    let open = text.iter().position(|byte| *byte == b'(')?;
    let (found, _) = options(text, open);
    found.iter().find(|option| option.keyword == b"sid").and_then(|option| option.number("a sid").ok())
}

fn action(words: &mut Words<'_>) -> Result<Action, Fault> {
    let (at, word) = words.next("the action")?;
    let name = String::from_utf8_lossy(word);
    if name == "config" {
        return Err(Fault::new(at, Why::Unsupported("the action `config`".to_owned())));
    }
    ACTIONS.iter().find(|(known, _)| *known == name).map(|(_, action)| *action).ok_or_else(|| {
        Fault::new(at, Why::Action(quoted(word))).suggest(nearest(&name, ACTIONS.map(|(known, _)| known)))
    })
}
