//! Whether a server name is true: one that DNS gave the address for passes, one that is spoofed or missing does not, in the lab and in a
//! capture of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::client;
use crate::lab::{Lab, wait};
use crate::place::{binary, root};
use crate::server;
use crate::sight::Sight;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![root_test("a_name_is_reached_where_dns_says_it_is_and_a_spoofed_or_missing_one_nowhere", truth)]
}

const CONFIG: &str = "\
[policy.anomalies]
name_unresolved = \"reject\"
name_missing = \"reject\"
resolvers = [\"203.0.113.10\"]
grace = 0
";
/// The server on the internet, where the lab has it, and another address of its.
const SERVER: &str = "203.0.113.10";
const ELSEWHERE: &str = "203.0.113.11";
/// What clients of the server send it, over TLS and QUIC.
const HELLOS: &str = "(udp dst port 443) or (tcp dst port 443 and \
                      (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) != 0)";
/// Alerts of the anomalies (README.md, "What is odd").
const ALERTS: [(&str, u64); 2] = [("a spoofed name", 4_200_000_071), ("a missing name", 4_200_000_073)];

fn truth() -> Result<(), Failed> {
    let folder = root().join("target/tests/truth");
    fs::create_dir_all(&folder)?;
    let config = folder.join("truth.toml");
    fs::write(&config, CONFIG)?;
    fs::write(folder.join("resolv.conf"), format!("nameserver {SERVER}\n"))?;
    let lab = Lab::up("sltruth", 4655, &["--appliances=1", &format!("--config={}", config.display())])?;
    lab.wait_for(&["healthy"])?;
    run(&mut lab.within("client", &["ip", "address", "add", &format!("{ELSEWHERE}/24"), "dev", "eth0"]))?;
    let _names = server::names(&lab, "client", &[SERVER])?;
    let _pages = server::tls(&lab, "client", "443", &folder)?;
    let _http3 = server::http3(&lab, "client", "443", &folder)?;
    let sent = Sight::of((&lab, "app"), &folder, "port 443 or port 53", || {
        // Its own resolver asks the server of names, as anybody's does.
        if !resolving(&lab, &folder)? || !client::http3(&lab, SERVER, "true.example", 0)? {
            return Err("a name is not reached where DNS says that it is".into());
        }
        let seen = Sight::of((&lab, "client"), &folder, HELLOS, || spoof(&lab))?;
        match seen.packets(HELLOS)? {
            0 => Ok(()),
            seen => Err(format!("{seen} packets of spoofed or missing names reached the server").into()),
        }
    })?;
    let events = lab.dir().join("appliance1.events");
    for (what, id) in ALERTS {
        if !wait(|| tells(&events, id))? {
            return Err(format!("no alert of {what}").into());
        }
    }
    inspected(&lab, &sent, &folder)
}

/// curl, whose system asks the lab's server of names.
fn resolving(lab: &Lab, folder: &Path) -> client::Reached {
    let script = format!(
        "mount --bind {} /etc/resolv.conf && exec curl -sk4 -m 5 -o /dev/null https://true.example/",
        folder.join("resolv.conf").display()
    );
    Ok(lab.within("app", &["unshare", "--mount", "sh", "-c", &script]).status()?.success())
}

/// Clients that give a name at an address that is another's, or none.
fn spoof(lab: &Lab) -> Result<(), Failed> {
    let elsewhere = format!("true.example:443:{ELSEWHERE}");
    let tries = [
        ("another's address, TLS", client::curl(lab, "https://true.example/", &["--resolve", &elsewhere])?),
        ("another's address, QUIC", client::http3(lab, ELSEWHERE, "true.example", 0)?),
        ("another's address, QUIC, long", client::http3(lab, ELSEWHERE, "true.example", 3000)?),
        ("a name nobody asked for", client::http3(lab, SERVER, "unasked.example", 0)?),
        ("no name, TLS", client::curl(lab, &format!("https://{SERVER}/"), &[])?),
        ("no name, QUIC", client::http3(lab, SERVER, "", 0)?),
    ];
    let reached = tries.iter().find(|(_, reached)| *reached);
    reached.map_or(Ok(()), |(what, _)| Err(format!("{what}: the server is reached").into()))
}

/// The same configuration judges a capture of it the same.
fn inspected(lab: &Lab, sent: &Sight, folder: &Path) -> Result<(), Failed> {
    let told = folder.join("inspected.events");
    let _ = fs::remove_file(&told);
    let mut inspect = Command::new(binary("sluice"));
    inspect.args(["inspect", "--encap", "none", "--checksums", "ignore", "--pcap"]).arg(sent.file());
    run(inspect.arg("--eve").arg(&told).arg("--config").arg(lab.dir().join("appliance1.toml")))?;
    for (what, id) in ALERTS {
        if !tells(&told, id)? {
            return Err(format!("sluice inspect does not tell of {what}").into());
        }
    }
    let told = fs::read_to_string(&told)?;
    let is_of_truth = |line: &&str| line.contains("\"event_type\":\"drop\"") && line.contains(SERVER);
    match told.lines().filter(is_of_truth).find(|line| line.contains("true.example")) {
        None => Ok(()),
        Some(line) => Err(format!("sluice inspect drops what is true: {line}").into()),
    }
}

fn tells(events: &Path, id: u64) -> Result<bool, Failed> {
    let told = fs::read_to_string(events)?;
    Ok(told.contains("\"event_type\":\"alert\"") && told.contains(&format!("\"signature_id\":{id}")))
}
