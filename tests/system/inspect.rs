//! `sluice inspect` asked why: which condition of a rule failed, in which packet, and what rules cost.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::place::{binary, root};
use crate::trial::{run, test};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("an_explanation_names_the_first_condition_that_failed_and_its_packet", conditions),
        test("an_explanation_of_a_flow_counts_the_rules_that_were_not_asked", one_flow),
        test("a_capture_is_judged_by_the_rules_of_its_endpoint", endpoint),
        test("a_profile_counts_each_rule_s_checks_and_matches", profile),
    ]
}

/// Each rule, and what is to be said of it.
const RULES: [(&str, &str); 10] = [
    ("alert http any any -> any any (http.uri; content:\"/index\"; sid:1;)", "matched and told"),
    ("alert http any any -> any any (http.uri; content:\"/admin\"; sid:2;)", "was never seen in http.uri"),
    (
        "alert http any any -> any any (http.uri; content:\"/index\"; http.method; content:\"POST\"; sid:3;)",
        "http.method: content:\"POST\"; does not hold",
    ),
    (
        "alert http any any -> any any (http.uri; content:\"/index\"; pcre:\"/x$/\"; sid:4;)",
        "http.uri: pcre:\"/x$/\"; does not hold",
    ),
    (
        "alert http any any -> any any (flowbits:isset,seen; http.uri; content:\"/index\"; sid:5;)",
        "flowbits:isset,seen; does not hold",
    ),
    ("alert tcp any any -> any 443 (sid:6;)", "header: destination port"),
    ("alert tls any any -> any any (tls.sni; content:\"example\"; sid:7;)", "was never seen in tls.sni"),
    (
        "alert http any any -> any any (http.uri; content:\"/index\"; noalert; sid:8;)",
        "by noalert, or because it passes, it is told to nobody",
    ),
    (
        "alert http any any -> any any (http.uri; content:\"/index\"; threshold:type threshold, track by_src, count \
         3, seconds 60; sid:9;)",
        "its threshold kept it from being told",
    ),
    (
        "alert http any any -> any any (http.uri; content:\"/index\"; detection_filter:track by_src, count 3, \
         seconds 60; sid:10;)",
        "not often enough for detection_filter",
    ),
];
/// As those, where a rule passes: it comes before all of them.
const PASSING: [(&str, &str); 2] = [
    ("pass http any any -> any any (http.uri; content:\"/index\"; sid:11;)", "it is told to nobody"),
    ("alert http any any -> any any (http.uri; content:\"/index\"; sid:12;)", "overruled by pass of sid 11"),
];
/// The packet that carries the request.
const REQUEST: u64 = 4;

fn conditions() -> Result<(), Failed> {
    let [_, passing] = rules()?;
    for (nth, (rule, wanted)) in RULES.iter().chain(&PASSING).enumerate() {
        let sid = nth + 1;
        let sid_text = sid.to_string();
        let mut asked = vec!["--explain", &sid_text];
        if nth >= RULES.len() {
            asked.extend(["--rules", &passing]);
        }
        let told = inspect(&asked)?;
        let flow = &told["explain"]["flows"][0];
        let explained = &flow["rules"][0];
        let why = explained["why"].as_str().unwrap_or_default();
        if explained["signature_id"] != sid || !why.contains(wanted) {
            return Err(format!("{rule}\nwanted {wanted:?}, and was told {flow:#}").into());
        }
        let asked = explained["result"] != "unasked";
        if asked && explained["packet"] != REQUEST {
            return Err(format!("{rule}\nis not of packet {REQUEST}: {flow:#}").into());
        }
    }
    let told = inspect(&["--explain", "99"])?;
    assert_eq!(told["explain"]["unknown"][0], "sid 99 is no rule that holds: it was not read, or refused");
    Ok(())
}

fn one_flow() -> Result<(), Failed> {
    let [_, passing] = rules()?;
    let told = inspect(&["--explain", "tcp 192.0.2.7:80 -> 10.0.0.1:40000", "--rules", &passing])?;
    let flow = &told["explain"]["flows"][0];
    assert_eq!((&flow["src_ip"], &flow["src_port"]), (&"10.0.0.1".into(), &40_000.into()), "{flow:#}");
    assert_eq!(
        (&flow["app_proto"], &flow["decided"]["signature_id"]),
        (&"http".into(), &11.into()),
        "{flow:#}"
    );
    assert_eq!((&flow["unasked"]["header: destination port"]), &1, "{flow:#}");
    assert_eq!((&flow["unasked"]["pattern never seen"]), &2, "{flow:#}");
    assert_eq!(flow["rules"].as_array().map(Vec::len), Some(RULES.len() + PASSING.len() - 3));
    // The same flow by the number that its events have.
    let id = flow["flow_id"].to_string();
    assert_eq!(
        inspect(&["--explain", &id, "--rules", &passing])?["explain"]["flows"],
        told["explain"]["flows"]
    );
    let none = inspect(&["--explain", "udp 192.0.2.7:80 -> 10.0.0.1:40000"])?;
    assert_eq!(none["explain"]["flows"].as_array().map(Vec::len), Some(0));
    Ok(())
}

fn endpoint() -> Result<(), Failed> {
    let [rules, _] = rules()?;
    let config = folder()?.join("sluice.toml");
    // What is not GENEVE counts as of endpoint 0.
    let alerts = |endpoint: &str| -> Result<Value, Failed> {
        let port = "[port]\nprofile = \"null\"\naddress = \"10.1.2.11/24\"\n";
        let table = format!("[[endpoint]]\nid = \"{endpoint}\"\nrules = [\"{rules}\"]\norder = \"action\"\n");
        fs::write(&config, format!("{port}{table}"))?;
        let (pcap, mut command) = (folder()?.join("request.pcap"), Command::new(binary("sluice")));
        fs::write(&pcap, capture())?;
        command.args(["inspect", "--json", "--encap", "none", "--passive", "--pcap"]).arg(pcap);
        let ran = run(command.arg("--config").arg(&config))?;
        let told: Value = serde_json::from_slice(&ran.stdout)?;
        Ok(told["alerts"].clone())
    };
    assert_eq!(alerts("vpce-00000000000000000")?, 1, "its own endpoint's rules");
    assert_eq!(alerts("vpce-00000000000000007")?, 0, "another endpoint's rules");
    Ok(())
}

fn profile() -> Result<(), Failed> {
    let told = inspect(&["--profile"])?;
    let rows = told["profile"].as_array().ok_or("no profile")?;
    let row = |sid: u32| rows.iter().find(|row| row["signature_id"] == sid);
    let first = row(1).ok_or("no row of sid 1")?;
    assert_eq!((&first["checks"], &first["matches"]), (&1.into(), &1.into()), "{first:#}");
    let failed = row(3).ok_or("no row of sid 3")?;
    assert_eq!((&failed["checks"], &failed["matches"]), (&1.into(), &0.into()), "{failed:#}");
    assert!(row(2).is_none(), "its pattern is not there, so it was never asked");
    let shares: f64 = rows.iter().filter_map(|row| row["share"].as_f64()).sum();
    assert!((99.0..101.0).contains(&shares), "{shares}");
    let totals: Vec<u64> = rows.iter().filter_map(|row| row["nanoseconds"].as_u64()).collect();
    assert!(totals.is_sorted_by(|a, b| a >= b), "the dearest first: {totals:?}");
    Ok(())
}

/// What `sluice inspect` says of one HTTP request, answered, under the rules.
fn inspect(more: &[&str]) -> Result<Value, Failed> {
    let pcap = folder()?.join("request.pcap");
    fs::write(&pcap, capture())?;
    let [rules, _] = rules()?;
    let mut command = Command::new(binary("sluice"));
    command.args(["inspect", "--json", "--encap", "none", "--checksums", "ignore", "--pcap"]).arg(pcap);
    let ran = run(command.arg("--rules").arg(rules).args(more))?;
    Ok(serde_json::from_slice(&ran.stdout)?)
}

fn rules() -> Result<[String; 2], Failed> {
    let folder = folder()?;
    let (all, passing) = (folder.join("asked.rules"), folder.join("passing.rules"));
    fs::write(&all, RULES.map(|(rule, _)| rule).join("\n"))?;
    fs::write(&passing, PASSING.map(|(rule, _)| rule).join("\n"))?;
    Ok([all, passing].map(|path| path.display().to_string()))
}

fn folder() -> Result<PathBuf, Failed> {
    let folder = root().join("target/tests/inspect");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

const SYN: u8 = 2;
const ACK: u8 = 16;
const PSH_ACK: u8 = 24;

/// A handshake, a request and its answer, as raw IP; checksums as where a network card fills them in.
fn capture() -> Vec<u8> {
    let request = b"GET /index.html HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let (asked, answered) = (101 + u32::from(len(request)), 501 + u32::from(len(answer)));
    let packets = [
        packet(true, SYN, (100, 0), &[]),
        packet(false, SYN | ACK, (500, 101), &[]),
        packet(true, ACK, (101, 501), &[]),
        packet(true, PSH_ACK, (101, 501), request),
        packet(false, PSH_ACK, (501, asked), answer),
        packet(true, ACK, (asked, answered), &[]),
    ];
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend(word.to_le_bytes());
    }
    for (nth, packet) in (1u32..).zip(&packets) {
        let length = u32::from(len(packet));
        for word in [nth, 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

fn packet(by_client: bool, flags: u8, (sequence, acknowledgment): (u32, u32), payload: &[u8]) -> Vec<u8> {
    let mut ends = [([10, 0, 0, 1], 40_000_u16), ([192, 0, 2, 7], 80)];
    if !by_client {
        ends.reverse();
    }
    let [(source, source_port), (destination, destination_port)] = ends;
    let length = 40 + len(payload);
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(source);
    packet.extend(destination);
    packet.extend(source_port.to_be_bytes());
    packet.extend(destination_port.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(acknowledgment.to_be_bytes());
    packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

fn len(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).expect("what a test sends is short")
}
