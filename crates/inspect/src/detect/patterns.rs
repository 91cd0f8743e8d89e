//! The patterns that packets of one kind are looked through for: those of payloads, and those of each buffer.
//!
//! ```text
//! payload, stream ─────────────▶ payload ─┐
//! body ────────────┐                      ├─▶ rules that may match
//! small buffers ───┴─ transforms ▶ buffers┘
//! ```
//! One scan serves a packet's payload and the stream's bytes that it brings, and one a body, however many names it has.

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
    /// What is looked for in bodies.
    pub(crate) bodies: Vec<BufferFilter>,
    /// What is looked for in small buffers, sorted by buffer.
    buffers: Arc<[BufferFilter]>,
    /// How many are looked for in payloads and bodies.
    count: usize,
}

/// The patterns of one buffer, perhaps transformed.
#[derive(Debug)]
pub(crate) struct BufferFilter {
    buffer: Buffer,
    pub(crate) transforms: Transforms,
    pub(crate) prefilter: Prefilter,
}

impl BufferFilter {
    /// Where to start so that no match is missed that ends behind `before`. What is transformed is looked at whole.
    pub(crate) fn from(&self, before: usize) -> usize {
        if self.transforms.is_empty() { before.saturating_sub(self.prefilter.overlap()) } else { 0 }
    }
}

impl Patterns {
    /// Compiles patterns, each with the rule that it finds.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = (Rank, &'a Pattern)> + Clone) -> Self {
        let small = patterns.clone().filter(|(_, pattern)| !pattern.is_of_bulk());
        Self::of_bulk(patterns, filters(small).into())
    }

    /// These patterns alone where much is looked through; in small buffers, whose scans cost little, what is looked for
    /// there already.
    pub(super) fn cut<'a>(&self, patterns: impl Iterator<Item = (Rank, &'a Pattern)> + Clone) -> Self {
        Self::of_bulk(patterns, Arc::clone(&self.buffers))
    }

    fn of_bulk<'a>(
        patterns: impl Iterator<Item = (Rank, &'a Pattern)> + Clone,
        buffers: Arc<[BufferFilter]>,
    ) -> Self {
        let bulk = || patterns.clone().filter(|(_, pattern)| pattern.is_of_bulk());
        let payload = bulk().filter(|(_, pattern)| pattern.buffer == Buffer::Payload);
        let payload = payload.map(|(rank, pattern)| (pattern.literal.clone(), rank)).collect();
        let bodies = filters(bulk().filter(|(_, pattern)| pattern.buffer != Buffer::Payload));
        Self { payload: Prefilter::new(payload), bodies, buffers, count: bulk().count() }
    }

    /// What is looked for in a small buffer: once as it is, and once for each way in which it is transformed.
    #[inline]
    pub(crate) fn of(&self, buffer: Buffer) -> &[BufferFilter] {
        let start = self.buffers.partition_point(|filter| (filter.buffer as u8) < buffer as u8);
        let rest = self.buffers.get(start..).unwrap_or_default();
        let end = rest.partition_point(|filter| filter.buffer == buffer);
        rest.get(..end).unwrap_or_default()
    }

    /// How many are looked for in payloads and bodies.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Makes room in a scratch to look for them.
    pub(super) fn fit(&self, scratch: &mut Scratch) {
        let filters = self.bodies.iter().chain(&*self.buffers).map(|filter| &filter.prefilter);
        filters.chain([&self.payload]).for_each(|prefilter| prefilter.fit(scratch));
    }

    /// Bytes that those take that it alone has.
    pub(super) fn own_memory(&self) -> usize {
        self.payload.memory() + self.bodies.iter().map(|filter| filter.prefilter.memory()).sum::<usize>()
    }

    /// Bytes that they take.
    pub(crate) fn memory(&self) -> usize {
        self.own_memory() + self.buffers.iter().map(|filter| filter.prefilter.memory()).sum::<usize>()
    }
}

/// The patterns of one buffer while they are gathered.
type List<'a> = (Buffer, &'a [Transform], Vec<(Literal, Rank)>);

/// One filter for each buffer and each way in which it is transformed, sorted by buffer. A body has several names, and one
/// filter for all of them.
fn filters<'a>(patterns: impl Iterator<Item = (Rank, &'a Pattern)>) -> Vec<BufferFilter> {
    let mut lists: Vec<List<'_>> = Vec::new();
    for (rank, pattern) in patterns {
        let buffer = if pattern.is_of_bulk() { Buffer::FileData } else { pattern.buffer };
        let same = |(known, steps, _): &&mut List<'_>| *known == buffer && *steps == &*pattern.transforms;
        let found = (pattern.literal.clone(), rank);
        match lists.iter_mut().find(same) {
            Some((_, _, list)) => list.push(found),
            None => lists.push((buffer, &pattern.transforms, vec![found])),
        }
    }
    lists.sort_by_key(|(buffer, ..)| *buffer as u8);
    let filter = |(buffer, transforms, list): (Buffer, &[Transform], _)| BufferFilter {
        buffer,
        // They were made once already, for the rule's own program.
        transforms: Transforms::new(transforms).unwrap_or_default(),
        prefilter: Prefilter::new(list),
    };
    lists.into_iter().map(filter).collect()
}
