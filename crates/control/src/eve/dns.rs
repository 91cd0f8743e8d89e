//! DNS as version 3 of its record has it: what was asked, and beside it what was answered.

use inspect::app::dns::{DnsFacts, DnsSide, RecordData};
use serde_json::{Map, Value, json};

/// An exchange as far as it has come.
pub(super) fn exchange(number: u32, facts: &DnsFacts) -> Value {
    let mut part = Map::new();
    part.insert("version".to_owned(), 3.into());
    part.insert("tx_id".to_owned(), number.into());
    let kind = if facts.answer.is_some() { "response" } else { "request" };
    part.insert("type".to_owned(), kind.into());
    if let Some(side) = facts.answer.as_ref().or(facts.query.as_ref()) {
        header(&mut part, side);
        part.insert("queries".to_owned(), questions(side));
    }
    if let Some(answer) = &facts.answer {
        part.insert("rcode".to_owned(), rcode(answer.rcode()).into());
        part.insert("answers".to_owned(), records(answer));
    }
    part.into()
}

/// The header's id and flags, each that is set by its name (RFC 1035 §4.1.1).
fn header(part: &mut Map<String, Value>, side: &DnsSide) {
    part.insert("id".to_owned(), side.id.into());
    part.insert("flags".to_owned(), format!("{:x}", side.flags).into());
    for (name, bit) in [("qr", 15), ("aa", 10), ("tc", 9), ("rd", 8), ("ra", 7), ("z", 6)] {
        if side.flags >> bit & 1 == 1 {
            part.insert(name.to_owned(), true.into());
        }
    }
    part.insert("opcode".to_owned(), side.opcode().into());
}

fn questions(side: &DnsSide) -> Value {
    let question = |question| {
        let name = String::from_utf8_lossy(side.question_name(question));
        json!({ "rrname": name, "rrtype": rrtype(question.kind) })
    };
    side.questions.iter().map(question).collect()
}

fn records(side: &DnsSide) -> Value {
    let record = |record| {
        let name = String::from_utf8_lossy(side.record_name(record));
        let mut told = json!({ "rrname": name, "rrtype": rrtype(record.kind), "ttl": record.ttl });
        let data = match side.record_data(record) {
            RecordData::Address(address) => Some(address.to_string()),
            RecordData::Name(text) | RecordData::Text(text) => {
                Some(String::from_utf8_lossy(text).into_owned())
            }
            RecordData::Other => None,
        };
        if let (Some(data), Some(told)) = (data, told.as_object_mut()) {
            told.insert("rdata".to_owned(), data.into());
        }
        told
    };
    side.answers.iter().map(record).collect()
}

/// IANA's names of record types ("Domain Name System (DNS) Parameters"); the number of others.
fn rrtype(kind: u16) -> String {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        35 => "NAPTR",
        39 => "DNAME",
        41 => "OPT",
        43 => "DS",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        52 => "TLSA",
        64 => "SVCB",
        65 => "HTTPS",
        252 => "AXFR",
        255 => "ANY",
        257 => "CAA",
        other => return other.to_string(),
    };
    name.into()
}

/// IANA's names of response codes; the number of others.
fn rcode(code: u8) -> String {
    let name = match code {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        other => return other.to_string(),
    };
    name.into()
}
