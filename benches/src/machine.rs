//! On what a run was made, and of what.

use std::fs;
use std::process::Command;

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cpus: usize,
    pub(crate) kernel: String,
    pub(crate) dpdk: String,
    pub(crate) commit: String,
    pub(crate) date: String,
    /// Load average of one minute when the run began: above 0.5 somebody else was at work.
    pub(crate) load: f64,
    pub(crate) command: String,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpuinfo.lines().find_map(|line| {
            line.strip_prefix("model name").map(|rest| rest.trim_start_matches([' ', '\t', ':']))
        });
        let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            cpu: cpu.unwrap_or("unknown").to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: output("uname", &["-r"]),
            dpdk: dpdk::version().to_owned(),
            commit: output("git", &["describe", "--always", "--dirty", "--abbrev=8", "--exclude=*"]),
            date: output("date", &["-u", "+%Y-%m-%d"]),
            load: loads.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
            command: "make bench".to_owned(),
        }
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
