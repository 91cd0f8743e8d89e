//! What is looked through, and how often: one scan may serve several kinds of rules, and none may miss what its own would
//! have found.

use std::sync::Arc;

use crate::common::{Desk, detector};
use flow::Settings;
use proptest::prelude::*;
use wire::TcpFlags;
use wire::testkit::tcp;

const CLIENT: &str = "10.1.2.10:49152";
const SERVER: &str = "192.0.2.80:8080";

/// The alerts over one conversation whose client sends these pieces of its stream, each by its range.
fn told(rules: &str, text: &[u8], pieces: &[(usize, usize)]) -> Vec<u32> {
    told_at(&mut Desk::new(rules), text, pieces)
}

fn told_at(desk: &mut Desk, text: &[u8], pieces: &[(usize, usize)]) -> Vec<u32> {
    desk.see(&tcp(CLIENT, SERVER).flags(TcpFlags::SYN).sequence(99).build());
    let answer = tcp(SERVER, CLIENT).flags(TcpFlags::SYN | TcpFlags::ACK);
    desk.see(&answer.sequence(199).acknowledgment(100).build());
    for (from, to) in pieces {
        let at = 100 + u32::try_from(*from).unwrap();
        let packet = tcp(CLIENT, SERVER).flags(TcpFlags::ACK).sequence(at).acknowledgment(200);
        desk.see(&packet.payload(&text[*from..*to]).build());
    }
    let mut told = desk.told().0;
    told.sort_unstable();
    told
}

const TEXT: &[u8] = b"one two three four five one two three four five one two three four five six";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Rules on packets are found by the scan of the stream where that has read the packet's bytes; alone they have none
    /// but their own.
    #[test]
    fn rules_on_packets_are_told_the_same_beside_rules_on_streams(
        cuts in prop::collection::btree_set(1..TEXT.len(), 0..12),
        order in any::<prop::sample::Index>(),
        again in prop::collection::vec((0..TEXT.len(), 1..20usize), 0..4),
    ) {
        let starts: Vec<usize> = std::iter::once(0).chain(cuts.iter().copied()).collect();
        let ends = cuts.iter().copied().chain([TEXT.len()]);
        let mut pieces: Vec<(usize, usize)> = starts.into_iter().zip(ends).collect();
        let first = order.index(pieces.len());
        pieces.rotate_left(first); // some come before those that are in front of them
        pieces.extend(again.iter().map(|(at, length)| (*at, (at + length).min(TEXT.len()))));
        let rules = [
            "alert tcp-pkt any any -> any any (sid:1; content:\"two\";)",
            "alert tcp any any -> any any (sid:2; content:\"thr\"; depth:9;)",
            "alert tcp any any -> any any (sid:3; dsize:<9; content:\"four\";)",
            "alert tcp any any -> any any (sid:4; content:\"five one\";)",
            "alert tcp-stream any any -> any any (sid:5; content:\"six\";)",
        ];
        let alone: Vec<u32> = rules.iter().flat_map(|rule| told(rule, TEXT, &pieces)).collect();
        prop_assert_eq!(told(&rules.join("\n"), TEXT, &pieces), alone);
    }
}

/// A response, its body in chunks that end at `cuts`, or as it is if there are none.
fn response(body: &[u8], cuts: &[usize]) -> Vec<u8> {
    if cuts.is_empty() {
        return [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body]
            .concat();
    }
    let mut text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let mut from = 0;
    for to in cuts.iter().copied().chain([body.len()]) {
        text.extend_from_slice(format!("{:x}\r\n", to - from).as_bytes());
        text.extend_from_slice(&body[from..to]);
        text.extend_from_slice(b"\r\n");
        from = to;
    }
    [&text[..], b"0\r\n\r\n"].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A body that lies in the stream as it is has no scan of its own; each body is found to hold what it holds all the
    /// same, however it is delimited and cut, and with another one behind it.
    #[test]
    fn rules_on_bodies_are_told_by_what_the_bodies_hold(
        bodies in prop::collection::vec("[ab]{1,24}", 1..4),
        chunks in prop::collection::vec(prop::collection::btree_set(1..24usize, 0..4), 4),
        cuts in prop::collection::btree_set(1..300usize, 0..8),
    ) {
        let words = ["aaaa", "abab", "bbabb", "ba"];
        let mut rules = String::from("alert tcp any any -> any any (sid:99; content:\"bbbb\"; flow:to_client;)\n");
        for (sid, word) in (1..).zip(words) {
            let name = if sid % 2 == 0 { "file.data" } else { "http.response_body" };
            rules += &format!("alert http any any -> any any (sid:{sid}; {name}; content:\"{word}\";)\n");
        }
        let mut desk = Desk::new(&rules);
        let mut talk = crate::talk::Talk::open(&mut desk);
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(bodies.len());
        talk.say(&mut desk, true, &request);
        let answers: Vec<u8> = bodies.iter().zip(&chunks).flat_map(|(body, chunks)| {
            let chunks: Vec<usize> = chunks.iter().copied().filter(|cut| *cut < body.len()).collect();
            response(body.as_bytes(), &chunks)
        }).collect();
        let mut from = 0;
        for to in cuts.iter().copied().filter(|cut| *cut < answers.len()).chain([answers.len()]) {
            talk.say(&mut desk, false, &answers[from..to]);
            from = to;
        }
        let mut told = desk.told().0;
        told.retain(|sid| *sid != 99);
        told.sort_unstable();
        let holds = |(sid, word): (u32, &&str)| {
            let holding = bodies.iter().filter(|body| body.contains(*word)).count();
            std::iter::repeat_n(sid, holding)
        };
        let expected: Vec<u32> = (1..).zip(&words).flat_map(holds).collect();
        prop_assert_eq!(told, expected);
    }
}

#[test]
fn patterns_cut_to_a_group_tell_what_those_of_all_rules_tell_before_and_after() {
    let mut rules = String::from(
        "alert tcp any any -> any 8080 (sid:1; content:\"three\";)
         alert http any any -> any any (sid:2; http.uri; content:\"/three\"; http.host; content:\"one\";)
         alert tcp any any -> any any (sid:3; content:\"one\"; content:\"two\"; distance:1;)\n",
    );
    for port in 1..=100 {
        rules +=
            &format!("alert tcp any any -> any {port} (sid:{}; content:\"three-{port}\";)\n", 1000 + port);
        rules += &format!("alert tcp any any -> any {port} (sid:{}; content:\"three\";)\n", 2000 + port);
    }
    let detector = Arc::into_inner(detector(&rules, &policy::Settings::default())).unwrap();
    let (detector, mut tailor) = detector.tailored();
    let mut desk = Desk::with(&Settings { flows: 10, ..Settings::default() }, Arc::new(detector));
    let text = b"GET /three HTTP/1.1\r\nHost: one.two\r\n\r\n";
    assert_eq!(told_at(&mut desk, text, &[(0, 16), (16, text.len())]), [1, 2, 3]);
    assert_eq!(tailor.turn(), 2, "each way of the flow is a group");
    desk.now.0 += 1 << 43; // two hours: another flow of the same ends
    assert_eq!(told_at(&mut desk, text, &[(0, 7), (7, text.len())]), [1, 2, 3]);
    assert_eq!(tailor.turn(), 0, "what was made serves all flows of the group");
}

/// A record of TLS (RFC 8446 §5.1).
fn record(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// A hello without extensions, of the client (1) or the server (2).
fn hello(kind: u8) -> Vec<u8> {
    let suites: &[u8] = if kind == 1 { &[0, 2, 0, 0x2f, 1, 0] } else { &[0, 0x2f, 0] };
    let body = [&[3, 3][..], &[7; 32], &[0], suites].concat();
    let [_, length @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    record(22, &[&[kind][..], &length, &body].concat())
}

#[test]
fn what_follows_a_handshake_of_tls_is_not_looked_through_though_no_rule_is_about_tls() {
    let rules = "alert tcp any any -> any any (sid:1; content:\"secret\";)";
    let mut desk = Desk::new(rules);
    desk.see(&tcp(CLIENT, SERVER).flags(TcpFlags::SYN).sequence(99).build());
    let answer = tcp(SERVER, CLIENT).flags(TcpFlags::SYN | TcpFlags::ACK);
    desk.see(&answer.sequence(199).acknowledgment(100).build());
    let mut sent = [100, 200];
    let mut say = |desk: &mut Desk, way: usize, bytes: &[u8]| {
        let (from, to) = if way == 0 { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        let packet = tcp(from, to).flags(TcpFlags::ACK).sequence(sent[way]).acknowledgment(sent[1 - way]);
        desk.see(&packet.payload(bytes).build());
        sent[way] += u32::try_from(bytes.len()).unwrap();
    };
    say(&mut desk, 0, &hello(1));
    assert_eq!(desk.inspector.sessions(), 1);
    say(&mut desk, 1, &[hello(2), record(20, &[1]), record(23, b"ciphered")].concat());
    say(&mut desk, 0, &[record(20, &[1]), record(23, b"ciphered")].concat());
    assert_eq!(desk.inspector.sessions(), 0, "nothing more can be learnt, so no more is kept");
    say(&mut desk, 1, &record(23, b"by chance secret"));
    assert_eq!(desk.told().0, [0; 0]);
    let text = b"no handshake, and a secret";
    assert_eq!(told(rules, text, &[(0, 16), (16, text.len())]), [1], "what is no TLS is looked through");
}
