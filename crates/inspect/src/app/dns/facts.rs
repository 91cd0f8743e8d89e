//! What a DNS transaction says: for rules, for the log, and for who remembers which names lead to which addresses.

use std::net::IpAddr;
use std::ops::Range;

use policy::{AppTest, Way};

/// The types of records whose data is read.
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A name server.
    pub const NS: u16 = 2;
    /// The name that this one stands for.
    pub const CNAME: u16 = 5;
    /// The name of an address.
    pub const PTR: u16 = 12;
    /// A mail server.
    pub const MX: u16 = 15;
    /// Text.
    pub const TXT: u16 = 16;
    /// An IPv6 address (RFC 3596).
    pub const AAAA: u16 = 28;
    /// A service's host (RFC 2782).
    pub const SRV: u16 = 33;
    /// The name that everything below this one stands for (RFC 6672).
    pub const DNAME: u16 = 39;
}

/// One exchange: what was asked and what was answered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DnsFacts {
    /// The query, if it was seen.
    pub query: Option<DnsSide>,
    /// The answer, if it was seen.
    pub answer: Option<DnsSide>,
    /// Which way the query went: that of its packet, whatever the message says of itself.
    pub(super) asked: Option<Way>,
}

/// One message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DnsSide {
    /// Which query an answer belongs to.
    pub id: u16,
    /// The second word of the header: response, operation, authority, truncation, recursion, response code.
    pub flags: u16,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What is answered.
    pub answers: Vec<Record>,
    /// Whether there were more questions or answers than are kept.
    pub left_out: bool,
    /// The bytes of names and texts.
    pub(super) text: Vec<u8>,
}

/// A question of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    pub(super) name: Range<u32>,
    /// Which records are asked for.
    pub kind: u16,
    /// 1 is the Internet.
    pub class: u16,
}

/// A record of a message's answer section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    pub(super) name: Range<u32>,
    /// What its data is.
    pub kind: u16,
    /// 1 is the Internet.
    pub class: u16,
    /// Seconds for which it may be remembered.
    pub ttl: u32,
    pub(super) data: Data,
}

/// A record's data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Data {
    Address(IpAddr),
    Name(Range<u32>),
    Text(Range<u32>),
    /// Of a type that is not read, or not as long as its type says.
    Other,
}

/// A record's data, as the log tells it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordData<'a> {
    /// Of A and AAAA.
    Address(IpAddr),
    /// Of CNAME, NS, PTR, MX, SRV and DNAME.
    Name(&'a [u8]),
    /// Of TXT, its strings one behind the other.
    Text(&'a [u8]),
    /// Of other types.
    Other,
}

impl DnsFacts {
    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let sides = [&self.query, &self.answer];
        size_of::<Self>() + sides.into_iter().flatten().map(DnsSide::memory).sum::<usize>()
    }

    /// Take over a message.
    pub(super) fn take(&mut self, side: DnsSide, way: Way) {
        match side.is_response() {
            true => {
                self.asked.get_or_insert(way.opposite());
                self.answer = Some(side);
            }
            false => {
                self.asked = Some(way);
                self.query = Some(side);
            }
        }
    }

    /// Whether a test of a rule holds for what went one way.
    #[must_use]
    pub fn answers(&self, test: &AppTest, way: Way) -> bool {
        let asked = self.asked.unwrap_or(Way::ToServer);
        let side = if way == asked { &self.query } else { &self.answer };
        let Some(side) = side else { return false };
        match test {
            AppTest::DnsOpcode(compared) => compared.holds(side.opcode().into()),
            AppTest::DnsRcode(compared) => side.is_response() && compared.holds(side.rcode().into()),
            AppTest::DnsRrtype(compared) => {
                let questions = side.questions.iter().map(|question| question.kind);
                let kinds = questions.chain(side.answers.iter().map(|record| record.kind));
                kinds.into_iter().any(|kind| compared.holds(kind.into()))
            }
            AppTest::Protocol { .. }
            | AppTest::SslState { .. }
            | AppTest::SslVersion(_)
            | AppTest::TlsVersion { .. } => false,
        }
    }
}

impl DnsSide {
    /// Whether it answers.
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// The operation: 0 a query, 4 a notice, 5 an update (RFC 1035 §4.1.1).
    #[must_use]
    pub fn opcode(&self) -> u8 {
        (self.flags >> 11) as u8 & 0xF
    }

    /// How the answer went: 0 well, 2 the server failed, 3 no such name (RFC 1035 §4.1.1).
    #[must_use]
    pub fn rcode(&self) -> u8 {
        (self.flags & 0xF) as u8
    }

    /// A question's name: labels joined by points, none at the end, bytes as sent.
    #[must_use]
    pub fn question_name(&self, question: &Question) -> &[u8] {
        self.bytes(&question.name)
    }

    /// A record's name: labels joined by points, none at the end, bytes as sent.
    #[must_use]
    pub fn record_name(&self, record: &Record) -> &[u8] {
        self.bytes(&record.name)
    }

    /// A record's data.
    #[must_use]
    pub fn record_data(&self, record: &Record) -> RecordData<'_> {
        match &record.data {
            Data::Address(address) => RecordData::Address(*address),
            Data::Name(name) => RecordData::Name(self.bytes(name)),
            Data::Text(text) => RecordData::Text(self.bytes(text)),
            Data::Other => RecordData::Other,
        }
    }

    /// Bytes that it holds beside itself.
    #[must_use]
    pub fn memory(&self) -> usize {
        let questions = self.questions.capacity() * size_of::<Question>();
        let answers = self.answers.capacity() * size_of::<Record>();
        questions + answers + self.text.capacity()
    }

    pub(super) fn keep(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Range<u32> {
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        write(&mut self.text);
        start..u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    fn bytes(&self, range: &Range<u32>) -> &[u8] {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}
