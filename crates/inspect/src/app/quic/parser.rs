//! One flow's QUIC.

use std::ops::Range;

use policy::{Buffer, Way};

use super::crypto::CryptoStream;
use super::frame::{Crypto, Frames};
use super::header::{Initial, Packet, packet};
use super::keys::Keys;
use super::{QuicFacts, version};
use crate::app::tls::{CLIENT_HELLO, Carrier, Message, Messages, SERVER_HELLO, client_hello, server_hello};
use crate::app::{Anomaly, Facts, Phase, Transaction, Transactions, Wanted};

/// Most datagrams of one flow that are looked into before both hellos are there.
pub const DATAGRAMS_MAX: u32 = 64;

/// Most connection ids that keys are derived from: the first, and one for each Retry or version negotiation.
const KEYS_MAX: u8 = 4;

/// The QUIC of one flow: one transaction, which is the handshake. A client hello completes its way, and so does a server
/// hello: what follows is encrypted.
#[derive(Debug, Default)]
pub struct Quic {
    transaction: Option<u32>,
    keys: Option<Keys>,
    derived: u8,
    sides: [Side; 2],
    datagrams: u32,
    done: bool,
}

#[derive(Debug, Default)]
struct Side {
    crypto: CryptoStream,
    messages: Messages,
    largest: u64,
    version: u32,
    /// How often it changed.
    versions: u8,
    hello: bool,
}

impl Quic {
    /// A flow of which nothing was read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One datagram.
    pub fn feed(&mut self, way: Way, datagram: &[u8], wanted: Wanted, transactions: &mut Transactions) {
        if self.done {
            return;
        }
        let number = *self.transaction.get_or_insert_with(|| transactions.begin(Facts::Quic(Box::default())));
        let Some(transaction) = transactions.find(number) else {
            self.done = true;
            return;
        };
        self.datagrams += 1;
        if self.datagrams > DATAGRAMS_MAX {
            if !self.sides[Way::ToServer as usize].hello {
                transaction.anomalies.note(Anomaly::QuicDatagramFlood);
            }
            return self.finish(transaction);
        }
        let mut rest = datagram;
        while !self.done && !rest.is_empty() {
            let first = rest.len() == datagram.len();
            match packet(&mut rest) {
                Some(packet) => self.packet(way, packet, wanted, transaction),
                // Behind a packet there may be anything that fills the datagram.
                None if first => transaction.anomalies.note(Anomaly::QuicPacketInvalid),
                None => {}
            }
        }
    }

    /// No more datagrams of one way will come.
    pub fn end(&mut self, way: Way, transactions: &mut Transactions) {
        if let Some(transaction) = self.transaction.and_then(|number| transactions.find(number)) {
            transaction.reach(way, Phase::Complete);
            self.done |= transaction.is_complete();
        }
    }

    /// Whether nothing more can be learnt.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// Bytes that it holds besides the transaction.
    #[must_use]
    pub fn memory(&self) -> usize {
        let held = |side: &Side| side.crypto.memory() + side.messages.memory();
        let keys = self.keys.as_ref().map_or(0, Keys::memory);
        size_of::<Self>() + keys + self.sides.iter().map(held).sum::<usize>()
    }

    fn packet(&mut self, way: Way, packet: Packet<'_>, wanted: Wanted, transaction: &mut Transaction) {
        match packet {
            Packet::Negotiation if way == Way::ToClient => {
                facts(transaction, |facts| facts.is_negotiated = true);
            }
            Packet::Negotiation | Packet::Short => {}
            Packet::Unknown { version } => {
                self.version(way, version, wanted, transaction);
                if version::is_google(version) {
                    self.finish(transaction);
                }
            }
            Packet::Closed { version } => self.version(way, version, wanted, transaction),
            Packet::Retry { version } => {
                self.version(way, version, wanted, transaction);
                facts(transaction, |facts| facts.is_retried |= way == Way::ToClient);
            }
            Packet::Initial(initial) => {
                self.version(way, initial.version, wanted, transaction);
                self.initial(way, &initial, wanted, transaction);
            }
        }
    }

    /// The version that one way speaks now.
    fn version(&mut self, way: Way, version: u32, wanted: Wanted, transaction: &mut Transaction) {
        let side = &mut self.sides[way as usize];
        if std::mem::replace(&mut side.version, version) == version || side.versions == KEYS_MAX {
            return;
        }
        side.versions += 1;
        facts(transaction, |facts| facts.versions[way as usize] = version);
        if wanted.has(Buffer::QuicVersion) {
            transaction.put(Buffer::QuicVersion, way, &version.to_be_bytes());
        }
    }

    fn initial(&mut self, way: Way, initial: &Initial<'_>, wanted: Wanted, transaction: &mut Transaction) {
        if self.sides[way as usize].hello {
            return;
        }
        let mut room = Vec::new();
        let opened = self.open(way, initial, &mut room);
        let Some(frames) = opened.and_then(|frames| room.get(frames)) else {
            return transaction.anomalies.note(Anomaly::QuicUndecryptable);
        };
        for piece in Frames::new(frames) {
            match piece {
                Ok(piece) => self.crypto(way, piece, wanted, transaction),
                Err(anomaly) => transaction.anomalies.note(anomaly),
            }
        }
        if self.sides.iter().all(|side| side.hello) {
            self.finish(transaction);
        }
    }

    /// The frames of a packet, opened with the keys that are there, or else with those of its own connection id: after a
    /// Retry and with another version the client begins anew (RFC 9001 §5.2).
    fn open(&mut self, way: Way, initial: &Initial<'_>, room: &mut Vec<u8>) -> Option<Range<usize>> {
        let side = &mut self.sides[way as usize];
        if let Some((number, frames)) =
            self.keys.as_ref().and_then(|keys| keys.open(way, initial, side.largest, room))
        {
            side.largest = side.largest.max(number);
            return Some(frames);
        }
        if way == Way::ToClient || !self.may_derive(initial) {
            return None;
        }
        self.derived += 1;
        let keys = Keys::new(initial.version, initial.id)?;
        let (number, frames) = keys.open(way, initial, 0, room)?;
        self.keys = Some(keys);
        self.sides.iter_mut().for_each(|side| side.largest = 0);
        self.sides[way as usize].largest = number;
        Some(frames)
    }

    fn may_derive(&self, initial: &Initial<'_>) -> bool {
        let same = self.keys.as_ref().is_some_and(|keys| keys.are_of(initial.version, initial.id));
        !same && self.derived < KEYS_MAX
    }

    fn crypto(&mut self, way: Way, piece: Crypto<'_>, wanted: Wanted, transaction: &mut Transaction) {
        let side = &mut self.sides[way as usize];
        let (messages, hello) = (&mut side.messages, &mut side.hello);
        let pushed = side.crypto.push(piece, |bytes| {
            messages.push(bytes, |message| *hello = *hello || read(way, message, wanted, transaction));
        });
        if let Err(anomaly) = pushed {
            transaction.anomalies.note(anomaly);
        }
    }

    fn finish(&mut self, transaction: &mut Transaction) {
        self.done = true;
        transaction.reach(Way::ToServer, Phase::Complete);
        transaction.reach(Way::ToClient, Phase::Complete);
    }
}

/// Read a message into the transaction; whether it is the one that its way waits for.
fn read(way: Way, message: Message<'_>, wanted: Wanted, transaction: &mut Transaction) -> bool {
    let hello = match (way, message) {
        (Way::ToServer, Message::Whole { kind: CLIENT_HELLO, body }) => {
            client_hello(body, Carrier::Quic, wanted, transaction);
            true
        }
        (Way::ToClient, Message::Whole { kind: SERVER_HELLO, body }) => {
            let mut again = false;
            facts(transaction, |facts| again = facts.handshake.is_retried());
            !server_hello(body, again, wanted, transaction)
        }
        (_, Message::TooLong) => {
            transaction.anomalies.note(Anomaly::TlsHandshakeTooLong);
            false
        }
        (_, Message::Whole { .. } | Message::Passed { .. }) => {
            transaction.anomalies.note(Anomaly::TlsHandshakeInvalid);
            false
        }
    };
    if hello {
        transaction.reach(way, Phase::Complete);
    }
    hello
}

fn facts(transaction: &mut Transaction, change: impl FnOnce(&mut QuicFacts)) {
    if let Facts::Quic(facts) = &mut transaction.facts {
        change(facts);
    }
}
