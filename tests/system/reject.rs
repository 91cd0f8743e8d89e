//! What a client feels of rules: a rejected connection fails at once, a dropped one not before it has waited, one that a rule
//! lets pass is served whatever comes after it; and what the log tells of it.

use std::fs;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::lab::{Lab, wait};
use crate::place::root;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![root_test("a_reject_rule_makes_curl_fail_at_once_and_a_drop_rule_lets_it_wait", rejected)]
}

const RULES: &str = "\
reject tcp any any -> any 81 (msg:\"refused\"; sid:1;)
drop tcp any any -> any 82 (msg:\"not answered\"; sid:2;)
pass http any any -> any 80 (http.uri; content:\"/\"; bsize:1; sid:3;)
drop http any any -> any 80 (msg:\"no other page\"; http.uri; content:\"/\"; startswith; sid:4;)
";
/// curl's exit codes: could not connect, and out of time.
const REFUSED: i32 = 7;
const OUT_OF_TIME: i32 = 28;

fn rejected() -> Result<(), Failed> {
    let folder = root().join("target/tests");
    fs::create_dir_all(&folder)?;
    let rules = folder.join("reject.rules");
    fs::write(&rules, RULES)?;
    let lab = Lab::up("slrej", 4631, &["--appliances=1", &format!("--rules={}", rules.display())])?;
    lab.wait_for(&["healthy"])?;
    let env = String::from_utf8_lossy(&lab.run(&["env"])?.stdout).into_owned();
    let value = |name: &str| {
        let start = format!("export {name}=");
        let found = env.lines().find_map(|line| line.strip_prefix(&start));
        found.map(|value| value.trim_matches('\'').to_owned()).ok_or_else(|| format!("no {name}"))
    };
    for host in [value("APP_PUBLIC_IPV4")?, format!("[{}]", value("APP_IPV6")?)] {
        run(&mut lab
            .within("client", &["curl", "-sS", "-m", "10", "-o", "/dev/null", &format!("http://{host}/")]))?;
        let fails = |tcp_port: u16| -> Result<(Option<i32>, Duration), Failed> {
            let url = format!("http://{host}:{tcp_port}/");
            let begun = Instant::now();
            let ran = lab.within("client", &["curl", "-sS", "-m", "3", "-o", "/dev/null", &url]).output()?;
            Ok((ran.status.code(), begun.elapsed()))
        };
        let (code, took) = fails(81)?;
        if code != Some(REFUSED) || took > Duration::from_secs(2) {
            return Err(format!("{host}: rejected, and curl ended with {code:?} after {took:?}").into());
        }
        let (code, took) = fails(82)?;
        if code != Some(OUT_OF_TIME) {
            return Err(format!("{host}: dropped, and curl ended with {code:?} after {took:?}").into());
        }
        let page = format!("http://{host}/other");
        let other = lab.within("client", &["curl", "-sS", "-m", "3", "-o", "/dev/null", &page]).output()?;
        if other.status.code() != Some(OUT_OF_TIME) {
            return Err(format!("{host}: another page was not dropped: {:?}", other.status).into());
        }
    }
    told(&lab, &value("CLIENT_IPV4")?)
}

/// The alert of a dropped connection names both its ends and the endpoint. (The server's is its address in the VPC.)
fn told(lab: &Lab, client: &str) -> Result<(), Failed> {
    let of_it = |line: &str| {
        serde_json::from_str::<Value>(line).ok().filter(|event| event["alert"]["signature_id"] == 2)
    };
    let mut alerts = Vec::new();
    let found = wait(|| {
        alerts = fs::read_to_string(lab.dir().join("appliance1.events"))?.lines().filter_map(of_it).collect();
        Ok(!alerts.is_empty())
    })?;
    let is_right = |alert: &Value| {
        alert["src_ip"] == client
            && alert["dest_ip"].is_string()
            && alert["dest_port"] == 82
            && alert["gwlb"]["endpoint"].as_str().is_some_and(|endpoint| endpoint.starts_with("vpce-"))
    };
    if found && alerts.iter().any(is_right) { Ok(()) } else { Err(format!("alerts: {alerts:?}").into()) }
}
