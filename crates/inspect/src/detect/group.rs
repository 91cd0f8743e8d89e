//! The rules that packets of one class, going one way, can meet at all.
//!
//! Flows are many, classes few: a worker keeps the groups that it has made, and a flow keeps its two.

use std::sync::Arc;

use policy::Way;

use super::awaited::Awaited;
use super::patterns::Patterns;
use super::rule::{Kind, Rank, Ready};
use super::tailor::Own;
use crate::app::Wanted;

/// Rules whose headers match, sorted by when they are asked. Ranks ascend.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Those that ask for more than their header.
    deep: Bits,
    /// Those that look at packets, though they may be about the stream.
    of_packets: Bits,
    /// Those that look at the stream.
    of_stream: Bits,
    /// What finds them, and all other rules.
    all: Arc<Patterns>,
    /// What finds them, and few others; there once somebody has made it.
    own: Own,
    /// Those decided by their header.
    pub(crate) header: Vec<Rank>,
    /// Those without a pattern to be found by, to be asked each time.
    pub(crate) packet: Vec<Rank>,
    pub(crate) stream: Vec<Rank>,
    pub(crate) protocol: Vec<Rank>,
    pub(crate) transaction: Vec<Rank>,
    /// Whether a rule looks at packets, at the stream, at the protocol or its transactions.
    pub(crate) at_packets: bool,
    pub(crate) at_stream: bool,
    pub(crate) at_app: bool,
    /// Whether a rule says of later packets that they are to be told.
    tags: bool,
    /// The buffers that rules look into.
    pub(crate) wanted: Wanted,
    /// The protocols whose names rules wait for that decide.
    pub(crate) awaited: Awaited,
}

impl Group {
    /// Sorts rules whose headers match. `is_found`: whether one of the patterns finds the rule.
    pub(super) fn new<'a>(
        rules: impl Iterator<Item = (Rank, &'a Ready)>,
        way: Way,
        all: Arc<Patterns>,
        is_found: impl Fn(Rank) -> bool,
    ) -> Self {
        let mut group = Self { all, ..Self::default() };
        for (rank, rule) in rules.filter(|(_, rule)| rule.flow.way.is_none_or(|only| only == way)) {
            group.add(rank, rule, is_found(rank));
        }
        let Self { header, packet, stream, protocol, transaction, .. } = &mut group;
        [header, packet, stream, protocol, transaction].into_iter().for_each(|list| list.sort_unstable());
        group
    }

    fn add(&mut self, rank: Rank, rule: &Ready, is_found: bool) {
        self.tags |= rule.tags();
        if rule.kind == Kind::Header {
            self.header.push(rank);
            return;
        }
        self.deep.set(rank);
        let always = (!is_found).then_some(rank);
        match rule.kind {
            Kind::Header | Kind::Packet => {}
            Kind::Stream => {
                if rule.at_stream {
                    self.at_stream = true;
                    self.of_stream.set(rank);
                }
                self.at_app |= rule.app.is_some();
                self.stream.extend(always.filter(|_| rule.at_stream));
            }
            Kind::Protocol => {
                self.at_app = true;
                self.protocol.push(rank);
            }
            Kind::Transaction => {
                self.at_app = true;
                self.at_stream |= !rule.payload.is_empty();
                self.transaction.extend(always);
                self.wanted = rule.buffers.iter().fold(self.wanted, |all, program| all.and(program.buffer()));
                if rule.may_decide() {
                    let awaited = rule.buffers.iter().map(|program| Awaited::of(program.buffer()));
                    self.awaited = awaited.fold(self.awaited, Awaited::or);
                }
            }
        }
        if rule.kind == Kind::Packet || rule.at_packets {
            self.at_packets = true;
            self.of_packets.set(rank);
            self.packet.extend(always);
        }
    }

    /// What finds these rules, and perhaps others.
    #[inline]
    pub(crate) fn patterns(&self) -> &Patterns {
        self.own.get().unwrap_or(&self.all)
    }

    /// Where patterns of its own are put.
    pub(super) fn own(&self) -> &Own {
        &self.own
    }

    /// Those that ask for more than their header.
    pub(super) fn deep(&self) -> impl Iterator<Item = Rank> {
        self.deep.iter()
    }

    /// Whether a rule that asks for more than its header is one of them.
    #[inline]
    pub(crate) fn has(&self, rank: Rank) -> bool {
        self.deep.has(rank)
    }

    /// Whether a rule that looks at packets is one of them.
    #[inline]
    pub(crate) fn has_of_packets(&self, rank: Rank) -> bool {
        self.of_packets.has(rank)
    }

    /// Whether a rule that looks at the stream is one of them.
    #[inline]
    pub(crate) fn has_of_stream(&self, rank: Rank) -> bool {
        self.of_stream.has(rank)
    }

    /// Whether the headers say all.
    pub(crate) fn is_shallow(&self) -> bool {
        self.deep.is_empty() && !self.tags
    }
}

/// A set of ranks.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn set(&mut self, rank: Rank) {
        let word = rank as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (rank % 64);
        }
    }

    #[inline]
    fn has(&self, rank: Rank) -> bool {
        self.0.get(rank as usize / 64).is_some_and(|word| word >> (rank % 64) & 1 != 0)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those of either set.
    pub(super) fn union(&self, other: &Self) -> Self {
        let (mut all, more) =
            if self.0.len() >= other.0.len() { (self.clone(), other) } else { (other.clone(), self) };
        all.0.iter_mut().zip(&more.0).for_each(|(word, more)| *word |= more);
        all
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Rank> + Clone {
        let of_word = |(nth, word): (Rank, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word >> bit & 1 != 0).map(move |bit| nth * 64 + bit)
        };
        (0..).zip(&self.0).flat_map(of_word)
    }
}

impl FromIterator<Rank> for Bits {
    fn from_iter<I: IntoIterator<Item = Rank>>(ranks: I) -> Self {
        let mut bits = Self::default();
        ranks.into_iter().for_each(|rank| bits.set(rank));
        bits
    }
}
