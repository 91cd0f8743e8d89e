//! `flowbits`, `flowint`, `xbits`, `hostbits`: what one rule leaves behind for another.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::field::{Amount, Field};
use crate::option::raw::RawOption;

/// What is done with a mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BitCommand {
    /// `set`, once the rule has matched.
    Set,
    /// `unset`, once the rule has matched.
    Unset,
    /// `toggle`, once the rule has matched.
    Toggle,
    /// `isset`: the rule matches only if it is set.
    IsSet,
    /// `isnotset`: the rule matches only if it is not set.
    IsNotSet,
}

const COMMANDS: [(&str, BitCommand); 5] = [
    ("set", BitCommand::Set),
    ("unset", BitCommand::Unset),
    ("toggle", BitCommand::Toggle),
    ("isset", BitCommand::IsSet),
    ("isnotset", BitCommand::IsNotSet),
];

impl BitCommand {
    fn parse(field: Field<'_>) -> Result<Self, Fault> {
        field.choice(&COMMANDS, "set, unset, toggle, isset or isnotset")
    }

    /// Whether it asks rather than changes.
    #[must_use]
    pub fn is_test(self) -> bool {
        matches!(self, Self::IsSet | Self::IsNotSet)
    }
}

impl fmt::Display for BitCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(COMMANDS.iter().find(|(_, known)| known == self).map_or("", |(name, _)| name))
    }
}

/// `flowbits`: marks on a flow. Several names, for `isset` and `isnotset`, mean one of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flowbits {
    /// What is done.
    pub command: BitCommand,
    /// The marks' names.
    pub names: Vec<String>,
}

impl Flowbits {
    /// Reads `noalert` as `None`, or `command,name[|name…]`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Option<Self>, Fault> {
        let expected = "`command,name` or `noalert`";
        let fields = Field::list(option, expected)?;
        match fields.as_slice() {
            [word] if word.text.eq_ignore_ascii_case("noalert") => Ok(None),
            [command, names] => {
                let command = BitCommand::parse(*command)?;
                let names: Vec<String> = names
                    .split('|')?
                    .into_iter()
                    .map(|name| name.name("a name"))
                    .collect::<Result<_, _>>()?;
                match names.len() > 1 && !command.is_test() {
                    true => Err(option.wrong("one name: `|` is for isset and isnotset")),
                    false => Ok(Some(Self { command, names })),
                }
            }
            _ => Err(option.wrong(expected)),
        }
    }
}

impl fmt::Display for Flowbits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flowbits:{},{};", self.command, self.names.join("|"))
    }
}

/// `flowint`: numbers on a flow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flowint {
    /// The number's name.
    pub name: String,
    /// What is asked of it or done to it.
    pub command: IntCommand,
}

/// What is asked of a flow's number or done to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IntCommand {
    /// `isset`: it has a value.
    IsSet,
    /// `notset`, `isnotset`: it has none.
    IsNotSet,
    /// A sign and another number, or another flow number's name.
    Sign(IntSign, Amount),
}

/// What a sign means for a flow's number; the first three change it, the rest ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IntSign {
    /// `=`
    Assign,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

const SIGNS: [(&str, IntSign); 9] = [
    ("=", IntSign::Assign),
    ("+", IntSign::Add),
    ("-", IntSign::Subtract),
    ("==", IntSign::Equal),
    ("!=", IntSign::NotEqual),
    ("<", IntSign::Less),
    ("<=", IntSign::LessOrEqual),
    (">", IntSign::Greater),
    (">=", IntSign::GreaterOrEqual),
];

impl Flowint {
    /// Reads `name,isset|isnotset` or `name,sign,value`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`name,isset`, `name,isnotset` or `name,sign,value`";
        let fields = Field::list(option, expected)?;
        let (name, command) = match fields.as_slice() {
            [name, word] => {
                let words = [("isset", true), ("isnotset", false), ("notset", false)];
                let set = word.choice(&words, "isset or isnotset")?;
                (name, if set { IntCommand::IsSet } else { IntCommand::IsNotSet })
            }
            [name, sign, value] => {
                let sign = sign.choice(&SIGNS, "a sign of flowint")?;
                let amount = match value.number(0..=u32::MAX.into(), "a number or a name") {
                    Ok(number) => Amount::Fixed(i64::try_from(number).unwrap_or(i64::MAX)),
                    Err(_) => Amount::Variable(value.name("a number or a name")?),
                };
                (name, IntCommand::Sign(sign, amount))
            }
            _ => return Err(option.wrong(expected)),
        };
        Ok(Self { name: name.name("a name")?, command })
    }
}

impl fmt::Display for Flowint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.command {
            IntCommand::IsSet => write!(f, "flowint:{},isset;", self.name),
            IntCommand::IsNotSet => write!(f, "flowint:{},isnotset;", self.name),
            IntCommand::Sign(sign, amount) => {
                let sign = SIGNS.iter().find(|(_, known)| known == sign).map_or("", |(sign, _)| sign);
                write!(f, "flowint:{},{sign},{amount};", self.name)
            }
        }
    }
}

/// `xbits` and `hostbits`: marks on addresses, for a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Xbits {
    /// What is done.
    pub command: BitCommand,
    /// The mark's name.
    pub name: String,
    /// On what the mark is.
    pub track: XbitsTrack,
    /// How long it stays, in seconds.
    pub expire: Option<u32>,
}

/// What carries a mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum XbitsTrack {
    /// `ip_src`: the packet's source.
    Source,
    /// `ip_dst`: the packet's destination.
    Destination,
    /// `ip_pair`: the two addresses, whichever way.
    Pair,
    /// `tx`: the transaction.
    Transaction,
    /// `hostbits` with `src`: the packet's source.
    HostSource,
    /// `hostbits` with `dst`: the packet's destination.
    HostDestination,
    /// `hostbits` with `both`, or without a word: either address.
    HostBoth,
}

const TRACKS: [(&str, XbitsTrack); 4] = [
    ("ip_src", XbitsTrack::Source),
    ("ip_dst", XbitsTrack::Destination),
    ("ip_pair", XbitsTrack::Pair),
    ("tx", XbitsTrack::Transaction),
];

const HOST_TRACKS: [(&str, XbitsTrack); 3] =
    [("src", XbitsTrack::HostSource), ("dst", XbitsTrack::HostDestination), ("both", XbitsTrack::HostBoth)];

impl Xbits {
    /// Reads `command,name,track what[,expire seconds]`. Also tells whether it is `noalert`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Option<Self>, Fault> {
        let expected = "`command,name,track ip_src|ip_dst|ip_pair|tx[,expire seconds]`";
        let fields = Field::list(option, expected)?;
        let (command, name, words) = match fields.as_slice() {
            [word] if word.text.eq_ignore_ascii_case("noalert") => return Ok(None),
            [command, name, words @ ..] => (BitCommand::parse(*command)?, name.name("a name")?, words),
            _ => return Err(option.wrong(expected)),
        };
        let (mut track, mut expire) = (None, None);
        for word in words {
            match word.word() {
                ("track", rest) => track = Some(rest.choice(&TRACKS, "ip_src, ip_dst, ip_pair or tx")?),
                ("expire", rest) => {
                    let seconds = rest.number(1..=u32::MAX.into(), "a number of seconds")?;
                    expire = u32::try_from(seconds).ok();
                }
                _ => return Err(word.wrong("`track` or `expire`")),
            }
        }
        let track = track.ok_or_else(|| Fault::new(option.value_at, Why::Missing("`track`")))?;
        Ok(Some(Self { command, name, track, expire }))
    }

    /// Reads `command,name[,src|dst|both]` of `hostbits`.
    pub(crate) fn host(option: &RawOption<'_>) -> Result<Option<Self>, Fault> {
        let expected = "`command,name[,src|dst|both]`";
        let fields = Field::list(option, expected)?;
        let (command, name, track) = match fields.as_slice() {
            [word] if word.text.eq_ignore_ascii_case("noalert") => return Ok(None),
            [command, name] => (command, name, XbitsTrack::HostBoth),
            [command, name, track] => (command, name, track.choice(&HOST_TRACKS, "src, dst or both")?),
            _ => return Err(option.wrong(expected)),
        };
        Ok(Some(Self {
            command: BitCommand::parse(*command)?,
            name: name.name("a name")?,
            track,
            expire: None,
        }))
    }
}

impl fmt::Display for Xbits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, name, track, expire } = self;
        if let Some((word, _)) = HOST_TRACKS.iter().find(|(_, known)| known == track) {
            return write!(f, "hostbits:{command},{name},{word};");
        }
        let track = TRACKS.iter().find(|(_, known)| known == track).map_or("", |(word, _)| word);
        write!(f, "xbits:{command},{name},track {track}")?;
        match expire {
            Some(seconds) => write!(f, ",expire {seconds};"),
            None => f.write_str(";"),
        }
    }
}
