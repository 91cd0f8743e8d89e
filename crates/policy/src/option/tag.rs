//! `tag`: packets that follow a match are told too.

use std::fmt;

use crate::fault::Fault;
use crate::option::field::Field;
use crate::option::raw::RawOption;

/// `tag`: of which packets that follow a match, and of how many, records are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tag {
    /// Whose packets.
    pub scope: TagScope,
    /// How many of them.
    pub count: u32,
    /// In what.
    pub amount: TagAmount,
}

/// Whose packets are tagged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TagScope {
    /// `session`: the flow's.
    Session,
    /// `host` and `src`: those from or to the address that the matching packet came from.
    Source,
    /// `host` and `dst`: those from or to the address that it went to.
    Destination,
}

/// What a tag is counted in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TagAmount {
    /// `packets`.
    Packets,
    /// `bytes` of packets.
    Bytes,
    /// `seconds`.
    Seconds,
}

/// What a tag is that says no more than whose packets (the reference's documentation, "Tag").
const COUNT: u32 = 256;

const AMOUNTS: [(&str, TagAmount); 3] =
    [("packets", TagAmount::Packets), ("bytes", TagAmount::Bytes), ("seconds", TagAmount::Seconds)];

impl Tag {
    /// Reads `scope[,count,metric[,direction]]`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`session` or `host`, perhaps with a count and packets, bytes or seconds, for a host also src or dst";
        let fields = Field::list(option, expected)?;
        let Some((scope, rest)) = fields.split_first() else { return Err(option.wrong(expected)) };
        let is_host = scope.choice(&[("session", false), ("host", true)], "session or host")?;
        let (count, amount) = match rest {
            [] => (COUNT, TagAmount::Packets),
            [count, amount, ..] => {
                let number = count.number(1..=u32::MAX.into(), "a number from 1 to 4294967295")?;
                let amount = amount.choice(&AMOUNTS, "packets, bytes or seconds")?;
                (u32::try_from(number).unwrap_or(u32::MAX), amount)
            }
            [_] => return Err(option.wrong(expected)),
        };
        let scope = match rest.get(2..).unwrap_or_default() {
            [] if is_host => TagScope::Destination,
            [] => TagScope::Session,
            [side] if is_host => {
                side.choice(&[("src", TagScope::Source), ("dst", TagScope::Destination)], "src or dst")?
            }
            _ => return Err(option.wrong(expected)),
        };
        Ok(Self { scope, count, amount })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, count, amount } = self;
        let amount = AMOUNTS.iter().find(|(_, known)| known == amount).map_or("", |(name, _)| name);
        match scope {
            TagScope::Session => write!(f, "tag:session,{count},{amount};"),
            TagScope::Source => write!(f, "tag:host,{count},{amount},src;"),
            TagScope::Destination => write!(f, "tag:host,{count},{amount},dst;"),
        }
    }
}
