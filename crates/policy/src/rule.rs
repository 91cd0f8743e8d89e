//! One rule: `action header (options)`.

use std::fmt;

use crate::fault::{Fault, Why, nearest, quoted};
use crate::header::{Header, Words};
use crate::option::{RawOption, options};

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Tell, and go on.
    Alert,
    /// Forward, and ask no further rule.
    Pass,
    /// Tell and drop.
    Drop,
}

impl Action {
    const ALL: [Self; 3] = [Self::Alert, Self::Pass, Self::Drop];
    /// Actions of the language that this appliance does not carry out.
    const UNSUPPORTED: [&'static str; 5] = ["reject", "rejectsrc", "rejectdst", "rejectboth", "config"];

    /// The word that rules use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Pass => "pass",
            Self::Drop => "drop",
        }
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
    /// What to tell; bytes that are not UTF-8 are read as Latin-1.
    pub msg: Option<String>,
    /// Signature id, from 1.
    pub sid: u32,
    /// Revision: of two rules with one sid the higher stands.
    pub rev: u32,
}

impl Rule {
    /// Reads one rule. Also gives the offsets of its header's four lists.
    pub(crate) fn parse(text: &[u8]) -> Result<(Self, [usize; 4]), Fault> {
        let mut words = Words::new(text);
        let action = action(&mut words)?;
        let (header, lists_at) = Header::parse(&mut words)?;
        let (found, fault) = options(text, words.at());
        if let Some(fault) = fault {
            return Err(fault);
        }
        let (mut msg, mut sid, mut rev) = (None, None, None);
        for option in &found {
            let name = option.name();
            let told = match option.keyword {
                b"msg" => message(option).and_then(|value| once(&mut msg, value, option)),
                b"sid" => positive(option).and_then(|value| once(&mut sid, value, option)),
                b"rev" => positive(option).and_then(|value| once(&mut rev, value, option)),
                _ => Err(unknown(option)),
            };
            told.map_err(|fault| fault.option(&quoted(name.as_bytes())))?;
        }
        let sid = sid.ok_or_else(|| Fault::new(text.trim_ascii_end().len(), Why::Missing("`sid`")))?;
        Ok((Self { action, header, msg, sid, rev: rev.unwrap_or(0) }, lists_at))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, header, msg, sid, rev } = self;
        write!(f, "{action} {header} (")?;
        if let Some(msg) = msg {
            let escaped = msg.replace('\\', r"\\").replace('"', r#"\""#).replace(';', r"\;");
            write!(f, "msg:\"{escaped}\"; ")?;
        }
        write!(f, "sid:{sid};")?;
        if *rev > 0 {
            write!(f, " rev:{rev};")?;
        }
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
    if Action::UNSUPPORTED.contains(&name.as_ref()) {
        return Err(Fault::new(at, Why::Unsupported(format!("the action `{name}`"))));
    }
    Action::ALL.into_iter().find(|action| action.name() == name).ok_or_else(|| {
        Fault::new(at, Why::Action(quoted(word))).suggest(nearest(&name, Action::ALL.map(Action::name)))
    })
}

fn message(option: &RawOption<'_>) -> Result<String, Fault> {
    let inner = option.in_quotes("a text in double quotes")?;
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next()),
            _ => plain.push(*byte),
        }
    }
    Ok(String::from_utf8(plain)
        .unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect()))
}

fn positive(option: &RawOption<'_>) -> Result<u32, Fault> {
    match option.number("a number from 1 to 4294967295")? {
        0 => Err(option.wrong("a number from 1 to 4294967295")),
        number => Ok(number),
    }
}

fn once<T>(slot: &mut Option<T>, value: T, option: &RawOption<'_>) -> Result<(), Fault> {
    match slot.replace(value) {
        Some(_) => Err(Fault::new(option.at, Why::Twice)),
        None => Ok(()),
    }
}

fn unknown(option: &RawOption<'_>) -> Fault {
    let name = option.name();
    let suggestion = nearest(&name, ["msg", "sid", "rev"]);
    Fault::new(option.at, Why::Keyword(quoted(option.keyword))).suggest(suggestion)
}
