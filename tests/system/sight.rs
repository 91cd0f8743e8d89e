//! What a host sees while something is done.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Failed;

use crate::lab::{Lab, wait};
use crate::running::Running;
use crate::trial::run;

/// A ping of the host to itself: once it is captured, so is all that came before it.
const MARK: &str = "icmp6 and dst host ::1";

/// A capture at one host.
pub(crate) struct Sight(PathBuf);

impl Sight {
    /// Capture what a filter of tcpdump lets through at `host` while something is done there or elsewhere.
    pub(crate) fn of(
        (lab, host): (&Lab, &str),
        folder: &Path,
        filter: &str,
        done: impl FnOnce() -> Result<(), Failed>,
    ) -> Result<Self, Failed> {
        let sight = Self(folder.join(format!("{host}.pcap")));
        let _ = fs::remove_file(&sight.0);
        let mut tcpdump =
            lab.within(host, &["tcpdump", "-U", "--immediate-mode", "-Z", "root", "-i", "any", "-w"]);
        let _tcpdump = Running::start(tcpdump.arg(&sight.0).arg(format!("({filter}) or ({MARK})")))?;
        // It has begun when it sees the first mark, and all is seen when it sees one more.
        let mark = || run(&mut lab.within(host, &["ping", "-q", "-c", "1", "::1"]));
        if !wait(|| Ok(mark().is_ok() && sight.packets(MARK).is_ok_and(|marks| marks > 0)))? {
            return Err("tcpdump does not begin".into());
        }
        done()?;
        let marks = sight.packets(MARK)?;
        mark()?;
        match wait(|| Ok(sight.packets(MARK)? > marks))? {
            true => Ok(sight),
            false => Err("tcpdump has ended".into()),
        }
    }

    /// A capture that somebody else made.
    pub(crate) fn at(file: PathBuf) -> Self {
        Self(file)
    }

    /// The lengths of TCP payloads that a filter lets through, in their order, by the port that they come from.
    pub(crate) fn data_by_port(&self, filter: &str) -> Result<BTreeMap<String, Vec<String>>, Failed> {
        let told = run(Command::new("tcpdump").args(["-nn", "-q", "-r"]).arg(&self.0).arg(filter))?;
        let mut ports = BTreeMap::<_, Vec<_>>::new();
        for line in String::from_utf8_lossy(&told.stdout).lines() {
            // … IP 203.0.113.10.40000 > 198.51.100.10.80: tcp 90
            let Some((from, rest)) = line.split_once(" > ") else { continue };
            let port = from.rsplit('.').next().unwrap_or_default();
            let length = rest.rsplit(' ').next().unwrap_or_default();
            ports.entry(port.to_owned()).or_default().push(length.to_owned());
        }
        Ok(ports)
    }

    /// How many packets of it a filter lets through.
    pub(crate) fn packets(&self, filter: &str) -> Result<usize, Failed> {
        let told = run(Command::new("tcpdump").args(["-nn", "-r"]).arg(&self.0).arg(filter))?;
        Ok(told.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count())
    }

    /// Whether these bytes are in it, within one packet.
    pub(crate) fn holds(&self, bytes: &str) -> Result<bool, Failed> {
        Ok(fs::read(&self.0)?.windows(bytes.len()).any(|window| window == bytes.as_bytes()))
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.0
    }
}
