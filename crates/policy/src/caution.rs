//! What is allowed but probably not meant: warnings of `sluice check` and `sluice rules`.

use std::fmt;

use thiserror::Error;

use crate::fault::Place;
use crate::option::buffer::Buffer;

/// What is probably not meant.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Caution {
    /// A buffer was chosen, and nothing looked for in it.
    #[error("nothing is looked for in `{0}`")]
    BufferUnused(Buffer),
    /// `http.host` is in lower case before it is matched.
    #[error(
        "`http.host` is in lower case, so a pattern with a capital letter can never match it; use `http.host.raw`, or lower case"
    )]
    HostInCapitals,
    /// `endswith:"x.com"` also matches `evilx.com`.
    #[error(
        "without `dotprefix` or a leading dot this also matches names that merely end so, like `evil{0}`"
    )]
    SuffixWithoutDot(String),
    /// A regular expression with no pattern beside it is tried on every packet.
    #[error(
        "with no positive pattern beside it, this expression is tried on every packet that the header lets through"
    )]
    LoneExpression,
    /// `pass tcp` without `flow` passes every TCP flow at its handshake.
    #[error(
        "this passes a TCP flow at its first packet, before any rule can look inside; say what of the flow is meant, as in `flow:not_established`"
    )]
    PassesHandshake,
    /// A rule that an earlier one leaves nothing for.
    #[error("never asked: `{action}` at {by} takes every packet of its header first")]
    Shadowed {
        /// What the earlier rule does.
        action: &'static str,
        /// Where it stands.
        by: Place,
    },
    /// Another revision of the same sid replaced it.
    #[error("replaced by revision {rev} at {by}")]
    Replaced {
        /// The revision that stands.
        rev: u32,
        /// Where it stands.
        by: Place,
    },
    /// A class that no classification names.
    #[error("unknown classtype `{0}`: it gets priority 3")]
    Classtype(String),
    /// A mark that no rule sets.
    #[error("flowbit `{0}` is asked for, but no loaded rule sets it")]
    NeverSet(String),
}

/// A warning about a rule that was loaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// Where the cause stands.
    pub place: Place,
    /// The rule's signature id.
    pub sid: u32,
    /// What is probably not meant.
    pub caution: Caution,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: sid {}: {}", self.place, self.sid, self.caution)
    }
}
