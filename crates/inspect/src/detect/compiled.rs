//! A set of rules, ready: the rules in the order of asking, and the patterns by which they are found.

use std::sync::Arc;

use policy::{RuleIndex, Way};

use super::group::{Bits, Group};
use super::patterns::{Pattern, Patterns};
use super::rule::{Kind, Rank, Ready};
use super::tailor::{Request, Requests};
use crate::matcher::Scratch;

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
    /// By rank: the pattern that finds the rule.
    patterns: Arc<[Option<Pattern>]>,
    /// The patterns of all rules, by place and way.
    all: [[Arc<Patterns>; 2]; 4],
    shallow: bool,
    /// Who makes patterns for groups.
    requests: Option<Requests>,
}

impl Compiled {
    /// Makes the patterns of rules, each given with the protocol of its header and the pattern that finds it.
    pub(super) fn new(rules: Vec<(Ready, policy::Protocol, Option<Pattern>)>, count: usize) -> Self {
        let mut ranks = vec![None; count];
        for (rank, (rule, ..)) in (0u32..).zip(&rules) {
            if let Some(place) = ranks.get_mut(rule.index.0 as usize) {
                *place = Some(rank);
            }
        }
        let all = Place::ALL.map(|place| {
            [Way::ToServer, Way::ToClient].map(|way| {
                let of_way = (0u32..).zip(&rules).filter_map(|(rank, (rule, protocol, pattern))| {
                    let pattern = pattern.as_ref()?;
                    let only = if rule.is_exchange { pattern.way } else { rule.flow.way };
                    let meets = only.is_none_or(|only| only == way) && place.meets(*protocol);
                    meets.then_some((rank, pattern))
                });
                Arc::new(Patterns::new(of_way))
            })
        });
        let (rules, patterns): (Vec<_>, Vec<_>) =
            rules.into_iter().map(|(rule, _, pattern)| (rule, pattern)).unzip();
        Self {
            shallow: rules.iter().all(|rule| rule.kind == Kind::Header && !rule.tags()),
            rules: rules.into(),
            ranks: ranks.into(),
            patterns: patterns.into(),
            all,
            requests: None,
        }
    }

    /// Groups ask there for patterns of their own.
    pub(super) fn ask(&mut self, requests: Requests) {
        self.requests = Some(requests);
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

    /// The group of rules whose headers match packets of a class, which go one way.
    pub(crate) fn group(&self, rules: impl Iterator<Item = RuleIndex>, way: Way, place: Place) -> Group {
        let ready = rules.filter_map(|index| {
            let rank = self.rank(index)?;
            Some((rank, self.rule(rank)?))
        });
        let all = &self.all[place as usize][way as usize];
        let is_found = |rank| self.patterns.get(rank as usize).is_some_and(Option::is_some);
        let group = Group::new(ready, way, Arc::clone(all), is_found);
        if let Some(requests) = &self.requests {
            let rules: Bits = group.deep().filter(|rank| is_found(*rank)).collect();
            if rules.len() < all.len() / 4 * 3 {
                let (patterns, own) = (Arc::clone(&self.patterns), Arc::clone(group.own()));
                requests.ask(Request { all: Arc::clone(all), patterns, rules, own });
            }
        }
        group
    }

    /// Makes room in a scratch for all patterns.
    pub(super) fn fit(&self, scratch: &mut Scratch) {
        self.all.iter().flatten().for_each(|patterns| patterns.fit(scratch));
    }

    /// Bytes that patterns take.
    pub(crate) fn memory(&self) -> usize {
        self.all.iter().flatten().map(|patterns| patterns.memory()).sum()
    }
}
