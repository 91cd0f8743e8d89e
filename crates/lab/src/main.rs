//! `gwlb-lab`: a Gateway Load Balancer system on this machine.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};
use lab::gwlb::config::Switches;
use lab::gwlb::engine::Engine;
use lab::net::{Network, clean, compile};
use lab::state::Settings;
use lab::tutorial::{Parts, whole};
use lab::web::Web;
use serde_json::{Value, json};

/// Where the running lab answers.
const DIRECTORY: &str = "/run/gwlb-lab";

#[derive(Parser)]
#[command(version, about = "A Gateway Load Balancer system on this machine, in network namespaces")]
struct Arguments {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the system and leave it running; leftovers of a killed run are removed first
    Up(Size),
    /// Build the system and stay in the foreground until ended
    Serve(Size),
    /// Tell health, flows and counters
    Status {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Run a command in a namespace: client, app, appliance1 and so on
    Exec {
        /// Where
        name: String,
        /// What
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// End the lab and remove everything it made
    Down,
}

#[derive(clap::Args)]
struct Size {
    /// How many appliances
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=200))]
    appliances: u8,
    /// By what every documented time is divided
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    time_scale: u32,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Verb::Up(size) => up(&size),
        Verb::Serve(size) => serve(&size),
        Verb::Status { json } => status(json),
        Verb::Exec { name, command } => exec(&name, &command),
        Verb::Down => down(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gwlb-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn socket() -> PathBuf {
    PathBuf::from(DIRECTORY).join("control.sock")
}

/// Ask the running lab: one word there, one JSON value back.
fn ask(word: &str) -> std::io::Result<Value> {
    let mut stream = UnixStream::connect(socket())?;
    stream.write_all(word.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

fn up(size: &Size) -> Result<ExitCode, Box<dyn Error>> {
    down()?;
    std::fs::create_dir_all(DIRECTORY)?;
    let log = std::fs::File::create(PathBuf::from(DIRECTORY).join("log"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--appliances", &size.appliances.to_string()]);
    command.args(["--time-scale", &size.time_scale.to_string()]);
    let mut child =
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
    let mut said = String::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_string(&mut said)?;
    }
    if said.trim() != "ready" {
        let log = std::fs::read_to_string(PathBuf::from(DIRECTORY).join("log"))?;
        return Err(format!("the lab did not come up: {}", log.trim()).into());
    }
    println!("up with {} appliances; gwlb-lab status tells how they are", size.appliances);
    Ok(ExitCode::SUCCESS)
}

fn serve(size: &Size) -> Result<ExitCode, Box<dyn Error>> {
    let settings = Settings { time_scale: size.time_scale, ..Settings::default() };
    clean(&settings.prefix)?;
    let namespaces = ["app", "client"].map(|name| settings.namespace(name));
    let (state, parts) = whole(settings, size.appliances);
    let mut network = Network::default();
    network.apply(compile::compile(&state))?;
    let mut engine = Engine::default();
    engine.apply(lab::gwlb::compile::compile(&state, Switches::default()))?;
    let mut servers = Vec::new();
    for namespace in &namespaces {
        servers.push(Web::start(namespace, 80)??);
    }
    std::fs::create_dir_all(DIRECTORY)?;
    let _ = std::fs::remove_file(socket());
    let listener = UnixListener::bind(socket())?;
    println!("ready");
    // who waits for the word reads to the end of our output
    rustix::stdio::dup2_stdout(std::fs::File::open("/dev/null")?)?;
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut word = String::new();
        if stream.read_to_string(&mut word).is_err() {
            continue;
        }
        if word == "down" {
            drop((servers, engine));
            clean(&state.settings.prefix)?;
            let _ = stream.write_all(b"null");
            break;
        }
        let report = serde_json::to_vec(&describe(&engine, &parts))?;
        // who asked may have gone
        let _ = stream.write_all(&report);
    }
    std::fs::remove_file(socket())?;
    Ok(ExitCode::SUCCESS)
}

fn describe(engine: &Engine, parts: &Parts) -> Value {
    let health = |id: &lab::state::Id| engine.health(parts.group.as_str(), id.as_str());
    let named = parts.appliances.iter().enumerate();
    let targets: BTreeMap<_, _> = named.map(|(n, id)| (format!("appliance{}", n + 1), health(id))).collect();
    let nodes: Vec<_> = engine.report(100).into_iter().map(|(_, report)| report).collect();
    json!({ "targets": targets, "nodes": nodes })
}

fn status(as_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let report =
        ask("status").map_err(|error| format!("the lab is not up ({error}); gwlb-lab up builds it"))?;
    if as_json {
        println!("{report}");
        return Ok(ExitCode::SUCCESS);
    }
    for (name, health) in report["targets"].as_object().into_iter().flatten() {
        println!("{name:<14} {}", health.as_str().unwrap_or("unused"));
    }
    for node in report["nodes"].as_array().into_iter().flatten() {
        println!(
            "node {} in {}",
            node["address"].as_str().unwrap_or_default(),
            node["zone"].as_str().unwrap_or_default()
        );
        for (name, count) in
            node["counters"].as_object().into_iter().flatten().filter(|(_, count)| **count != 0)
        {
            println!("  {name:<20} {count}");
        }
        for flow in node["flows"].as_array().into_iter().flatten() {
            println!(
                "  {} {} - {} {} proto {} cookie {} at {}",
                flow["a"]["address"],
                flow["a"]["port"],
                flow["b"]["address"],
                flow["b"]["port"],
                flow["protocol"],
                flow["cookie"],
                flow["target"]
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn exec(name: &str, command: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let namespace = Settings::default().namespace(name);
    let error = Command::new("ip").args(["netns", "exec", &namespace]).args(command).exec();
    Err(format!("cannot run {command:?} in {namespace}: {error}").into())
}

fn down() -> Result<ExitCode, Box<dyn Error>> {
    // no lab answers if none runs or it was killed; then its leftovers are removed by their names
    let _ = ask("down");
    clean(&Settings::default().prefix)?;
    Ok(ExitCode::SUCCESS)
}
