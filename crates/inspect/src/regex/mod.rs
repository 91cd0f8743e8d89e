//! Regular expressions as rules write them: PCRE's syntax and meaning, searched for with bounds.
//!
//! ```text
//!  pcre:"/…/Ri" ─▶ parse (PCRE2's syntax) ─▶ nodes ─▶ write ─┬─▶ regex-automata: time linear in the text
//!                                                └─▶ ops ─────▶ Search: look-around, back-references; counts its steps
//! ```
//! Bytes are bytes: no UTF-8, letters and digits are those of ASCII. An expression that repeats itself into too much memory
//! is refused when it is compiled; one that backtracks too long gives up, which is counted, and has no match then.

mod byte_set;
mod caches;
mod class;
mod escape;
mod group;
mod node;
mod ops;
mod parse;
mod stepping;
mod write;

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use policy::{Pcre, PcreFlags};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, meta};
use thiserror::Error;

pub use caches::Caches;
use ops::Ops;
use stepping::Search;
use write::Written;

/// Bytes that an expression may need as an automaton.
const SIZE_MAX: usize = 4 << 20;
/// Bytes of working memory that a search may fill before it starts over.
const CACHE_MAX: usize = 256 << 10;
/// Counts expressions, so that each finds its own working memory.
static COMPILED: AtomicUsize = AtomicUsize::new(0);

/// Why an expression cannot be judged.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum RegexError {
    /// PCRE itself would refuse it.
    #[error("the expression is wrong at byte {at}: {what}")]
    Syntax {
        /// Where, from 0.
        at: usize,
        /// What.
        what: &'static str,
    },
    /// PCRE knows it; this appliance does not judge it.
    #[error("the expression uses what is not supported, at byte {at}: {what}")]
    Unsupported {
        /// Where, from 0.
        at: usize,
        /// What.
        what: &'static str,
    },
    /// It keeps parts of what it matched for the log or for other rules.
    #[error("keeping what the expression's groups match (`{0}`) is not supported")]
    Captures(String),
    /// The engine cannot hold it.
    #[error("the expression is too large or too strange: {0}")]
    Refused(String),
}

/// The search was given up: whether there is a match is not known.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the search stepped back too often")]
pub struct Exhausted;

/// A regular expression, compiled.
#[derive(Debug)]
pub struct Regex {
    engine: Engine,
    /// It matches only where the search starts.
    anchored: bool,
}

#[derive(Debug)]
enum Engine {
    Linear { regex: meta::Regex, number: usize, newlines: Box<[usize]> },
    Stepping(Ops),
}

impl Regex {
    /// Compiles the expression of a rule. Whether it is negated or relative is its caller's business.
    pub fn new(pcre: &Pcre) -> Result<Self, RegexError> {
        match pcre.captures.first() {
            Some(capture) => Err(RegexError::Captures(capture.clone())),
            None => Self::compile(&pcre.expression, pcre.flags, false),
        }
    }

    /// Compiles an expression whose first group is asked for ([`Regex::first_group`]).
    pub fn with_group(expression: &str) -> Result<Self, RegexError> {
        Self::compile(expression.as_bytes(), PcreFlags::default(), true)
    }

    fn compile(expression: &[u8], flags: PcreFlags, captures: bool) -> Result<Self, RegexError> {
        let node = parse::parse(expression, flags)?;
        let engine = match Written::new(&node, captures) {
            None => Engine::Stepping(Ops::new(&node)?),
            Some(written) => Engine::Linear {
                regex: linear(&written.text)?,
                number: COMPILED.fetch_add(1, Ordering::Relaxed),
                newlines: written.newlines.into(),
            },
        };
        Ok(Self { engine, anchored: flags.anchored })
    }

    /// The first match in `text` that starts at `from` or later. `^` and look-behind still see all of the text.
    ///
    /// # Errors
    /// The search was given up, and counted in the caches.
    pub fn find(
        &self,
        text: &[u8],
        from: usize,
        caches: &mut Caches,
    ) -> Result<Option<Range<usize>>, Exhausted> {
        if from > text.len() {
            return Ok(None);
        }
        match &self.engine {
            Engine::Linear { regex, number, newlines } => {
                let anchored = if self.anchored { Anchored::Yes } else { Anchored::No };
                let input = Input::new(text).range(from..).anchored(anchored);
                let cache = caches.of(*number, regex);
                let Some(found) = regex.search_with(cache, &input) else { return Ok(None) };
                let newline = found.end() == text.len()
                    && text.ends_with(b"\n")
                    && took_newline(regex, cache, &input, newlines);
                Ok(Some(found.start()..found.end() - usize::from(newline)))
            }
            Engine::Stepping(ops) => {
                let found = Search::new(ops, text, &mut caches.room).find(from, self.anchored);
                found.inspect_err(|Exhausted| caches.exhausted += 1)
            }
        }
    }

    /// What the first group of the first match in `text` took; `None` without a match, or if the group took no part.
    ///
    /// # Errors
    /// The search was given up, and counted in the caches.
    pub fn first_group(&self, text: &[u8], caches: &mut Caches) -> Result<Option<Range<usize>>, Exhausted> {
        match &self.engine {
            Engine::Linear { regex, number, .. } => {
                let mut slots = [None; 4];
                let cache = caches.of(*number, regex);
                regex.search_slots_with(cache, &Input::new(text), &mut slots);
                Ok(slots[2].zip(slots[3]).map(|(start, end)| start.get()..end.get()))
            }
            Engine::Stepping(ops) => {
                let found = Search::new(ops, text, &mut caches.room).find(0, self.anchored);
                let found = found.inspect_err(|Exhausted| caches.exhausted += 1)?;
                Ok(found.and_then(|_| caches.room.group(1)))
            }
        }
    }

    /// Whether its searches take time linear in the text.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        matches!(self.engine, Engine::Linear { .. })
    }

    /// Bytes that it takes, about.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.engine {
            Engine::Linear { regex, .. } => regex.memory_usage(),
            Engine::Stepping(ops) => ops.memory(),
        }
    }
}

/// Whether the match ends with a newline that a `$` of the expression took, and should not have.
#[cold]
fn took_newline(regex: &meta::Regex, cache: &mut meta::Cache, input: &Input<'_>, newlines: &[usize]) -> bool {
    let Some(highest) = newlines.last() else { return false };
    let mut slots = vec![None; (highest + 1) * 2];
    regex.search_slots_with(cache, input, &mut slots);
    newlines.iter().any(|group| slots.get(group * 2).is_some_and(Option::is_some))
}

fn linear(text: &str) -> Result<meta::Regex, RegexError> {
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(SIZE_MAX))
        .hybrid_cache_capacity(CACHE_MAX)
        .onepass(false)
        .dfa(false);
    let syntax = syntax::Config::new().unicode(false).utf8(false).nest_limit(250);
    let built = meta::Builder::new().configure(config).syntax(syntax).build(text);
    built.map_err(|error| {
        RegexError::Refused(told(&error.size_limit().map_or_else(
            || error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string),
            |limit| format!("more than {limit} bytes as an automaton"),
        )))
    })
}

/// An engine's words, on one line and not too many.
fn told(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests;
