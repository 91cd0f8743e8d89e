//! What the DNS parser tells of messages, whole, cut, odd and hostile.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use inspect::app::dns::{Dns, DnsCarrier, DnsFacts, RecordData, kind};
use inspect::app::{Anomaly, Facts, Transaction, Transactions, Wanted};
use policy::{AppTest, Buffer, Comparison, Way};
use proptest::prelude::*;

const QUERY: u16 = 0x0100;
const ANSWER: u16 = 0x8180;

fn message(id: u16, flags: u16, counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
    let words = [id, flags].into_iter().chain(counts);
    words.flat_map(u16::to_be_bytes).chain(rest.iter().copied()).collect()
}

fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let labels = labels.flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

fn question(text: &str, kind: u16) -> Vec<u8> {
    [name(text), kind.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

fn record(name: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [name, &kind.to_be_bytes(), &[0, 1, 0, 0, 14, 16], &length, data].concat()
}

fn query(id: u16, text: &str) -> Vec<u8> {
    message(id, QUERY, [1, 0, 0, 0], &question(text, kind::A))
}

/// `www.example.com` is `a.example.com`, which is 192.0.2.7.
fn answer(id: u16) -> Vec<u8> {
    let records = [
        question("www.example.com", kind::A),
        record(&[0xC0, 12], kind::CNAME, &[1, b'a', 0xC0, 16]),
        record(&[0xC0, 45], kind::A, &[192, 0, 2, 7]),
    ];
    message(id, ANSWER, [1, 2, 0, 0], &records.concat())
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn facts(transaction: &Transaction) -> &DnsFacts {
    let Facts::Dns(facts) = &transaction.facts else { unreachable!("{transaction:?}") };
    facts
}

fn feed_datagrams(messages: &[(Way, Vec<u8>)]) -> Vec<Transaction> {
    let (mut dns, mut all) = (Dns::new(DnsCarrier::Datagram), Transactions::default());
    for (way, message) in messages {
        dns.feed(*way, message, Wanted::ALL, &mut all);
    }
    all.open().to_vec()
}

#[test]
fn a_response_completes_the_query_of_its_id() {
    let told = feed_datagrams(&[
        (Way::ToServer, query(1, "other.example")),
        (Way::ToServer, query(7, "www.example.com")),
        (Way::ToClient, answer(7)),
    ]);
    let [waiting, answered] = told.as_slice() else { panic!("{told:?}") };
    assert!(!waiting.is_complete() && answered.is_complete() && answered.anomalies.is_empty());
    assert_eq!(answered.first(Buffer::DnsQuery, Way::ToServer), Some(&b"www.example.com"[..]));
    assert_eq!(answered.first(Buffer::DnsQuery, Way::ToClient), None);
    let named: Vec<_> = answered.values(Buffer::DnsAnswersRrname, Way::ToClient).collect();
    assert_eq!(named, [&b"www.example.com"[..], b"a.example.com"]);
    let answer = facts(answered).answer.as_ref().unwrap();
    let data: Vec<_> = answer.answers.iter().map(|record| answer.record_data(record)).collect();
    let address = RecordData::Address("192.0.2.7".parse().unwrap());
    assert_eq!(data, [RecordData::Name(b"a.example.com"), address]);
    assert_eq!(answer.answers[1].ttl, 3600);
}

#[test]
fn every_question_is_a_value_and_keeps_its_case() {
    let questions = [question("One.Example", kind::A), question("two.example", kind::AAAA)].concat();
    let told = feed_datagrams(&[(Way::ToServer, message(1, QUERY, [2, 0, 0, 0], &questions))]);
    let named: Vec<_> = told[0].values(Buffer::DnsQuery, Way::ToServer).collect();
    assert_eq!(named, [b"One.Example", b"two.example"]);
}

#[test]
fn rules_ask_for_operation_response_code_and_type() {
    let missing = message(9, ANSWER | 3, [1, 0, 0, 0], &question("no.example", kind::AAAA));
    let told = feed_datagrams(&[(Way::ToServer, query(9, "no.example")), (Way::ToClient, missing)]);
    let holds = |test: &AppTest, way| told[0].facts.answers(test, way);
    assert!(holds(&AppTest::DnsRcode(Comparison::Equal(3)), Way::ToClient));
    assert!(!holds(&AppTest::DnsRcode(Comparison::Equal(0)), Way::ToServer));
    assert!(holds(&AppTest::DnsOpcode(Comparison::Equal(0)), Way::ToServer));
    assert!(!holds(&AppTest::DnsOpcode(Comparison::Not(0)), Way::ToServer));
    assert!(holds(&AppTest::DnsRrtype(Comparison::Equal(1)), Way::ToServer));
    assert!(holds(&AppTest::DnsRrtype(Comparison::Equal(28)), Way::ToClient));
}

#[test]
fn what_is_odd_is_noted() {
    let rows: [(Way, Vec<u8>, Anomaly); 8] = [
        (Way::ToClient, answer(1), Anomaly::DnsUnsolicited),
        (Way::ToClient, query(1, "a.example"), Anomaly::DnsNotResponse),
        (Way::ToServer, answer(1), Anomaly::DnsNotRequest),
        (Way::ToServer, message(1, QUERY, [2, 0, 0, 0], &question("a", kind::A)), Anomaly::DnsMalformed),
        (Way::ToServer, vec![1, 2, 3], Anomaly::DnsMalformed),
        (Way::ToServer, message(1, 0x0140, [0; 4], b""), Anomaly::DnsReservedBit),
        (Way::ToServer, message(1, 0x7800, [0; 4], b""), Anomaly::DnsOpcode),
        (Way::ToServer, message(1, QUERY, [1, 0, 0, 0], &[0xC0, 12, 0, 1, 0, 1]), Anomaly::DnsNameLoop),
    ];
    for (way, message, anomaly) in rows {
        let told = feed_datagrams(&[(way, message)]);
        assert!(told[0].anomalies.has(anomaly), "{anomaly}: {told:?}");
    }
}

#[test]
fn what_stands_before_something_malformed_is_told() {
    let questions = [question("seen.example", kind::A), vec![0x40]].concat();
    let told = feed_datagrams(&[(Way::ToServer, message(1, QUERY, [2, 0, 0, 0], &questions))]);
    assert_eq!(told[0].first(Buffer::DnsQuery, Way::ToServer), Some(&b"seen.example"[..]));
}

#[test]
fn multicast_tells_facts_and_fills_no_buffer() {
    let (mut dns, mut all) = (Dns::new(DnsCarrier::Multicast), Transactions::default());
    dns.feed(Way::ToServer, &query(0, "printer.local"), Wanted::ALL, &mut all);
    dns.feed(Way::ToServer, &answer(0), Wanted::ALL, &mut all);
    assert_eq!(all.open().len(), 2);
    assert!(all.open().iter().all(|open| open.is_complete() && open.anomalies.is_empty()));
    assert!(all.open().iter().all(|open| open.pieces().is_empty()));
    assert!(facts(&all.open()[1]).answer.is_some());
}

#[test]
fn a_stream_with_a_gap_is_given_up_that_way_and_read_the_other() {
    let (mut dns, mut all) = (Dns::new(DnsCarrier::Stream), Transactions::default());
    dns.feed(Way::ToServer, &framed(&query(1, "a.example"))[..9], Wanted::ALL, &mut all);
    dns.gap(Way::ToServer, 100, &mut all);
    dns.feed(Way::ToServer, &framed(&query(2, "b.example")), Wanted::ALL, &mut all);
    assert!(!dns.is_done());
    dns.feed(Way::ToClient, &framed(&answer(1)), Wanted::ALL, &mut all);
    assert_eq!(all.open().len(), 2);
    assert!(all.open()[0].anomalies.has(Anomaly::DnsGap));
    dns.gap(Way::ToClient, 1, &mut all);
    assert!(dns.is_done());
}

#[test]
fn unanswered_queries_end_when_there_are_too_many_and_with_the_flow() {
    let (mut dns, mut all) = (Dns::new(DnsCarrier::Datagram), Transactions::default());
    for id in 0..100 {
        dns.feed(Way::ToServer, &query(id, "a.example"), Wanted::ALL, &mut all);
    }
    assert_eq!(all.retire(Transaction::is_complete).count(), 36);
    dns.end(Way::ToClient, &mut all);
    assert_eq!(all.retire(Transaction::is_complete).count(), 64);
}

/// Each of many answers points to a name of 255 bytes.
#[test]
fn what_is_kept_of_a_message_is_bounded() {
    let long = vec!["a".repeat(62); 4].join(".");
    let mut rest = question(&long, kind::A);
    for _ in 0..4000 {
        rest.extend(record(&[0xC0, 12], kind::CNAME, &[0xC0, 12]));
    }
    let told = feed_datagrams(&[(Way::ToClient, message(1, ANSWER, [1, 4000, 0, 0], &rest))]);
    let answer = facts(&told[0]).answer.as_ref().unwrap();
    assert!(answer.left_out);
    assert!(told[0].memory() < 64 * 1024, "{}", told[0].memory());
}

fn exchange() -> Vec<u8> {
    [framed(&query(1, "www.example.com")), framed(&query(2, "b.example")), framed(b"short")].concat()
}

fn told_of(pieces: &[&[u8]]) -> Vec<Transaction> {
    let (mut dns, mut all) = (Dns::new(DnsCarrier::Stream), Transactions::default());
    for piece in pieces {
        dns.feed(Way::ToServer, piece, Wanted::ALL, &mut all);
    }
    dns.feed(Way::ToClient, &framed(&answer(1)), Wanted::ALL, &mut all);
    all.open().to_vec()
}

proptest! {
    #[test]
    fn a_stream_says_the_same_however_it_is_cut(cuts in prop::collection::vec(0..100_usize, 0..20)) {
        let bytes = exchange();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
        prop_assert_eq!(told_of(&pieces), told_of(&[&bytes]));
    }

    #[test]
    fn noise_never_panics_and_stays_bounded(messages in prop::collection::vec(
        (any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), 0..20,
    )) {
        for carrier in [DnsCarrier::Datagram, DnsCarrier::Stream, DnsCarrier::Multicast] {
            let (mut dns, mut all) = (Dns::new(carrier), Transactions::default());
            for (to_server, message) in &messages {
                let way = if *to_server { Way::ToServer } else { Way::ToClient };
                dns.feed(way, message, Wanted::ALL, &mut all);
            }
            prop_assert!(dns.memory() < 256 * 1024);
        }
    }

    #[test]
    fn a_changed_answer_is_read_or_noted(at in 0..80_usize, byte: u8, cut in 0..90_usize) {
        let mut message = answer(7);
        let at = at % message.len();
        message[at] = byte;
        message.truncate(cut);
        let told = feed_datagrams(&[(Way::ToClient, message)]);
        prop_assert_eq!(told.len(), 1);
    }
}
