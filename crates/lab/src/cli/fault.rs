//! `gwlb-lab fault`: what can go wrong in a real system, by order.

use std::process::{Command, ExitCode};

use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};

use super::client::Client;
use super::place::Place;
use super::within::{instance, unknown};
use super::{Done, reuse};
use crate::plane::Disturbance;
use crate::state::{EndpointState, Id, Instance, State};

/// What can happen.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Fault {
    /// An appliance's program is killed and stays dead
    Kill,
    /// Its program is stopped (SIGSTOP); the port stays up
    Freeze,
    /// A frozen program goes on
    Thaw,
    /// Its interface goes down
    Cut,
    /// Packets and health checks come to it late (--by, in milliseconds; 0 ends it)
    Slow,
    /// An endpoint's device vanishes: nothing may pass then
    Drop,
    /// What was cut, dropped or made slow is whole again
    Mend,
    /// The instance is stopped and started, program and all
    Restart,
    /// The client (or an application server) uses ten five-tuples again and again; each time must be a flow of its own
    Reuse,
}

pub(super) fn fault(place: &Place, fault: Fault, name: &str, by_ms: u32) -> Done {
    let state = place.state()?;
    let found = || instance(&state, name).ok_or_else(|| unknown(&state, name));
    match fault {
        Fault::Kill => signal(found()?, Signal::KILL)?,
        Fault::Freeze => signal(found()?, Signal::STOP)?,
        Fault::Thaw => signal(found()?, Signal::CONT)?,
        Fault::Cut => link(found()?, "down")?,
        Fault::Slow => slow(place, found()?, by_ms)?,
        Fault::Drop => {
            Client::of(place)?.disturb(&Disturbance::Drop { endpoint: endpoint(&state, name)? })?;
        }
        Fault::Mend if endpoint(&state, name).is_ok() => Client::of(place)?.disturb(&Disturbance::Mend)?,
        Fault::Mend => {
            link(found()?, "up")?;
            slow(place, found()?, 0)?;
        }
        Fault::Restart => {
            let (client, id) = (Client::of(place)?, &found()?.id);
            for action in ["StopInstances", "StartInstances"] {
                client.call(&format!("Version=2016-11-15&Action={action}&InstanceId.1={id}"))?;
            }
        }
        Fault::Reuse => return reuse::reuse(place, &state, name),
    }
    Ok(ExitCode::SUCCESS)
}

/// An endpoint by its id, or the only one.
fn endpoint(state: &State, name: &str) -> Result<Id, String> {
    let mut all = state.endpoints.values().filter(|e| e.state == EndpointState::Available).map(|e| &e.id);
    if let Some(id) = all.clone().find(|id| id.as_str() == name) {
        return Ok(id.clone());
    }
    match (name, all.next(), all.next()) {
        ("endpoint", Some(id), None) => Ok(id.clone()),
        ("endpoint", None, _) => Err("there is no endpoint yet; the tutorial's step 2 makes one".to_owned()),
        ("endpoint", ..) => Err("there are several endpoints; name one by its id".to_owned()),
        _ => Err(format!("there is no endpoint {name}")),
    }
}

fn slow(place: &Place, instance: &Instance, by_ms: u32) -> Result<(), String> {
    Client::of(place)?.disturb(&Disturbance::Slow { target: instance.interface.ipv4, by_ms })
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
