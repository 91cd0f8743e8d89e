//! What rules say of packets, streams and flows: tables of rules and conversations, through the inspector.

use crate::common::{Desk, policy};
use crate::talk::{CLIENT, SERVER, Talk};
use flow::Settings;
use inspect::{DropReason, Verdict};
use policy::DefaultAction;
use proptest::prelude::*;
use wire::testkit::{icmp, udp};

const NONE: [u32; 0] = [];
const DENIED: Verdict = Verdict::Drop(DropReason::Policy);

/// The alerts of one datagram from client to server.
fn of_datagram(rules: &str, payload: &[u8]) -> Vec<u32> {
    let mut desk = Desk::new(rules);
    desk.see(&udp(CLIENT, SERVER).payload(payload).build());
    desk.told().0
}

#[test]
fn datagrams_are_told_by_what_rules_look_for() {
    for (options, payload, matches) in [
        (r#"content:"abc";"#, &b"xxabcxx"[..], true),
        (r#"content:"ABC"; nocase;"#, b"xxabcxx", true),
        (r#"content:"ABC";"#, b"xxabcxx", false),
        (r#"content:!"abc";"#, b"xxabxx", true),
        (r#"content:!"abc";"#, b"xxabcxx", false),
        (r#"content:"a"; content:"b"; distance:1; within:2;"#, b"a-b", true),
        (r#"content:"a"; content:"b"; distance:1; within:2;"#, b"a---b", false),
        (r#"content:"abc"; offset:2; depth:3;"#, b"xxabcxx", true),
        (r#"content:"abc"; depth:4;"#, b"xxabcxx", false),
        (r#"content:"abc"; startswith;"#, b"xabc", false),
        (r#"content:"abc"; endswith;"#, b"xabc", true),
        (r#"content:"abc"; pcre:"/c\d+/";"#, b"abc12", true),
        (r#"pcre:"/^x\d+$/";"#, b"x12", true),
        (r#"pcre:"/^x\d+$/";"#, b"y12", false),
        (r"dsize:3;", b"abc", true),
        (r"dsize:>3;", b"abc", false),
        (r#"content:"abc"; dsize:<10;"#, b"abc", true),
        (r#"content:"a"; isdataat:!1,relative;"#, b"a", true),
        (r"ttl:63;", b"", true),
        (r"ttl:<63;", b"", false),
        (r"ip_proto:17;", b"", true),
        (r"sameip;", b"", false),
        (r"flow:to_server;", b"", true),
        (r"flow:to_client;", b"", false),
        (r"flow:established;", b"", false),
        (r#"flow:stateless; content:"a";"#, b"a", true),
        (r#"udp.hdr; content:"|00 50|"; offset:2; depth:2;"#, b"", true),
        (r#"ipv4.hdr; content:"|11|"; offset:9; depth:1;"#, b"", true),
        (r"flow.pkts:toserver,1;", b"", true),
        (r"flow.pkts:toserver,>1;", b"", false),
    ] {
        let rule = format!("alert udp any any -> any any (sid:1; {options})");
        let expected: &[u32] = if matches { &[1] } else { &[] };
        assert_eq!(of_datagram(&rule, payload), expected, "{options} on {}", payload.escape_ascii());
    }
}

#[test]
fn icmp_messages_are_told_by_type_code_and_numbers() {
    for (options, matches) in [
        ("itype:8;", true),
        ("itype:0;", false),
        ("icode:0;", true),
        ("icmp_id:1;", true),
        ("icmp_seq:2;", false),
    ] {
        let mut desk = Desk::new(&format!("alert icmp any any -> any any (sid:1; {options})"));
        desk.see(&icmp("10.0.0.1", "10.0.0.2", 8, 0).build());
        assert_eq!(desk.told().0 == [1], matches, "{options}");
    }
}

#[test]
fn a_pattern_in_two_segments_is_found_in_the_stream_and_not_in_packets() {
    let mut desk = Desk::new(
        "alert tcp any any -> any any (sid:1; content:\"secret\";)
         alert tcp-pkt any any -> any any (sid:2; content:\"secret\";)
         alert tcp any any -> any any (sid:3; flow:to_client; content:\"secret\";)
         alert tcp-stream any any -> any any (sid:4; flow:established; content:\"sec\"; content:\"ret\"; distance:0;)",
    );
    let mut talk = Talk::open(&mut desk);
    talk.say(&mut desk, true, b"the sec");
    assert_eq!(desk.told().0, NONE);
    talk.say(&mut desk, true, b"ret is out");
    assert_eq!(desk.told().0, [1, 4]);
    talk.say(&mut desk, true, b"and nothing more");
    assert_eq!(desk.told().0, NONE, "what was told once is not told again");
}

#[test]
fn a_drop_by_the_stream_drops_the_packet_that_completes_it_and_the_flow() {
    let mut desk = Desk::new("drop tcp any any -> any any (sid:1; content:\"evil\";)");
    let mut talk = Talk::open(&mut desk);
    assert_eq!(talk.say(&mut desk, true, b"ev"), Verdict::Forward);
    assert_eq!(talk.say(&mut desk, true, b"il"), DENIED);
    assert_eq!(talk.say(&mut desk, false, b"hello"), DENIED);
    assert_eq!(desk.told().0, [1]);
    assert_eq!(desk.inspector.sessions(), 0, "a decided flow takes no memory but its record's");
}

#[test]
fn a_drop_by_a_packet_drops_that_packet_alone() {
    let mut desk = Desk::new("drop udp any any -> any any (sid:1; dsize:4;)");
    assert_eq!(desk.see(&udp(CLIENT, SERVER).payload(b"1234").build()), DENIED);
    assert_eq!(desk.see(&udp(CLIENT, SERVER).payload(b"123").build()), Verdict::Forward);
    assert_eq!(desk.told().0, [1]);
}

#[test]
fn a_bit_is_set_before_it_is_asked_for_wherever_the_rules_stand() {
    let mut desk = Desk::new(
        "alert udp any any -> any any (sid:3; content:\"a\"; flowbits:isset,two;)
         alert udp any any -> any any (sid:2; content:\"a\"; flowbits:isset,one; flowbits:set,two; noalert;)
         alert udp any any -> any any (sid:1; content:\"a\"; flowbits:set,one;)
         alert udp any any -> any any (sid:4; content:\"a\"; flowbits:isset,one|never;)
         alert udp any any -> any any (sid:5; content:\"a\"; flowbits:isnotset,one;)",
    );
    desk.see(&udp(CLIENT, SERVER).payload(b"a").build());
    assert_eq!(desk.told().0, [3, 1, 4]);
}

#[test]
fn numbers_of_a_flow_count() {
    let mut desk = Desk::new(
        "alert udp any any -> any any (sid:1; content:\"a\"; flowint:seen,+,1; noalert;)
         alert udp any any -> any any (sid:2; content:\"a\"; flowint:seen,==,3;)",
    );
    let told: Vec<usize> = (0..5)
        .map(|_| {
            desk.see(&udp(CLIENT, SERVER).payload(b"a").build());
            desk.told().0.len()
        })
        .collect();
    assert_eq!(told, [0, 0, 1, 0, 0]);
}

#[test]
fn marks_on_addresses_are_seen_by_other_flows_until_they_expire() {
    let mut desk = Desk::new(
        "alert udp any any -> any any (sid:1; content:\"mark\"; xbits:set,bad,track ip_src,expire 10; noalert;)
         alert udp any any -> any any (sid:2; content:\"ask\"; xbits:isset,bad,track ip_src;)",
    );
    let ask = |desk: &mut Desk, port: u16| {
        desk.see(&udp(&format!("10.1.2.10:{port}"), SERVER).payload(b"ask").build());
        desk.told().0
    };
    assert_eq!(ask(&mut desk, 1000), NONE);
    desk.see(&udp(CLIENT, SERVER).payload(b"mark").build());
    assert_eq!(ask(&mut desk, 1001), [2]);
    desk.now.0 += 11_000_000_000;
    assert_eq!(ask(&mut desk, 1002), NONE);
}

#[test]
fn thresholds_limit_what_is_told_and_not_what_is_dropped() {
    for (threshold, expected) in [
        ("limit, track by_src, count 2, seconds 60", vec![1, 1, 0, 0, 0, 0]),
        ("threshold, track by_src, count 2, seconds 60", vec![0, 1, 0, 1, 0, 1]),
        ("both, track by_src, count 2, seconds 60", vec![0, 1, 0, 0, 0, 0]),
    ] {
        let rule = format!("drop udp any any -> any any (sid:1; dsize:1; threshold:type {threshold};)");
        let mut desk = Desk::new(&rule);
        let told: Vec<usize> = (0..6)
            .map(|port| {
                let packet = udp(&format!("10.1.2.10:{}", 1000 + port), SERVER).payload(b"a").build();
                assert_eq!(desk.see(&packet), DENIED);
                desk.told().0.len()
            })
            .collect();
        assert_eq!(told, expected, "{threshold}");
    }
}

#[test]
fn a_detection_filter_holds_a_rule_back_until_it_is_met_often() {
    let filter = "detection_filter:track by_src, count 2, seconds 60;";
    let mut desk = Desk::new(&format!("drop udp any any -> any any (sid:1; dsize:1; {filter})"));
    let packet = udp(CLIENT, SERVER).payload(b"a").build();
    let verdicts: Vec<Verdict> = (0..4).map(|_| desk.see(&packet)).collect();
    assert_eq!(verdicts, [Verdict::Forward, Verdict::Forward, DENIED, DENIED]);
}

#[test]
fn established_connections_alone_meet_a_default_that_spares_handshakes() {
    let settings = Settings { flows: 10, ..Settings::default() };
    let rules = "pass tcp any any -> any any (sid:1; content:\"GET /allowed\"; startswith;)";
    let mut desk = Desk::with(&settings, policy(rules, DefaultAction::DropEstablished));
    let mut talk = Talk::open(&mut desk);
    assert_eq!(talk.say(&mut desk, true, b"GET /denied"), DENIED);
    let mut desk = Desk::with(&settings, policy(rules, DefaultAction::DropEstablished));
    let mut talk = Talk::open(&mut desk);
    assert_eq!(talk.say(&mut desk, true, b"GET /allowed"), Verdict::Forward);
    assert_eq!(talk.say(&mut desk, false, b"here it is"), Verdict::Forward);
}

#[test]
fn a_request_is_told_by_its_uri_and_the_answer_by_its_status() {
    let mut desk = Desk::new(
        "alert http any any -> any any (sid:1; http.method; content:\"GET\"; http.uri; content:\"/evil\"; startswith;)
         alert http any any -> any any (sid:2; http.stat_code; content:\"404\";)
         alert http any any -> any any (sid:3; http.host; dotprefix; content:\".b.example\"; endswith;)
         alert tcp any any -> any any (sid:4; app-layer-protocol:http;)
         alert http any any -> any any (sid:5; file.data; content:\"gone\";)",
    );
    let mut talk = Talk::open(&mut desk);
    talk.say(&mut desk, true, b"GET /evil/x HTTP/1.1\r\nHost: a.b.exa");
    talk.say(&mut desk, true, b"mple\r\n\r\n");
    let mut told = desk.told().0;
    told.sort_unstable();
    assert_eq!(told, [1, 3, 4]);
    talk.say(&mut desk, false, b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
    let mut told = desk.told().0;
    told.sort_unstable();
    assert_eq!(told, [2, 4, 5]);
}

#[test]
fn a_full_slab_leaves_flows_to_their_headers_and_counts_them() {
    let mut desk = Desk::new(
        "alert udp any any -> any any (sid:1; content:\"a\";)
         drop udp any any -> any 53 (sid:2;)",
    );
    desk.inspector = desk.inspector.within(&inspect::Limits { sessions: 60, ..inspect::Limits::default() });
    for port in 1..=70u16 {
        desk.see(&udp(&format!("10.0.0.1:{port}"), SERVER).payload(b"a").build());
    }
    assert_eq!((desk.inspector.sessions(), desk.inspector.counts().sessions_lost), (60, 10));
    assert_eq!(desk.told().0.len(), 60);
    assert_eq!(desk.see(&udp("10.0.0.1:9", "192.0.2.80:53").build()), DENIED);
}

/// The set of alerts over one conversation whose client's bytes are cut so.
fn told_when_cut(rules: &str, bytes: &[u8], cuts: &[usize]) -> Vec<u32> {
    let mut desk = Desk::new(rules);
    let mut talk = Talk::open(&mut desk);
    let mut rest = bytes;
    for cut in cuts.iter().chain([&bytes.len()]) {
        let (now, later) = rest.split_at((*cut).min(rest.len()));
        if !now.is_empty() {
            talk.say(&mut desk, true, now);
        }
        rest = later;
    }
    let mut told = desk.told().0;
    told.sort_unstable();
    told.dedup();
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn however_a_stream_is_cut_the_same_rules_are_told(cuts in prop::collection::vec(1usize..40, 0..60)) {
        let rules = "alert tcp any any -> any any (sid:1; content:\"user=admin\";)
            alert tcp any any -> any any (sid:2; content:\"user=\"; content:\"pass\"; distance:0; pcre:\"/word=\\d+/R\";)
            alert http any any -> any any (sid:3; http.request_body; content:\"admin&password\";)
            alert http any any -> any any (sid:4; http.uri; content:\"/login\"; http.header; content:\"X-A|3a 20|b\";)
            alert http any any -> any any (sid:5; content:\"nowhere\";)
            alert tcp any any -> any any (sid:6; content:\"POST\"; depth:4; content:\"HTTP/1.1\"; distance:0;)
            alert http any any -> any any (sid:7; http.uri; content:!\"/admin\"; http.method; content:\"POST\";)";
        let bytes = b"POST /login HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\nContent-Length: 28\r\n\r\n\
            user=admin&password=12345678";
        prop_assert_eq!(told_when_cut(rules, bytes, &cuts), [1, 2, 3, 4, 6, 7]);
    }
}
