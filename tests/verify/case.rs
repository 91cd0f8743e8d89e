//! One case: a capture, rules, and what the reference told.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::Value;

use crate::alert::Alert;

/// A case that takes longer hangs: the slowest takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    /// Its name.
    pub(crate) name: String,
    /// Everything that is copied before it is run.
    files: Vec<PathBuf>,
    capture: String,
    /// The rule file: a name in the copy, or a path.
    rules: PathBuf,
    expected: Vec<Alert>,
}

/// What came of a case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) expected: Vec<Alert>,
    pub(crate) told: Vec<Alert>,
    /// What was said on standard error: refused rules, why a capture is not read.
    pub(crate) said: String,
    took: Duration,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// The same multiset of alerts.
    Agreed,
    /// Not the same, though every rule was loaded and the capture read.
    Differing,
    /// Not the same, and some rule was refused, or the capture.
    Unsupported,
    /// It died or hung.
    Broken,
}

impl Case {
    /// The cases of a folder of folders.
    pub(crate) fn all_of(folder: &Path) -> io::Result<Vec<Self>> {
        let case = |folder: PathBuf| -> io::Result<Self> {
            let files = listed(&folder)?;
            let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
            let capture = files.iter().filter_map(name).find(|name| name.starts_with("input.pcap"));
            let expected = json(&folder.join("expected.json"))?;
            Ok(Self {
                name: name(&folder).unwrap_or_default(),
                capture: capture.unwrap_or_default(),
                rules: "test.rules".into(),
                expected: alerts(&expected["passive"]),
                files,
            })
        };
        listed(folder)?.into_iter().map(case).collect()
    }

    /// The captures of a folder, all judged by one large set of rules.
    pub(crate) fn all_of_et(folder: &Path, rules: &Path) -> io::Result<Vec<Self>> {
        let expected = json(&folder.join("expected.json"))?;
        let case = |(name, expected): (&String, &Value)| Self {
            name: name.clone(),
            files: vec![folder.join(name)],
            capture: name.clone(),
            rules: rules.to_owned(),
            expected: alerts(expected),
        };
        Ok(expected.as_object().into_iter().flatten().map(case).collect())
    }

    /// Run it on a copy, below `scratch`: rules may write files beside themselves.
    pub(crate) fn run(&self, binary: &Path, scratch: &Path) -> Outcome {
        let folder = scratch.join(&self.name);
        self.copy_to(&folder).expect("a case can be copied");
        let said = File::create(folder.join("said")).expect("a case has room for what is said");
        let mut command = Command::new(binary);
        command
            .args(["inspect", "--encap", "none", "--passive", "--eve", "told.json", "--pcap", &self.capture])
            .arg("--rules")
            .arg(&self.rules)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(said);
        let began = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let status = wait(&mut child);
        let read = |name| fs::read(folder.join(name)).unwrap_or_default();
        let said = String::from_utf8_lossy(&read("said")).into_owned();
        let mut told: Vec<Alert> =
            String::from_utf8_lossy(&read("told.json")).lines().filter_map(Alert::of_eve).collect();
        told.sort();
        let expected = self.expected.clone();
        Outcome {
            verdict: judge(&expected, &told, status, &said),
            expected,
            told,
            said,
            took: began.elapsed(),
        }
    }

    fn copy_to(&self, folder: &Path) -> io::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        for file in &self.files {
            fs::copy(file, folder.join(file.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }
}

impl Outcome {
    /// Everything about it, for whoever works on it.
    pub(crate) fn explained(&self) -> String {
        let list = |alerts: &[Alert]| alerts.iter().map(|alert| format!("    {alert}\n")).collect::<String>();
        let Self { verdict, expected, told, said, took } = self;
        format!(
            "{verdict:?} in {took:.1?}\n  expected\n{}  told\n{}  said\n{said}",
            list(expected),
            list(told)
        )
    }

    /// Alerts that the reference told and we did not, and those that we told and it did not.
    pub(crate) fn difference(&self) -> (Vec<Alert>, Vec<Alert>) {
        (without(&self.expected, &self.told), without(&self.told, &self.expected))
    }

    /// By how many packets the places of the same alerts differ at most.
    pub(crate) fn drift(&self) -> u64 {
        let places = self.expected.iter().zip(&self.told);
        let drift = |(expected, told): (&Alert, &Alert)| Some(expected.packet?.abs_diff(told.packet?));
        places.filter_map(drift).max().unwrap_or(0)
    }
}

fn judge(expected: &[Alert], told: &[Alert], status: Option<ExitStatus>, said: &str) -> Verdict {
    match status {
        // A test harness's or an aborting panic, a signal, or no end at all.
        None => return Verdict::Broken,
        Some(status) if status.signal().is_some() || status.code() == Some(101) => return Verdict::Broken,
        Some(_) => {}
    }
    let same = without(expected, told).is_empty() && without(told, expected).is_empty();
    match (same, said.is_empty()) {
        (true, _) => Verdict::Agreed,
        (false, true) => Verdict::Differing,
        (false, false) => Verdict::Unsupported,
    }
}

/// What of `all` is not among `others`, each as often as it is.
fn without(all: &[Alert], others: &[Alert]) -> Vec<Alert> {
    let mut others: Vec<Alert> = others.iter().map(Alert::anywhere).collect();
    let is_left = |alert: &&Alert| {
        let met = others.iter().position(|other| *other == alert.anywhere());
        met.map(|at| others.swap_remove(at)).is_none()
    };
    all.iter().filter(is_left).cloned().collect()
}

/// How a child ended; one that goes on for too long is ended here, and has no end of its own.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let pid = Pid::from_child(child);
    let ends = pidfd_open(pid, PidfdFlags::empty()).expect("a child can be watched");
    let patience = Timespec::try_from(PATIENCE).expect("minutes");
    let ended =
        poll(&mut [PollFd::new(&ends, PollFlags::IN)], Some(&patience)).expect("a child can be awaited");
    if ended == 0 {
        child.kill().expect("a child can be ended");
    }
    let status = child.wait().expect("an ended child has a status");
    (ended > 0).then_some(status)
}

fn alerts(told: &Value) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = told.as_array().into_iter().flatten().map(Alert::expected).collect();
    alerts.sort();
    alerts
}

fn json(path: &Path) -> io::Result<Value> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}
