//! What the operator wants done about what is odd in itself, without a rule that says so.

use std::net::IpAddr;
use std::time::Duration;

/// A kind of oddity that the operator has a say in.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Suspicion {
    /// A server name that no DNS answer has given the server's address for.
    NameUnresolved,
    /// A server name other than the host that the flow was opened for.
    NameDiffers,
    /// A hello without a server name.
    NameMissing,
    /// A hello that hides another, or pretends to.
    NameEncrypted,
    /// A message that two readers would take for different ones.
    Smuggling,
    /// More than is kept: floods, bombs, names and messages without end.
    Excess,
    /// What cannot be read as what it begins as.
    Malformed,
}

impl Suspicion {
    /// Every kind, with its name in the configuration.
    pub const ALL: [(&str, Self); 7] = [
        ("name_unresolved", Self::NameUnresolved),
        ("name_differs", Self::NameDiffers),
        ("name_missing", Self::NameMissing),
        ("name_encrypted", Self::NameEncrypted),
        ("smuggling", Self::Smuggling),
        ("excess", Self::Excess),
        ("malformed", Self::Malformed),
    ];

    /// Whether it is about server names, which nobody looks at for this sake unless somebody wants to know.
    #[must_use]
    pub fn is_of_names(self) -> bool {
        self <= Self::NameEncrypted
    }
}

/// What is done about an oddity; each does what the one before it does, and more.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reaction {
    /// It is counted and told as an anomaly.
    Observe,
    /// An alert tells of it, too.
    Alert,
    /// The flow is dropped.
    Drop,
    /// And the packet's sender is told at once, as by a rule that rejects.
    Reject,
}

/// How long what DNS answers is remembered, and whom it is believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remembering {
    /// The resolvers that are believed; all of them if none is named.
    pub resolvers: Vec<IpAddr>,
    /// An answer is remembered for at least so long, whatever it says of itself: clients use addresses for longer.
    pub at_least: Duration,
    /// And for at most so long.
    pub at_most: Duration,
    /// So long after the first name that an endpoint is heard of, names without an answer are only observed.
    pub grace: Duration,
}

impl Default for Remembering {
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            at_least: Duration::from_secs(600),
            at_most: Duration::from_secs(86_400),
            grace: Duration::from_secs(600),
        }
    }
}

impl Remembering {
    /// Whether what this resolver answers is believed.
    #[must_use]
    pub fn believes(&self, resolver: IpAddr) -> bool {
        self.resolvers.is_empty() || self.resolvers.contains(&resolver)
    }
}

/// What is done about each kind, and what is remembered for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suspicions {
    reactions: [Option<Reaction>; Suspicion::ALL.len()],
    /// Of what DNS answers.
    pub remembering: Remembering,
}

impl Default for Suspicions {
    /// Names are nobody's business; the rest is observed in flows that are read anyway.
    fn default() -> Self {
        let usual = |(_, kind): (_, Suspicion)| (!kind.is_of_names()).then_some(Reaction::Observe);
        Self { reactions: Suspicion::ALL.map(usual), remembering: Remembering::default() }
    }
}

impl Suspicions {
    /// The same, but for one kind.
    #[must_use]
    pub fn with(mut self, kind: Suspicion, reaction: Option<Reaction>) -> Self {
        self.reactions[kind as usize] = reaction;
        self
    }

    /// What is done about a kind; nothing if `None`.
    #[must_use]
    pub fn reaction(&self, kind: Suspicion) -> Option<Reaction> {
        self.reactions[kind as usize]
    }

    /// Whether flows are read for this sake though no rule wants to know what they say.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.names() || self.reactions.iter().any(|reaction| *reaction > Some(Reaction::Observe))
    }

    /// Whether server names are looked at.
    #[must_use]
    pub fn names(&self) -> bool {
        Suspicion::ALL.iter().any(|(_, kind)| kind.is_of_names() && self.reaction(*kind).is_some())
    }

    /// Whether a server name may end a flow.
    #[must_use]
    pub fn refuses_names(&self) -> bool {
        let refuses = |kind: Suspicion| self.reaction(kind) >= Some(Reaction::Drop);
        Suspicion::ALL.iter().any(|(_, kind)| kind.is_of_names() && refuses(*kind))
    }

    /// Whether what DNS answers is remembered.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.reaction(Suspicion::NameUnresolved).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_for_suspicion_unless_somebody_asks() {
        let usual = Suspicions::default();
        assert!(!usual.reads() && !usual.names() && !usual.remembers());
        assert_eq!(usual.reaction(Suspicion::Smuggling), Some(Reaction::Observe));
        for (name, kind) in Suspicion::ALL {
            let wanted = usual.clone().with(kind, Some(Reaction::Alert));
            assert!(wanted.reads(), "{name}");
            assert_eq!(wanted.names(), name.starts_with("name_"));
            assert_eq!(wanted.remembers(), kind == Suspicion::NameUnresolved);
        }
    }
}
