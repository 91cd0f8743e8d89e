//! What one worker needs to run programs: room, numbers, and a limit.

use crate::regex::Caches;

/// How many numbers one rule may name; the rule language's own bound.
pub(super) const VARIABLES_MAX: usize = 64;
/// How many steps one program may take over one text. A step is a test, or a kilobyte looked through.
const STEPS_MAX: usize = 1 << 14;

/// The steps are used up: whether there is a match is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Spent;

/// What is left of the steps.
#[derive(Debug)]
pub(super) struct Steps(usize);

impl Steps {
    /// As many as one program may take.
    pub(super) fn full() -> Self {
        Self(STEPS_MAX)
    }

    #[inline]
    pub(super) fn take(&mut self, steps: usize) -> Result<(), Spent> {
        self.0 = self.0.checked_sub(steps).ok_or(Spent)?;
        Ok(())
    }
}

/// A place to go back to when what follows fails: the pattern of a test may be found further on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    /// Which test.
    pub(super) test: usize,
    /// Where the match before it had ended.
    pub(super) last: usize,
    /// Where its next match may start.
    pub(super) from: usize,
}

/// One worker's room for running programs. All of it is bounded.
#[derive(Debug)]
pub struct Context {
    /// Working memory of regular expressions, and how many of their searches were given up.
    pub regexes: Caches,
    /// Programs that were given up because their steps were used up.
    pub exhausted: u64,
    pub(super) variables: [u64; VARIABLES_MAX],
    pub(super) choices: Vec<Choice>,
    pub(super) decoded: Vec<u8>,
    pub(super) rooms: [Vec<u8>; 2],
}

impl Default for Context {
    fn default() -> Self {
        Self {
            regexes: Caches::default(),
            exhausted: 0,
            variables: [0; VARIABLES_MAX],
            choices: Vec::new(),
            decoded: Vec::new(),
            rooms: [Vec::new(), Vec::new()],
        }
    }
}

impl Context {
    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let rooms: usize = self.rooms.iter().map(Vec::capacity).sum();
        let choices = self.choices.capacity() * size_of::<Choice>();
        size_of::<Self>() + self.regexes.memory() + choices + self.decoded.capacity() + rooms
    }
}
