//! From a rule as written to one that can be asked.

use std::collections::HashMap;

use policy::{
    Action, AppTest, Arrow, BitCommand, Buffer, BufferTests, Flowint, IntCommand, IntSign, LoadedRule,
    PacketTest, PayloadTest, Protocol, RuleIndex, RuleOption, StreamPart, Xbits,
};

use super::marks::Names;
use super::outside::Outside;
use super::patterns::Pattern;
use super::rule::{Effect, HostBit, Kind, Other, Ready, Test};
use super::shared::Shared;
use super::sight::looks_at;
use crate::payload::{Program, ProgramError, fast_pattern};

/// How long a mark on an address stays if the rule does not say, in seconds: the reference's default.
const MARK_SECONDS: u32 = 30;
/// `hostbits` stay for as long as the reference keeps a host.
const HOST_SECONDS: u32 = 3600;

/// What compiling needs beside the rule.
#[derive(Debug)]
pub(super) struct Compiler<'a> {
    pub(super) names: Names,
    pub(super) shared: &'a Shared,
    pub(super) outside: &'a mut Outside,
}

impl Compiler<'_> {
    /// Compiles one rule; `index` is its place in its set.
    pub(super) fn rule(
        &mut self,
        index: RuleIndex,
        loaded: &LoadedRule,
    ) -> Result<(Ready, Option<Pattern>), ProgramError> {
        let rule = &loaded.rule;
        let mut ready = Ready {
            index,
            gid: rule.about.gid,
            sid: rule.about.sid,
            action: rule.action,
            kind: Kind::Header,
            at_packets: false,
            at_stream: false,
            at_loose: true,
            is_placed: false,
            once: false,
            is_exchange: rule.header.arrow == Arrow::Exchange,
            app: Some(rule.header.protocol).filter(Protocol::is_application),
            flow: Default::default(),
            tests: Box::default(),
            written: Box::default(),
            payload: Box::default(),
            headers: Box::default(),
            buffers: Box::default(),
            effects: Box::default(),
            filter: None,
            threshold: None,
            tells: rule.action != Action::Pass,
        };
        let (mut tests, mut written, mut effects) = (Vec::new(), Vec::new(), Vec::new());
        let (mut payload, mut headers, mut buffers) = (Vec::new(), Vec::new(), Vec::new());
        let mut programs = Program::all_of(&rule.options, &mut self.outside.sets)?;
        // What changes a set is asked when all else holds.
        programs.sort_by_key(Program::writes);
        for program in programs {
            match program.buffer() {
                Buffer::Payload => payload.push(program),
                buffer if buffer.is_packet_header() => headers.push(program),
                _ => buffers.push(program),
            }
        }
        for (nth, option) in rule.options.iter().enumerate() {
            match option {
                RuleOption::Flow(test) => ready.flow = *test,
                RuleOption::FlowSize(size) => tests.push(Test::Size(*size)),
                RuleOption::FlowAge(compares) => tests.push(Test::Age(*compares)),
                RuleOption::Packet(test) => tests.push(Test::Packet(test.clone())),
                RuleOption::App(test) => tests.push(Test::App(test.clone())),
                RuleOption::Flowbits(bits) => {
                    let mut numbers = bits.names.iter().map(|name| self.names.number(name));
                    match bits.command {
                        BitCommand::IsSet | BitCommand::IsNotSet => {
                            let set = bits.command == BitCommand::IsSet;
                            tests.push(Test::Bits { set, bits: numbers.collect() });
                        }
                        command => effects.extend(numbers.next().map(|bit| Effect::Bit { command, bit })),
                    }
                }
                RuleOption::Flowint(int) => self.number(int, &mut tests, &mut effects),
                RuleOption::Xbits(bits) => {
                    let bit = self.host_bit(bits);
                    match bit.command.is_test() {
                        true => tests.push(Test::Host(bit)),
                        false => effects.push(Effect::Host(bit)),
                    }
                }
                RuleOption::Threshold(threshold) => ready.threshold = Some(*threshold),
                RuleOption::DetectionFilter(filter) => ready.filter = Some(*filter),
                RuleOption::Tag(tag) => effects.push(Effect::Tag(*tag)),
                RuleOption::NoAlert => ready.tells = false,
                RuleOption::Alert => ready.tells = true,
                RuleOption::Geoip(geoip) => tests.push(Test::Country(self.outside.country(geoip)?)),
                RuleOption::Iprep(iprep) => tests.push(Test::Reputation(self.outside.reputation(iprep)?)),
                RuleOption::Buffer(_) | RuleOption::Prefilter | RuleOption::Opaque { .. } => {}
            }
            written.resize(tests.len(), nth);
        }
        ready.is_placed = rule.options.iter().any(is_placed);
        ready.tests = tests.into();
        ready.written = written.into();
        ready.effects = effects.into();
        ready.payload = payload.into();
        ready.headers = headers.into();
        ready.buffers = buffers.into();
        let of_headers = rule.options.iter().all(is_of_headers);
        classify(&mut ready, rule.header.protocol, of_headers);
        let pattern = pattern(&rule.options, ready.kind);
        Ok((ready, pattern))
    }

    fn number(&mut self, int: &Flowint, tests: &mut Vec<Test>, effects: &mut Vec<Effect>) {
        let name = self.names.number(&int.name);
        match &int.command {
            IntCommand::IsSet => tests.push(Test::HasNumber { set: true, name }),
            IntCommand::IsNotSet => tests.push(Test::HasNumber { set: false, name }),
            IntCommand::Sign(sign, amount) => {
                let other = match amount {
                    policy::Amount::Fixed(number) => Other::Fixed(u32::try_from(*number).unwrap_or(u32::MAX)),
                    policy::Amount::Variable(other) => Other::Name(self.names.number(other)),
                };
                match sign {
                    IntSign::Assign | IntSign::Add | IntSign::Subtract => {
                        effects.push(Effect::Number { name, sign: *sign, other });
                    }
                    _ => tests.push(Test::Number { name, sign: *sign, other }),
                }
            }
        }
    }

    fn host_bit(&self, bits: &Xbits) -> HostBit {
        use policy::XbitsTrack::{HostBoth, HostDestination, HostSource};
        let of_host = matches!(bits.track, HostBoth | HostDestination | HostSource);
        let default = if of_host { HOST_SECONDS } else { MARK_SECONDS };
        HostBit {
            command: bits.command,
            name: self.shared.key((of_host, bits.name.as_str())),
            track: bits.track,
            seconds: bits.expire.unwrap_or(default),
        }
    }
}

/// When the rule is asked.
fn classify(ready: &mut Ready, protocol: Protocol, header_only: bool) {
    let asks_app = |test: &Test| matches!(test, Test::App(app) if !matches!(app, AppTest::Protocol { .. }));
    let asks_protocol = |test: &Test| matches!(test, Test::App(AppTest::Protocol { .. }));
    let asks_packet =
        |test: &Test| matches!(test, Test::Packet(test) if !matches!(test, PacketTest::IpProto(_)));
    ready.kind = if !ready.buffers.is_empty() || ready.tests.iter().any(asks_app) {
        Kind::Transaction
    } else if !ready.payload.is_empty() {
        let of_packets = protocol == Protocol::TcpPacket
            || ready.flow.stream == Some(StreamPart::No)
            || ready.tests.iter().any(asks_packet)
            || !ready.headers.is_empty();
        let of_stream = protocol == Protocol::TcpStream || ready.flow.stream == Some(StreamPart::Only);
        let (stream, packets) = looks_at(&ready.flow);
        ready.at_stream = stream && !of_packets;
        ready.at_packets = packets && !of_stream && (of_packets || ready.is_placed);
        ready.at_loose = packets && !of_stream;
        if ready.at_stream { Kind::Stream } else { Kind::Packet }
    } else if ready.tests.iter().any(asks_protocol) || ready.app.is_some() {
        ready.once =
            ready.tests.iter().any(asks_protocol) && ready.tests.len() == 1 && ready.effects.is_empty();
        Kind::Protocol
    } else if header_only && ready.app.is_none() && protocol != Protocol::TcpPacket {
        Kind::Header
    } else {
        Kind::Packet
    };
}

/// Whether an option asks no more of a packet than any other of its flow and direction could tell.
fn is_of_headers(option: &RuleOption) -> bool {
    match option {
        RuleOption::Prefilter
        | RuleOption::NoAlert
        | RuleOption::Alert
        | RuleOption::Threshold(_)
        | RuleOption::Tag(_)
        | RuleOption::Geoip(_)
        | RuleOption::Iprep(_)
        | RuleOption::Packet(PacketTest::IpProto(_) | PacketTest::SameIp) => true,
        RuleOption::Flowbits(bits) => !bits.command.is_test(),
        RuleOption::Xbits(bits) => !bits.command.is_test(),
        _ => false,
    }
}

/// Whether a test of the payload counts from its start.
fn is_placed(option: &RuleOption) -> bool {
    let RuleOption::Buffer(BufferTests { buffer: Buffer::Payload, tests, .. }) = option else { return false };
    tests.iter().any(|test| match test {
        PayloadTest::Content(content) => {
            content.startswith || content.offset.is_some() || content.depth.is_some()
        }
        _ => false,
    })
}

/// The pattern by which the rule is found: the one that it names, or the best of those that must be there.
pub(super) fn pattern(options: &[RuleOption], kind: Kind) -> Option<Pattern> {
    let in_transactions = kind == Kind::Transaction;
    let patterns = options.iter().filter_map(|option| {
        let RuleOption::Buffer(found) = option else { return None };
        if (found.buffer == Buffer::Payload) == in_transactions || found.buffer.is_packet_header() {
            return None;
        }
        // Payloads are looked through as they are.
        if found.buffer == Buffer::Payload && !found.transforms.is_empty() {
            return None;
        }
        let literal = fast_pattern(found)?;
        let named = found
            .tests
            .iter()
            .any(|test| matches!(test, PayloadTest::Content(content) if content.fast_pattern.is_some()));
        Some(((named, worth(found.buffer, &literal.bytes)), found, literal))
    });
    let (_, found, literal) = patterns.max_by_key(|(worth, ..)| *worth)?;
    let way = found.way.or(found.buffer.way());
    Some(Pattern { buffer: found.buffer, way, transforms: found.transforms.clone().into(), literal })
}

/// How well a pattern tells its rule from others: by its length and how many different bytes it has; what every request
/// says tells little.
fn worth(buffer: Buffer, bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(byte.to_ascii_lowercase())] = true;
    }
    let different = seen.iter().filter(|seen| **seen).count();
    let plain = 8 * bytes.len().min(16) + different;
    match buffer {
        Buffer::HttpMethod | Buffer::HttpStatCode | Buffer::HttpStatMsg | Buffer::HttpProtocol => plain / 8,
        Buffer::HttpHeaderNames | Buffer::HttpStart => plain / 2,
        _ => plain,
    }
}

/// The order of asking: as the rules stand, but whoever sets a bit before whoever asks for it. A circle is cut where it is
/// entered.
pub(super) fn order(rules: &[&LoadedRule]) -> Vec<usize> {
    let mut setters: HashMap<&str, Vec<usize>> = HashMap::new();
    for (nth, loaded) in rules.iter().enumerate() {
        for bits in flowbits(loaded).filter(|bits| !bits.command.is_test()) {
            bits.names.iter().for_each(|name| setters.entry(name).or_default().push(nth));
        }
    }
    let mut order = Vec::with_capacity(rules.len());
    let mut state = vec![State::New; rules.len()];
    // Not recursive: a chain of bits may be as long as the set.
    let mut stack: Vec<(usize, Vec<usize>)> = Vec::new();
    for nth in 0..rules.len() {
        if state[nth] != State::New {
            continue;
        }
        state[nth] = State::Entered;
        stack.push((nth, before(rules, nth, &setters)));
        while let Some((current, left)) = stack.last_mut() {
            match left.pop() {
                Some(next) if state[next] == State::New => {
                    state[next] = State::Entered;
                    stack.push((next, before(rules, next, &setters)));
                }
                Some(_) => {}
                None => {
                    state[*current] = State::Done;
                    order.push(*current);
                    stack.pop();
                }
            }
        }
    }
    order
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    New,
    Entered,
    Done,
}

/// The rules that set what a rule asks for, last first.
fn before(rules: &[&LoadedRule], nth: usize, setters: &HashMap<&str, Vec<usize>>) -> Vec<usize> {
    let asked =
        rules.get(nth).into_iter().flat_map(|loaded| flowbits(loaded)).filter(|bits| bits.command.is_test());
    let names = asked.flat_map(|bits| &bits.names);
    let mut before: Vec<usize> =
        names.filter_map(|name| setters.get(name.as_str())).flatten().copied().collect();
    before.sort_unstable_by(|left, right| right.cmp(left));
    before
}

fn flowbits(loaded: &LoadedRule) -> impl Iterator<Item = &policy::Flowbits> {
    loaded.rule.options.iter().filter_map(|option| match option {
        RuleOption::Flowbits(bits) => Some(bits),
        _ => None,
    })
}
