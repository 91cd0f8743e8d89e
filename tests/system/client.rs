//! Clients of servers on the internet, on the application's host: whether each gets what it asks for.

use std::process::Stdio;

use libtest_mimic::Failed;

use crate::lab::Lab;
use crate::place::root;
use crate::server::PAGE;
use crate::trial::python;

/// What becomes of a page or an answer.
pub(crate) type Reached = Result<bool, Failed>;

/// curl.
pub(crate) fn curl(lab: &Lab, url: &str, more: &[&str]) -> Reached {
    let mut curl = lab.within("app", &["curl", "-sk", "-m", "3", "-o", "/dev/null", url]);
    Ok(curl.args(more).status()?.success())
}

/// What dig says, asked once: an answer, or else what it met with.
pub(crate) fn dig(lab: &Lab, server: &str, name: &str, more: &[&str]) -> Result<String, Failed> {
    let mut dig = lab.within("app", &["dig", &format!("@{server}"), name, "+tries=1", "+time=3"]);
    Ok(String::from_utf8_lossy(&dig.args(more).output()?.stdout).into_owned())
}

/// A client of HTTP/3 whose hello is longer by so many bytes.
pub(crate) fn http3(lab: &Lab, server: &str, name: &str, padding: usize) -> Reached {
    let (python, ask) = (python().display().to_string(), root().join("tests/http3/ask.py"));
    let mut client = lab.within("app", &[&python, &ask.display().to_string(), server, "443", name]);
    Ok(client.arg(padding.to_string()).stderr(Stdio::null()).output()?.stdout.starts_with(PAGE.as_bytes()))
}
