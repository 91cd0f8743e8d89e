//! One DNS message, read into what it asks and answers.
//!
//! ```text
//! header 12 bytes │ questions: name, type, class │ answers: name, type, class, time to live, length, data │ …
//! ```
//! (RFC 1035 §4.1.) What comes behind the answers is counted and skipped over only as far as its lengths are right.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::facts::{Data, DnsSide, Question, Record, kind};
use super::name::{self, Oddities};
use crate::app::{Anomalies, Anomaly};

/// Bytes of a message's header.
pub(super) const HEADER: usize = 12;
/// Most questions read of a message; more than one is unusual already.
const QUESTIONS_MAX: usize = 16;
/// Most answers read of a message.
const ANSWERS_MAX: usize = 64;
/// Most bytes of names and texts kept of a message.
const TEXT_MAX: usize = 8192;

/// The message ends before what it announces, or says what cannot be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// A message's header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    /// Questions, answers, authorities, additional records.
    pub(super) counts: [u16; 4],
}

impl Header {
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
        let counts = [word(4)?, word(6)?, word(8)?, word(10)?];
        Some(Self { id: word(0)?, flags: word(2)?, counts })
    }

    /// Whether it answers.
    pub(super) fn is_response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// What is asked for: 0 a query, 4 a notice, 5 an update.
    pub(super) fn opcode(self) -> u8 {
        (self.flags >> 11) as u8 & 0xF
    }
}

/// Read what follows a header. What was read before something malformed stays.
pub(super) fn read(message: &[u8], header: Header, anomalies: &mut Anomalies) -> DnsSide {
    let mut side = DnsSide { id: header.id, flags: header.flags, ..DnsSide::default() };
    // Assigned are query, inverse query, status, notify, update and stateful operations (RFC 8490).
    if matches!(header.opcode(), 3 | 7..) {
        anomalies.note(Anomaly::DnsOpcode);
    }
    if header.flags & 0x40 != 0 {
        anomalies.note(Anomaly::DnsReservedBit);
    }
    let mut odd = Oddities::default();
    let end = read_sections(message, header, &mut side, &mut odd);
    match end {
        Ok(end) if end < message.len() => anomalies.note(Anomaly::DnsTrailing),
        Ok(_) => {}
        // A truncated response may end anywhere.
        Err(Malformed) if header.flags & 0x200 != 0 => {}
        Err(Malformed) => anomalies.note(Anomaly::DnsMalformed),
    }
    if odd.too_long {
        anomalies.note(Anomaly::DnsNameTooLong);
    }
    if odd.looped {
        anomalies.note(Anomaly::DnsNameLoop);
    }
    side
}

fn read_sections(
    message: &[u8],
    header: Header,
    side: &mut DnsSide,
    odd: &mut Oddities,
) -> Result<usize, Malformed> {
    let mut at = HEADER;
    let [questions, answers, ..] = header.counts;
    for _ in 0..questions {
        let mark = side.text.len();
        let name = read_name(message, &mut at, side, odd)?;
        let (kind, class) = (word(message, &mut at)?, word(message, &mut at)?);
        if side.questions.len() < QUESTIONS_MAX && side.text.len() <= TEXT_MAX {
            side.questions.push(Question { name, kind, class });
        } else {
            side.text.truncate(mark);
            side.left_out = true;
        }
    }
    let records = header.counts[1..].iter().map(|count| u32::from(*count)).sum::<u32>();
    for number in 0..records {
        let mark = side.text.len();
        let record = read_record(message, &mut at, side, odd)?;
        let is_answer = number < u32::from(answers);
        if is_answer && side.answers.len() < ANSWERS_MAX && side.text.len() <= TEXT_MAX {
            side.answers.push(record);
        } else {
            side.text.truncate(mark);
            side.left_out |= is_answer;
        }
    }
    Ok(at)
}

fn read_record(
    message: &[u8],
    at: &mut usize,
    side: &mut DnsSide,
    odd: &mut Oddities,
) -> Result<Record, Malformed> {
    let name = read_name(message, at, side, odd)?;
    let (kind, class) = (word(message, at)?, word(message, at)?);
    let ttl = u32::from(word(message, at)?) << 16 | u32::from(word(message, at)?);
    let length = usize::from(word(message, at)?);
    let end = *at + length;
    let bytes = message.get(*at..end).ok_or(Malformed)?;
    let data = match kind {
        kind::A => address::<4>(bytes).map(|octets| Ipv4Addr::from(octets).into()),
        kind::AAAA => address::<16>(bytes).map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    };
    let data = match (data, kind) {
        (Some(address), _) => Data::Address(address),
        (None, kind::NS | kind::CNAME | kind::PTR | kind::DNAME) => {
            let mut inside = *at;
            Data::Name(read_name(message, &mut inside, side, odd)?)
        }
        (None, kind::MX) => {
            let mut inside = *at + 2;
            Data::Name(read_name(message, &mut inside, side, odd)?)
        }
        (None, kind::SRV) => {
            let mut inside = *at + 6;
            Data::Name(read_name(message, &mut inside, side, odd)?)
        }
        (None, kind::TXT) => Data::Text(side.keep(|text| strings(bytes, text))),
        (None, _) => Data::Other,
    };
    *at = end;
    Ok(Record { name, kind, class, ttl, data })
}

fn read_name(
    message: &[u8],
    at: &mut usize,
    side: &mut DnsSide,
    odd: &mut Oddities,
) -> Result<std::ops::Range<u32>, Malformed> {
    let mut after = Err(Malformed);
    let range = side.keep(|text| after = name::read(message, *at, text, odd));
    *at = after?;
    Ok(range)
}

/// The character strings of a TXT record (RFC 1035 §3.3.14), one behind the other.
fn strings(mut bytes: &[u8], text: &mut Vec<u8>) {
    while let Some((length, rest)) = bytes.split_first() {
        let (string, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        text.extend_from_slice(string);
        bytes = rest;
    }
}

fn address<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn word(message: &[u8], at: &mut usize) -> Result<u16, Malformed> {
    let bytes = message.get(*at..*at + 2).ok_or(Malformed)?;
    *at += 2;
    Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
}
