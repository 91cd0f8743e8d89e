//! What remains of a process that was killed while DPDK ran.
// clippy.toml allows these in tests, but means functions marked as such, not what they share.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, stdin};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use dpdk::{Eal, EalArgs, LogLevel, Memory, Mempool, MempoolSpec};

const CHILD: &str = "SLUICE_TEST_CHILD";
const RUNS: &str = "dpdk runs";

fn free_huge_pages() -> u32 {
    let memory = fs::read_to_string("/proc/meminfo").unwrap();
    let line = memory.lines().find_map(|line| line.strip_prefix("HugePages_Free:")).unwrap();
    line.trim().parse().unwrap()
}

/// Where DPDK keeps what outlives a process, in some of its modes: pages, locks, sockets.
fn files() -> BTreeSet<PathBuf> {
    let directories = ["/dev/hugepages", "/dev/shm", "/run/dpdk", "/tmp/dpdk"];
    let runtime = env::var("XDG_RUNTIME_DIR").map(|directory| format!("{directory}/dpdk"));
    let mut open: Vec<PathBuf> = directories.map(PathBuf::from).into_iter().collect();
    open.extend(runtime.map(PathBuf::from));
    let mut found = BTreeSet::new();
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in entries {
            if path.is_dir() {
                open.push(path.clone());
            }
            found.insert(path);
        }
    }
    found
}

/// The one to be killed: starts DPDK, says so, and waits.
fn child() {
    let memory = if free_huge_pages() >= 32 { Memory::HugePages } else { Memory::Ordinary };
    let args = EalArgs { memory, memory_mb: 32, log_level: LogLevel::Error, ..EalArgs::default() };
    let eal = Eal::init(&args).unwrap();
    let spec = MempoolSpec { name: "doomed".into(), mbufs: 511, cache: 0, data_room: 2176 };
    Mempool::create(&eal, &spec).unwrap();
    println!("{RUNS}");
    stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_killed_process_leaves_no_files_and_the_next_one_starts() {
    if env::var_os(CHILD).is_some() {
        return child();
    }
    let name = "a_killed_process_leaves_no_files_and_the_next_one_starts";
    let before = files();
    for _ in 0..2 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.ends_with(RUNS)), "the child did not start DPDK");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(files(), before);
    }
}
