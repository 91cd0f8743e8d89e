//! One rule asked about one packet: do its conditions hold, and what does it leave behind?

use std::net::IpAddr;

use flow::{Course, Moment};
use policy::{
    AppTest, BitCommand, FlowAmount, FlowSize, IntSign, Protocol, ProtocolMode, Tag, TagScope, Track, Way,
    XbitsTrack,
};
use wire::Address;

use super::failed::Failed;
use super::marks::Marks;
use super::packet_test::{holds, sides_hold};
use super::rule::{Effect, HostBit, Other, Ready, Test};
use super::shared::Shared;
use super::sight::Sight;
use crate::app::{Guess, Transaction};

/// What is asked about, and whom it may change.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) sight: Sight<'a>,
    pub(crate) figures: Figures<'a>,
    pub(crate) spoken: Spoken,
    pub(crate) marks: &'a mut Marks,
    pub(crate) shared: &'a Shared,
}

/// What a flow has come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures<'a> {
    /// Packets and bytes.
    pub(crate) course: Course<'a>,
    /// When its first packet came.
    pub(crate) begun: Moment,
    /// Bytes of the stream sent each way.
    pub(crate) streamed: [u64; 2],
}

/// What a flow is known to speak.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spoken {
    /// Each way by itself.
    pub(crate) ways: [Guess; 2],
    /// The flow as a whole.
    pub(crate) flow: Guess,
}

impl Asking<'_> {
    /// Whether what is no buffer's holds; if not, what does not.
    pub(crate) fn holds(&self, rule: &Ready, transaction: Option<&Transaction>) -> Result<(), Failed> {
        if rule.app.is_some_and(|app| !self.speaks(app)) {
            return Err(Failed::Protocol);
        }
        if !self.sight.is(&rule.flow) {
            return Err(Failed::Flow);
        }
        match rule.tests.iter().position(|test| !self.passes(test, transaction)) {
            Some(nth) => Err(Failed::Option(rule.written.get(nth).copied().unwrap_or_default())),
            None => Ok(()),
        }
    }

    /// Whether the rule matches as often as its `detection_filter` wants. Counts the match.
    pub(crate) fn is_frequent(&self, rule: &Ready) -> bool {
        rule.filter.is_none_or(|filter| {
            let key = self.key_of(rule, filter.track, 1);
            self.shared.exceeds(filter.count, filter.seconds, key, self.sight.now)
        })
    }

    /// Whether a match is told. Counts it.
    pub(crate) fn is_told(&self, rule: &Ready) -> bool {
        rule.tells
            && rule.threshold.is_none_or(|threshold| {
                let key = self.key_of(rule, threshold.track, 0);
                self.shared.tells(&threshold, key, self.sight.now)
            })
    }

    /// Does what the rule does once all holds.
    pub(crate) fn leave(&mut self, rule: &Ready) {
        for effect in &rule.effects {
            match effect {
                Effect::Bit { command, bit } => match command {
                    BitCommand::Set => self.marks.set(*bit),
                    BitCommand::Unset => self.marks.unset(*bit),
                    BitCommand::Toggle if self.marks.is_set(*bit) => self.marks.unset(*bit),
                    BitCommand::Toggle => self.marks.set(*bit),
                    BitCommand::IsSet | BitCommand::IsNotSet => {}
                },
                Effect::Number { name, sign, other } => self.count(*name, *sign, *other),
                Effect::Host(bit) => self.change(bit),
                Effect::Tag(tag) => self.tag(tag),
            }
        }
    }

    /// Whether the flow is known to speak what a rule names.
    pub(crate) fn speaks(&self, app: Protocol) -> bool {
        self.spoken.flow.protocol().is_some_and(|spoken| is_spoken(app, spoken))
    }

    fn passes(&self, test: &Test, transaction: Option<&Transaction>) -> bool {
        match test {
            Test::Packet(test) => holds(test, &self.sight),
            Test::Size(size) => self.size_passes(size),
            Test::Age(compares) => compares.holds(self.sight.now.since(self.figures.begun).as_secs()),
            Test::App(AppTest::Protocol { negated, protocol, mode }) => {
                self.protocol_passes(*negated, *protocol, *mode)
            }
            Test::App(test) => transaction.is_some_and(|open| open.facts.answers(test, self.sight.way)),
            Test::Bits { set: true, bits } => bits.iter().any(|bit| self.marks.is_set(*bit)),
            Test::Bits { set: false, bits } => bits.iter().any(|bit| !self.marks.is_set(*bit)),
            Test::HasNumber { set, name } => self.marks.number(*name).is_some() == *set,
            Test::Number { name, sign, other } => {
                let (Some(value), Some(other)) = (self.marks.number(*name), self.other(*other)) else {
                    return false;
                };
                match sign {
                    IntSign::Equal => value == other,
                    IntSign::NotEqual => value != other,
                    IntSign::Less => value < other,
                    IntSign::LessOrEqual => value <= other,
                    IntSign::Greater => value > other,
                    IntSign::GreaterOrEqual => value >= other,
                    IntSign::Assign | IntSign::Add | IntSign::Subtract => true,
                }
            }
            Test::Country(test) => {
                let (source, destination) = self.addresses();
                test.holds(source, destination)
            }
            Test::Reputation(test) => {
                let (source, destination) = self.addresses();
                test.holds(source, destination)
            }
            Test::Host(bit) => {
                let set = self
                    .host_keys(bit)
                    .iter()
                    .flatten()
                    .any(|key| self.shared.is_marked(*key, self.sight.now));
                set == (bit.command == BitCommand::IsSet)
            }
        }
    }

    fn size_passes(&self, size: &FlowSize) -> bool {
        let Figures { course, streamed, .. } = self.figures;
        let both = [course.initiator, course.initiator.opposite()]
            .map(|direction| course.tallies[direction as usize]);
        let amounts = match size.amount {
            FlowAmount::StreamBytes => streamed,
            FlowAmount::Packets => both.map(|tally| tally.packets()),
            FlowAmount::Bytes => both.map(|tally| tally.bytes()),
        };
        if size.amount == FlowAmount::StreamBytes && !self.sight.key.is_tcp() {
            return false;
        }
        sides_hold(size.side, size.compares, amounts)
    }

    fn protocol_passes(&self, negated: bool, protocol: Option<Protocol>, mode: ProtocolMode) -> bool {
        let Spoken { ways, flow } = self.spoken;
        let way = match mode {
            ProtocolMode::Direction => Some(self.sight.way),
            ProtocolMode::ToServer => Some(Way::ToServer),
            ProtocolMode::ToClient => Some(Way::ToClient),
            ProtocolMode::Final | ProtocolMode::Original | ProtocolMode::Either => None,
        };
        let matches = |guess: Guess| match (protocol, guess) {
            (Some(wanted), Guess::Decided(spoken)) => Some(is_spoken(wanted, spoken)),
            (None, Guess::Decided(_)) | (Some(_), Guess::Failed) => Some(false),
            (None, Guess::Failed) => Some(true),
            (_, Guess::Undecided) => None,
        };
        let found = match (mode, way) {
            // Nothing changes its protocol here: the first is the last.
            (ProtocolMode::Original | ProtocolMode::Final, _) => matches(flow),
            (_, Some(way)) => matches(ways[way as usize]),
            (_, None) => match ways.map(matches) {
                [Some(true), _] | [_, Some(true)] => Some(true),
                [Some(false), Some(false)] => Some(false),
                [Some(false), None] | [None, Some(false)] if negated => Some(false),
                _ => None,
            },
        };
        found.is_some_and(|found| found != negated)
    }

    fn addresses(&self) -> (IpAddr, IpAddr) {
        let tuple = &self.sight.tuple;
        (tuple.source.to_ip(tuple.version), tuple.destination.to_ip(tuple.version))
    }

    fn other(&self, other: Other) -> Option<u32> {
        match other {
            Other::Fixed(number) => Some(number),
            Other::Name(name) => self.marks.number(name),
        }
    }

    fn count(&mut self, name: u32, sign: IntSign, other: Other) {
        let Some(other) = self.other(other) else { return };
        let value = self.marks.number(name).unwrap_or(0);
        let value = match sign {
            IntSign::Assign => other,
            IntSign::Add => value.saturating_add(other),
            IntSign::Subtract => value.saturating_sub(other),
            _ => return,
        };
        self.marks.put(name, value);
    }

    fn change(&self, bit: &HostBit) {
        for key in self.host_keys(bit).into_iter().flatten() {
            let set = match bit.command {
                BitCommand::Set => true,
                BitCommand::Unset => false,
                BitCommand::Toggle => !self.shared.is_marked(key, self.sight.now),
                BitCommand::IsSet | BitCommand::IsNotSet => return,
            };
            match set {
                true => self.shared.mark(key, self.sight.now, bit.seconds),
                false => self.shared.unmark(key),
            }
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let Sight { now, key, tuple, .. } = self.sight;
        match tag.scope {
            TagScope::Session => self.marks.tag.set(tag, now),
            TagScope::Source => self.shared.tag((key.endpoint(), tuple.source.0), tag, now),
            TagScope::Destination => self.shared.tag((key.endpoint(), tuple.destination.0), tag, now),
        }
    }

    /// Where a mark stands: tenants do not see each other's.
    fn host_keys(&self, bit: &HostBit) -> [Option<u64>; 2] {
        let endpoint = self.sight.key.endpoint();
        let (source, destination) = (self.sight.tuple.source, self.sight.tuple.destination);
        let one = |address: Address| Some(self.shared.key((endpoint, bit.name, 1u8, address.0)));
        match bit.track {
            XbitsTrack::Source | XbitsTrack::HostSource => [one(source), None],
            XbitsTrack::Destination | XbitsTrack::HostDestination => [one(destination), None],
            XbitsTrack::HostBoth => [one(source), one(destination)],
            XbitsTrack::Pair => {
                let pair = (source.0.min(destination.0), source.0.max(destination.0));
                [Some(self.shared.key((endpoint, bit.name, 2u8, pair))), None]
            }
            XbitsTrack::Transaction => {
                [Some(self.shared.key((endpoint, bit.name, 3u8, self.sight.key))), None]
            }
        }
    }

    /// Where a rule's matches are counted.
    fn key_of(&self, rule: &Ready, track: Track, what: u8) -> u64 {
        let endpoint = self.sight.key.endpoint();
        let (source, destination) = (self.sight.tuple.source.0, self.sight.tuple.destination.0);
        let none = [0; 16];
        let (flow, pair) = match track {
            Track::Source => (None, (source, none)),
            Track::Destination => (None, (destination, none)),
            Track::Both => (None, (source.min(destination), source.max(destination))),
            Track::Rule => (None, (none, none)),
            Track::Flow => (Some((self.sight.key, self.figures.begun.0)), (none, none)),
        };
        self.shared.key((endpoint, rule.gid, rule.sid, what, flow, pair))
    }
}

/// Whether what a rule names is what a flow speaks: HTTP is both of its versions.
fn is_spoken(named: Protocol, spoken: Protocol) -> bool {
    match named {
        Protocol::Http => {
            matches!(spoken, Protocol::Http | Protocol::Http1 | Protocol::Http2 | Protocol::Doh2)
        }
        Protocol::Http2 => matches!(spoken, Protocol::Http2 | Protocol::Doh2),
        Protocol::Dns => matches!(spoken, Protocol::Dns | Protocol::Doh2),
        _ => named == spoken,
    }
}
