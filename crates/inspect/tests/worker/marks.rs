//! Rules about more than one packet or one way: exchanges, and tags.

use flow::Moment;
use inspect::{Event, Verdict};
use wire::testkit::udp;

use crate::common::Desk;
use crate::talk::Talk;

const REQUEST: &[u8] = b"GET /login HTTP/1.1\r\nHost: a.example\r\n\r\n";
const DENIAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope";
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn an_exchange_is_told_once_when_both_ways_have_what_is_wanted() {
    let header = "alert http 10.0.0.0/8 any => 192.0.2.0/24 80";
    for (first, then, expected) in [
        ("http.uri; content:\"/login\";", "http.stat_code; content:\"403\";", true),
        ("http.stat_code; content:\"403\";", "http.uri; content:\"/login\"; fast_pattern;", true),
        ("http.uri; content:\"/login\";", "file.data:to_client; content:\"nope\";", true),
        ("http.uri; content:\"/logout\";", "http.stat_code; content:\"403\";", false),
        ("http.uri; content:\"/login\";", "http.stat_code; content:\"404\";", false),
    ] {
        let mut desk = Desk::new(&format!("{header} (sid:1; {first} {then})"));
        let mut talk = Talk::open(&mut desk);
        talk.say(&mut desk, true, REQUEST);
        assert!(desk.told().0.is_empty(), "an answer is due");
        talk.say(&mut desk, false, DENIAL);
        talk.say(&mut desk, true, REQUEST);
        assert_eq!(desk.told().0.len(), usize::from(expected), "{first} {then}");
        talk.say(&mut desk, false, PAGE);
        assert!(desk.told().0.is_empty(), "each exchange stands for itself");
    }
}

#[test]
fn an_exchange_goes_from_the_client_on_the_left_to_the_server_on_the_right() {
    let rules = "alert http 192.0.2.0/24 80 => 10.0.0.0/8 any (sid:1; http.uri; content:\"/login\";)";
    let mut desk = Desk::new(rules);
    let mut talk = Talk::open(&mut desk);
    talk.say(&mut desk, true, REQUEST);
    talk.say(&mut desk, false, DENIAL);
    assert!(desk.told().0.is_empty());
}

#[test]
fn a_dropping_exchange_drops_the_answer() {
    let rules = "drop http any any => any any (sid:1; http.uri; content:\"/login\"; http.stat_code; content:\"403\";)";
    let mut desk = Desk::new(rules);
    let mut talk = Talk::open(&mut desk);
    assert_eq!(talk.say(&mut desk, true, REQUEST), Verdict::Forward);
    assert!(matches!(talk.say(&mut desk, false, DENIAL), Verdict::Drop(_)));
}

/// How many packets were told as tagged since the last call.
fn tagged(desk: &mut Desk) -> usize {
    desk.inspector.events().filter(|event| matches!(event, Event::Tagged(_))).count()
}

#[test]
fn a_tagged_flow_is_told_packet_by_packet_even_once_it_is_decided() {
    for (tag, expected) in [
        ("tag:session,3,packets;", 3),
        ("tag:session,100,bytes;", 3),
        ("tag:session,3600,seconds;", 5),
        ("tag:session,3600,seconds; noalert;", 5),
    ] {
        let mut desk = Desk::new(&format!("pass tcp any any -> any any (sid:1; content:\"go\"; {tag})"));
        let mut talk = Talk::open(&mut desk);
        talk.say(&mut desk, true, b"go");
        assert_eq!(tagged(&mut desk), 0, "{tag}: what follows is told");
        for _ in 0..5 {
            assert_eq!(talk.say(&mut desk, false, b"on"), Verdict::Forward);
        }
        assert_eq!(tagged(&mut desk), expected, "{tag}");
        assert_eq!(desk.inspector.counts().packets_tagged, expected as u64);
        let open = desk.inspector.sessions();
        assert_eq!(open, usize::from(tag.contains("seconds")), "{tag}: then the flow is decided");
    }
}

#[test]
fn a_tagged_host_is_told_in_all_its_flows_until_the_time_is_over() {
    let mut desk = Desk::new("alert udp any any -> any 9 (sid:1; tag:host,60,seconds,src;)");
    let packet = |from: &str, port: u16| udp(from, &format!("192.0.2.1:{port}")).payload(b"x").build();
    desk.see(&packet("10.0.0.1:1", 10));
    desk.see(&packet("10.0.0.1:1", 9));
    assert_eq!(tagged(&mut desk), 0);
    desk.see(&packet("10.0.0.1:1", 9));
    desk.see(&packet("10.0.0.1:2", 11));
    desk.see(&udp("192.0.2.1:7", "10.0.0.1:3").payload(b"x").build());
    desk.see(&packet("10.0.0.2:1", 12));
    assert_eq!(tagged(&mut desk), 3, "the host's packets, whichever way they go, and nobody else's");
    desk.now = Moment(desk.now.0 + 61_000_000_000);
    desk.see(&packet("10.0.0.1:2", 13));
    assert_eq!(tagged(&mut desk), 0);
}
