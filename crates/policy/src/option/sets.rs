//! `dataset`, `datarep`, `iprep`, `geoip`: membership in sets that stand outside the rule.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::field::{Comparison, Field};
use crate::option::raw::RawOption;

/// `dataset`: whether a buffer is in a set, or puts it there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dataset {
    /// What is done.
    pub command: DatasetCommand,
    /// The set's name.
    pub name: String,
    /// `type`, `load`, `state` and the like, as written, with what follows each.
    pub settings: Vec<(String, String)>,
}

/// What is done with a set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DatasetCommand {
    /// `isset`: it must be in it.
    IsSet,
    /// `isnotset`: it must not be in it.
    IsNotSet,
    /// `set`: it is put in.
    Set,
    /// `unset`: it is taken out.
    Unset,
}

const COMMANDS: [(&str, DatasetCommand); 4] = [
    ("isset", DatasetCommand::IsSet),
    ("isnotset", DatasetCommand::IsNotSet),
    ("set", DatasetCommand::Set),
    ("unset", DatasetCommand::Unset),
];

const DATASET_SETTINGS: [&str; 14] = [
    "type",
    "load",
    "save",
    "state",
    "memcap",
    "hashsize",
    "match",
    "format",
    "value_key",
    "context_key",
    "array_key",
    "enrichment_key",
    "remove_key",
    "file",
];

impl Dataset {
    /// Reads `command,name[,setting value…]`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`isset|isnotset|set|unset,name` and settings";
        let fields = Field::list(option, expected)?;
        let [command, name, words @ ..] = fields.as_slice() else { return Err(option.wrong(expected)) };
        let settings = settings(words)?;
        Ok(Self { command: command.choice(&COMMANDS, expected)?, name: name.name("a name")?, settings })
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = COMMANDS.iter().find(|(_, known)| *known == self.command).map_or("", |(word, _)| word);
        write!(f, "dataset:{command},{}", self.name)?;
        self.settings.iter().try_for_each(|setting| show(f, setting))?;
        f.write_str(";")
    }
}

/// `datarep`: what reputation a buffer has in a set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Datarep {
    /// The set's name.
    pub name: String,
    /// What the reputation must be, 0 to 65535.
    pub compares: Comparison,
    /// `type`, `load`, `state` and the like, as written, with what follows each.
    pub settings: Vec<(String, String)>,
}

impl Datarep {
    /// Reads `name,sign,number[,setting value…]`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`name,sign,number` and settings";
        let fields = Field::list(option, expected)?;
        let [name, sign, number, words @ ..] = fields.as_slice() else { return Err(option.wrong(expected)) };
        let compares = signed(*sign, *number, u16::MAX.into())?;
        Ok(Self { name: name.name("a name")?, compares, settings: settings(words)? })
    }
}

impl fmt::Display for Datarep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, number) = apart(self.compares);
        write!(f, "datarep:{},{sign},{number}", self.name)?;
        self.settings.iter().try_for_each(|setting| show(f, setting))?;
        f.write_str(";")
    }
}

fn settings(words: &[Field<'_>]) -> Result<Vec<(String, String)>, Fault> {
    let setting = |word: &Field<'_>| {
        let (key, value) = word.word();
        match DATASET_SETTINGS.contains(&key) {
            true => Ok((key.to_owned(), value.text.to_owned())),
            false => {
                let suggestion = crate::fault::nearest(key, DATASET_SETTINGS);
                Err(word.wrong("a setting of a set").suggest(suggestion))
            }
        }
    };
    words.iter().map(setting).collect()
}

fn show(f: &mut fmt::Formatter<'_>, (key, value): &(String, String)) -> fmt::Result {
    match value.is_empty() {
        true => write!(f, ",{key}"),
        false => write!(f, ",{key} {value}"),
    }
}

/// Which address of a packet is looked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressSide {
    /// `src`.
    Source,
    /// `dst`.
    Destination,
    /// `both`: both must pass.
    Both,
    /// `any`: one must pass.
    Any,
}

const SIDES: [(&str, AddressSide); 4] = [
    ("src", AddressSide::Source),
    ("dst", AddressSide::Destination),
    ("both", AddressSide::Both),
    ("any", AddressSide::Any),
];

impl AddressSide {
    fn name(self) -> &'static str {
        SIDES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// `iprep`: what reputation an address has in a category.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Iprep {
    /// Which address.
    pub side: AddressSide,
    /// The category.
    pub category: String,
    /// What the score, 0 to 127, must be.
    pub test: IprepTest,
}

/// What is asked of a score.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IprepTest {
    /// `isset`: there is one.
    IsSet,
    /// `isnotset`: there is none.
    IsNotSet,
    /// It compares so.
    Score(Comparison),
}

impl Iprep {
    /// Reads `side,category,sign,score` or `side,category,isset|isnotset`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`src|dst|both|any,category,sign,score` or `…,isset`";
        let fields = Field::list(option, expected)?;
        let (side, category, test) = match fields.as_slice() {
            [side, category, word] => {
                let words = [("isset", IprepTest::IsSet), ("isnotset", IprepTest::IsNotSet)];
                (side, category, word.choice(&words, "isset or isnotset")?)
            }
            [side, category, sign, score] => (side, category, IprepTest::Score(signed(*sign, *score, 127)?)),
            _ => return Err(option.wrong(expected)),
        };
        let side = side.choice(&SIDES, "src, dst, both or any")?;
        Ok(Self { side, category: category.name("a category")?, test })
    }
}

impl fmt::Display for Iprep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "iprep:{},{},", self.side.name(), self.category)?;
        match self.test {
            IprepTest::IsSet => f.write_str("isset;"),
            IprepTest::IsNotSet => f.write_str("isnotset;"),
            IprepTest::Score(compares) => {
                let (sign, score) = apart(compares);
                write!(f, "{sign},{score};")
            }
        }
    }
}

/// A comparison whose sign is a field of its own.
fn signed(sign: Field<'_>, number: Field<'_>, highest: u64) -> Result<Comparison, Fault> {
    type Make = fn(u64) -> Comparison;
    let signs: [(&str, Make); 5] = [
        ("<", Comparison::Less),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        (">=", Comparison::GreaterOrEqual),
        ("=", Comparison::Equal),
    ];
    let make = sign.choice(&signs, "one of < <= > >= =")?;
    number.number(0..=highest, "a number in range").map(make)
}

fn apart(compares: Comparison) -> (&'static str, u64) {
    match compares {
        Comparison::Less(number) => ("<", number),
        Comparison::LessOrEqual(number) => ("<=", number),
        Comparison::Greater(number) => (">", number),
        Comparison::GreaterOrEqual(number) => (">=", number),
        Comparison::Equal(number) | Comparison::Not(number) | Comparison::Between(number, _) => ("=", number),
    }
}

/// `geoip`: which country an address is in. An address of unknown country matches nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Geoip {
    /// Which address.
    pub side: AddressSide,
    /// Two letters each (ISO 3166-1), and whether that country is excluded.
    pub countries: Vec<(bool, [u8; 2])>,
}

impl Geoip {
    /// Reads `[src|dst|both|any,]CC[,!CC…]`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`src|dst|both|any` and countries of two letters";
        let fields = Field::list(option, expected)?;
        let (side, countries) = match fields.split_first() {
            Some((first, rest)) => match first.choice(&SIDES, expected) {
                Ok(side) => (side, rest),
                Err(_) => (AddressSide::Any, fields.as_slice()),
            },
            None => (AddressSide::Any, fields.as_slice()),
        };
        let country = |field: &Field<'_>| {
            let (negated, name) = field.negation();
            match *name.text.as_bytes() {
                [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                    Ok((negated, [a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
                }
                _ => Err(field.wrong("a country of two letters")),
            }
        };
        let countries: Vec<_> = countries.iter().map(country).collect::<Result<_, _>>()?;
        match countries.is_empty() {
            true => Err(Fault::new(option.value_at, Why::Missing("a country"))),
            false => Ok(Self { side, countries }),
        }
    }
}

impl fmt::Display for Geoip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "geoip:{}", self.side.name())?;
        for (negated, [a, b]) in &self.countries {
            write!(f, ",{}{}{}", if *negated { "!" } else { "" }, char::from(*a), char::from(*b))?;
        }
        f.write_str(";")
    }
}
