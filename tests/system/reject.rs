//! What a client feels of rules: a rejected connection fails at once, a dropped one not before it has waited.

use std::fs;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::lab::Lab;
use crate::place::root;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![root_test("a_reject_rule_makes_curl_fail_at_once_and_a_drop_rule_lets_it_wait", rejected)]
}

const RULES: &str = "\
reject tcp any any -> any 81 (msg:\"refused\"; sid:1;)
drop tcp any any -> any 82 (msg:\"not answered\"; sid:2;)
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
    }
    Ok(())
}
