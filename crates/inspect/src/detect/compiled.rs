//! A set of rules, ready: the rules in the order of asking, and the patterns by which they are found.

use policy::{Buffer, RuleIndex, Transform, Way};

use super::group::Group;
use super::prefilter::Prefilter;
use super::rule::{Kind, Rank, Ready};
use crate::matcher::Literal;
use crate::payload::Transforms;

/// What carries a packet's payload. Each has patterns of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Place {
    Tcp,
    Udp,
    Icmp,
    Other,
}

impl Place {
    const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::Icmp, Self::Other];

    /// By the protocol number of the IP header.
    pub(crate) fn of(protocol: u8) -> Self {
        match protocol {
            6 => Self::Tcp,
            17 => Self::Udp,
            1 | 58 => Self::Icmp,
            _ => Self::Other,
        }
    }

    /// Whether a rule's protocol can be met there.
    fn meets(self, protocol: policy::Protocol) -> bool {
        let numbers: &[u8] = match self {
            Self::Tcp => &[6],
            Self::Udp => &[17],
            Self::Icmp => &[1, 58],
            Self::Other => &[0, 47, 50, 132],
        };
        let includes = |number: &u8| protocol.includes(4, *number) || protocol.includes(6, *number);
        numbers.iter().any(includes)
    }
}

/// A set of rules, ready to be asked.
#[derive(Debug)]
pub(crate) struct Compiled {
    rules: Box<[Ready]>,
    /// By place in the set; of rules that could not be compiled, none.
    ranks: Box<[Option<Rank>]>,
    /// By place and way.
    packets: [[Prefilter; 2]; 4],
    stream: [Prefilter; 2],
    /// By way.
    buffers: [Vec<BufferFilter>; 2],
    /// By rank: whether a pattern finds it, of packets, of the stream, of transactions.
    found: Box<[[bool; 3]]>,
    shallow: bool,
}

/// The patterns of one buffer, perhaps transformed.
#[derive(Debug)]
pub(crate) struct BufferFilter {
    pub(crate) buffer: Buffer,
    pub(crate) transforms: Transforms,
    pub(crate) prefilter: Prefilter,
}

impl BufferFilter {
    /// Where to start so that no match is missed that ends behind `before`. What is transformed is looked at whole.
    pub(crate) fn from(&self, before: usize) -> usize {
        if self.transforms.is_empty() { before.saturating_sub(self.prefilter.overlap()) } else { 0 }
    }
}

/// The patterns of one buffer while they are gathered.
type BufferPatterns = (Buffer, Box<[Transform]>, Vec<(Literal, Rank)>);

/// A rule's pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) buffer: Buffer,
    /// The only way in which the buffer is there, or is meant.
    pub(super) way: Option<Way>,
    pub(super) transforms: Box<[Transform]>,
    pub(super) literal: Literal,
}

impl Compiled {
    /// Makes the patterns of rules, each given with the protocol of its header and the pattern that finds it.
    pub(super) fn new(rules: Vec<(Ready, policy::Protocol, Option<Pattern>)>, count: usize) -> Self {
        let mut ranks = vec![None; count];
        let mut found = vec![[false; 3]; rules.len()];
        let mut packets: [[Vec<(Literal, Rank)>; 2]; 4] = Default::default();
        let mut stream: [Vec<(Literal, Rank)>; 2] = Default::default();
        let mut buffers: [Vec<BufferPatterns>; 2] = Default::default();
        let mut ready = Vec::with_capacity(rules.len());
        for (rank, (rule, protocol, pattern)) in (0u32..).zip(rules) {
            if let Some(place) = ranks.get_mut(rule.index.0 as usize) {
                *place = Some(rank);
            }
            if let Some(pattern) = pattern {
                let only = if rule.is_exchange { pattern.way } else { rule.flow.way };
                let ways = [Way::ToServer, Way::ToClient]
                    .into_iter()
                    .filter(|way| only.is_none_or(|only| only == *way));
                let found = &mut found[rank as usize];
                for way in ways {
                    if rule.kind == Kind::Transaction {
                        found[2] = true;
                        let lists = &mut buffers[way as usize];
                        let same = lists.iter_mut().find(|(buffer, transforms, _)| {
                            *buffer == pattern.buffer && *transforms == pattern.transforms
                        });
                        match same {
                            Some((_, _, list)) => list.push((pattern.literal.clone(), rank)),
                            None => lists.push((
                                pattern.buffer,
                                pattern.transforms.clone(),
                                vec![(pattern.literal.clone(), rank)],
                            )),
                        }
                        continue;
                    }
                    (found[0], found[1]) = (true, true);
                    for (place, lists) in Place::ALL.into_iter().zip(&mut packets) {
                        // Of a stream's rule, packets without a stream are looked at too.
                        if place.meets(protocol) {
                            lists[way as usize].push((pattern.literal.clone(), rank));
                        }
                    }
                    if rule.at_stream && Place::Tcp.meets(protocol) {
                        stream[way as usize].push((pattern.literal.clone(), rank));
                    }
                }
            }
            ready.push(rule);
        }
        let both = |lists: [Vec<(Literal, Rank)>; 2]| lists.map(Prefilter::new);
        let filters = |lists: Vec<BufferPatterns>| {
            let filter = |(buffer, transforms, list): (Buffer, Box<[Transform]>, _)| BufferFilter {
                buffer,
                // They were made once already, for the rule's own program.
                transforms: Transforms::new(&transforms).unwrap_or_default(),
                prefilter: Prefilter::new(list),
            };
            lists.into_iter().map(filter).collect()
        };
        Self {
            shallow: ready.iter().all(|rule| rule.kind == Kind::Header && !rule.tags()),
            rules: ready.into(),
            ranks: ranks.into(),
            packets: packets.map(both),
            stream: both(stream),
            buffers: buffers.map(filters),
            found: found.into(),
        }
    }

    /// Whether headers say all that these rules ask for.
    pub(crate) fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// The rule at a place of its set, if it was compiled.
    pub(crate) fn rank(&self, index: RuleIndex) -> Option<Rank> {
        self.ranks.get(index.0 as usize).copied().flatten()
    }

    pub(crate) fn rule(&self, rank: Rank) -> Option<&Ready> {
        self.rules.get(rank as usize)
    }

    pub(crate) fn packets(&self, place: Place, way: Way) -> &Prefilter {
        &self.packets[place as usize][way as usize]
    }

    pub(crate) fn stream(&self, way: Way) -> &Prefilter {
        &self.stream[way as usize]
    }

    pub(crate) fn buffers(&self, way: Way) -> &[BufferFilter] {
        &self.buffers[way as usize]
    }

    /// The group of rules whose headers match packets of a class.
    pub(crate) fn group(&self, rules: impl Iterator<Item = RuleIndex>, way: Way) -> Group {
        let ready = rules.filter_map(|index| {
            let rank = self.rank(index)?;
            Some((rank, self.rule(rank)?))
        });
        Group::new(ready, way, |rank| self.found.get(rank as usize).copied().unwrap_or_default())
    }

    /// Bytes that patterns take.
    pub(crate) fn memory(&self) -> usize {
        let packets = self.packets.iter().flatten().chain(&self.stream).map(Prefilter::memory);
        let buffers = self.buffers.iter().flatten().map(|filter| filter.prefilter.memory());
        packets.chain(buffers).sum()
    }
}
