//! DNS over datagrams and streams: names asked for, names and addresses answered.
//!
//! ```text
//! UDP: one datagram, one message            TCP: length (2 bytes) │ message │ length │ message …   (RFC 1035 §4.2)
//!                    └────────────┬──────────────────┘
//!                 query ─▶ transaction begins ─▶ response of the same id ─▶ complete
//! ```
//! A response to no query seen is a transaction of its own, and so is every message of multicast DNS, which asks
//! everybody and is answered by anybody (RFC 6762). Multicast DNS tells its facts but fills no buffer: rules on
//! `dns.query` mean what resolvers are asked.

mod facts;
mod message;
mod name;

use std::collections::VecDeque;

use policy::{Buffer, Way};

pub use facts::{DnsFacts, DnsSide, Question, Record, RecordData, kind};
use message::Header;

use super::{Anomalies, Anomaly, Facts, Phase, Transaction, Transactions, Wanted};

/// Most queries of one flow that wait for their answers; a further one ends the oldest.
const UNANSWERED_MAX: usize = 64;

/// How messages are carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DnsCarrier {
    /// One in each datagram.
    Datagram,
    /// Behind each other, each behind its length.
    Stream,
    /// One in each datagram, of multicast DNS.
    Multicast,
}

/// The DNS of one flow.
#[derive(Clone, Debug)]
pub struct Dns {
    carrier: DnsCarrier,
    /// Of streams: the beginning of an unfinished message, its length included.
    held: [Vec<u8>; 2],
    /// Ways that cannot be read any more.
    lost: [bool; 2],
    /// Transactions that wait for their answers: identifier and number.
    unanswered: VecDeque<(u16, u32)>,
}

impl Dns {
    /// For a flow of which nothing was seen.
    #[must_use]
    pub fn new(carrier: DnsCarrier) -> Self {
        Self { carrier, held: Default::default(), lost: [false; 2], unanswered: VecDeque::new() }
    }

    /// Read what went one way: the next bytes of a stream, or one datagram.
    pub fn feed(&mut self, way: Way, bytes: &[u8], wanted: Wanted, all: &mut Transactions) {
        match self.carrier {
            DnsCarrier::Stream => self.feed_stream(way, bytes, wanted, all),
            DnsCarrier::Datagram | DnsCarrier::Multicast => self.message(way, bytes, wanted, all),
        }
    }

    /// Bytes of a stream are missing. Nothing tells where the next message begins, so the way is given up.
    pub fn gap(&mut self, way: Way, _missing: u64, all: &mut Transactions) {
        if self.carrier == DnsCarrier::Stream {
            self.give_up(way, Anomaly::DnsGap, all);
        }
    }

    /// Nothing more comes this way.
    pub fn end(&mut self, way: Way, all: &mut Transactions) {
        if !self.held[way as usize].is_empty() {
            self.give_up(way, Anomaly::DnsMalformed, all);
        }
        if way == Way::ToClient {
            for (_, number) in self.unanswered.drain(..) {
                complete(number, all);
            }
        }
    }

    /// Whether nothing more can be learnt.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lost == [true; 2]
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn memory(&self) -> usize {
        let [to_server, to_client] = &self.held;
        let unanswered = self.unanswered.capacity() * size_of::<(u16, u32)>();
        size_of::<Self>() + to_server.capacity() + to_client.capacity() + unanswered
    }

    fn feed_stream(&mut self, way: Way, mut bytes: &[u8], wanted: Wanted, all: &mut Transactions) {
        while !self.lost[way as usize] && !bytes.is_empty() {
            // The usual: a whole message in one piece.
            if self.held[way as usize].is_empty()
                && let Some((message, rest)) = split_message(bytes)
            {
                self.message(way, message, wanted, all);
                bytes = rest;
                continue;
            }
            let mut held = std::mem::take(&mut self.held[way as usize]);
            let missing = missing(&held);
            let (now, rest) = bytes.split_at(missing.min(bytes.len()));
            held.extend_from_slice(now);
            bytes = rest;
            if let Some((message, _)) = split_message(&held) {
                self.message(way, message, wanted, all);
                held.clear();
            }
            self.held[way as usize] = held;
        }
    }

    fn message(&mut self, way: Way, message: &[u8], wanted: Wanted, all: &mut Transactions) {
        let mut anomalies = Anomalies::default();
        let Some(header) = Header::read(message) else {
            anomalies.note(Anomaly::DnsMalformed);
            return tell_of_nothing(anomalies, all);
        };
        let side = message::read(message, header, &mut anomalies);
        let is_multicast = self.carrier == DnsCarrier::Multicast;
        let number = if header.is_response() {
            let asked = self.unanswered.iter().position(|(id, _)| *id == side.id);
            let asked = asked.and_then(|index| self.unanswered.remove(index));
            match (asked, way) {
                (None, _) if is_multicast => {}
                (_, Way::ToServer) => anomalies.note(Anomaly::DnsNotRequest),
                (None, Way::ToClient) => anomalies.note(Anomaly::DnsUnsolicited),
                (Some(_), Way::ToClient) => {}
            }
            asked.map(|(_, number)| number)
        } else {
            if way == Way::ToClient && !is_multicast {
                anomalies.note(Anomaly::DnsNotResponse);
            }
            None
        };
        let number = number.unwrap_or_else(|| all.begin(Facts::Dns(Box::default())));
        if !header.is_response() && !is_multicast {
            self.await_answer(side.id, number, all);
        }
        let Some(open) = all.find(number) else { return };
        open.anomalies.add(anomalies);
        if is_multicast {
            open.reach(Way::ToServer, Phase::Complete);
            open.reach(Way::ToClient, Phase::Complete);
        } else {
            fill(open, way, &side, wanted);
        }
        if let Facts::Dns(facts) = &mut open.facts {
            facts.take(side, way);
        }
    }

    fn await_answer(&mut self, id: u16, number: u32, all: &mut Transactions) {
        if self.unanswered.len() == UNANSWERED_MAX
            && let Some((_, oldest)) = self.unanswered.pop_front()
        {
            complete(oldest, all);
        }
        self.unanswered.push_back((id, number));
    }

    fn give_up(&mut self, way: Way, anomaly: Anomaly, all: &mut Transactions) {
        self.lost[way as usize] = true;
        self.held[way as usize] = Vec::new();
        let mut anomalies = Anomalies::default();
        anomalies.note(anomaly);
        tell_of_nothing(anomalies, all);
    }
}

/// The buffers of one message, and how far it brings its transaction.
fn fill(open: &mut Transaction, way: Way, side: &DnsSide, wanted: Wanted) {
    for question in &side.questions {
        let name = side.question_name(question);
        if wanted.has(Buffer::DnsQuery) && !side.is_response() {
            open.put(Buffer::DnsQuery, way, name);
        }
        if wanted.has(Buffer::DnsQueriesRrname) {
            open.put(Buffer::DnsQueriesRrname, way, name);
        }
    }
    if wanted.has(Buffer::DnsAnswersRrname) {
        for record in &side.answers {
            open.put(Buffer::DnsAnswersRrname, way, side.record_name(record));
        }
    }
    open.reach(way, Phase::Complete);
    if side.is_response() {
        open.reach(way.opposite(), Phase::Complete);
    }
}

/// A transaction for what belongs to none.
fn tell_of_nothing(anomalies: Anomalies, all: &mut Transactions) {
    let number = all.begin(Facts::Dns(Box::default()));
    if let Some(open) = all.find(number) {
        open.anomalies = anomalies;
    }
    complete(number, all);
}

fn complete(number: u32, all: &mut Transactions) {
    if let Some(open) = all.find(number) {
        open.reach(Way::ToServer, Phase::Complete);
        open.reach(Way::ToClient, Phase::Complete);
    }
}

/// The first message of a stream and what is behind it, if it is whole.
fn split_message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

/// Bytes that the message begun in `held` lacks; of its length first.
fn missing(held: &[u8]) -> usize {
    match held.first_chunk::<2>() {
        None => 2 - held.len(),
        Some(length) => 2 + usize::from(u16::from_be_bytes(*length)) - held.len(),
    }
}
