//! What a server sees of a denied name: a handshake of TCP, and not a byte of the client's first flight.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use libtest_mimic::{Failed, Trial};

use crate::lab::{Lab, wait};
use crate::place::root;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![root_test("of_a_denied_name_the_server_sees_nothing_and_an_allowed_one_works", held)]
}

fn held() -> Result<(), Failed> {
    let folder = root().join("target/tests/hold");
    fs::create_dir_all(&folder)?;
    let rules = folder.join("names.rules");
    fs::write(&rules, of_readme("names.rules")?)?;
    let lab = Lab::up("slhold", 4632, &["--appliances=1", &format!("--rules={}", rules.display())])?;
    lab.wait_for(&["healthy"])?;
    let env = String::from_utf8_lossy(&lab.run(&["env"])?.stdout).into_owned();
    let address = env.lines().find_map(|line| line.strip_prefix("export APP_PUBLIC_IPV4="));
    let host = address.ok_or("the lab has no APP_PUBLIC_IPV4")?.trim_matches('\'');
    for line in of_readme("names")?.lines() {
        let words: Vec<_> = line.split_whitespace().skip_while(|word| *word != "exec").collect();
        let worked = lab.command(&words).stdout(Stdio::null()).status()?.success();
        if worked != line.contains("allowed.example") {
            return Err(format!("worked {worked}: {line}").into());
        }
    }
    let _server = server(&lab, &folder)?;
    let up = || curl(&lab, &format!("https://{host}:5201/"), &[]);
    if !wait(up)? {
        return Err("the TLS server does not answer".into());
    }

    let capture = folder.join("server.pcap");
    let words = ["capture", "app", &capture.display().to_string()];
    let _listener = Running(lab.command(&words).stderr(Stdio::null()).spawn()?);
    wait(|| Ok(fs::metadata(&capture).is_ok_and(|file| file.len() > 0)))?;
    for name in ["allowed.example", "denied.example"] {
        let allowed = name.starts_with("allowed");
        let (tls, http) = (format!("https://{name}:5201/"), format!("http://{name}/"));
        let at = [format!("{name}:5201:{host}"), format!("{name}:80:{host}")];
        for (what, worked) in [
            ("a hello of one segment", curl(&lab, &tls, &at)?),
            ("a hello of four segments", hello_of_four(&lab, host, name)?),
            ("a request", curl(&lab, &http, &at)?),
        ] {
            if worked != allowed {
                return Err(format!("{name}, {what}: worked {worked}").into());
            }
        }
    }
    // What the allowed name came with has been captured; what the denied one came with would have been before it.
    wait(|| curl(&lab, &format!("http://{host}/last"), &[]).and_then(|_| holds(&capture, b"/last")))?;
    if !holds(&capture, b"allowed.example")? {
        return Err("the capture does not hold what is allowed".into());
    }
    if holds(&capture, b"denied.example")? {
        return Err(format!("{}: the denied name reached the server", capture.display()).into());
    }
    for figure in ["holds_released_packets_total", "holds_denied_packets_total"] {
        if !wait(|| counted(&lab, figure))? {
            return Err(format!("{figure} stays 0").into());
        }
    }
    Ok(())
}

/// A block of README.md, behind its mark.
fn of_readme(mark: &str) -> Result<String, Failed> {
    let text = fs::read_to_string(root().join("README.md"))?;
    let block =
        text.split_once(&format!("<!-- {mark} -->\n```\n")).and_then(|(_, rest)| rest.split_once("\n```"));
    Ok(block.ok_or_else(|| format!("README.md has no block {mark}"))?.0.to_owned())
}

/// A TLS server on the application's port 5201, with a certificate of its own.
fn server(lab: &Lab, folder: &Path) -> Result<Running, Failed> {
    let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
    let made =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    run(Command::new("openssl")
        .args(made)
        .args(["-subj", "/CN=app.example", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate))?;
    let words = ["openssl", "s_server", "-accept", "5201", "-www", "-quiet", "-key"];
    let mut server = lab.within("app", &words);
    server.arg(&key).arg("-cert").arg(&certificate).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(Running(server.spawn()?))
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

fn holds(capture: &Path, word: &[u8]) -> Result<bool, Failed> {
    Ok(fs::read(capture)?.windows(word.len()).any(|bytes| bytes == word))
}

/// A command that runs until it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
