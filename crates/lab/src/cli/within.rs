//! Commands that act in a namespace of the lab: exec, traffic, logs, capture, fault.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};

use super::Done;
use super::client::Client;
use super::place::Place;
use crate::state::{Instance, InstanceState, State};

/// What can happen to an appliance.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Fault {
    /// Its program is killed and stays dead
    Kill,
    /// Its program is stopped (SIGSTOP); the port stays up
    Freeze,
    /// A frozen program goes on
    Thaw,
    /// Its interface goes down
    Cut,
    /// Its interface comes up
    Mend,
    /// The instance is stopped and started, program and all
    Restart,
}

pub(super) fn exec(place: &Place, name: &str, command: &[String]) -> Done {
    let namespace = namespace(&place.state()?, name)?;
    let error = Command::new("ip").args(["netns", "exec", &namespace]).args(command).exec();
    Err(format!("cannot run ip netns exec {namespace}: {error}").into())
}

pub(super) fn logs(place: &Place, name: &str, follow: bool) -> Done {
    let file = place.log(name);
    if !file.exists() {
        return Err(format!("{} does not exist: nothing called {name} has logged", file.display()).into());
    }
    let mut print = if follow { Command::new("tail") } else { Command::new("cat") };
    if follow {
        print.args(["-n", "+1", "-f"]);
    }
    Err(format!("cannot print {}: {}", file.display(), print.arg(&file).exec()).into())
}

pub(super) fn capture(place: &Place, name: &str, file: &Path, count: Option<u32>) -> Done {
    let namespace = namespace(&place.state()?, name)?;
    let mut tcpdump = Command::new("ip");
    tcpdump
        .args(["netns", "exec", &namespace, "tcpdump", "-i", "eth0", "-U", "-n", "-Z", "root", "-w"])
        .arg(file);
    if let Some(count) = count {
        tcpdump.arg("-c").arg(count.to_string());
    }
    Err(format!("cannot run tcpdump in {namespace}: {}", tcpdump.exec()).into())
}

pub(super) fn fault(place: &Place, fault: Fault, name: &str) -> Done {
    let state = place.state()?;
    let instance = instance(&state, name).ok_or_else(|| unknown(&state, name))?;
    match fault {
        Fault::Kill => signal(instance, Signal::KILL)?,
        Fault::Freeze => signal(instance, Signal::STOP)?,
        Fault::Thaw => signal(instance, Signal::CONT)?,
        Fault::Cut => link(instance, "down")?,
        Fault::Mend => link(instance, "up")?,
        Fault::Restart => {
            let client = Client::of(place)?;
            for action in ["StopInstances", "StartInstances"] {
                client.call(&format!("Version=2016-11-15&Action={action}&InstanceId.1={}", instance.id))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn traffic(place: &Place) -> Done {
    let state = place.state()?;
    let made = place.prerequisites()?;
    let value = |name: &str| {
        made.variables.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default()
    };
    let [app, client] = [namespace(&state, "app")?, namespace(&state, "client")?];
    let ways = [
        ("client", &client, "app", [value("APP_PUBLIC_IPV4"), value("APP_IPV6")]),
        ("app", &app, "client", [value("CLIENT_IPV4"), value("CLIENT_IPV6")]),
    ];
    let mut failed = false;
    for (from, namespace, to, addresses) in &ways {
        for address in addresses {
            let url = if address.contains(':') {
                format!("http://[{address}]/")
            } else {
                format!("http://{address}/")
            };
            let ping = ["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", address];
            let curl = ["curl", "-sS", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}", &url];
            for (what, command) in [("ping", &ping[..]), ("http", &curl[..])] {
                let passed = passes(namespace, command)?;
                failed |= !passed;
                println!(
                    "{what} {from:>6} -> {to:<6} {address:<24} {}",
                    if passed { "passed" } else { "FAILED" }
                );
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn passes(namespace: &str, command: &[&str]) -> Result<bool, String> {
    let mut run = Command::new("ip");
    run.args(["netns", "exec", namespace]).args(command).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(run.status().map_err(|e| format!("cannot run ip: {e}"))?.success())
}

/// The namespace of the client, of an instance by name or id, or of anything else in the lab by the end of its name.
fn namespace(state: &State, name: &str) -> Result<String, String> {
    if let Some(instance) = instance(state, name) {
        return match instance.state {
            InstanceState::Running => Ok(instance.namespace.clone()),
            _ => Err(format!("the instance {name} is not running")),
        };
    }
    let other = state.settings.namespace(name);
    let known = !name.contains('/') && Path::new("/run/netns").join(&other).exists();
    if known { Ok(other) } else { Err(unknown(state, name)) }
}

fn instance<'a>(state: &'a State, name: &str) -> Option<&'a Instance> {
    let mut all = state.instances.values().filter(|i| i.state != InstanceState::Terminated);
    all.find(|i| i.name == name || i.id.as_str() == name)
}

fn unknown(state: &State, name: &str) -> String {
    let names: Vec<&str> = state
        .instances
        .values()
        .filter(|i| i.state != InstanceState::Terminated)
        .map(|i| i.name.as_str())
        .collect();
    format!("nothing in the lab is called {name}; there are client, {}", names.join(", "))
}

/// Sends a signal to every process in the instance.
fn signal(instance: &Instance, signal: Signal) -> Result<(), Box<dyn std::error::Error>> {
    let told = Command::new("ip").args(["netns", "pids", &instance.namespace]).output()?;
    let pids = String::from_utf8_lossy(&told.stdout).into_owned();
    let pids: Vec<Pid> =
        pids.split_whitespace().filter_map(|p| p.parse().ok().and_then(Pid::from_raw)).collect();
    if pids.is_empty() {
        return Err(format!("nothing runs in {}", instance.name).into());
    }
    for pid in pids {
        kill_process(pid, signal)?;
    }
    Ok(())
}

fn link(instance: &Instance, state: &str) -> Result<(), Box<dyn std::error::Error>> {
    let set = Command::new("ip").args(["-n", &instance.namespace, "link", "set", "eth0", state]).status()?;
    if set.success() {
        Ok(())
    } else {
        Err(format!("cannot set the link of {} {state}", instance.name).into())
    }
}
