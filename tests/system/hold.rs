//! What a server sees of a denied name: a handshake of TCP, and not a byte of the client's first flight.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

use crate::lab::{Lab, wait};
use crate::place::{binary, root};
use crate::server;
use crate::sight::Sight;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        root_test("of_a_denied_name_the_server_sees_nothing_and_an_allowed_one_works", || held("")),
        root_test("of_a_denied_name_the_server_sees_nothing_if_every_role_has_a_core", || {
            held("[cores]\nmode = \"pipeline\"\nrx = [0]\nworker = [1]\ntx = [0]\n")
        }),
    ]
}

const RULES: &str = "\
rejectboth tls any any -> any any (tls.sni; content:\"denied.example\"; startswith; endswith; sid:1;)
rejectboth http any any -> any any (http.host; content:\"denied.example\"; startswith; endswith; sid:2;)
";
/// A server, on iperf's port, which the lab's security groups let in.
const PORT: &str = "5201";
/// TCP from a client that carries something.
const DATA: &str = "(tcp dst port 5201 or tcp dst port 80) and \
                    (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) != 0";

fn held(cores: &str) -> Result<(), Failed> {
    let folder = root().join("target/tests/hold");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("names.rules"), RULES)?;
    let config = folder.join("hold.toml");
    fs::write(&config, format!("{cores}[policy]\nrules = [\"names.rules\"]\n"))?;
    let lab = Lab::up("slhold", 4632, &["--appliances=1", &format!("--config={}", config.display())])?;
    lab.wait_for(&["healthy"])?;
    let env = String::from_utf8_lossy(&lab.run(&["env"])?.stdout).into_owned();
    let address = env.lines().find_map(|line| line.strip_prefix("export APP_PUBLIC_IPV4="));
    let host = address.ok_or("the lab has no APP_PUBLIC_IPV4")?.trim_matches('\'');
    let _server = server::tls(&lab, "app", PORT, &folder)?;
    let sent = Sight::of((&lab, "client"), &folder, "tcp", || {
        let allowed = Sight::of((&lab, "app"), &folder, DATA, || ask(&lab, host, "allowed.example"))?;
        if !allowed.holds("allowed.example")? {
            return Err("the capture does not hold what is allowed".into());
        }
        let denied = Sight::of((&lab, "app"), &folder, DATA, || ask(&lab, host, "denied.example"))?;
        match denied.packets(DATA)? {
            0 => Ok(()),
            seen => Err(format!("{seen} packets of a denied name's data reached the server").into()),
        }
    })?;
    for figure in ["holds_released_packets_total", "holds_denied_packets_total"] {
        if !wait(|| counted(&lab, figure))? {
            return Err(format!("{figure} stays 0").into());
        }
    }
    inspected(&sent, &folder)
}

/// `sluice inspect` returns what the client sent in the order in which it sent it, but for all data of a denied name.
fn inspected(sent: &Sight, folder: &Path) -> Result<(), Failed> {
    let returned = folder.join("returned.pcap");
    let mut inspect = Command::new(binary("sluice"));
    inspect
        .args(["inspect", "--encap", "none", "--checksums", "ignore", "--pcap"])
        .arg(sent.file())
        .arg("--out")
        .arg(&returned);
    run(inspect.arg("--rules").arg(folder.join("names.rules")))?;
    let (sent, returned) = (sent.data_by_port(DATA)?, Sight::at(returned).data_by_port(DATA)?);
    if returned.is_empty() {
        return Err("sluice inspect returned nothing".into());
    }
    for (port, lengths) in sent {
        let came = returned.get(&port).cloned().unwrap_or_default();
        if !came.is_empty() && came != lengths {
            return Err(format!("from port {port} came {came:?}, sent was {lengths:?}").into());
        }
    }
    if Sight::at(folder.join("returned.pcap")).holds("denied.example")? {
        return Err("sluice inspect returned a denied name".into());
    }
    Ok(())
}

/// Three clients ask for a name: all get what they ask for, or none.
fn ask(lab: &Lab, host: &str, name: &str) -> Result<(), Failed> {
    let (tls, http) = (format!("https://{name}:{PORT}/"), format!("http://{name}/"));
    let at = [format!("{name}:{PORT}:{host}"), format!("{name}:80:{host}")];
    for (what, worked) in [
        ("a hello of one segment", curl(lab, &tls, &at)?),
        ("a hello of four segments", hello_of_four(lab, host, name)?),
        ("a request", curl(lab, &http, &at)?),
    ] {
        if worked != (name == "allowed.example") {
            return Err(format!("{name}, {what}: worked {worked}").into());
        }
    }
    Ok(())
}

fn curl(lab: &Lab, url: &str, resolve: &[String]) -> Result<bool, Failed> {
    let mut curl = lab.within("client", &["curl", "-sk", "-m", "3", "-o", "/dev/null", url]);
    for at in resolve {
        curl.args(["--resolve", at]);
    }
    Ok(curl.status()?.success())
}

/// A client that offers so many protocols that its hello needs four segments.
fn hello_of_four(lab: &Lab, host: &str, name: &str) -> Result<bool, Failed> {
    let protocols: Vec<_> = (0..380).map(|number| format!("proto{number:06}")).collect();
    let server = format!("{host}:5201");
    let words = ["timeout", "5", "openssl", "s_client", "-connect", &server, "-servername", name, "-alpn"];
    let told = lab.within("client", &words).arg(protocols.join(",")).stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&told.stdout).contains("Server certificate"))
}

/// Whether the appliance has counted any of it; its figures are read anew each second.
fn counted(lab: &Lab, figure: &str) -> Result<bool, Failed> {
    let metrics = run(&mut lab.within("appliance1", &["curl", "-s", "http://127.0.0.1:9100/metrics"]))?;
    let metrics = String::from_utf8_lossy(&metrics.stdout).into_owned();
    let line = metrics.lines().find(|line| line.starts_with(&format!("sluice_core_{figure}{{")));
    Ok(line.is_some_and(|line| !line.ends_with(" 0")))
}
