//! Many literals looked for at once: which of them end where in a text.
//!
//! ```text
//!  literals ─▶ Matcher (one for all workers) ─┐
//!  text ──────────────────────────────────────┼─▶ (literal, end), (literal, end) …
//!              Scratch (one for each worker) ─┘
//! ```
//! One text at a time: whoever scans a stream keeps the overlap. All matches are told, those that overlap included, so
//! that a rule's own bounds decide which count. Hyperscan finds thousands of literals at several times the speed of any
//! automaton in Rust; aho-corasick serves where it cannot run, and where few literals make it the faster one.

mod automaton;
mod hyperscan;
mod literal;

use std::sync::Arc;

use thiserror::Error;

use automaton::Automaton;
use hyperscan::Database;
pub use hyperscan::Scratch;
pub use literal::Literal;

/// Fewer literals than this are left to aho-corasick (DESIGN.md, "matcher: literals").
const FEW: usize = 2;

/// Why a set cannot be compiled.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum MatcherError {
    /// A literal without a byte would match everywhere.
    #[error("literal {0} is empty")]
    Empty(usize),
    /// More literals than have numbers.
    #[error("{0} literals are too many")]
    TooMany(usize),
    /// The library or the automaton cannot hold it.
    #[error("the set cannot be compiled: {0}")]
    Refused(String),
}

/// Why a text could not be scanned: what it holds is then not known, and must not be taken for nothing.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ScanError {
    /// Longer than 4 GB.
    #[error("the text is too long")]
    TooLong,
    /// The library's own code: no memory for the scratch.
    #[error("the library failed with code {0}")]
    Failed(i32),
}

#[derive(Debug)]
enum Engine {
    Nothing,
    Automaton(Automaton),
    Hyperscan(Database),
}

/// A set of literals, compiled. Copies share it.
#[derive(Clone, Debug)]
pub struct Matcher(Arc<Engine>);

impl Matcher {
    /// Compiles a set; a literal's number is its place in it. The same literal may come more than once.
    pub fn new(literals: &[Literal]) -> Result<Self, MatcherError> {
        if let Some(empty) = literals.iter().position(|literal| literal.bytes.is_empty()) {
            return Err(MatcherError::Empty(empty));
        }
        let engine = match literals.len() {
            0 => Engine::Nothing,
            FEW.. if hyperscan::is_usable() => Engine::Hyperscan(Database::compile(literals)?),
            _ => Engine::Automaton(Automaton::new(literals)?),
        };
        Ok(Self(Arc::new(engine)))
    }

    /// The set by the portable engine, whatever its size: what the other is held against.
    pub fn portable(literals: &[Literal]) -> Result<Self, MatcherError> {
        if let Some(empty) = literals.iter().position(|literal| literal.bytes.is_empty()) {
            return Err(MatcherError::Empty(empty));
        }
        Ok(Self(Arc::new(Engine::Automaton(Automaton::new(literals)?))))
    }

    /// Calls `found` with the number and the end of every match in the text, ends ascending.
    ///
    /// # Errors
    /// Some matches may not have been told then.
    #[inline]
    pub fn scan(
        &self,
        text: &[u8],
        scratch: &mut Scratch,
        found: impl FnMut(u32, usize),
    ) -> Result<(), ScanError> {
        match &*self.0 {
            Engine::Nothing => Ok(()),
            Engine::Automaton(automaton) => {
                automaton.scan(text, found);
                Ok(())
            }
            Engine::Hyperscan(database) => database.scan(text, scratch, found),
        }
    }

    /// Makes the room that a scan needs now, which else its first scan does. Where there is no memory for it that scan
    /// will say so.
    pub fn fit(&self, scratch: &mut Scratch) {
        if let Engine::Hyperscan(database) = &*self.0 {
            database.fit(scratch);
        }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(*self.0, Engine::Nothing)
    }

    /// Bytes that the compiled set takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &*self.0 {
            Engine::Nothing => 0,
            Engine::Automaton(automaton) => automaton.memory(),
            Engine::Hyperscan(database) => database.memory(),
        }
    }
}

#[cfg(test)]
mod tests;
