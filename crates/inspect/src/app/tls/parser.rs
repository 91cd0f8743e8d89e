//! One flow's TLS.

use policy::{Buffer, SslState, Way};

use super::client_hello::ClientHello;
use super::messages::{Message, Messages};
use super::records::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, Fragment, HANDSHAKE, Records};
use super::server_hello::ServerHello;
use super::ssl2::{Ssl2, Ssl2Hello};
use super::{
    CERTIFICATE, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, Carrier, Handshake, SERVER_HELLO, SERVER_KEY_EXCHANGE,
    certificate, print,
};
use crate::app::{Anomaly, Facts, Phase, Transaction, Transactions, Wanted};

/// Most records of one way that are read before it changes to encryption: a client hello of 16 KB with a record for each
/// byte.
pub const RECORDS_MAX: u32 = 16_384;

/// Encrypted records of one way after which nothing is expected any more of another that never spoke.
const ALONE_MAX: u32 = 64;

/// The TLS of one flow: one transaction, which is the handshake.
///
/// A client hello and a server hello complete the phase [`Phase::Head`] of their way, a certificate reaches
/// [`Phase::Body`], and a change to encryption completes the way.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    transaction: Option<u32>,
    sides: [Side; 2],
    /// The server asked for another client hello: a change to encryption is a gesture (RFC 8446 appendix D.4).
    retrying: bool,
    done: bool,
}

#[derive(Clone, Debug, Default)]
struct Side {
    records: Records,
    messages: Messages,
    ssl2: Option<Ssl2>,
    /// The first byte of an alert whose second is to come.
    alert: Option<u8>,
    /// What follows is encrypted.
    sealed: bool,
    hello: bool,
    /// The record that sealed it.
    sealed_at: u32,
}

impl Tls {
    /// A flow of which nothing was read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next bytes of one way.
    pub fn feed(&mut self, way: Way, mut bytes: &[u8], wanted: Wanted, transactions: &mut Transactions) {
        if self.done {
            return;
        }
        let number = *self.transaction.get_or_insert_with(|| transactions.begin(Facts::Tls(Box::default())));
        let Some(transaction) = transactions.find(number) else {
            self.done = true;
            return;
        };
        self.ssl2(way, &mut bytes, transaction);
        while !self.done
            && let Some(step) = self.sides[way as usize].records.next(&mut bytes)
        {
            match step {
                Ok(fragment) => self.fragment(way, fragment, wanted, transaction),
                Err(anomaly) => self.fail(anomaly, transaction),
            }
        }
    }

    /// Bytes of one way that never came.
    pub fn gap(&mut self, way: Way, missing: u64, transactions: &mut Transactions) {
        let side = &mut self.sides[way as usize];
        if self.done || side.sealed && side.records.pass(missing) {
            return;
        }
        self.done = true;
        if let Some(transaction) = self.transaction.and_then(|number| transactions.find(number)) {
            self.fail(Anomaly::TlsGap, transaction);
        }
    }

    /// No more bytes of one way will come.
    pub fn end(&mut self, way: Way, transactions: &mut Transactions) {
        self.sides[way as usize].sealed = true;
        self.done |= self.sides.iter().all(|side| side.sealed);
        if let Some(transaction) = self.transaction.and_then(|number| transactions.find(number)) {
            transaction.reach(way, Phase::Complete);
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
        let held = |side: &Side| side.messages.memory() + side.ssl2.as_ref().map_or(0, Ssl2::memory);
        size_of::<Self>() + self.sides.iter().map(held).sum::<usize>()
    }

    /// A hello of SSL 2 at the start.
    fn ssl2(&mut self, way: Way, bytes: &mut &[u8], transaction: &mut Transaction) {
        let side = &mut self.sides[way as usize];
        if side.records.is_fresh() && !side.hello && bytes.first().is_some_and(|first| Ssl2::is_start(*first))
        {
            side.ssl2.get_or_insert_default();
        }
        let Some(ssl2) = &mut side.ssl2 else { return };
        let hello = ssl2.push(bytes);
        let version = match hello {
            Ssl2Hello::Unfinished => return,
            Ssl2Hello::Invalid => return self.fail(Anomaly::Ssl2HeaderInvalid, transaction),
            Ssl2Hello::Client(version) => version,
            Ssl2Hello::Server => 2,
        };
        side.ssl2 = None;
        side.hello = true;
        if let Facts::Tls(handshake) = &mut transaction.facts {
            handshake.ssl2(way, version);
        }
        transaction.reach(way, Phase::Head);
        if hello == Ssl2Hello::Server {
            self.finish(transaction);
        }
    }

    fn fragment(&mut self, way: Way, fragment: Fragment<'_>, wanted: Wanted, transaction: &mut Transaction) {
        let side = &mut self.sides[way as usize];
        if side.sealed {
            let sealed_records = side.records.begun().saturating_sub(side.sealed_at);
            if sealed_records > ALONE_MAX && self.sides.iter().any(|side| side.records.is_fresh()) {
                self.finish(transaction);
            }
            return;
        }
        if side.records.begun() > RECORDS_MAX {
            return self.fail(Anomaly::TlsRecordFlood, transaction);
        }
        match fragment.kind {
            HANDSHAKE => self.handshake(way, fragment.bytes, wanted, transaction),
            ALERT => side.alert(fragment.bytes, transaction),
            CHANGE_CIPHER_SPEC | APPLICATION_DATA if !self.retrying => {
                self.seal(way, fragment.kind, transaction)
            }
            _ => {}
        }
    }

    fn handshake(&mut self, way: Way, bytes: &[u8], wanted: Wanted, transaction: &mut Transaction) {
        let mut messages = std::mem::take(&mut self.sides[way as usize].messages);
        messages.push(bytes, |message| match message {
            Message::Whole { kind, body } => self.message(way, kind, body, wanted, transaction),
            Message::Passed { kind } => passed(way, kind, transaction),
            Message::TooLong => transaction.anomalies.note(Anomaly::TlsHandshakeTooLong),
        });
        self.sides[way as usize].messages = messages;
    }

    fn message(&mut self, way: Way, kind: u8, body: &[u8], wanted: Wanted, transaction: &mut Transaction) {
        let side = &mut self.sides[way as usize];
        match (way, kind) {
            (Way::ToServer, CLIENT_HELLO) if side.hello => {}
            (Way::ToServer, CLIENT_HELLO) => {
                side.hello = true;
                client_hello(body, Carrier::Tcp, wanted, transaction);
            }
            (Way::ToClient, SERVER_HELLO) if side.hello && !self.retrying => {}
            (Way::ToClient, SERVER_HELLO) => {
                let again = std::mem::replace(&mut side.hello, true);
                self.retrying = server_hello(body, again, wanted, transaction);
                if self.retrying {
                    // Data that came early is void, and the client speaks in clear once more (RFC 8446 §4.2.10).
                    self.sides[Way::ToServer as usize].sealed = false;
                }
            }
            (_, CERTIFICATE) => {
                let chain = certificate::read(body, way, wanted, transaction);
                if let Facts::Tls(handshake) = &mut transaction.facts {
                    handshake.chain(way, chain);
                }
                transaction.reach(way, Phase::Body);
            }
            _ => transaction.anomalies.note(Anomaly::TlsHandshakeInvalid),
        }
    }

    fn seal(&mut self, way: Way, kind: u8, transaction: &mut Transaction) {
        let side = &mut self.sides[way as usize];
        side.sealed = true;
        side.sealed_at = side.records.begun();
        if let (Way::ToClient, CHANGE_CIPHER_SPEC, Facts::Tls(handshake)) =
            (way, kind, &mut transaction.facts)
        {
            handshake.server_sealed();
        }
        transaction.reach(way, Phase::Complete);
        if self.sides.iter().all(|side| side.sealed) {
            self.finish(transaction);
        }
    }

    fn fail(&mut self, anomaly: Anomaly, transaction: &mut Transaction) {
        transaction.anomalies.note(anomaly);
        self.finish(transaction);
    }

    fn finish(&mut self, transaction: &mut Transaction) {
        self.done = true;
        self.sides = Default::default();
        transaction.reach(Way::ToServer, Phase::Complete);
        transaction.reach(Way::ToClient, Phase::Complete);
    }
}

impl Side {
    /// The bytes of an alert: how grave, and what (RFC 8446 §6).
    fn alert(&mut self, bytes: &[u8], transaction: &mut Transaction) {
        for byte in bytes {
            match self.alert.take() {
                None => self.alert = Some(*byte),
                Some(1) => {}
                Some(2) => transaction.anomalies.note(Anomaly::TlsAlertFatal),
                Some(_) => transaction.anomalies.note(Anomaly::TlsAlertInvalid),
            }
        }
    }
}

/// A message that is not read says how far its way is.
fn passed(way: Way, kind: u8, transaction: &mut Transaction) {
    let state = match (way, kind) {
        (Way::ToServer, CLIENT_KEY_EXCHANGE) => SslState::ClientKeyExchange,
        (Way::ToClient, SERVER_KEY_EXCHANGE) => SslState::ServerKeyExchange,
        _ => return,
    };
    if let Facts::Tls(handshake) = &mut transaction.facts {
        handshake.reach(way, state);
    }
}

/// Read a client hello into a transaction.
pub(in crate::app) fn client_hello(
    body: &[u8],
    carrier: Carrier,
    wanted: Wanted,
    transaction: &mut Transaction,
) {
    let way = Way::ToServer;
    let Some(hello) = ClientHello::read(body) else {
        return transaction.anomalies.note(Anomaly::TlsHandshakeInvalid);
    };
    hello.anomalies().for_each(|anomaly| transaction.anomalies.note(anomaly));
    if let Some(handshake) = handshake(transaction) {
        handshake.client_hello(&hello);
    }
    if let Some(name) = hello.server_name() {
        let quic = (carrier == Carrier::Quic).then_some(Buffer::QuicSni);
        for buffer in [Some(Buffer::TlsSni), quic].into_iter().flatten().filter(|buffer| wanted.has(*buffer))
        {
            transaction.put(buffer, way, name);
        }
    }
    if wanted.has(Buffer::TlsAlpn) {
        hello.protocols().for_each(|protocol| transaction.put(Buffer::TlsAlpn, way, protocol));
    }
    if wanted.has(Buffer::TlsRandom) {
        transaction.put(Buffer::TlsRandom, way, hello.random);
    }
    if wanted.has(Buffer::Ja3Hash) || wanted.has(Buffer::Ja3String) {
        put_print(transaction, way, wanted, [Buffer::Ja3String, Buffer::Ja3Hash], &print::ja3(&hello));
    }
    if wanted.has(Buffer::Ja4Hash) {
        transaction.put(Buffer::Ja4Hash, way, print::ja4(&hello, carrier).as_bytes());
    }
    transaction.reach(way, Phase::Head);
}

/// Read a server hello into a transaction; whether it asks for another client hello. `again`: it is the second, so the
/// first has told the fingerprint.
pub(in crate::app) fn server_hello(
    body: &[u8],
    again: bool,
    wanted: Wanted,
    transaction: &mut Transaction,
) -> bool {
    let way = Way::ToClient;
    let Some(hello) = ServerHello::read(body) else {
        transaction.anomalies.note(Anomaly::TlsHandshakeInvalid);
        return false;
    };
    if !hello.extensions().is_sound() {
        transaction.anomalies.note(Anomaly::TlsHandshakeInvalid);
    }
    if let Some(handshake) = handshake(transaction) {
        handshake.server_hello(&hello);
    }
    if !again {
        if wanted.has(Buffer::TlsRandom) {
            transaction.put(Buffer::TlsRandom, way, hello.random);
        }
        if wanted.has(Buffer::Ja3sHash) || wanted.has(Buffer::Ja3sString) {
            put_print(transaction, way, wanted, [Buffer::Ja3sString, Buffer::Ja3sHash], &print::ja3s(&hello));
        }
    }
    if let Some(protocol) = hello.protocol().filter(|_| wanted.has(Buffer::TlsAlpn)) {
        transaction.put(Buffer::TlsAlpn, way, protocol);
    }
    transaction.reach(way, Phase::Head);
    hello.is_retry()
}

fn put_print(
    transaction: &mut Transaction,
    way: Way,
    wanted: Wanted,
    [string, hash]: [Buffer; 2],
    text: &str,
) {
    if wanted.has(string) {
        transaction.put(string, way, text.as_bytes());
    }
    if wanted.has(hash) {
        transaction.put(hash, way, print::md5(text).as_bytes());
    }
}

/// The handshake among a transaction's facts.
fn handshake(transaction: &mut Transaction) -> Option<&mut Handshake> {
    match &mut transaction.facts {
        Facts::Tls(handshake) => Some(handshake),
        Facts::Quic(facts) => Some(&mut facts.handshake),
        _ => None,
    }
}
