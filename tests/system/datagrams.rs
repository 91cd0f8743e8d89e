//! Names in DNS and HTTP/3: what is allowed works, by IPv4 and IPv6, over UDP and TCP; of what is denied the server's host gets no datagram.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use libtest_mimic::{Failed, Trial};

use crate::client::{self, Reached};
use crate::lab::Lab;
use crate::place::root;
use crate::server::{self, PAGE};
use crate::sight::Sight;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        root_test("dig_gets_answers_for_allowed_names_and_no_denied_question_reaches_the_server", questions),
        root_test("http_3_reaches_allowed_names_and_of_denied_ones_no_datagram_reaches_the_server", pages),
    ]
}

/// Two names are denied by rules, two by lists; of each, the second is told at once.
const RULES: &str = "\
drop dns any any -> any any (dns.query; content:\"dropped.example\"; startswith; endswith; sid:1;)
reject dns any any -> any any (dns.query; content:\"rejected.example\"; startswith; endswith; sid:2;)
drop quic any any -> any any (quic.sni; content:\"dropped.example\"; startswith; endswith; sid:3;)
reject quic any any -> any any (quic.sni; content:\"rejected.example\"; startswith; endswith; sid:4;)
";
const CONFIG: &str = "\
[policy]
rules = [\"names.rules\"]

[[list]]
name = \"denied\"
file = \"denied.names\"
action = \"deny\"

[[list]]
name = \"refused\"
file = \"refused.names\"
action = \"reject\"
";
const ALLOWED: &str = "allowed.example";
const SILENT: [&str; 2] = ["dropped.example", "denied.example"];
const TOLD: [&str; 2] = ["rejected.example", "refused.example"];
/// The server on the internet, where the lab has it.
const SERVERS: [&str; 2] = ["203.0.113.10", "2001:db8:ffff::10"];
fn questions() -> Result<(), Failed> {
    let folder = root().join("target/tests/questions");
    // AWS does not say whether a GWLB takes an ICMP error under a flow's cookie; here it does.
    let takes_errors = ["--switch=check_inner=false", "--switch=check_udp_port=false"];
    let lab = lab("sldig", 4653, &folder, &takes_errors)?;
    let _server = server::names(&lab, "client", &SERVERS)?;
    for (address, way) in SERVERS.iter().flat_map(|address| [(address, "+notcp"), (address, "+tcp")]) {
        let ask = |name: &str| client::dig(&lab, address, name, &[way]);
        let seen = Sight::of((&lab, "client"), &folder, "dst port 53", || match ask(ALLOWED)? {
            told if told.contains("ANSWER: 1") => Ok(()),
            told => Err(format!("{ALLOWED} at {address} by {way}: {told}").into()),
        })?;
        if !seen.holds("\x07allowed\x07example")? {
            return Err(format!("{address} {way}: the capture does not hold an allowed question").into());
        }
        let seen = Sight::of((&lab, "client"), &folder, "dst port 53", || each_as_it_should(&ask))?;
        let label = |name: &str| seen.holds(name.split('.').next().unwrap_or_default());
        if SILENT.iter().chain(&TOLD).try_fold(false, |any, name| label(name).map(|is| any || is))? {
            return Err(format!("{address} {way}: the server saw a denied question").into());
        }
    }
    Ok(())
}

fn pages() -> Result<(), Failed> {
    let folder = root().join("target/tests/pages");
    let lab = lab("slquic", 4654, &folder, &[])?;
    let _server = server::http3(&lab, "client", "443", &folder)?;
    // A hello of one datagram, and one of several.
    for (address, padding) in SERVERS.iter().zip([0, 3000]) {
        judged(&lab, &folder, &|name| client::http3(&lab, address, name, padding)).map_err(|why| {
            format!("{address}, {padding} bytes of padding: {}", why.message().unwrap_or_default())
        })?;
    }
    judged(&lab, &folder, &|name| chromium(&lab, &folder, name))
        .map_err(|why| format!("Chromium: {}", why.message().unwrap_or_default()).into())
}

/// An allowed name is reached, and of others no datagram is seen. Nobody who speaks QUIC believes an ICMP error.
fn judged(lab: &Lab, folder: &Path, ask: &(dyn Fn(&str) -> Reached + Sync)) -> Result<(), Failed> {
    let quic = "udp dst port 443";
    let seen = Sight::of((lab, "client"), folder, quic, || match ask(ALLOWED)? {
        true => Ok(()),
        false => Err(format!("no {ALLOWED}").into()),
    })?;
    if seen.packets(quic)? == 0 {
        return Err("the capture does not hold what is allowed".into());
    }
    let seen = Sight::of((lab, "client"), folder, quic, || none_is_reached(ask))?;
    match seen.packets(quic)? {
        0 => Ok(()),
        seen => Err(format!("{seen} datagrams of denied names reached the server").into()),
    }
}

/// No denied name is reached, whoever asks for it; all ask at once, since each waits long.
fn none_is_reached(ask: &(dyn Fn(&str) -> Reached + Sync)) -> Result<(), Failed> {
    thread::scope(|scope| {
        let asking = SILENT.into_iter().chain(TOLD).map(|name| (name, scope.spawn(move || ask(name))));
        for (name, asking) in asking.collect::<Vec<_>>() {
            if asking.join().map_err(|_| "a client panicked")?? {
                return Err(format!("{name} is reached").into());
            }
        }
        Ok(())
    })
}

/// No denied name has an answer, and who asks for one that is rejected is told so, the others wait in vain.
fn each_as_it_should(ask: &dyn Fn(&str) -> Result<String, Failed>) -> Result<(), Failed> {
    for name in SILENT.iter().chain(&TOLD) {
        let told = ask(name)?;
        if told.contains("ANSWER") || told.contains("timed out") == TOLD.contains(name) {
            return Err(format!("{name}: {told}").into());
        }
    }
    Ok(())
}

/// Chromium, which is to speak QUIC and nothing else: no server listens for TCP.
fn chromium(lab: &Lab, folder: &Path, name: &str) -> Reached {
    let key = format!(
        "openssl x509 -in {} -pubkey -noout | openssl pkey -pubin -outform der \
                       | openssl dgst -sha256 -binary | base64",
        server::certificate(folder)?.display()
    );
    let key = run(Command::new("sh").args(["-c", &key]))?.stdout;
    let words =
        ["timeout", "30", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-quic"];
    let mut browser = lab.within("app", &words);
    browser.arg(format!("--user-data-dir={}", folder.join(name).display()));
    browser.arg(format!("--ignore-certificate-errors-spki-list={}", String::from_utf8_lossy(&key).trim()));
    browser.arg(format!("--origin-to-force-quic-on={name}:443"));
    browser.arg(format!("--host-resolver-rules=MAP * {}", SERVERS[0]));
    browser.args(["--timeout=8000", "--dump-dom", &format!("https://{name}/")]);
    let page = browser.stderr(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&page.stdout).contains(PAGE))
}

/// A lab of these rules and lists.
fn lab(name: &str, port: u16, folder: &Path, options: &[&str]) -> Result<Lab, Failed> {
    fs::create_dir_all(folder)?;
    let config = folder.join("names.toml");
    let files = [
        ("names.rules", RULES),
        ("names.toml", CONFIG),
        ("denied.names", SILENT[1]),
        ("refused.names", TOLD[1]),
    ];
    for (file, text) in files {
        fs::write(folder.join(file), text)?;
    }
    let config = format!("--config={}", config.display());
    let lab = Lab::up(name, port, &[&["--appliances=1", &config], options].concat())?;
    lab.wait_for(&["healthy"])?;
    Ok(lab)
}
