//! Real clients and names: allowed ones reach their server, of denied ones it sees no byte, rejected ones fail at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::lab::{Lab, wait};
use crate::place::root;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![root_test("real_clients_reach_allowed_names_and_nothing_of_denied_ones_reaches_the_server", names)]
}

const RULES: &str = "\
pass tls any any -> any any (tls.sni; content:\"allowed.example\"; startswith; endswith; sid:1;)
drop tls any any -> any any (msg:\"denied\"; tls.sni; content:\"denied.example\"; startswith; endswith; sid:2;)
reject tls any any -> any any (msg:\"refused\"; tls.sni; content:\"refused.example\"; startswith; endswith; sid:3;)
";
/// Serves one page over TLS, on iperf's port, which the lab's security groups let in. A client that falls silent holds up no other.
const SERVER: &str = "
import http.server, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
server = http.server.ThreadingHTTPServer(('', 5201), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
";
/// TCP to the server that carries something.
const WITH_DATA: &str =
    "tcp dst port 5201 and (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) != 0";
/// Bytes of a capture's head: without more it holds no packet.
const PCAP_HEAD: u64 = 24;

/// A process that ends with its test.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Result<Self, Failed> {
        Ok(Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

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

fn names() -> Result<(), Failed> {
    let folder = root().join("target/tests/clients");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("index.html"), "<p>reached</p>")?;
    let rules = folder.join("names.rules");
    fs::write(&rules, RULES)?;
    let certificate = certificate(&folder)?;
    let lab = Lab::up("slnam", 4641, &["--appliances=1", &format!("--rules={}", rules.display())])?;
    lab.wait_for(&["healthy"])?;
    let env = String::from_utf8_lossy(&lab.run(&["env"])?.stdout).into_owned();
    let address = env.lines().find_map(|line| line.strip_prefix("export APP_PUBLIC_IPV4="));
    let address = address.ok_or("no address")?.trim_matches('\'').to_owned();
    let mut serve = lab.within("app", &["python3", "-c", SERVER]);
    serve.arg(&certificate).current_dir(&folder);
    let _server = Running::start(serve)?;
    let here = ["curl", "-sk", "-o", "/dev/null", "https://127.0.0.1:5201/"];
    if !wait(|| Ok(lab.within("app", &here).status()?.success()))? {
        return Err("no server".into());
    }
    for (what, client) in CLIENTS {
        let seen = seen_at_the_server(&lab, &folder, || match client(&lab, &address, "allowed.example")? {
            true => Ok(()),
            false => Err(format!("{what} does not reach an allowed name").into()),
        })?;
        if !seen {
            return Err(format!("{what}: the capture shows nothing, even of an allowed name").into());
        }
        for name in ["denied.example", "refused.example"] {
            let begun = Instant::now();
            let seen = seen_at_the_server(&lab, &folder, || match client(&lab, &address, name)? {
                true => Err(format!("{what} reaches {name}").into()),
                false => Ok(()),
            })?;
            if seen {
                return Err(format!("{what}: the server saw something of {name}").into());
            }
            let at_once = begun.elapsed() < Duration::from_secs(3);
            // A browser tries again and again.
            if name == "refused.example" && what != "chromium" && !at_once {
                return Err(format!("{what}: {name} took {:?}", begun.elapsed()).into());
            }
        }
    }
    Ok(())
}

/// Whether the server's host gets any data while something is done.
fn seen_at_the_server(
    lab: &Lab,
    folder: &Path,
    done: impl FnOnce() -> Result<(), Failed>,
) -> Result<bool, Failed> {
    let file = folder.join("seen.pcap");
    let _ = fs::remove_file(&file);
    let mut tcpdump =
        lab.within("app", &["tcpdump", "-U", "--immediate-mode", "-Z", "root", "-i", "any", "-w"]);
    tcpdump.arg(&file).arg(WITH_DATA);
    let capture = Running::start(tcpdump)?;
    let size = || fs::metadata(&file).map_or(0, |file| file.len());
    if !wait(|| Ok(size() >= PCAP_HEAD))? {
        return Err("tcpdump does not begin".into());
    }
    done()?;
    drop(capture);
    Ok(size() > PCAP_HEAD)
}

/// A certificate for all names, with its key, that nobody need trust.
fn certificate(folder: &Path) -> Result<PathBuf, Failed> {
    let file = folder.join("server.pem");
    let words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let mut make = Command::new("openssl");
    make.args(words).args(["-subj", "/CN=allowed.example", "-days", "2", "-keyout"]);
    run(make.arg(&file).arg("-out").arg(folder.join("certificate.pem")))?;
    let both = [fs::read(&file)?, fs::read(folder.join("certificate.pem"))?].concat();
    fs::write(&file, both)?;
    Ok(file)
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
    Ok(String::from_utf8_lossy(&page.stdout).contains("<p>reached</p>"))
}
