//! Commands that act in a namespace of the lab: exec, logs, capture.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::Done;
use super::place::Place;
use crate::state::{Instance, InstanceState, State};

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

/// The namespace of the client, of an instance by name or id, or of anything else in the lab by the end of its name.
pub(super) fn namespace(state: &State, name: &str) -> Result<String, String> {
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

pub(super) fn instance<'a>(state: &'a State, name: &str) -> Option<&'a Instance> {
    let mut all = state.instances.values().filter(|i| i.state != InstanceState::Terminated);
    all.find(|i| i.name == name || i.id.as_str() == name)
}

pub(super) fn unknown(state: &State, name: &str) -> String {
    let names: Vec<&str> = state
        .instances
        .values()
        .filter(|i| i.state != InstanceState::Terminated)
        .map(|i| i.name.as_str())
        .collect();
    format!("nothing in the lab is called {name}; there are client, {}", names.join(", "))
}
