//! How much CPU time the threads of a process had, by Linux's own account.

use std::fs;
use std::io;
use std::time::Duration;

/// One thread's time on a CPU.
#[derive(Clone, Debug)]
pub(crate) struct ThreadTime {
    pub(crate) name: String,
    pub(crate) seconds: f64,
}

/// The threads of process `pid` and how long each has been on a CPU (proc(5): `schedstat`).
pub(crate) fn of(pid: u32) -> io::Result<Vec<ThreadTime>> {
    let mut threads = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = task?.path();
        let name = fs::read_to_string(path.join("comm"))?.trim().to_owned();
        let schedstat = fs::read_to_string(path.join("schedstat"))?;
        threads.push(ThreadTime { name, seconds: on_cpu(&schedstat) });
    }
    Ok(threads)
}

/// The seconds of a `schedstat`: its first field, in nanoseconds.
fn on_cpu(schedstat: &str) -> f64 {
    schedstat.split(' ').next().and_then(|field| field.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

/// How long the calling thread has been on a CPU, in seconds.
pub(crate) fn own() -> io::Result<f64> {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(on_cpu(&schedstat))
}

/// The same, to the nanosecond.
pub(crate) fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec of ours to write to; this clock every Linux has.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The longest time that one of the threads called so had between two looks.
pub(crate) fn busiest(before: &[ThreadTime], after: &[ThreadTime], is_one: impl Fn(&str) -> bool) -> f64 {
    let time = |threads: &[ThreadTime], name: &str| {
        threads.iter().find(|thread| thread.name == name).map_or(0.0, |thread| thread.seconds)
    };
    let names = after.iter().map(|thread| thread.name.as_str()).filter(|name| is_one(name));
    names.map(|name| time(after, name) - time(before, name)).fold(0.0, f64::max)
}
