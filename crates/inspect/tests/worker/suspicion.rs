//! What is odd in itself: names that DNS did not give, messages read in two ways, and what is done about them.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use flow::Settings;
use inspect::app::Anomaly;
use inspect::{DropReason, Event, Verdict};
use policy::{DefaultAction, Reaction, Remembering, Suspicion, Suspicions};
use wire::testkit::{gwlb, udp};

use crate::common::{Desk, detector};
use crate::talk::Talk;

const CLIENT: &str = "10.1.2.10:40000";
const RESOLVER: &str = "10.1.2.2:53";
const SERVER: &str = "192.0.2.80:443";
const DENIED: Verdict = Verdict::Drop(DropReason::Policy);
const REJECTED: Verdict = Verdict::Drop(DropReason::Reject);

/// A desk where one kind of oddity is met so.
fn desk(rules: &str, kind: Suspicion, reaction: Reaction) -> Desk {
    with(rules, DefaultAction::Forward, young(kind, reaction))
}

fn with(rules: &str, default_action: DefaultAction, suspicions: Suspicions) -> Desk {
    let settings = policy::Settings { suspicions, default_action, ..policy::Settings::default() };
    Desk::with(&Settings { flows: 1000, ..Settings::default() }, detector(rules, &settings))
}

/// One kind met so, without a time of grace.
fn young(kind: Suspicion, reaction: Reaction) -> Suspicions {
    let mut suspicions = Suspicions::default().with(kind, Some(reaction));
    suspicions.remembering = Remembering { grace: Duration::ZERO, ..Remembering::default() };
    suspicions
}

/// What was noticed since the last call, and whether it dropped a packet.
fn noticed(desk: &mut Desk) -> Vec<(Anomaly, Reaction, bool)> {
    let told = desk.inspector.events().filter_map(|event| match event {
        Event::Noticed(noticed) => Some((noticed.anomaly, noticed.reaction, noticed.dropped)),
        _ => None,
    });
    told.collect()
}

fn name(text: &str) -> Vec<u8> {
    let labels =
        text.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

/// A record: of a name, its type, its time to live, its data.
fn record(of: &str, kind: u16, seconds: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&name(of)[..], &kind.to_be_bytes(), &[0, 1], &seconds.to_be_bytes(), &length, data].concat()
}

fn question(of: &str, answers: &[Vec<u8>], flags: u16) -> Vec<u8> {
    let counts = [7, flags, 1, u16::try_from(answers.len()).unwrap(), 0, 0].map(u16::to_be_bytes).concat();
    [&counts[..], &name(of), &[0, 1, 0, 1], &answers.concat()].concat()
}

/// A client asks a resolver for a name, and is answered with these records.
fn resolve(desk: &mut Desk, (client, resolver): (&str, &str), of: &str, answers: &[Vec<u8>]) {
    assert_eq!(
        desk.see(&udp(client, resolver).payload(&question(of, &[], 0x0100)).build()),
        Verdict::Forward
    );
    let answer = question(of, answers, 0x8180);
    assert_eq!(desk.see(&udp(resolver, client).payload(&answer).build()), Verdict::Forward);
}

/// Bytes behind their number.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// A hello of TLS with these extensions, in a record.
fn hello(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let block =
        extensions.iter().flat_map(|(kind, content)| [&kind.to_be_bytes()[..], &sized(content)].concat());
    let block: Vec<u8> = block.collect();
    let body = [&[3, 3][..], &[9; 32], &[0, 0, 2, 0x13, 1, 1, 0], &sized(&block)].concat();
    let message = [&[1, 0][..], &sized(&body)].concat();
    [&[22, 3, 1][..], &sized(&message)].concat()
}

/// A hello for that name.
fn hello_for(name: &str) -> Vec<u8> {
    hello(&[(0, sized(&[&[0][..], &sized(name.as_bytes())].concat()))])
}

/// The verdict of a hello that a new connection to a server begins with.
fn greet(desk: &mut Desk, client_port: u16, server: &str, hello: &[u8]) -> Verdict {
    Talk::between(desk, &format!("10.1.2.10:{client_port}"), server).say(desk, true, hello)
}

#[test]
fn a_name_is_believed_at_the_addresses_that_dns_gave_for_it() {
    let mut desk = desk("", Suspicion::NameUnresolved, Reaction::Alert);
    let addresses =
        [record("a.example", 1, 60, &[192, 0, 2, 80]), record("a.example", 1, 60, &[192, 0, 2, 81])];
    resolve(&mut desk, (CLIENT, RESOLVER), "a.example", &addresses);
    for (port, server, name, odd) in [
        (1, "192.0.2.80:443", "a.example", false),
        (2, "192.0.2.81:443", "A.EXAMPLE", false),
        (3, "192.0.2.82:443", "a.example", true),
        (4, "192.0.2.80:443", "b.example", true),
        (5, "192.0.2.80:443", "192.0.2.80", false),
    ] {
        assert_eq!(greet(&mut desk, port, server, &hello_for(name)), Verdict::Forward);
        let expected = [(Anomaly::SniUnresolved, Reaction::Alert, false)];
        assert_eq!(noticed(&mut desk), &expected[..usize::from(odd)], "{name} at {server}");
    }
    let counted =
        desk.inspector.detector().anomalies().find(|(anomaly, _)| *anomaly == Anomaly::SniUnresolved);
    assert_eq!(counted, Some((Anomaly::SniUnresolved, 2)));
}

#[test]
fn names_that_stand_for_others_are_followed_in_one_answer_and_in_several() {
    let mut desk = desk("", Suspicion::NameUnresolved, Reaction::Drop);
    let chain = [
        record("www.a.example", 5, 60, &name("edge.cdn.example")),
        record("edge.cdn.example", 1, 60, &[192, 0, 2, 80]),
        record("stranger.example", 1, 60, &[192, 0, 2, 99]),
    ];
    resolve(&mut desk, (CLIENT, RESOLVER), "www.a.example", &chain);
    // A resolver behind us asks for each name by itself.
    let alias = [record("www.b.example", 5, 60, &name("far.cdn.example"))];
    resolve(&mut desk, ("10.1.2.10:40001", RESOLVER), "www.b.example", &alias);
    let far = [record("far.cdn.example", 1, 60, &[192, 0, 2, 90])];
    resolve(&mut desk, ("10.1.2.10:40002", RESOLVER), "far.cdn.example", &far);
    for (port, server, name, verdict) in [
        (1, "192.0.2.80:443", "www.a.example", Verdict::Forward),
        (2, "192.0.2.80:443", "edge.cdn.example", Verdict::Forward),
        (3, "192.0.2.90:443", "www.b.example", Verdict::Forward),
        (4, "192.0.2.90:443", "www.a.example", DENIED),
        (5, "192.0.2.99:443", "stranger.example", DENIED),
    ] {
        assert_eq!(greet(&mut desk, port, server, &hello_for(name)), verdict, "{name} at {server}");
    }
}

#[test]
fn an_answer_is_remembered_within_the_bounds_of_its_time() {
    for (seconds, after, verdict) in [
        (1, 599, Verdict::Forward),
        (1, 601, DENIED),
        (3600, 3599, Verdict::Forward),
        (3600, 3601, DENIED),
        (1 << 30, 86_399, Verdict::Forward),
        (1 << 30, 86_401, DENIED),
    ] {
        let mut desk = desk("", Suspicion::NameUnresolved, Reaction::Drop);
        let answers = [record("a.example", 1, seconds, &[192, 0, 2, 80])];
        resolve(&mut desk, (CLIENT, RESOLVER), "a.example", &answers);
        desk.now.0 += after * 1_000_000_000;
        assert_eq!(
            greet(&mut desk, 1, SERVER, &hello_for("a.example")),
            verdict,
            "{seconds} s, after {after} s"
        );
    }
}

#[test]
fn what_a_client_answers_itself_or_has_from_a_resolver_of_its_own_is_not_believed() {
    let answers = [record("a.example", 1, 60, &[192, 0, 2, 80])];
    let mut trusting = young(Suspicion::NameUnresolved, Reaction::Drop);
    trusting.remembering.resolvers = vec!["10.1.2.2".parse().unwrap()];
    let mut desk = with("", DefaultAction::Forward, trusting);
    desk.see(&udp(CLIENT, RESOLVER).payload(&question("a.example", &[], 0x0100)).build());
    desk.see(&udp(CLIENT, RESOLVER).payload(&question("a.example", &answers, 0x8180)).build());
    assert_eq!(greet(&mut desk, 1, SERVER, &hello_for("a.example")), DENIED);
    resolve(&mut desk, (CLIENT, "198.51.100.53:53"), "a.example", &answers);
    assert_eq!(greet(&mut desk, 2, SERVER, &hello_for("a.example")), DENIED);
    // Nobody asked for this.
    desk.see(&udp("10.1.2.10:40009", RESOLVER).payload(&question("b.example", &[], 0x0100)).build());
    desk.see(&udp(RESOLVER, "10.1.2.10:40009").payload(&question("a.example", &answers, 0x8180)).build());
    assert_eq!(greet(&mut desk, 3, SERVER, &hello_for("a.example")), DENIED);
    resolve(&mut desk, ("10.1.2.10:40010", RESOLVER), "a.example", &answers);
    assert_eq!(greet(&mut desk, 4, SERVER, &hello_for("a.example")), Verdict::Forward);
}

#[test]
fn each_reaction_does_what_it_says_and_no_rule_is_stronger() {
    let rules = "pass tls any any -> any any (sid:1; tls.sni; content:\"a.example\";)";
    for (reaction, verdict, injected) in [
        (Reaction::Observe, Verdict::Forward, 0),
        (Reaction::Alert, Verdict::Forward, 0),
        (Reaction::Drop, DENIED, 0),
        (Reaction::Reject, REJECTED, 2),
    ] {
        let mut desk = desk(rules, Suspicion::NameUnresolved, reaction);
        let mut talk = Talk::between(&mut desk, "10.1.2.10:1", SERVER);
        assert_eq!(talk.say(&mut desk, true, &hello_for("a.example")), verdict, "{reaction:?}");
        let dropped = verdict != Verdict::Forward;
        assert_eq!(noticed(&mut desk), [(Anomaly::SniUnresolved, reaction, dropped)]);
        assert_eq!(desk.inspector.counts().rejects, injected);
        assert_eq!(talk.say(&mut desk, true, b"more"), verdict, "and what follows goes the same way");
    }
}

#[test]
fn in_the_time_of_grace_an_unresolved_name_is_only_observed() {
    let mut suspicions = young(Suspicion::NameUnresolved, Reaction::Reject);
    suspicions.remembering.grace = Duration::from_secs(60);
    let mut desk = with("", DefaultAction::Forward, suspicions);
    assert_eq!(greet(&mut desk, 1, SERVER, &hello_for("a.example")), Verdict::Forward);
    assert_eq!(noticed(&mut desk), [(Anomaly::SniUnresolved, Reaction::Observe, false)]);
    desk.now.0 += 60_000_000_000;
    assert_eq!(greet(&mut desk, 2, SERVER, &hello_for("a.example")), REJECTED);
}

#[test]
fn dns_is_read_though_a_rule_lets_it_pass_and_takes_no_room_between_questions() {
    let rules = "pass udp any any -> any 53 (sid:1;)
        pass tls any any -> any any (sid:2; tls.sni; content:\"a.example\"; startswith; endswith;)";
    let suspicions = young(Suspicion::NameUnresolved, Reaction::Reject);
    let mut desk = with(rules, DefaultAction::DropEstablished, suspicions);
    for port in 40_000..40_100_u16 {
        let answers = [record("a.example", 1, 60, &[192, 0, 2, 80])];
        resolve(&mut desk, (&format!("10.1.2.10:{port}"), RESOLVER), "a.example", &answers);
    }
    assert_eq!(desk.inspector.sessions(), 0);
    assert_eq!(greet(&mut desk, 1, SERVER, &hello_for("a.example")), Verdict::Forward);
    assert_eq!(greet(&mut desk, 2, "192.0.2.81:443", &hello_for("a.example")), REJECTED);
    assert_eq!(greet(&mut desk, 3, SERVER, &hello_for("b.example")), REJECTED);
}

#[test]
fn a_missing_name_and_a_hidden_hello_are_noticed_if_somebody_asks() {
    for (kind, hello, anomaly) in [
        (Suspicion::NameMissing, hello(&[]), Some(Anomaly::SniMissing)),
        (Suspicion::NameMissing, hello_for("a.example"), None),
        (Suspicion::NameEncrypted, hello(&[(0xfe0d, vec![0; 20])]), Some(Anomaly::EncryptedHello)),
        (Suspicion::NameEncrypted, hello(&[]), None),
        (Suspicion::NameUnresolved, hello(&[]), None),
    ] {
        let mut desk = desk("", kind, Reaction::Reject);
        let verdict = if anomaly.is_some() { REJECTED } else { Verdict::Forward };
        assert_eq!(greet(&mut desk, 1, SERVER, &hello), verdict, "{kind:?}");
        let expected: Vec<_> = anomaly.map(|anomaly| (anomaly, Reaction::Reject, true)).into_iter().collect();
        assert_eq!(noticed(&mut desk), expected);
    }
}

#[test]
fn within_a_tunnel_the_name_must_be_that_of_the_host_asked_for() {
    for (asked, name, verdict) in [
        ("a.example:443", "a.example", Verdict::Forward),
        ("A.example.:443", "a.example", Verdict::Forward),
        ("a.example:443", "b.example", REJECTED),
        ("192.0.2.1:443", "b.example", Verdict::Forward),
    ] {
        let mut desk = desk("", Suspicion::NameDiffers, Reaction::Reject);
        let mut talk = Talk::between(&mut desk, "10.1.2.10:1", "10.9.9.9:3128");
        talk.say(&mut desk, true, format!("CONNECT {asked} HTTP/1.1\r\nHost: {asked}\r\n\r\n").as_bytes());
        talk.say(&mut desk, false, b"HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(talk.say(&mut desk, true, &hello_for(name)), verdict, "{asked} {name}");
    }
}

#[test]
fn messages_read_in_two_ways_meet_what_the_operator_wants() {
    let smuggled =
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for (reaction, verdict) in [(Reaction::Observe, Verdict::Forward), (Reaction::Reject, REJECTED)] {
        // A rule has the flow read, since nobody reads for what is only observed.
        let rules = "alert http any any -> any any (sid:1; http.uri; content:\"/none\";)";
        let mut desk = desk(rules, Suspicion::Smuggling, reaction);
        let mut talk = Talk::between(&mut desk, "10.1.2.10:1", "192.0.2.80:80");
        assert_eq!(talk.say(&mut desk, true, smuggled), verdict);
        let odd = noticed(&mut desk);
        assert!(
            odd.contains(&(Anomaly::HttpLengthAndEncoding, reaction, verdict != Verdict::Forward)),
            "{odd:?}"
        );
    }
}

#[test]
fn another_endpoint_has_its_own_memory_and_its_own_mind() {
    let mut desk = desk("", Suspicion::NameUnresolved, Reaction::Alert);
    let answers = [record("a.example", 1, 60, &[192, 0, 2, 80])];
    resolve(&mut desk, (CLIENT, RESOLVER), "a.example", &answers);
    let ends = ("10.1.2.10:1", SERVER);
    let syn = wire::testkit::tcp(ends.0, ends.1).flags(wire::TcpFlags::SYN).sequence(99).build();
    let answer = wire::testkit::tcp(ends.1, ends.0).flags(wire::TcpFlags::SYN | wire::TcpFlags::ACK);
    let answer = answer.sequence(199).acknowledgment(100).build();
    let greeting = wire::testkit::tcp(ends.0, ends.1).flags(wire::TcpFlags::ACK).sequence(100);
    let greeting = greeting.acknowledgment(200).payload(&hello_for("a.example")).build();
    let elsewhere = |inner: &[u8]| gwlb().endpoint(77).inner(inner).build();
    desk.judge(&[elsewhere(&syn), elsewhere(&answer), elsewhere(&greeting)]);
    assert_eq!(noticed(&mut desk), [(Anomaly::SniUnresolved, Reaction::Alert, false)]);
}

#[test]
fn where_a_name_may_end_a_flow_its_hello_waits_until_the_name_is_whole() {
    let hello = hello_for("a.example");
    let (first, second) = hello.split_at(30);
    for (reaction, held, verdict) in
        [(Reaction::Alert, false, Verdict::Forward), (Reaction::Drop, true, DENIED)]
    {
        let mut desk = desk("", Suspicion::NameUnresolved, reaction);
        let mut talk = Talk::between(&mut desk, "10.1.2.10:1", SERVER);
        assert_eq!(matches!(talk.say(&mut desk, true, first), Verdict::Hold(_)), held, "{reaction:?}");
        assert_eq!(talk.say(&mut desk, true, second), verdict, "{reaction:?}");
    }
}
