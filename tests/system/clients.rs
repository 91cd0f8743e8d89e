//! Real clients and names: allowed ones reach their server, of denied ones it sees no byte, rejected ones fail at once.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::lab::Lab;
use crate::place::root;
use crate::server;
use crate::sight::Sight;
use crate::trial::root_test;

pub(crate) fn trials() -> Vec<Trial> {
    vec![root_test("real_clients_reach_allowed_names_and_nothing_of_denied_ones_reaches_the_server", names)]
}

const RULES: &str = "\
pass tls any any -> any any (tls.sni; content:\"allowed.example\"; startswith; endswith; sid:1;)
drop tls any any -> any any (msg:\"denied\"; tls.sni; content:\"denied.example\"; startswith; endswith; sid:2;)
reject tls any any -> any any (msg:\"refused\"; tls.sni; content:\"refused.example\"; startswith; endswith; sid:3;)
";
/// TCP to the server that carries something.
const WITH_DATA: &str =
    "tcp dst port 5201 and (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) != 0";
/// The beginning of a hello that its segment does not hold whole.
const PART_OF_HELLO: &str = "tcp dst port 5201 and tcp[((tcp[12] & 0xf0) >> 2):2] = 0x1603 and \
                             tcp[((tcp[12] & 0xf0) >> 2) + 3:2] + 5 > \
                             (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2))";

/// A client of which it is known whether it reached a name.
type Client = fn(&Lab, &str, &str) -> Result<bool, Failed>;

const CLIENTS: [(&str, Client); 5] = [
    ("curl", curl),
    ("openssl, TLS 1.2", |lab, address, name| openssl(lab, address, name, &["-tls1_2"])),
    ("openssl, TLS 1.3", |lab, address, name| openssl(lab, address, name, &["-tls1_3"])),
    ("openssl, a hello of several segments", |lab, address, name| {
        let many: Vec<String> = (10..34).map(|nth| format!("{nth}{}", "p".repeat(240))).collect();
        openssl(lab, address, name, &["-alpn", &many.join(",")])
    }),
    ("chromium", chromium),
];

/// Those whose hello needs several segments: Chromium's has a post-quantum key share (X25519MLKEM768).
const LONG: [&str; 2] = ["openssl, a hello of several segments", "chromium"];

fn names() -> Result<(), Failed> {
    let folder = root().join("target/tests/clients");
    fs::create_dir_all(&folder)?;
    let rules = folder.join("names.rules");
    fs::write(&rules, RULES)?;
    let lab = Lab::up("slnam", 4641, &["--appliances=1", &format!("--rules={}", rules.display())])?;
    lab.wait_for(&["healthy"])?;
    let env = String::from_utf8_lossy(&lab.run(&["env"])?.stdout).into_owned();
    let address = env.lines().find_map(|line| line.strip_prefix("export APP_PUBLIC_IPV4="));
    let address = address.ok_or("no address")?.trim_matches('\'').to_owned();
    let _server = server::tls(&lab, "app", "5201", &folder)?;
    for (what, client) in CLIENTS {
        let seen = Sight::of((&lab, "app"), &folder, WITH_DATA, || {
            match client(&lab, &address, "allowed.example")? {
                true => Ok(()),
                false => Err(format!("{what} does not reach an allowed name").into()),
            }
        })?;
        if seen.packets(WITH_DATA)? == 0 {
            return Err(format!("{what}: the capture shows nothing, even of an allowed name").into());
        }
        if LONG.contains(&what) && seen.packets(PART_OF_HELLO)? == 0 {
            return Err(format!("{what}: its hello is one segment, so that nothing is shown").into());
        }
        for name in ["denied.example", "refused.example"] {
            let mut took = Duration::ZERO;
            let seen = Sight::of((&lab, "app"), &folder, WITH_DATA, || {
                let begun = Instant::now();
                let worked = client(&lab, &address, name)?;
                took = begun.elapsed();
                if worked { Err(format!("{what} reaches {name}").into()) } else { Ok(()) }
            })?;
            if seen.packets(WITH_DATA)? > 0 {
                return Err(format!("{what}: the server saw something of {name}").into());
            }
            // A browser tries again and again.
            if name == "refused.example" && what != "chromium" && took > Duration::from_secs(3) {
                return Err(format!("{what}: {name} took {took:?}").into());
            }
        }
    }
    Ok(())
}

fn curl(lab: &Lab, address: &str, name: &str) -> Result<bool, Failed> {
    let resolve = format!("{name}:5201:{address}");
    let url = format!("https://{name}:5201/");
    let words = ["curl", "-sk", "-m", "4", "-o", "/dev/null", "--resolve", &resolve, &url];
    Ok(lab.within("client", &words).status()?.success())
}

fn openssl(lab: &Lab, address: &str, name: &str, more: &[&str]) -> Result<bool, Failed> {
    let to = format!("{address}:5201");
    let mut words = vec!["timeout", "4", "openssl", "s_client", "-brief", "-connect", &to];
    words.extend(["-servername", name]);
    words.extend(more);
    let mut client = lab.within("client", &words);
    Ok(client.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success())
}

fn chromium(lab: &Lab, address: &str, name: &str) -> Result<bool, Failed> {
    let rules = format!("--host-resolver-rules=MAP * {address}");
    let url = format!("https://{name}:5201/");
    let words = ["timeout", "30", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu"];
    let mut browser = lab.within("client", &words);
    browser.args(["--ignore-certificate-errors", &rules, "--timeout=8000", "--dump-dom", &url]);
    let page = browser.stderr(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&page.stdout).contains(server::PAGE))
}
