//! The rules that packets of one class, going one way, can meet at all.
//!
//! Flows are many, classes few: a worker keeps the groups that it has made, and a flow keeps its two.

use policy::Way;

use super::awaited::Awaited;
use super::rule::{Kind, Rank, Ready};
use crate::app::Wanted;

/// Rules whose headers match, sorted by when they are asked. Ranks ascend.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// One bit for each rule that asks for more than its header.
    deep: Box<[u64]>,
    /// Those decided by their header.
    pub(crate) header: Box<[Rank]>,
    /// Those without a pattern to be found by, to be asked each time.
    pub(crate) packet: Box<[Rank]>,
    pub(crate) stream: Box<[Rank]>,
    pub(crate) protocol: Box<[Rank]>,
    pub(crate) transaction: Box<[Rank]>,
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
    /// Sorts rules whose headers match.
    pub(super) fn new<'a>(
        rules: impl Iterator<Item = (Rank, &'a Ready)>,
        way: Way,
        found: impl Fn(Rank) -> [bool; 3],
    ) -> Self {
        let mut group = Self::default();
        let (mut deep, mut header) = (Vec::new(), Vec::new());
        let (mut packet, mut stream, mut protocol, mut transaction) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (rank, rule) in rules {
            if rule.flow.way.is_some_and(|only| only != way) {
                continue;
            }
            group.tags |= rule.tags();
            if rule.kind == Kind::Header {
                header.push(rank);
                continue;
            }
            set(&mut deep, rank);
            let [in_packets, in_stream, in_transactions] = found(rank);
            match rule.kind {
                Kind::Header => {}
                Kind::Packet => {
                    group.at_packets = true;
                    packet.extend((!in_packets).then_some(rank));
                }
                Kind::Stream => {
                    group.at_packets |= rule.at_packets;
                    group.at_stream |= rule.at_stream;
                    group.at_app |= rule.app.is_some();
                    stream.extend((!in_stream && rule.at_stream).then_some(rank));
                    packet.extend((!in_packets && rule.at_packets).then_some(rank));
                }
                Kind::Protocol => {
                    group.at_app = true;
                    protocol.push(rank);
                }
                Kind::Transaction => {
                    group.at_app = true;
                    group.at_stream |= !rule.payload.is_empty();
                    transaction.extend((!in_transactions).then_some(rank));
                    group.wanted = rule
                        .buffers
                        .iter()
                        .fold(group.wanted, |wanted, program| wanted.and(program.buffer()));
                    if rule.may_decide() {
                        group.awaited = rule
                            .buffers
                            .iter()
                            .fold(group.awaited, |all, program| all.or(Awaited::of(program.buffer())));
                    }
                }
            }
        }
        for list in [&mut header, &mut packet, &mut stream, &mut protocol, &mut transaction] {
            list.sort_unstable();
        }
        group.deep = deep.into();
        group.header = header.into();
        group.packet = packet.into();
        group.stream = stream.into();
        group.protocol = protocol.into();
        group.transaction = transaction.into();
        group
    }

    /// Whether a rule that asks for more than its header is one of them.
    #[inline]
    pub(crate) fn has(&self, rank: Rank) -> bool {
        self.deep.get(rank as usize / 64).is_some_and(|word| word >> (rank % 64) & 1 != 0)
    }

    /// Whether the headers say all.
    pub(crate) fn is_shallow(&self) -> bool {
        self.deep.is_empty() && !self.tags
    }
}

fn set(bits: &mut Vec<u64>, rank: Rank) {
    let word = rank as usize / 64;
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    if let Some(word) = bits.get_mut(word) {
        *word |= 1 << (rank % 64);
    }
}
