//! The patterns that packets of one kind are looked through for: those of payloads, and those of each buffer.
//!
//! ```text
//! payload, stream ─────────────▶ payload ─┐
//! body ────────────┐                      ├─▶ rules that may match
//! small buffers ───┴─ transforms ▶ buffers┘
//! ```
//! One scan serves a packet's payload, the stream's bytes that it brings, and the body that lies in them as it is; one
//! serves a body that does not, however many names it has.

use std::sync::Arc;

use policy::{Buffer, Transform, Way};

use super::prefilter::Prefilter;
use super::rule::Rank;
use crate::matcher::{Literal, Scratch};
use crate::payload::Transforms;

/// The pattern that finds a rule.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// Where it is looked for.
    pub(super) buffer: Buffer,
    /// The only way in which the buffer is there, or is meant.
    pub(super) way: Option<Way>,
    /// What is done to the buffer first.
    pub(super) transforms: Box<[Transform]>,
    pub(super) literal: Literal,
}

impl Pattern {
    /// Whether much is looked through for it: payloads and bodies, whatever their name.
    pub(super) fn is_of_bulk(&self) -> bool {
        use Buffer::{FileData, HttpRequestBody, HttpResponseBody, Payload};
        matches!(self.buffer, Payload | FileData | HttpRequestBody | HttpResponseBody)
    }
}

/// Patterns, compiled, by where they are looked for.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    /// What is looked for in payloads and streams.
    pub(crate) payload: Prefilter,
    /// The same, and what is looked for in bodies as they are; `None` if there is no such pattern.
    with_bodies: Option<Prefilter>,
    /// What is looked for in bodies.
    pub(crate) bodies: Vec<BufferFilter>,
    /// What is looked for in small buffers, sorted by buffer.
    buffers: Vec<Arc<BufferFilter>>,
    /// How many there are.
    count: usize,
    /// Bytes that they take, but those of small buffers that others look into as well.
    memory: usize,
}

/// The patterns of one buffer, perhaps transformed.
#[derive(Debug)]
pub(crate) struct BufferFilter {
    buffer: Buffer,
    /// What is done to the buffer, as rules say it.
    written: Box<[Transform]>,
    /// How many patterns there are.
    count: usize,
    pub(crate) transforms: Transforms,
    pub(crate) prefilter: Prefilter,
}

impl BufferFilter {
    fn new(List { buffer, transforms, patterns }: List<'_>) -> Self {
        Self {
            buffer,
            written: transforms.into(),
            count: patterns.len(),
            // They were made once already, for the rule's own program.
            transforms: Transforms::new(transforms).unwrap_or_default(),
            prefilter: Prefilter::new(patterns),
        }
    }

    /// Where to start so that no match is missed that ends behind `before`. What is transformed is looked at whole.
    pub(crate) fn from(&self, before: usize) -> usize {
        if self.transforms.is_empty() { before.saturating_sub(self.prefilter.overlap()) } else { 0 }
    }
}

impl Patterns {
    /// Compiles patterns, each with the rule that it finds.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = (Rank, &'a Pattern)> + Clone) -> Self {
        Self::beside(&[], patterns)
    }

    /// These patterns alone, but where they are not many fewer than here: there, what is here serves both.
    pub(super) fn cut<'a>(&self, patterns: impl Iterator<Item = (Rank, &'a Pattern)> + Clone) -> Self {
        Self::beside(&self.buffers, patterns)
    }

    fn beside<'a>(
        known: &[Arc<BufferFilter>],
        patterns: impl Iterator<Item = (Rank, &'a Pattern)> + Clone,
    ) -> Self {
        let bulk = || patterns.clone().filter(|(_, pattern)| pattern.is_of_bulk());
        let payload = || bulk().filter(|(_, pattern)| pattern.buffer == Buffer::Payload);
        let bodies = || bulk().filter(|(_, pattern)| pattern.buffer != Buffer::Payload);
        let plain = || bodies().filter(|(_, pattern)| pattern.transforms.is_empty());
        let found = |(rank, pattern): (Rank, &Pattern)| (pattern.literal.clone(), rank);
        let has_bodies = plain().next().is_some();
        let small = lists(patterns.clone().filter(|(_, pattern)| !pattern.is_of_bulk()));
        let payload_filter = Prefilter::new(payload().map(found).collect());
        let with_bodies = payload().chain(plain()).map(found);
        let with_bodies = has_bodies.then(|| Prefilter::new(with_bodies.collect()));
        let bodies: Vec<_> = lists(bodies()).into_iter().map(BufferFilter::new).collect();
        let buffers: Vec<_> = small.into_iter().map(|list| list.filter(known)).collect();
        let own = buffers.iter().filter(|filter| Arc::strong_count(filter) == 1).map(Arc::as_ref);
        let filters = bodies.iter().chain(own).map(|filter| &filter.prefilter);
        let memory = filters.chain([&payload_filter]).chain(&with_bodies).map(Prefilter::memory).sum();
        Self { payload: payload_filter, with_bodies, bodies, buffers, count: patterns.count(), memory }
    }

    /// What is looked for in a stream, and whether what is looked for in bodies is among it: it is, if bodies may lie in
    /// the stream.
    #[inline]
    pub(crate) fn of_stream(&self, has_bodies: bool) -> (&Prefilter, bool) {
        let with_bodies = self.with_bodies.as_ref().filter(|_| has_bodies);
        with_bodies.map_or((&self.payload, false), |both| (both, true))
    }

    /// What is looked for in a small buffer: once as it is, and once for each way in which it is transformed.
    #[inline]
    pub(crate) fn of(&self, buffer: Buffer) -> &[Arc<BufferFilter>] {
        let start = self.buffers.partition_point(|filter| (filter.buffer as u8) < buffer as u8);
        let rest = self.buffers.get(start..).unwrap_or_default();
        let end = rest.partition_point(|filter| filter.buffer == buffer);
        rest.get(..end).unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Makes room in a scratch to look for them.
    pub(super) fn fit(&self, scratch: &mut Scratch) {
        let small = self.buffers.iter().map(Arc::as_ref);
        let filters = self.bodies.iter().chain(small).map(|filter| &filter.prefilter);
        filters.chain([&self.payload]).chain(&self.with_bodies).for_each(|prefilter| prefilter.fit(scratch));
    }

    /// Bytes that they take, but those of small buffers that others look into as well.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }
}

/// The patterns of one buffer while they are gathered, each with the rule that it finds.
struct List<'a> {
    buffer: Buffer,
    transforms: &'a [Transform],
    patterns: Vec<(Literal, Rank)>,
}

impl List<'_> {
    /// Its filter: one that is known, if that looks for little else.
    fn filter(self, known: &[Arc<BufferFilter>]) -> Arc<BufferFilter> {
        let same =
            |known: &&Arc<BufferFilter>| known.buffer == self.buffer && *known.written == *self.transforms;
        let enough = |known: &&Arc<BufferFilter>| self.patterns.len() >= known.count / 4 * 3;
        match known.iter().find(same).filter(enough) {
            Some(known) => Arc::clone(known),
            None => Arc::new(BufferFilter::new(self)),
        }
    }
}

/// One list for each buffer and each way in which it is transformed, sorted by buffer. A body has several names, and one
/// list for all of them.
fn lists<'a>(patterns: impl Iterator<Item = (Rank, &'a Pattern)>) -> Vec<List<'a>> {
    let mut lists: Vec<List<'_>> = Vec::new();
    for (rank, pattern) in patterns {
        let buffer = if pattern.is_of_bulk() { Buffer::FileData } else { pattern.buffer };
        let transforms: &[Transform] = &pattern.transforms;
        let found = (pattern.literal.clone(), rank);
        match lists.iter_mut().find(|list| list.buffer == buffer && list.transforms == transforms) {
            Some(list) => list.patterns.push(found),
            None => lists.push(List { buffer, transforms, patterns: vec![found] }),
        }
    }
    lists.sort_by_key(|list| list.buffer as u8);
    lists
}
