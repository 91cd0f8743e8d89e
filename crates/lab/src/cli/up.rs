//! `gwlb-lab up`: start the lab in the background and say what it holds.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use super::client::Client;
use super::place::Place;
use super::{Done, Options};

pub(super) fn up(place: &Place, options: &Options) -> Done {
    if let Ok(client) = Client::of(place)
        && client.look("/status").is_ok()
    {
        return Err("a lab is already up here; gwlb-lab status shows it, gwlb-lab down ends it".into());
    }
    super::serve::check_rights(options)?;
    place.make()?;
    let resumed = place.state_file().exists();
    let log = File::create(place.log("lab"))?;
    let mut serve = Command::new(std::env::current_exe()?);
    serve.arg("--dir").arg(place.dir()).arg("serve").args(arguments(options));
    serve.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = serve.spawn()?;
    let mut said = String::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_string(&mut said)?;
    }
    if said.trim() != "ready" {
        child.wait()?;
        let log = std::fs::read_to_string(place.log("lab")).unwrap_or_default();
        return Err(format!("the lab did not come up: {}", log.trim()).into());
    }
    if resumed {
        println!("# resumed as it was; for a new lab: gwlb-lab down, then up");
    }
    for (name, value) in place.prerequisites()?.variables {
        println!("{name}={}", super::env::quoted(&value));
    }
    println!("# up. Next: eval \"$(gwlb-lab env)\", then the tutorial's commands; or gwlb-lab tutorial");
    Ok(ExitCode::SUCCESS)
}

/// The options again, for `serve`.
fn arguments(options: &Options) -> Vec<String> {
    let Options {
        appliances,
        zones,
        time_scale,
        appliance,
        rules,
        config,
        switches,
        strict,
        port,
        region,
        seed,
        prefix,
        no_network,
    } = options;
    let mut all = vec![
        format!("--appliances={appliances}"),
        format!("--zones={zones}"),
        format!("--time-scale={time_scale}"),
        format!("--port={port}"),
        format!("--region={region}"),
        format!("--seed={seed}"),
        format!("--prefix={prefix}"),
    ];
    all.extend(rules.iter().map(|file| format!("--rules={}", file.display())));
    all.extend(config.iter().map(|file| format!("--config={}", file.display())));
    all.extend(appliance.iter().map(|c| format!("--appliance={c}")));
    all.extend(switches.iter().map(|s| format!("--switch={s}")));
    let flags = [(strict, "--strict"), (no_network, "--no-network")];
    all.extend(flags.into_iter().filter(|(on, _)| **on).map(|(_, flag)| flag.to_owned()));
    all
}
