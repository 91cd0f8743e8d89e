//! `gwlb-lab conformance`, with an appliance that keeps the rules and with one that does not.

use std::process::Command;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::place::binary;
use crate::trial::root_test;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        root_test("sluice_keeps_every_rule_of_the_conformance_bench", kept),
        root_test("the_conformance_bench_finds_what_a_udp_echo_server_does_wrong", broken),
    ]
}

fn judge(prefix: &str, options: &[&str]) -> Result<(Option<i32>, Value), Failed> {
    let dir = format!("/run/sluice-test-{prefix}");
    let mut command = Command::new(binary("gwlb-lab"));
    command.args(["--dir", &dir, "conformance", "--json", "--prefix", prefix]).args(options);
    let output = command.output()?;
    let _ = std::fs::remove_dir_all(&dir);
    let told = serde_json::from_slice(&output.stdout);
    Ok((output.status.code(), told.map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?))
}

/// The rules that were broken, each with what was seen.
fn of_broken(told: &Value) -> Vec<(&str, &str)> {
    let rules = told["rules"].as_array().into_iter().flatten();
    rules.filter_map(|r| Some((r["rule"].as_str()?, r["broken"].as_str()?))).collect()
}

fn kept() -> Result<(), Failed> {
    let (code, told) = judge("sconf", &[])?;
    assert_eq!(of_broken(&told), []);
    assert!(told["kept"].as_u64() >= Some(60), "{told}");
    assert_eq!(code, Some(0));
    Ok(())
}

/// It answers to whence a packet came, as a server does, and returns whatever comes.
const ECHO: &str = "ip address add $LAB_ADDRESS dev $LAB_INTERFACE && exec python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((\"\", 6081))
while True:
    data, peer = s.recvfrom(65535)
    if peer[1]: s.sendto(data, peer)
'";

fn broken() -> Result<(), Failed> {
    let (code, told) = judge("sconfecho", &["--appliance", ECHO])?;
    let broken = of_broken(&told);
    let why = |rule: &str| broken.iter().find(|(name, _)| *name == rule).map(|(_, why)| *why);
    assert_eq!(why("udp ports are not swapped"), Some("the pair of udp ports is 17c1c3cb, not c3cb17c1"));
    assert_eq!(why("an unknown critical option is dropped"), Some("it came back"));
    assert!(why("a TCP health check passes").is_some_and(|why| why.contains("refused")), "{broken:?}");
    for good in ["ARP for its address is answered", "the GENEVE header comes back to the byte", "inner IPv6"]
    {
        assert_eq!(why(good), None, "{good}");
    }
    assert_eq!(code, Some(1));
    Ok(())
}
