//! `iprep`: what is said of addresses, by category.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use policy::{AddressSide, Iprep, IprepTest};

use super::{SetError, clipped};

/// A prefix's length and bits.
type Prefix = (u8, u128);
/// A category and the score in it.
type Score = (u8, u8);

/// What is said of addresses and prefixes: a score from 0 to 127 in each of up to 60 categories.
#[derive(Debug, Default)]
pub struct Reputation {
    categories: HashMap<String, u8>,
    /// IPv4 first.
    scores: [HashMap<Prefix, Vec<Score>>; 2],
    /// Lengths of prefixes that there are, longest first.
    lengths: [Vec<u8>; 2],
}

impl Reputation {
    /// Takes in a file of categories: lines of `number,name,description`.
    pub fn load_categories(&mut self, text: &str) -> Result<(), SetError> {
        lines(text, "`number,name,description`", |line| {
            let mut fields = line.splitn(3, ',').map(str::trim);
            let number: u8 = fields.next()?.parse().ok().filter(|number| (1..60).contains(number))?;
            let name = fields.next().filter(|name| !name.is_empty())?;
            self.categories.insert(name.to_owned(), number);
            Some(())
        })
    }

    /// Takes in a list: lines of `address,category,score`, an address with a prefix length or without.
    pub fn load(&mut self, text: &str) -> Result<(), SetError> {
        lines(text, "`address,category,score`", |line| {
            let mut fields = line.split(',').map(str::trim);
            let (address, length) = prefix(fields.next()?)?;
            let category: u8 = fields.next()?.parse().ok().filter(|number| (1..60).contains(number))?;
            let score: u8 = fields.next()?.parse().ok().filter(|score| *score <= 127)?;
            let (family, bits) = bits(address);
            let scores = self.scores[family].entry((length, masked(family, bits, length))).or_default();
            match scores.iter_mut().find(|(known, _)| *known == category) {
                Some((_, old)) => *old = score,
                None => scores.push((category, score)),
            }
            if !self.lengths[family].contains(&length) {
                self.lengths[family].push(length);
                self.lengths[family].sort_unstable_by(|a, b| b.cmp(a));
            }
            Some(())
        })
    }

    /// The score of an address in a category, from the longest prefix that says one.
    #[must_use]
    pub fn score(&self, category: u8, address: IpAddr) -> Option<u8> {
        let (family, bits) = bits(address);
        self.lengths[family].iter().find_map(|length| {
            let scores = self.scores[family].get(&(*length, masked(family, bits, *length)))?;
            scores.iter().find(|(known, _)| *known == category).map(|(_, score)| *score)
        })
    }

    /// The test of a rule, made ready.
    pub fn test(self: &Arc<Self>, iprep: &Iprep) -> Result<ReputationTest, SetError> {
        let category = self.categories.get(&iprep.category).copied();
        let category = category.ok_or_else(|| SetError::Category(iprep.category.clone()))?;
        Ok(ReputationTest { list: Arc::clone(self), side: iprep.side, category, test: iprep.test })
    }
}

/// What a rule asks of an address's reputation.
#[derive(Clone, Debug)]
pub struct ReputationTest {
    list: Arc<Reputation>,
    side: AddressSide,
    category: u8,
    test: IprepTest,
}

impl ReputationTest {
    /// Whether it holds of a packet with these addresses.
    #[must_use]
    pub fn holds(&self, source: IpAddr, destination: IpAddr) -> bool {
        of_sides(self.side, source, destination, |address| {
            match (self.test, self.list.score(self.category, address)) {
                (IprepTest::IsSet, score) => score.is_some(),
                (IprepTest::IsNotSet, score) => score.is_none(),
                (IprepTest::Score(compares), Some(score)) => compares.holds(score.into()),
                (IprepTest::Score(_), None) => false,
            }
        })
    }
}

/// Whether something holds of the addresses that a rule means.
pub(super) fn of_sides(
    side: AddressSide,
    source: IpAddr,
    destination: IpAddr,
    holds: impl Fn(IpAddr) -> bool,
) -> bool {
    match side {
        AddressSide::Source => holds(source),
        AddressSide::Destination => holds(destination),
        AddressSide::Both => holds(source) && holds(destination),
        AddressSide::Any => holds(source) || holds(destination),
    }
}

fn lines(
    text: &str,
    expected: &'static str,
    mut take: impl FnMut(&str) -> Option<()>,
) -> Result<(), SetError> {
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if !line.is_empty() && !line.starts_with('#') && take(line).is_none() {
            return Err(SetError::Line { line: number + 1, text: clipped(line), expected });
        }
    }
    Ok(())
}

fn prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address.parse::<IpAddr>().ok()?, length.parse().ok()?),
        None => {
            let address = text.parse::<IpAddr>().ok()?;
            (address, if address.is_ipv4() { 32 } else { 128 })
        }
    };
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

fn bits(address: IpAddr) -> (usize, u128) {
    match address {
        IpAddr::V4(address) => (0, address.to_bits().into()),
        IpAddr::V6(address) => (1, address.to_bits()),
    }
}

fn masked(family: usize, bits: u128, length: u8) -> u128 {
    let width = if family == 0 { 32 } else { 128 };
    let host = u32::from(width - length.min(width));
    bits.checked_shr(host).map_or(0, |network| network << host)
}
