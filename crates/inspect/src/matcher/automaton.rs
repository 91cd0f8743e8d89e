//! The portable engine: aho-corasick.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{Literal, MatcherError};

/// Up to this many bytes of literals get a table of all transitions: fast, and for thousands of literals too large.
const DENSE_MAX: usize = 4096;

/// A set of literals as an automaton.
#[derive(Debug)]
pub(super) struct Automaton {
    machine: AhoCorasick,
    literals: Box<[Literal]>,
    /// The machine knows one case for all: where both are in the set it ignores case, and matches are looked at again.
    mixed: bool,
}

impl Automaton {
    pub(super) fn new(literals: &[Literal]) -> Result<Self, MatcherError> {
        let nocase = literals.iter().any(|literal| literal.nocase);
        let bytes: usize = literals.iter().map(|literal| literal.bytes.len()).sum();
        let kind = match bytes <= DENSE_MAX {
            true => AhoCorasickKind::DFA,
            false => AhoCorasickKind::ContiguousNFA,
        };
        let machine = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(nocase)
            .kind(Some(kind))
            .build(literals.iter().map(|literal| &literal.bytes))
            .map_err(|error| MatcherError::Refused(error.to_string()))?;
        let mixed = nocase && literals.iter().any(|literal| !literal.nocase);
        Ok(Self { machine, literals: literals.into(), mixed })
    }

    pub(super) fn scan(&self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        for hit in self.machine.find_overlapping_iter(text) {
            let number = hit.pattern();
            let holds = !self.mixed
                || self.literals.get(number.as_usize()).is_some_and(|own| own.is(&text[hit.range()]));
            if holds {
                found(number.as_u32(), hit.end());
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        let literals: usize = self.literals.iter().map(|literal| literal.bytes.len()).sum();
        self.machine.memory_usage() + literals + std::mem::size_of_val(&*self.literals)
    }
}
