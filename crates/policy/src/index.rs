//! Which rules' headers match a packet, found without asking every rule.
//!
//! Each of five dimensions (protocol, the two addresses, the two ports) maps the packet's value to a row of bits, one
//! per header; the headers that match are the bits set in all five rows, and they come out in the rules' order:
//!
//! ```text
//!  protocol 6 ─▶ 1101 1011 …┐
//!  source     ─▶ 1111 0011 …│      rows are cut in chunks of 512 bits; equal chunks are stored once, and where one
//!  …                        ├ and  of the five is the empty chunk the other four are not read: 15,000 rules are
//!  destination port ─▶ 0101 …┘     thirty chunks
//! ```
//! Bits rather than a decision tree: the cost of a look-up does not depend on how the rules overlap, so no rule set is
//! pathological, and building takes one sweep over each dimension's range ends. Memory grows with the number of
//! *different* rows: a list of a thousand addresses in one rule adds two.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use wire::FiveTuple;

use crate::address::{AddressSet, v4_bits, v6_bits};
use crate::header::Arrow;
use crate::option::flow::Way;
use crate::port::PortSet;
use crate::protocol::{Protocol, has_ports};
use crate::ranges::{Point, Ranges};

/// Bits of a chunk, in words: one cache line.
const CHUNK_WORDS: usize = 8;
const CHUNK_BITS: usize = CHUNK_WORDS * 64;
/// The chunk without a bit has the first place in the store.
const EMPTY: u32 = 0;

type Chunk = [u64; CHUNK_WORDS];

/// The four sets of a rule's header, shared by all rules that write the same lists.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) source: Arc<AddressSet>,
    pub(crate) source_port: Arc<PortSet>,
    pub(crate) destination: Arc<AddressSet>,
    pub(crate) destination_port: Arc<PortSet>,
}

impl Ends {
    /// The same with the two ends exchanged.
    pub(crate) fn swapped(&self) -> Self {
        Self {
            source: Arc::clone(&self.destination),
            source_port: Arc::clone(&self.destination_port),
            destination: Arc::clone(&self.source),
            destination_port: Arc::clone(&self.source_port),
        }
    }
}

/// What a packet's header is to a set of rules: two packets of one class match the same headers. There are far fewer
/// classes than headers, so what was found for one is worth keeping.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HeaderClass([u32; 5]);

/// What a bit of a row stands for.
#[derive(Clone, Copy, Debug)]
struct Bit {
    rule: u32,
    /// Only packets that go this way: of an exchange, one bit is what is asked, the other what is answered.
    only: Option<Way>,
}

/// The headers of a set of rules, ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct HeaderIndex {
    /// Which rule each bit stands for; a rule that goes both ways has two, side by side.
    rules: Vec<Bit>,
    rows: Rows,
    /// By IP version (4, 6) and protocol number.
    protocols: [Vec<u32>; 2],
    source: Addresses,
    destination: Addresses,
    source_port: Ports,
    destination_port: Ports,
}

impl HeaderIndex {
    /// Indexes the headers of rules, given in the order in which they are asked.
    pub(crate) fn new<'a>(headers: impl Iterator<Item = (Protocol, Arrow, &'a Ends)>) -> Self {
        let mut rules = Vec::new();
        let mut entries = Vec::new();
        for (rule, (protocol, arrow, ends)) in (0u32..).zip(headers) {
            let [there, back] = match arrow {
                Arrow::Exchange => [Some(Way::ToServer), Some(Way::ToClient)],
                Arrow::OneWay | Arrow::BothWays => [None; 2],
            };
            rules.push(Bit { rule, only: there });
            entries.push((protocol, ends.clone()));
            if arrow != Arrow::OneWay {
                rules.push(Bit { rule, only: back });
                entries.push((protocol, ends.swapped()));
            }
        }
        let mut rows = Rows::new(entries.len());
        let protocols = [4, 6].map(|version| {
            let row =
                |number| rows.filled(entries.iter().map(|(protocol, _)| protocol.includes(version, number)));
            (0..=u8::MAX).map(row).collect()
        });
        let source = Addresses::new(&mut rows, entries.iter().map(|(_, ends)| &ends.source));
        let destination = Addresses::new(&mut rows, entries.iter().map(|(_, ends)| &ends.destination));
        let source_port = Ports::new(&mut rows, entries.iter().map(|(_, ends)| &ends.source_port));
        let destination_port = Ports::new(&mut rows, entries.iter().map(|(_, ends)| &ends.destination_port));
        rows.seal();
        Self { rules, rows, protocols, source, destination, source_port, destination_port }
    }

    /// The class of a packet.
    pub(crate) fn class(&self, tuple: &FiveTuple) -> HeaderClass {
        let [v4, v6] = &self.protocols;
        let protocols = if tuple.version == 4 { v4 } else { v6 };
        let ports = has_ports(tuple.protocol) && (tuple.source_port, tuple.destination_port) != (0, 0);
        HeaderClass([
            protocols.get(usize::from(tuple.protocol)).copied().unwrap_or_default(),
            self.destination_port.row(tuple.destination_port, ports),
            self.destination.row(tuple.destination, tuple.version),
            self.source.row(tuple.source, tuple.version),
            self.source_port.row(tuple.source_port, ports),
        ])
    }

    /// The rules whose headers match a packet of the class that goes that way, in order. A rule whose two ways both match
    /// comes once.
    pub(crate) fn matches(&self, class: HeaderClass, way: Way) -> Matches<'_> {
        Matches {
            index: self,
            way,
            rows: class.0.map(|row| self.rows.get(row)),
            next: 0,
            chunk: [0; CHUNK_WORDS],
            base: 0,
            word: CHUNK_WORDS,
            last: None,
        }
    }
}

/// Walks over the rules that match a packet.
pub(crate) struct Matches<'a> {
    index: &'a HeaderIndex,
    way: Way,
    rows: [&'a [u32]; 5],
    /// The next chunk to read.
    next: usize,
    /// What is left of the chunk in hand.
    chunk: Chunk,
    /// The first bit of the chunk in hand.
    base: usize,
    word: usize,
    last: Option<u32>,
}

impl Matches<'_> {
    /// The next bit that is set in all rows.
    fn bit(&mut self) -> Option<usize> {
        loop {
            while let Some(word) = self.chunk.get_mut(self.word) {
                if *word != 0 {
                    let bit = word.trailing_zeros() as usize;
                    *word &= *word - 1;
                    return Some(self.base + self.word * 64 + bit);
                }
                self.word += 1;
            }
            let chunk = self.next;
            let mut all: Chunk = [u64::MAX; CHUNK_WORDS];
            for row in self.rows {
                match *row.get(chunk)? {
                    EMPTY => {
                        all = [0; CHUNK_WORDS];
                        break;
                    }
                    id => self.index.rows.mask(id, &mut all),
                }
            }
            (self.chunk, self.base, self.word, self.next) = (all, chunk * CHUNK_BITS, 0, chunk + 1);
        }
    }
}

impl Iterator for Matches<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            let bit = self.bit()?;
            let Bit { rule, only } = *self.index.rules.get(bit)?;
            if only.is_none_or(|only| only == self.way) && self.last.replace(rule) != Some(rule) {
                return Some(rule);
            }
        }
    }
}

/// One dimension of addresses: two number lines.
#[derive(Debug, Default)]
struct Addresses {
    v4: Line<u32>,
    v6: Line<u128>,
}

impl Addresses {
    fn new<'a>(rows: &mut Rows, sets: impl Iterator<Item = &'a Arc<AddressSet>>) -> Self {
        let groups = group(sets);
        let v4 = groups.iter().map(|(set, mask)| (&set.v4, mask));
        let v6 = groups.iter().map(|(set, mask)| (&set.v6, mask));
        Self { v4: Line::new(rows, v4), v6: Line::new(rows, v6) }
    }

    fn row(&self, address: wire::Address, version: u8) -> u32 {
        match version {
            4 => self.v4.row(v4_bits(address)),
            _ => self.v6.row(v6_bits(address)),
        }
    }
}

/// One dimension of ports, and the row of packets that have none.
#[derive(Debug, Default)]
struct Ports {
    line: Line<u16>,
    none: u32,
}

impl Ports {
    fn new<'a>(rows: &mut Rows, sets: impl Iterator<Item = &'a Arc<PortSet>>) -> Self {
        let sets: Vec<_> = sets.collect();
        let none = rows.filled(sets.iter().map(|set| set.is_any()));
        let groups = group(sets.into_iter());
        Self { line: Line::new(rows, groups.iter().map(|(set, mask)| (&set.0, mask))), none }
    }

    fn row(&self, port: u16, has_ports: bool) -> u32 {
        if has_ports { self.line.row(port) } else { self.none }
    }
}

/// Bits of a row that change together: (word, bits).
type Mask = Vec<(usize, u64)>;

/// The different sets, each with the bits of the headers that use it.
fn group<'a, S: Eq + Hash + 'a>(sets: impl Iterator<Item = &'a Arc<S>>) -> Vec<(&'a S, Mask)> {
    let mut places: HashMap<&S, usize> = HashMap::new();
    let mut groups: Vec<(&S, Mask)> = Vec::new();
    for (bit, set) in sets.enumerate() {
        let place = *places.entry(set).or_insert_with(|| {
            groups.push((set, Vec::new()));
            groups.len() - 1
        });
        let Some((_, mask)) = groups.get_mut(place) else { continue };
        match mask.last_mut() {
            Some((word, bits)) if *word == bit / 64 => *bits |= 1 << (bit % 64),
            _ => mask.push((bit / 64, 1 << (bit % 64))),
        }
    }
    groups
}

/// A number line cut where the row of matching headers changes.
#[derive(Debug, Default)]
struct Line<T> {
    /// Where each piece starts; the first starts at the lowest value.
    starts: Vec<T>,
    /// The row of each piece.
    rows: Vec<u32>,
}

impl<T: Point> Line<T> {
    fn new<'a>(rows: &mut Rows, sets: impl Iterator<Item = (&'a Ranges<T>, &'a Mask)>) -> Self
    where
        T: 'a,
    {
        let mut toggles: Vec<(T, u32)> = Vec::new();
        let mut masks = Vec::new();
        for (set, (ranges, mask)) in (0u32..).zip(sets) {
            masks.push(mask);
            for (low, high) in ranges.iter() {
                toggles.push((low, set));
                toggles.extend(high.above().map(|above| (above, set)));
            }
        }
        toggles.sort_unstable();
        let mut row = rows.filled(std::iter::empty());
        let mut line = Self { starts: vec![T::LOWEST], rows: vec![row] };
        let mut known: HashMap<(u32, Vec<u32>), u32> = HashMap::new();
        for here in toggles.chunk_by(|left, right| left.0 == right.0) {
            let sets = here.iter().map(|(_, set)| *set).collect();
            row = *known.entry((row, sets)).or_insert_with_key(|(row, sets)| {
                rows.toggled(*row, sets.iter().filter_map(|set| masks.get(*set as usize).copied()))
            });
            line.cut(here.first().map_or(T::LOWEST, |(start, _)| *start), row);
        }
        line
    }

    /// Lets another row begin at `start`, which is no lower than the last cut.
    fn cut(&mut self, start: T, row: u32) {
        match (self.starts.last(), self.rows.last_mut()) {
            (Some(last), Some(last_row)) if *last == start => *last_row = row,
            (_, Some(last_row)) if *last_row == row => {}
            _ => {
                self.starts.push(start);
                self.rows.push(row);
            }
        }
    }

    /// The row of a value; the first row, of nothing, if the line is empty.
    fn row(&self, value: T) -> u32 {
        let piece = self.starts.partition_point(|start| *start <= value).saturating_sub(1);
        self.rows.get(piece).copied().unwrap_or_default()
    }
}

/// All rows of an index. Equal rows are one row, equal chunks one chunk.
#[derive(Debug, Default)]
struct Rows {
    /// Chunks in a row.
    width: usize,
    chunks: Vec<Chunk>,
    /// Row after row, the places of its chunks.
    table: Vec<u32>,
    chunk_places: HashMap<Chunk, u32>,
    row_places: HashMap<Vec<u32>, u32>,
}

impl Rows {
    fn new(bits: usize) -> Self {
        let mut rows = Self { width: bits.div_ceil(CHUNK_BITS), ..Self::default() };
        rows.place(vec![[0; CHUNK_WORDS]; rows.width.max(1)]);
        rows
    }

    /// The row with those bits.
    fn filled(&mut self, bits: impl Iterator<Item = bool>) -> u32 {
        let mut row = vec![[0; CHUNK_WORDS]; self.width];
        for (bit, _) in bits.enumerate().filter(|(_, set)| *set) {
            if let Some(word) = row.as_flattened_mut().get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        self.place(row)
    }

    /// A row like that one, but for the bits of the masks.
    fn toggled<'a>(&mut self, row: u32, masks: impl Iterator<Item = &'a Mask>) -> u32 {
        let chunk = |id: &u32| self.chunks.get(*id as usize).copied().unwrap_or_default();
        let mut bits: Vec<Chunk> = self.get(row).iter().map(chunk).collect();
        let words = bits.as_flattened_mut();
        for (word, mask) in masks.flatten() {
            if let Some(word) = words.get_mut(*word) {
                *word ^= mask;
            }
        }
        self.place(bits)
    }

    fn place(&mut self, row: Vec<Chunk>) -> u32 {
        let ids: Vec<u32> = row.into_iter().map(|chunk| self.chunk(chunk)).collect();
        let next = u32::try_from(self.row_places.len()).unwrap_or(u32::MAX);
        if let Some(known) = self.row_places.get(&ids) {
            return *known;
        }
        self.table.extend_from_slice(&ids);
        self.row_places.insert(ids, next);
        next
    }

    fn chunk(&mut self, chunk: Chunk) -> u32 {
        let next = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        *self.chunk_places.entry(chunk).or_insert_with(|| {
            self.chunks.push(chunk);
            next
        })
    }

    /// Ends the building: what only building needs is freed.
    fn seal(&mut self) {
        self.chunk_places = HashMap::new();
        self.row_places = HashMap::new();
        self.chunks.shrink_to_fit();
        self.table.shrink_to_fit();
    }

    fn get(&self, row: u32) -> &[u32] {
        let start = row as usize * self.width;
        self.table.get(start..start + self.width).unwrap_or_default()
    }

    fn mask(&self, chunk: u32, all: &mut Chunk) {
        if let Some(chunk) = self.chunks.get(chunk as usize) {
            all.iter_mut().zip(chunk).for_each(|(all, word)| *all &= word);
        }
    }
}
