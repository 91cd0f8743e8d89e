//! Servers of names, of pages over TLS and of pages over QUIC, in one of the lab's namespaces.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Failed;

use crate::lab::{Lab, wait};
use crate::place::root;
use crate::running::Running;
use crate::trial::{python, run};

/// What every page is.
pub(crate) const PAGE: &str = "<p>reached</p>";

/// Serves one page over TLS, by IPv4 and IPv6. A client that falls silent holds up no other.
const PAGES: &str = "
import http.server, socket, ssl, sys
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
server = Server(('::', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
";

/// A page over TLS.
pub(crate) fn tls(lab: &Lab, host: &str, port: &str, folder: &Path) -> Result<Running, Failed> {
    fs::write(folder.join("index.html"), PAGE)?;
    let mut serve = lab.within(host, &["python3", "-c", PAGES, port]);
    let server = Running::start(serve.arg(certificate(folder)?).current_dir(folder))?;
    let url = format!("https://127.0.0.1:{port}/");
    answers(lab, host, &["curl", "-sk", "-o", "/dev/null", &url])?;
    Ok(server)
}

/// The same page over HTTP/3.
pub(crate) fn http3(lab: &Lab, host: &str, port: &str, folder: &Path) -> Result<Running, Failed> {
    let mut serve = lab.within(host, &[&python().display().to_string()]);
    serve.arg(root().join("tests/http3/serve.py")).arg(port).arg(certificate(folder)?);
    let server = Running::start(&mut serve)?;
    let ask = root().join("tests/http3/ask.py").display().to_string();
    answers(lab, host, &[&python().display().to_string(), &ask, "127.0.0.1", port, "here.example"])?;
    Ok(server)
}

/// A server of names: whatever is asked for below `example` is at both addresses.
pub(crate) fn names(lab: &Lab, host: &str, addresses: &[&str]) -> Result<Running, Failed> {
    let mut serve =
        lab.within(host, &["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root"]);
    serve.args(["--no-resolv", "--no-hosts"]);
    serve.args(addresses.iter().map(|address| format!("--address=/example/{address}")));
    let server = Running::start(&mut serve)?;
    answers(lab, host, &["dig", "@127.0.0.1", "here.example", "+tries=1", "+time=1"])?;
    Ok(server)
}

/// A certificate for all names, with its key behind it, that nobody need trust; made once for a folder.
pub(crate) fn certificate(folder: &Path) -> Result<PathBuf, Failed> {
    let [both, key, certificate] = ["server.pem", "key.pem", "certificate.pem"].map(|name| folder.join(name));
    if !both.exists() {
        let words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let mut make = Command::new("openssl");
        make.args(words).args(["-subj", "/CN=allowed.example", "-days", "2", "-keyout"]);
        run(make.arg(&key).arg("-out").arg(&certificate))?;
        fs::write(&both, [fs::read(&certificate)?, fs::read(&key)?].concat())?;
    }
    Ok(both)
}

fn answers(lab: &Lab, host: &str, words: &[&str]) -> Result<(), Failed> {
    match wait(|| Ok(lab.within(host, words).output()?.status.success()))? {
        true => Ok(()),
        false => Err(format!("no server: {words:?}").into()),
    }
}
