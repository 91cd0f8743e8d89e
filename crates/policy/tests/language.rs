//! The language of rules: what every keyword means, what is refused and where, and that printing loses nothing.

use std::path::PathBuf;

use policy::{Loading, Rule, RuleFile, Settings, Why};
use proptest::prelude::*;

/// Options, and what they are understood as. Each is read, printed, and read again.
const MEANINGS: &[(&str, &str)] = &[
    // Patterns and their places.
    (
        r#"content:"ab|0D 0a|c"; nocase; depth:9; offset:2;"#,
        r#"pkt_data; content:"ab|0d 0a|c"; nocase; offset:2; depth:9;"#,
    ),
    (
        r#"content:!"a\;\"\\\:"; content : "b" ; distance:-3; within: 7;"#,
        r#"pkt_data; content:!"a|3b 22 5c 3a|"; content:"b"; distance:-3; within:7;"#,
    ),
    (
        r#"content:"abc"; startswith; endswith; fast_pattern;"#,
        r#"pkt_data; content:"abc"; startswith; endswith; fast_pattern;"#,
    ),
    (r#"content:"abc"; fast_pattern:only;"#, r#"pkt_data; content:"abc"; fast_pattern:only;"#),
    (r#"content:"abcdef"; fast_pattern:1,4; rawbytes;"#, r#"pkt_data; content:"abcdef"; fast_pattern:1,4;"#),
    // Buffers, old and new, are one thing.
    (
        r#"http.uri; content:"a"; http.method; content:"GET"; http.uri; content:"b"; distance:0;"#,
        r#"http.uri; content:"a"; content:"b"; distance:0; http.method; content:"GET";"#,
    ),
    (
        r#"content:"a"; http_uri; content:"GET"; http_method; content:"b"; http_uri; distance:0;"#,
        r#"http.uri; content:"a"; content:"b"; distance:0; http.method; content:"GET";"#,
    ),
    (
        r#"content:"a"; content:"b"; http_client_body; nocase;"#,
        r#"pkt_data; content:"a"; http.request_body; content:"b"; nocase;"#,
    ),
    (r#"uricontent:"/a"; nocase; content:"b";"#, r#"http.uri; content:"/a"; nocase; pkt_data; content:"b";"#),
    (
        r#"file_data; content:"a"; pkt_data; content:"b";"#,
        r#"file.data; content:"a"; pkt_data; content:"b";"#,
    ),
    (
        r#"dns_query; content:"a"; tls_sni; content:"b"; ja3_hash; content:"c";"#,
        r#"dns.query; content:"a"; tls.sni; content:"b"; ja3.hash; content:"c";"#,
    ),
    (r#"tls.fingerprint:!"aa:bb";"#, r#"tls.cert_fingerprint; content:!"aa|3a|bb";"#),
    // A buffer that exists several times at once starts anew when it is chosen again.
    (
        r#"tls.certs; content:"a"; tls.certs; content:"b";"#,
        r#"tls.certs; content:"a"; tls.certs; content:"b";"#,
    ),
    (
        r#"http.host; bsize:5; content:"a.com"; urilen:>10; urilen:3<>7,norm;"#,
        r#"http.host; bsize:5; content:"a.com"; http.uri.raw; bsize:>10; http.uri; bsize:3<>7;"#,
    ),
    (r#"http.referer; absent:or_else; content:!"x";"#, r#"http.referer; absent:or_else; content:!"x";"#),
    ("tag:session;", "tag:session,256,packets;"),
    ("tag:host;", "tag:host,256,packets,dst;"),
    ("tag:host,60,seconds,src;", "tag:host,60,seconds,src;"),
    // Transforms make another buffer of it.
    (
        r#"tls.sni; dotprefix; to_lowercase; content:".a.com"; endswith;"#,
        r#"tls.sni; dotprefix; to_lowercase; content:".a.com"; endswith;"#,
    ),
    (
        r#"http.uri; content:"a"; from_base64: offset 6, mode strict; content:"b";"#,
        r#"http.uri; content:"a"; http.uri; from_base64:offset 6, mode strict; content:"b";"#,
    ),
    (
        r#"http.request_body; xor:"0d0ac8ff"; url_decode; pcrexform:"([a-z]+)"; content:"p";"#,
        r#"http.request_body; xor:"0d0ac8ff"; url_decode; pcrexform:"([a-z]+)"; content:"p";"#,
    ),
    // Regular expressions.
    (r#"content:"a"; pcre:"/^x\/y\;[\"z]/Ris";"#, r#"pkt_data; content:"a"; pcre:"/^x\/y\;[\"z]/Ris";"#),
    (r#"pcre:!"/a(?P<n>b)/UiR,flow:n";"#, r#"http.uri; pcre:!"/a(?P<n>b)/Ri,flow:n";"#),
    // Numbers in the payload.
    (
        r#"byte_test:4,!&,0x80,-6,relative,little,string,hex,bitmask 0xff;"#,
        r#"pkt_data; byte_test:4,!&,128,-6,relative,little,string,hex,bitmask 0xff;"#,
    ),
    (
        r#"byte_jump:2,0,little,relative,from_beginning,multiplier 2,align,post_offset -4;"#,
        r#"pkt_data; byte_jump:2,0,relative,little,multiplier 2,align,from_beginning,post_offset -4;"#,
    ),
    (
        r#"byte_extract:1,0,len,relative; content:"a"; within:len; isdataat:!len,relative; byte_math:bytes 1, offset 1, oper *, rvalue len, result two; byte_test:1,>,two,0;"#,
        r#"pkt_data; byte_extract:1,0,len,relative; content:"a"; within:len; isdataat:!len,relative; byte_math:bytes 1,offset 1,oper *,rvalue len,result two; byte_test:1,>,two,0;"#,
    ),
    (
        r#"base64_decode:bytes 12, offset 2, relative; base64_data; content:"x";"#,
        r#"pkt_data; base64_decode:bytes 12,offset 2,relative; base64_data; content:"x";"#,
    ),
    (
        r#"http.user_agent; dataset:isset,ua-seen,type string,load a.csv;"#,
        r#"http.user_agent; dataset:isset,ua-seen,type string,load a.csv;"#,
    ),
    (
        r#"dns.query; datarep:bad, >=, 100, type string, load b.csv;"#,
        r#"dns.query; datarep:bad,>=,100,type string,load b.csv;"#,
    ),
    // The flow.
    (
        "flow:to_server, established,only_stream; flow: no_frag;",
        "flow:established,to_server,only_stream,no_frag;",
    ),
    (
        "stream_size:client,<=,50; flow.pkts:toserver,=10; flow.bytes:either,>3000; flow.age:>60;",
        "stream_size:client,<=,50; flow.pkts:toserver,10; flow.bytes:either,>3000; flow.age:>60;",
    ),
    (
        "flowbits:set,a.b; flowbits:isset,c|d; flowbits:noalert;",
        "flowbits:set,a.b; flowbits:isset,c|d; noalert;",
    ),
    (
        "flowint:n,+,1; flowint:m,notset; flowint:n,>=,m;",
        "flowint:n,+,1; flowint:m,isnotset; flowint:n,>=,m;",
    ),
    (
        "xbits:set, x, track ip_pair, expire 15; hostbits:isset,y; hostbits:unset,z,src;",
        "xbits:set,x,track ip_pair,expire 15; hostbits:isset,y,both; hostbits:unset,z,src;",
    ),
    (
        "threshold: type both , count 3, track  by_dst, seconds 60;",
        "threshold:type both, track by_dst, count 3, seconds 60;",
    ),
    (
        "threshold: type backoff, track by_flow, count 2, multiplier 10;",
        "threshold:type backoff, track by_flow, count 2, multiplier 10;",
    ),
    (
        "detection_filter:track by_src,count 15,seconds 2;",
        "detection_filter:track by_src, count 15, seconds 2;",
    ),
    // The packet.
    (
        "dsize:<=10; ttl:64; id:1; tos:!8; fragoffset:>0; seq:7; ack:0; window:!55;",
        "dsize:<=10; ttl:64; id:1; tos:!8; fragoffset:>0; seq:7; ack:0; window:!55;",
    ),
    (
        "tcp.mss:<536; itype:8<>15; icode: != 0; icmp_id:3; icmp_seq:4; icmpv6.mtu:<1280;",
        "tcp.mss:<536; itype:8<>15; icode:!0; icmp_id:3; icmp_seq:4; icmpv6.mtu:<1280;",
    ),
    (
        "flags:S,12; tcp.flags:+PA; flags:!R; flags:0;",
        "tcp.flags:S,EC; tcp.flags:+PA; tcp.flags:!R; tcp.flags:0;",
    ),
    (
        "ip_proto:!TCP; ip_proto:47; ip_proto:>100; sameip; ipopts:lsrr; fragbits:MD+;",
        "ip_proto:!6; ip_proto:47; ip_proto:>100; sameip; ipopts:lsrr; fragbits:+MD;",
    ),
    (
        "geoip:dst,RU,!cn; geoip:DE; iprep:src,CnC,>,30; iprep:any,Bad,isset;",
        "geoip:dst,RU,!CN; geoip:any,DE; iprep:src,CnC,>,30; iprep:any,Bad,isset;",
    ),
    // The protocol.
    (
        "app-layer-protocol:!tls; app-layer-protocol:failed; app-layer-protocol:http,final;",
        "app-layer-protocol:!tls; app-layer-protocol:failed; app-layer-protocol:http,final;",
    ),
    (
        r#"ssl_state:client_hello|server_hello; ssl_version:!tls1.3,tls1.2; tls.version:!"1.2"; dns.opcode:!0;"#,
        "ssl_state:client_hello|server_hello; ssl_version:!tls1.3,tls1.2; tls.version:!1.2; dns.opcode:!0;",
    ),
    (
        "noalert; alert; prefilter; tag:session,5,packets; asn1:double_overflow, oversize_length 2048;",
        "noalert; alert; prefilter; tag:session,5,packets; asn1:double_overflow, oversize_length 2048;",
    ),
];

#[test]
fn every_keyword_is_understood_and_printed_the_same() {
    for (options, expected) in MEANINGS {
        let first: Rule = format!("alert ip any any -> any any (sid:1; {options})").parse().unwrap();
        assert_eq!(first.to_string(), format!("alert ip any any -> any any (sid:1; {expected})"));
        let second: Rule = first.to_string().parse().unwrap();
        assert_eq!(first, second, "{options}");
    }
}

#[test]
fn what_a_rule_says_of_itself_is_kept() {
    let text = r#"reject tls any any -> any any (msg:"a\"b"; flow:to_server; sid:5; gid:2; rev:3; classtype:misc-attack; priority:2; reference:url,a.b/c,d; reference:cve,2021-1; metadata:k v w, x; metadata:y z; target:src_ip;)"#;
    let rule: Rule = text.parse().unwrap();
    assert_eq!(
        rule.to_string(),
        r#"reject tls any any -> any any (msg:"a\"b"; sid:5; gid:2; rev:3; classtype:misc-attack; priority:2; reference:url,a.b/c,d; reference:cve,2021-1; metadata:k v w, x, y z; target:src_ip; flow:to_server;)"#
    );
    assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule);
}

#[test]
fn an_option_that_is_wrong_is_refused_where_it_is_wrong() {
    for (options, column, expected) in [
        ("flwo:established;", 1, "option `flwo`: unknown keyword `flwo`; did you mean `flow`?"),
        (
            "flow:etsablished;",
            6,
            "option `flow`: `etsablished` is not a word of flow; did you mean `established`?",
        ),
        ("flow:to_server,to_client;", 16, "option `flow`: the words of flow contradict or repeat each other"),
        ("nocase;", 1, "option `nocase`: there is no pattern before it to modify"),
        (r#"content:"a"; nocase; nocase;"#, 22, "option `nocase`: given twice"),
        (r#"content:"a"; nocase:1;"#, 21, "option `nocase`: the keyword takes no value, `1` given"),
        (
            r#"content:"a"; depth:x;"#,
            20,
            "option `depth`: `x` is not a number, or the name of one that stands before it",
        ),
        (r#"content:"abc"; depth:2;"#, 16, "option `depth`: depth is less than the pattern's length"),
        (r#"content:"abc"; within:2;"#, 16, "option `within`: within is less than the pattern's length"),
        (
            r#"content:"a"; offset:1; distance:1;"#,
            24,
            "option `distance`: offset and depth count from the buffer's start, distance and within from the last match: not both",
        ),
        (
            r#"content:"a"; startswith; offset:1;"#,
            26,
            "option `offset`: startswith cannot be combined with offset, depth, distance or within",
        ),
        (
            r#"content:"a"; fast_pattern; content:"b"; fast_pattern;"#,
            41,
            "option `fast_pattern`: a rule has one fast_pattern",
        ),
        (
            r#"content:"abc"; fast_pattern:2,2;"#,
            16,
            "option `fast_pattern`: the piece for fast_pattern reaches beyond the pattern",
        ),
        (r#"content:"a|4|";"#, 11, "option `content`: `|` is not pairs of hexadecimal digits between bars"),
        (r#"content:abc;"#, 9, "option `content`: `abc` is not a pattern in double quotes"),
        (r#"content:"";"#, 10, "option `content`: the pattern is empty"),
        (
            r#"http.uri; content:"a"; http_method;"#,
            24,
            "option `http_method`: after the keyword of a buffer, this older keyword has no pattern to modify",
        ),
        ("http.url;", 1, "option `http.url`: unknown keyword `http.url`; did you mean `http.uri`?"),
        ("http.uri; nocase;", 11, "option `nocase`: there is no pattern before it to modify"),
        ("url_decode;", 1, "option `url_decode`: a transform must follow the keyword of a buffer"),
        (
            "bsize:5;",
            1,
            "option `bsize`: bsize measures a buffer, and none is chosen; dsize measures a packet's payload",
        ),
        (r#"pcre:"/a/Uw";"#, 11, "option `pcre`: `w` is not a flag of a regular expression"),
        (r#"pcre:"/a/UH";"#, 11, "option `pcre`: two flags name a buffer"),
        (r#"pcre:"a";"#, 6, "option `pcre`: `\"a\"` is not an expression `\"/…/flags\"`"),
        (
            "byte_test:9,>,1,0;",
            11,
            "option `byte_test`: a number has 1 to 8 bytes, or up to 23 digits with `string`",
        ),
        ("byte_test:1,~,1,0;", 13, "option `byte_test`: `~` is not one of < <= > >= = & ^"),
        (
            "byte_extract:1,0,len; byte_test:1,>,lne,0;",
            37,
            "option `byte_test`: `lne` is not a number, or the name of one that stands before it; did you mean `len`?",
        ),
        ("dsize:>65535;", 7, "option `dsize`: no number of that field can pass"),
        (
            "dsize:5<>6;",
            7,
            "option `dsize`: `5<>6` is not a comparison with a number that fits the header's field; the ends are not part of the range, so something must fit between them",
        ),
        (
            "threshold:type limit, track by_src, count 1;",
            11,
            "option `threshold`: `type limit, track by_src, count 1` is not `type T, track W, count N, seconds N`",
        ),
        (
            "threshold:type limit, count 0, track by_src, seconds 1;",
            29,
            "option `threshold`: `0` is not a number from 1 to 4294967295",
        ),
        (
            "flowbits:st,a;",
            10,
            "option `flowbits`: `st` is not set, unset, toggle, isset or isnotset; did you mean `set`?",
        ),
        (
            "flowbits:set,a|b;",
            10,
            "option `flowbits`: `set,a|b` is not one name: `|` is for isset and isnotset",
        ),
        ("xbits:set,a;", 7, "option `xbits`: `track` is missing"),
        ("geoip:dst;", 7, "option `geoip`: a country is missing"),
        (
            "app-layer-protocol:tsl;",
            20,
            "option `app-layer-protocol`: `tsl` is not an application protocol; did you mean `tls`?",
        ),
        (
            "ip_proto:banana;",
            10,
            "option `ip_proto`: `banana` is not a protocol's number or name, perhaps after `!`, `<` or `>`",
        ),
        ("priority:0;", 10, "option `priority`: `0` is not a number from 1 to 255"),
        ("flow:established,;", 18, "option `flow`: what stands between the separators is missing"),
    ] {
        let start = "alert ip any any -> any any (sid:1; ";
        let refusal = format!("{start}{options})").parse::<Rule>().unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("rule:1:{}: sid 1: {expected}", start.len() + column),
            "{options}"
        );
    }
}

#[test]
fn of_an_exchange_each_buffer_has_one_way() {
    for (rule, expected) in [
        (r#"=> any any (sid:1; http.uri; content:"a"; http.stat_code; content:"200";)"#, Ok(())),
        (r#"=> any any (sid:1; http.uri; content:"a"; file.data:to_client; content:"b";)"#, Ok(())),
        (r#"=> any any (sid:1; file.data; content:"b";)"#, Err("`file.data:to_client;`")),
        (r#"=> any any (sid:1; http.uri; content:"a"; flow:to_server;)"#, Err("its `flow` names one")),
        (r#"=> any any (sid:1; content:"a";)"#, Err("patterns need a buffer")),
        ("=> any any (sid:1;)", Err("looks into none")),
        (r#"-> any any (sid:1; file.data:to_client; content:"b";)"#, Err("in others `flow` names it")),
        (r#"-> any any (sid:1; pkt_data:to_client; content:"b";)"#, Err("takes no value")),
    ] {
        match (format!("alert http any any {rule}").parse::<Rule>(), expected) {
            (Ok(read), Ok(())) => assert_eq!(read.to_string().parse::<Rule>().unwrap(), read),
            (Err(refusal), Err(expected)) => {
                assert!(refusal.to_string().contains(expected), "{rule}: {refusal}");
            }
            (read, _) => panic!("{rule}: {read:?}"),
        }
    }
}

#[test]
fn a_rule_whose_requirements_are_not_met_is_left_out_unread() {
    let text = "alert ip any any -> any any (sid:1; requires:version >= 8;)
        alert ip any any -> any any (nonsense:1; requires:feature telepathy; sid:2;)
        alert ip any any -> any any (nonsense:1; requires:version >= 8; sid:3;)";
    let file = RuleFile { name: "a".into(), text: text.into() };
    let loading = Loading::new(&[file], &Settings::default());
    assert_eq!((loading.rules.len(), loading.skipped, loading.refused, loading.seen), (1, 1, 1, 3));
}

#[test]
fn a_rule_that_is_read_but_not_judged_is_refused_by_name() {
    for (rule, expected) in [
        ("alert doh2 any any -> any any (sid:1;)", "a:1:7: sid 1: the protocol `doh2` is not supported yet"),
        (
            "alert tcp any any -> any any (sid:1; priority:2; modbus:function 8;)",
            "a:1:50: sid 1: option `modbus`: the keyword `modbus` is not supported yet",
        ),
    ] {
        let file = RuleFile { name: "a".into(), text: rule.into() };
        let loading = Loading::new(&[file], &Settings::default());
        let told: Vec<String> = loading.refusals.iter().map(ToString::to_string).collect();
        assert_eq!(told, [expected]);
    }
}

/// A file of the real rule sets, which stand beside the project, or where `SLUICE_SHARED` says.
fn shared(path: &str) -> Option<Vec<u8>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("SLUICE_SHARED").map_or(beside, PathBuf::from);
    std::fs::read(root.join(path)).ok()
}

fn shared_directory(path: &str) -> Option<Vec<PathBuf>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("SLUICE_SHARED").map_or(beside, PathBuf::from);
    let entries = std::fs::read_dir(root.join(path)).ok()?;
    entries.map(|entry| entry.ok().map(|entry| entry.path())).collect()
}

#[test]
fn the_emerging_threats_set_is_understood_whole_where_it_is_at_hand() {
    let Some(text) = shared("rules/et-open.rules") else {
        eprintln!("rules/et-open.rules is not beside the project: not tried");
        return;
    };
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#")) {
        let line = String::from_utf8_lossy(line);
        let first: Rule = line.parse().unwrap();
        let second: Rule = first.to_string().parse().unwrap();
        assert_eq!(first, second, "{line}");
    }
    assert_eq!(not_read("et-open.rules", text), [""; 0]);
}

/// Refusals of a file's rules that the appliance cannot even read.
fn not_read(name: &str, text: Vec<u8>) -> Vec<String> {
    let file = RuleFile { name: name.into(), text };
    let refusals = Loading::new(&[file], &Settings::default()).refusals;
    let wrong = refusals.iter().filter(|refusal| !matches!(refusal.why, Why::Unsupported(_)));
    wrong.map(ToString::to_string).collect()
}

#[test]
fn what_the_reference_loads_is_understood_where_its_cases_are_at_hand() {
    let Some(cases) = shared_directory("verify/cases") else {
        eprintln!("verify/cases is not beside the project: not tried");
        return;
    };
    for case in cases {
        let text = std::fs::read(case.join("test.rules")).unwrap();
        assert_eq!(not_read(&case.to_string_lossy(), text), [""; 0]);
    }
}

#[test]
fn the_best_practices_of_aws_are_understood_where_they_are_at_hand() {
    for file in ["rules/aws/best-practices.rules", "rules/aws/strict-order.rules"] {
        let Some(text) = shared(file) else {
            eprintln!("{file} is not beside the project: not tried");
            continue;
        };
        // Eight lines of the guide lost their `->` to a word processor.
        for refusal in not_read(file, text) {
            assert!(
                refusal.ends_with("found `→`; did you mean `->`?") || refusal.contains("already taken"),
                "{refusal}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn damaged_options_never_panic(
        which in 0..MEANINGS.len(),
        other in 0..MEANINGS.len(),
        at in any::<prop::sample::Index>(),
        noise in "[ -~]{0,3}",
    ) {
        let (options, more) = (MEANINGS[which].0, MEANINGS[other].0);
        let mut text = format!("alert ip any any -> any any (sid:1; {options} {more})");
        let at = at.index(text.len());
        text.replace_range(at..=at, &noise);
        if let Ok(rule) = text.parse::<Rule>() {
            // What was understood is understood again.
            let again: Rule = rule.to_string().parse().unwrap();
            prop_assert_eq!(rule, again);
        }
    }
}
