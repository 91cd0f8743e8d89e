//! Which rules may match a text: those whose pattern is in it.

use std::collections::HashMap;

use super::rule::Rank;
use crate::matcher::{Literal, Matcher, ScanError, Scratch};

/// The patterns of all rules that look into one kind of text.
#[derive(Debug, Default)]
pub(crate) struct Prefilter {
    /// `None` if nothing can find these patterns: then every text may have them.
    matcher: Option<Matcher>,
    /// By literal: whose it is.
    rules: Box<[Box<[Rank]>]>,
    longest: usize,
    shortest: usize,
}

impl Prefilter {
    /// Compiles patterns, each with the rule that it finds.
    pub(super) fn new(patterns: Vec<(Literal, Rank)>) -> Self {
        let mut places: HashMap<Literal, usize> = HashMap::new();
        let (mut literals, mut rules): (Vec<Literal>, Vec<Vec<Rank>>) = Default::default();
        for (literal, rank) in patterns {
            let place = *places.entry(literal).or_insert_with_key(|literal| {
                literals.push(literal.clone());
                rules.push(Vec::new());
                literals.len() - 1
            });
            if let Some(rules) = rules.get_mut(place) {
                rules.push(rank);
            }
        }
        let lengths = || literals.iter().map(|literal| literal.bytes.len());
        let (longest, shortest) = (lengths().max().unwrap_or(0), lengths().min().unwrap_or(0));
        let rules = rules.into_iter().map(Vec::into_boxed_slice).collect();
        let matcher = Matcher::new(&literals).or_else(|_| Matcher::portable(&literals)).ok();
        Self { matcher, rules, longest, shortest }
    }

    /// How many bytes before fresh ones a match may begin.
    pub(crate) fn overlap(&self) -> usize {
        self.longest.saturating_sub(1)
    }

    /// Tells the rules whose patterns end in a text, each perhaps more than once, with the pattern's end.
    #[inline]
    pub(crate) fn scan(
        &self,
        text: &[u8],
        scratch: &mut Scratch,
        mut found: impl FnMut(Rank, usize),
    ) -> Result<(), ScanError> {
        let Some(matcher) = &self.matcher else {
            self.rules.iter().flatten().for_each(|rank| found(*rank, text.len()));
            return Ok(());
        };
        if text.len() < self.shortest {
            return Ok(());
        }
        matcher.scan(text, scratch, |literal, end| {
            for rank in self.rules.get(literal as usize).into_iter().flatten() {
                found(*rank, end);
            }
        })
    }

    /// Makes room in a scratch to look for them.
    pub(super) fn fit(&self, scratch: &mut Scratch) {
        self.matcher.iter().for_each(|matcher| matcher.fit(scratch));
    }

    /// Bytes that it takes.
    pub(crate) fn memory(&self) -> usize {
        let ranks: usize = self.rules.iter().map(|rules| rules.len()).sum();
        self.matcher.as_ref().map_or(0, Matcher::memory)
            + ranks * size_of::<Rank>()
            + self.rules.len() * size_of::<Box<[Rank]>>()
    }
}
