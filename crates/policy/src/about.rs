//! What a rule says of itself: its number, its message, its class.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::field::Field;
use crate::option::raw::RawOption;

/// How many keys one rule's metadata may have.
const METADATA_MAX: usize = 256;

/// What a rule says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// Signature id, from 1; 0 while it is not known.
    pub sid: u32,
    /// Group id, 1 if the rule names none; 0 while it is not known. A sid is unique within its group.
    pub gid: u32,
    /// Revision: of two rules with one sid the higher stands.
    pub rev: u32,
    /// What to tell; bytes that are not UTF-8 are read as Latin-1.
    pub msg: Option<String>,
    /// What class of events it belongs to.
    pub classtype: Option<String>,
    /// How grave it is, 1 is gravest; that of its class if `None`.
    pub priority: Option<u8>,
    /// Where to read more: kind and address.
    pub references: Vec<(String, String)>,
    /// Keys and values, for events.
    pub metadata: Vec<(String, String)>,
    /// Which end of the packet is the victim.
    pub target: Option<Target>,
}

/// Which end of a packet is the victim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// `src_ip`.
    Source,
    /// `dest_ip`.
    Destination,
}

const TARGETS: [(&str, Target); 2] = [("src_ip", Target::Source), ("dest_ip", Target::Destination)];

impl About {
    pub(crate) fn take_msg(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        let inner = option.in_quotes("a text in double quotes")?;
        let mut plain = Vec::with_capacity(inner.len());
        let mut bytes = inner.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => plain.extend(bytes.next()),
                _ => plain.push(*byte),
            }
        }
        once(&mut self.msg, decoded(&plain), option)
    }

    pub(crate) fn take_sid(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        number(&mut self.sid, option)
    }

    pub(crate) fn take_gid(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        number(&mut self.gid, option)
    }

    pub(crate) fn take_rev(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        number(&mut self.rev, option)
    }

    pub(crate) fn take_classtype(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        let name = Field::of(option, "a class's name")?.name("a class's name")?;
        once(&mut self.classtype, name, option)
    }

    pub(crate) fn take_priority(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        let expected = "a number from 1 to 255";
        let number = Field::of(option, expected)?.number(1..=255, expected)?;
        once(&mut self.priority, u8::try_from(number).map_err(|_| option.wrong(expected))?, option)
    }

    pub(crate) fn take_reference(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        let text = decoded(option.needed("`kind,address`")?);
        let (kind, address) = text.split_once(',').ok_or_else(|| option.wrong("`kind,address`"))?;
        self.references.push((kind.trim_ascii().to_owned(), address.trim_ascii().to_owned()));
        Ok(())
    }

    pub(crate) fn take_metadata(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        for pair in decoded(option.needed("keys and values")?).split(',') {
            let pair = pair.trim_ascii();
            let (key, value) = pair.split_once([' ', '\t']).unwrap_or((pair, ""));
            if self.metadata.len() == METADATA_MAX {
                let why = Why::TooMuch { what: "the keys of metadata", limit: METADATA_MAX };
                return Err(Fault::new(option.value_at, why));
            }
            self.metadata.push((key.to_owned(), value.trim_ascii().to_owned()));
        }
        Ok(())
    }

    pub(crate) fn take_target(&mut self, option: &RawOption<'_>) -> Result<(), Fault> {
        let target = Field::of(option, "src_ip or dest_ip")?.choice(&TARGETS, "src_ip or dest_ip")?;
        match self.target.replace(target) {
            Some(before) if before != target => Err(Fault::new(option.at, Why::Twice)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for About {
    /// As options: the message and the sid first, because that is what a reader looks for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(msg) = &self.msg {
            let escaped = msg.replace('\\', r"\\").replace('"', r#"\""#).replace(';', r"\;");
            write!(f, "msg:\"{escaped}\"; ")?;
        }
        write!(f, "sid:{};", self.sid)?;
        if self.gid > 1 {
            write!(f, " gid:{};", self.gid)?;
        }
        if self.rev > 0 {
            write!(f, " rev:{};", self.rev)?;
        }
        if let Some(classtype) = &self.classtype {
            write!(f, " classtype:{classtype};")?;
        }
        if let Some(priority) = self.priority {
            write!(f, " priority:{priority};")?;
        }
        for (kind, address) in &self.references {
            write!(f, " reference:{kind},{address};")?;
        }
        for (index, (key, value)) in self.metadata.iter().enumerate() {
            let start = if index == 0 { " metadata:" } else { ", " };
            let space = if value.is_empty() { "" } else { " " };
            write!(f, "{start}{key}{space}{value}")?;
        }
        if !self.metadata.is_empty() {
            f.write_str(";")?;
        }
        match self.target.and_then(|target| TARGETS.iter().find(|(_, known)| *known == target)) {
            Some((name, _)) => write!(f, " target:{name};"),
            None => Ok(()),
        }
    }
}

/// Text as UTF-8, or byte by byte as Latin-1 if it is not.
fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn number(slot: &mut u32, option: &RawOption<'_>) -> Result<(), Fault> {
    let expected = "a number from 1 to 4294967295";
    match (option.number(expected)?, *slot) {
        (0, _) => Err(option.wrong(expected)),
        (number, 0) => {
            *slot = number;
            Ok(())
        }
        _ => Err(Fault::new(option.at, Why::Twice)),
    }
}

fn once<T>(slot: &mut Option<T>, value: T, option: &RawOption<'_>) -> Result<(), Fault> {
    match slot.replace(value) {
        Some(_) => Err(Fault::new(option.at, Why::Twice)),
        None => Ok(()),
    }
}
