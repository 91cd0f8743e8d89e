//! What loading tells the operator: which rules stand, which do not, where and why.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use policy::{DefaultAction, Feed, Loading, Order, Outcome, Policy, Rule, RuleFile, Settings};
use proptest::prelude::*;
use wire::{Address, EndpointId, FiveTuple};

fn load(text: impl Into<Vec<u8>>) -> Loading {
    Loading::new(&[RuleFile { name: "a.rules".into(), text: text.into() }], &Settings::default())
}

fn tcp(
    source: impl Into<Address>,
    destination: impl Into<Address>,
    destination_port: u16,
    version: u8,
) -> FiveTuple {
    FiveTuple {
        source: source.into(),
        destination: destination.into(),
        source_port: 40_000,
        destination_port,
        protocol: 6,
        version,
    }
}

#[test]
fn a_refusal_names_place_option_reason_and_what_was_meant() {
    for (rule, expected) in [
        ("dorp tcp any any -> any 23 (sid:1;)", "1:1: sid 1: unknown action `dorp`; did you mean `drop`?"),
        ("drop tpc any any -> any 23 (sid:1;)", "1:6: sid 1: unknown protocol `tpc`; did you mean `tcp`?"),
        (
            "drop tcp any any -> any 65536 (sid:1;)",
            "1:25: sid 1: `65536` is not a port (0 to 65535) or a range of ports",
        ),
        ("drop tcp any any -> any [80,90:85] (sid:1;)", "1:29: sid 1: the range `90:85` runs backwards"),
        (
            "drop tcp any any -> 10.0.0.300 23 (sid:1;)",
            "1:21: sid 1: `10.0.0.300` is not an address, a prefix or a range of addresses",
        ),
        (
            "drop tcp any any -> [10.0.0.1,2001:db8::/129] 23 (sid:1;)",
            "1:31: sid 1: `2001:db8::/129` is not an address, a prefix or a range of addresses",
        ),
        (
            "drop tcp any any <- any 23 (sid:1;)",
            "1:18: sid 1: expected the direction, `->`, `<>` or `=>`, found `<-`; write the ends the other way round, with `->`",
        ),
        (
            "drop tcp $HOME_NTE any -> any 23 (sid:1;)",
            "1:10: sid 1: variable `$HOME_NTE` is not defined; did you mean `HOME_NET`?",
        ),
        (
            "drop tcp [10.0.0.1,!10.0.0.0/8] any -> any 23 (sid:1;)",
            "1:10: sid 1: `[10.0.0.1,!10.0.0.0/8]` is empty: it excludes everything it includes",
        ),
        (
            "drop tcp !any any -> any 23 (sid:1;)",
            "1:10: sid 1: `!any` is empty: it excludes everything it includes",
        ),
        ("drop tcp [] any -> any 23 (sid:1;)", "1:11: sid 1: expected an item, found `]`"),
        ("drop tcp [any any -> any 23 (sid:1;)", "1:15: sid 1: expected `,` or `]`, found `any -> any 23`"),
        (
            "drop tcp any any -> any 23 (mgs:\"x\"; sid:1;)",
            "1:29: sid 1: option `mgs`: unknown keyword `mgs`; did you mean `msg`?",
        ),
        (
            "drop tcp any any -> any 23 (msg:\"a;b\"; sid:1;)",
            "1:33: sid 1: option `msg`: `\"a` is not a text in double quotes; a semicolon inside quotes is written `\\;`, or `|3b|` in a pattern",
        ),
        (
            "drop tcp any any -> any 23 (sid:0;)",
            "1:33: sid 0: option `sid`: `0` is not a number from 1 to 4294967295",
        ),
        ("drop tcp any any -> any 23 (sid:1; sid:2;)", "1:36: sid 1: option `sid`: given twice"),
        ("drop tcp any any -> any 23 (msg:\"x\";)", "1:38: `sid` is missing"),
        ("drop tcp any any -> any 23", "1:27: the options in parentheses is missing"),
    ] {
        let loading = load(rule);
        let told: Vec<String> = loading.refusals.iter().map(ToString::to_string).collect();
        assert_eq!(told, [format!("a.rules:{expected}")], "{rule}");
        assert!(loading.rules.is_empty());
    }
}

#[test]
fn a_bad_rule_is_refused_alone() {
    let loading = load(
        "alert ip any any -> any any (sid:1;)\r\nnonsense\n# off (sid:9;)\ndrop udp any any -> any \\\r\n  53 (sid:2; modbus:function 3;)\nalert icmp any any -> any any (sid:3;)",
    );
    assert_eq!((loading.seen, loading.rules.len()), (4, 2));
    let places: Vec<_> = loading
        .refusals
        .iter()
        .map(|refusal| (refusal.place.line, refusal.place.column, refusal.sid))
        .collect();
    assert_eq!(places, [(2, 1, None), (5, 14, Some(2))]);
    assert_eq!(loading.strict().unwrap_err().len(), 2);
}

#[test]
fn refusals_beyond_the_bound_are_counted() {
    let loading = load("x\n".repeat(100_000));
    assert_eq!((loading.seen, loading.refused, loading.refusals.len()), (100_000, 100_000, policy::TOLD_MAX));
    assert!(loading.strict().is_err());
}

#[test]
fn of_two_rules_with_one_sid_the_higher_revision_stands() {
    let loading = load(
        "alert ip any any -> any any (sid:1; rev:1;)\npass ip any any -> any any (sid:1; rev:2;)\ndrop ip any any -> any any (sid:1; rev:2;)",
    );
    let kept: Vec<String> = loading.rules.iter().map(|loaded| loaded.rule.to_string()).collect();
    assert_eq!(kept, ["pass ip any any -> any any (sid:1; rev:2;)"]);
    assert_eq!(loading.refusals[0].to_string(), "a.rules:3:1: sid 1: sid 1 is already taken at a.rules:2:1");
}

#[test]
fn messages_keep_their_bytes_whatever_their_encoding() {
    let loading = load(b"alert ip any any -> any any (msg:\"caf\xe9 \\\"\\;\\\\\"; sid:1;)\nalert ip any any -> any any (msg:\"caf\xc3\xa9\"; sid:2;)".to_vec());
    let messages: Vec<_> =
        loading.rules.iter().map(|loaded| loaded.rule.about.msg.as_deref().unwrap()).collect();
    assert_eq!(messages, ["caf\u{e9} \";\\", "caf\u{e9}"]);
}

#[test]
fn oversized_text_is_refused_with_a_reason() {
    let long = format!("alert ip any any -> any any (msg:\"{}\"; sid:1;)", "x".repeat(1 << 20));
    assert_eq!(
        load(long).refusals[0].to_string(),
        "a.rules:1:1: the bytes or lines of a rule exceed the limit of 65536"
    );
    let deep = format!("alert ip {}10.0.0.1{} any -> any any (sid:1;)", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(
        load(deep).refusals[0].to_string(),
        "a.rules:1:27: sid 1: lists in lists exceed the limit of 16"
    );
    let wide = format!("alert ip [{}1.1.1.1] any -> any any (sid:1;)", "!$A,".repeat(16_000));
    assert!(load(wide).refusals[0].to_string().contains("variable `$A` is not defined"));
    let items = format!("alert ip any [{}1] -> any any (sid:1;)", "1,".repeat(20_000));
    assert!(load(items).refusals[0].to_string().contains("the items of a list exceed the limit of 16384"));
}

#[test]
fn the_home_net_is_what_the_settings_say() {
    let mut settings = Settings { default_action: DefaultAction::Drop, ..Settings::default() };
    let text = "pass tcp $HOME_NET any -> $EXTERNAL_NET $HTTP_PORTS (sid:1;)";
    let file = RuleFile { name: "a.rules".into(), text: text.into() };
    let outcome = |settings: &Settings, tuple: &FiveTuple| {
        let rules = Loading::new(std::slice::from_ref(&file), settings).strict().unwrap();
        Policy::new(1, Arc::new(rules)).judge(EndpointId(1), tuple).action
    };
    let private = tcp(Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::new(192, 0, 2, 1), 80, 4);
    let public = tcp(Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(192, 0, 2, 1), 80, 4);
    let v6 =
        tcp("2001:db8::1".parse::<Ipv6Addr>().unwrap(), "2001:db8:1::1".parse::<Ipv6Addr>().unwrap(), 80, 6);
    assert_eq!(outcome(&settings, &private), Outcome::Forward);
    assert_eq!(outcome(&settings, &public), Outcome::Drop);
    assert_eq!(outcome(&settings, &v6), Outcome::Drop);
    settings
        .variables
        .set_addresses("HOME_NET", "[192.0.2.0/255.255.255.248, 2001:db8::/48,!192.0.2.1]")
        .unwrap();
    assert_eq!(outcome(&settings, &private), Outcome::Drop);
    assert_eq!(outcome(&settings, &public), Outcome::Forward);
    assert_eq!(outcome(&settings, &v6), Outcome::Forward);
}

#[test]
fn a_feed_stands_behind_a_variable() {
    let mut settings = Settings::default();
    let feed: String =
        (0..100_000).map(|n| format!("198.{}.{}.{}\n", n >> 15, (n >> 7) & 255, (n & 127) * 2)).collect();
    settings.variables.set_feed("BAD", Feed::read(feed.as_bytes()).set);
    settings.variables.set_feed("NONE", Feed::read(b"").set);
    let text = "drop ip any any -> [$BAD,!198.0.0.2] any (sid:1;)\ndrop ip $NONE any -> any any (sid:2;)";
    let loading = Loading::new(&[RuleFile { name: "a.rules".into(), text: text.into() }], &settings);
    assert_eq!(
        loading.refusals[0].to_string(),
        "a.rules:2:9: sid 2: variable `$NONE` cannot be used: `the feed` is empty: it excludes everything it includes"
    );
    let outcome =
        |d| loading.rules.judge(&tcp(Ipv4Addr::LOCALHOST, Ipv4Addr::new(198, 0, 0, d), 80, 4)).action;
    assert_eq!([0, 1, 2, 4].map(outcome), [Outcome::Drop, Outcome::Forward, Outcome::Forward, Outcome::Drop]);
}

/// The warnings of a text, without the file's name.
fn warned(text: &str) -> Vec<String> {
    let loading = load(text);
    loading.warnings.iter().map(|warning| warning.to_string().replace("a.rules:", "")).collect()
}

#[test]
fn a_rule_that_is_never_asked_is_warned_of() {
    let text = "pass tcp $HOME_NET any -> any 1:100 (sid:1;)\n\
                alert tcp 10.1.0.0/16 any -> any [80,90] (sid:2;)\n\
                alert tcp 10.1.0.0/16 any -> any [80,190] (sid:3;)\n\
                alert tcp 10.1.0.0/16 any <> any 80 (sid:4;)\n\
                alert ip 10.1.0.0/16 any -> any 80 (sid:5;)\n\
                drop ip any any <> any any (sid:6;)\n\
                drop tcp-pkt any any <> any 22 (sid:7;)\n";
    let expected = [
        "2:1: sid 2: never asked: `pass` at 1:1 takes every packet of its header first",
        "7:1: sid 7: never asked: `drop` at 6:1 takes every packet of its header first",
    ];
    assert_eq!(warned(text), expected);
}

#[test]
fn known_traps_are_warned_of() {
    for (text, expected) in [
        (
            "pass tcp any any -> any 443 (sid:1;)\nalert tls any any -> any any (sid:2;)",
            "1:1: sid 1: this passes a TCP flow at its first packet, before any rule can look inside; say what of the flow is meant, as in `flow:not_established`",
        ),
        (
            "alert http any any -> any any (http.host; content:\"A.com\"; sid:1;)",
            "1:1: sid 1: `http.host` is in lower case, so a pattern with a capital letter can never match it; use `http.host.raw`, or lower case",
        ),
        (
            "alert tls any any -> any any (tls.sni; content:\"x.com\"; endswith; sid:1;)",
            "1:1: sid 1: without `dotprefix` or a leading dot this also matches names that merely end so, like `evilx.com`",
        ),
        (
            "alert tcp any any -> any any (pcre:\"/a/\"; sid:1;)",
            "1:1: sid 1: with no positive pattern beside it, this expression is tried on every packet that the header lets through",
        ),
        (
            "alert http any any -> any any (http.uri; sid:1;)",
            "1:32: sid 1: nothing is looked for in `http.uri`",
        ),
        (
            "alert ip any any -> any any (sid:1; classtype:odd;)",
            "1:1: sid 1: unknown classtype `odd`: it gets priority 3",
        ),
        (
            "alert ip any any -> any any (sid:1; flowbits:isset,a;)",
            "1:1: sid 1: flowbit `a` is asked for, but no loaded rule sets it",
        ),
        (
            "alert ip any any -> any any (sid:1;)\nalert udp any any -> any any (sid:1; rev:2;)",
            "1:1: sid 1: replaced by revision 2 at a.rules:2:1",
        ),
    ] {
        assert_eq!(warned(text), [expected.replace("a.rules:", "")], "{text}");
    }
}

#[test]
fn what_is_meant_is_not_warned_of() {
    for text in [
        "pass tcp any any -> any 443 (flow:not_established; sid:1;)\nalert tls any any -> any any (sid:2;)",
        "pass tcp any any -> any 443 (sid:1;)\ndrop tcp any any -> any any (sid:2;)",
        "alert tls any any -> any any (tls.sni; dotprefix; content:\".x.com\"; endswith; sid:1;)",
        "alert tls any any -> any any (tls.sni; content:\"x.com\"; bsize:5; endswith; sid:1;)",
        "alert http any any -> any any (http.host; content:\"A\"; nocase; pcre:\"/b/\"; sid:1; classtype:unknown;)",
        "alert ip any any -> any any (sid:1; flowbits:isset,a;)\nalert ip any any -> any any (sid:2; flowbits:set,a;)",
    ] {
        assert_eq!(warned(text), [""; 0], "{text}");
    }
}

#[test]
fn the_order_of_actions_goes_by_action_then_priority_then_place() {
    let text = "alert ip any any -> any any (sid:1;)\nalert ip any any -> any any (sid:2; classtype:trojan-activity;)\n\
                alert ip any any -> any any (sid:3; priority:1;)\ndrop ip any any -> any any (sid:4; priority:9;)\n\
                drop ip any any -> any any (sid:5;)\npass tcp any any -> any any (sid:6;)";
    let settings = Settings { order: Order::Action, ..Settings::default() };
    let loading = Loading::new(&[RuleFile { name: "a".into(), text: text.into() }], &settings);
    let sids: Vec<u32> = loading.rules.iter().map(|loaded| loaded.rule.about.sid).collect();
    assert_eq!(sids, [6, 5, 4, 2, 3, 1]);
    let mut tuple = tcp(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, 80, 4);
    let told = |tuple: &FiveTuple| {
        let judgement = loading.rules.judge(tuple);
        (
            judgement.action,
            judgement.by.map(|rule| rule.0),
            judgement.alerts.iter().map(|rule| rule.0).collect::<Vec<_>>(),
        )
    };
    assert_eq!(told(&tuple), (Outcome::Forward, Some(0), vec![]));
    tuple.protocol = 17;
    assert_eq!(told(&tuple), (Outcome::Drop, Some(1), vec![1, 2, 3, 4, 5]));
}

#[test]
fn an_endpoint_may_have_rules_of_its_own() {
    let rules = |text: &str| Arc::new(load(text).strict().unwrap());
    let policy = Policy::new(3, rules("drop tcp any any -> any any (sid:1;)"))
        .with_tenant(EndpointId(5), rules("alert tcp any any -> any any (sid:2;)"));
    let tuple = tcp(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, 22, 4);
    assert_eq!(policy.judge(EndpointId(4), &tuple).action, Outcome::Drop);
    assert_eq!(policy.judge(EndpointId(5), &tuple).action, Outcome::Forward);
    assert_eq!(policy.generation(), 3);
}

#[test]
fn a_packet_without_ports_matches_no_rule_that_names_ports() {
    let policy = Policy::new(1, Arc::new(load("drop ip any any -> any !443 (sid:1;)").strict().unwrap()));
    let mut tuple = tcp(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST, 80, 4);
    assert_eq!(policy.judge(EndpointId(0), &tuple).action, Outcome::Drop);
    (tuple.source_port, tuple.destination_port) = (0, 0);
    assert_eq!(policy.judge(EndpointId(0), &tuple).action, Outcome::Forward, "a later fragment");
    tuple.protocol = 1;
    assert_eq!(policy.judge(EndpointId(0), &tuple).action, Outcome::Forward, "ICMP");
}

proptest! {
    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let loading = load(noise);
        prop_assert_eq!(loading.rules.len() + loading.refusals.len() + loading.skipped, loading.seen);
    }

    #[test]
    fn a_damaged_rule_is_refused_or_loaded(at in 0usize..90, byte in any::<u8>()) {
        let mut text = br#"drop tcp [10.0.0.0/8,!$HOME_NET] [80,1024:] <> ![::1,any] any (msg:"a\;b"; sid:7; rev:2;)"#.to_vec();
        let at = at % text.len();
        text[at] = byte;
        let loading = load(text);
        prop_assert!(loading.rules.len() + loading.refusals.len() == loading.seen);
    }

    #[test]
    fn what_is_printed_reads_back_the_same(
        action in prop::sample::select(vec!["alert", "pass", "drop"]),
        protocol in prop::sample::select(policy::Protocol::ALL.to_vec()),
        lists in prop::collection::vec(prop::sample::select(vec![
            "any", "10.1.2.3", "$HOME_NET", "!$HOME_NET", "[10.0.0.0/8, !10.1.0.0/16,[fe80::/10,!fe80::1-fe80::9]]", "1.2.3.0/255.255.255.0",
        ]), 2),
        ports in prop::collection::vec(prop::sample::select(vec![
            "any", "80", "!80", ":1023", "1024:", "[1:2, !2,[5,$HTTP_PORTS]]", "$SSH_PORTS",
        ]), 2),
        arrow in prop::sample::select(vec!["->", "<>"]),
        msg in prop::option::of("[ -~äé]{0,20}"),
        sid in 1u32..,
        rev in 0u32..3,
    ) {
        let msg = msg.map(|msg| format!("msg:\"{}\"; ", msg.replace('\\', r"\\").replace('"', r#"\""#).replace(';', r"\;")));
        let rev = if rev == 0 { String::new() } else { format!("rev:{rev};") };
        let text = format!("{action}  {protocol}\t{} {} {arrow} {} {}( {}sid: {sid} ;{rev} )", lists[0], ports[0], lists[1], ports[1], msg.unwrap_or_default());
        let first: Rule = text.parse().unwrap();
        let second: Rule = first.to_string().parse().unwrap();
        prop_assert_eq!(first, second);
    }
}
