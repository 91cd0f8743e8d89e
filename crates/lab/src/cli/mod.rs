//! The command `gwlb-lab`.

mod client;
mod conformance;
mod down;
mod env;
mod fault;
mod place;
mod reuse;
mod serve;
mod show;
mod traffic;
mod tutorial;
mod up;
mod within;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use place::Place;

use crate::gwlb::switches::{SwitchError, Switches};

/// How a command ended: its exit code, or a sentence why not.
type Done = Result<ExitCode, Box<dyn Error>>;

#[derive(Parser)]
#[command(version, about = "AWS's Gateway Load Balancer tutorial on this machine, in network namespaces")]
struct Command {
    /// Where the lab keeps its state, logs and files
    #[arg(long, global = true, env = "GWLB_LAB_DIR", default_value = "/run/gwlb-lab")]
    dir: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build what the tutorial supposes is there, leave it running, and print its ids; resumes a lab that was ended
    Up(Options),
    /// The same in the foreground, until SIGTERM or SIGINT
    Serve(Options),
    /// Print shell commands that point the aws command line at the lab: eval "$(gwlb-lab env)"
    Env,
    /// Do the tutorial's steps 1 to 3 without the aws command line
    Tutorial {
        /// Health check every 5 s, two for a change, instead of the defaults
        #[arg(long)]
        quick: bool,
    },
    /// Tell VPCs, routes, targets and flows
    Status {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Run a command in a namespace: client, app, appliance1 and so on, or an instance's id
    Exec {
        /// Where
        name: String,
        /// What
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Send ping and HTTP both ways, IPv4 and IPv6, and say what passed
    Traffic {
        /// And how much passes in a second: by iperf3 if it is installed, else by downloads
        #[arg(long)]
        throughput: bool,
    },
    /// Print the log of the lab, or of an appliance
    Logs {
        /// Whose: lab, appliance1 and so on
        #[arg(default_value = "lab")]
        name: String,
        /// Keep printing
        #[arg(long, short)]
        follow: bool,
    },
    /// Capture packets at a hop into a pcap file, until interrupted
    Capture {
        /// Where: client, app, appliance1 and so on
        name: String,
        /// Into which file
        file: PathBuf,
        /// How many packets at most
        #[arg(long)]
        count: Option<u32>,
    },
    /// Let something go wrong, or end it
    Fault {
        /// What
        #[arg(value_enum)]
        fault: fault::Fault,
        /// With whom: appliance1 and so on; for drop an endpoint, by its id or as `endpoint` if there is one
        name: String,
        /// How late packets come, for slow
        #[arg(long, value_name = "MILLISECONDS", default_value_t = 200)]
        by: u32,
    },
    /// Drive one appliance, in a place of its own, through the rules of GWLB's wire; fails if it breaks one that it must keep
    Conformance {
        /// Run this command (by sh) instead of sluice; LAB_INTERFACE, LAB_ADDRESS and LAB_GATEWAY tell it where it is
        #[arg(long, value_name = "CMD")]
        appliance: Option<String>,
        /// As one JSON object
        #[arg(long)]
        json: bool,
        /// What the names of its two namespaces begin with
        #[arg(long, default_value = "gwlbconf", value_parser = prefix)]
        prefix: String,
    },
    /// End the lab and remove everything it made
    Down,
}

/// How a lab is built.
#[derive(Args, Clone)]
struct Options {
    /// Appliances in all, spread over the zones
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=32))]
    appliances: u32,
    /// Availability zones
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=6))]
    zones: u8,
    /// By what every documented time is divided: health check intervals, deregistration delay, idle timeouts
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    time_scale: u32,
    /// Run this command (by sh) in each appliance's namespace instead of sluice
    #[arg(long, value_name = "CMD")]
    appliance: Option<String>,
    /// Rules for the appliances, in Suricata's syntax; without them everything is forwarded
    #[arg(long, value_name = "FILE", value_parser = existing)]
    rules: Option<PathBuf>,
    /// A configuration for the appliances, over what the lab itself tells them: `[policy]`, `[[list]]`, `[hold]` and so on
    #[arg(long, value_name = "FILE", value_parser = existing)]
    config: Option<PathBuf>,
    /// Decide a point that AWS leaves open otherwise, NAME=true, =false or =number; may come several times
    #[arg(long = "switch", value_name = "NAME=VALUE", value_parser = switch)]
    switches: Vec<String>,
    /// Refuse IPv6 networks in --destination-cidr-block, as EC2 does
    #[arg(long)]
    strict: bool,
    /// The TCP port of the API on 127.0.0.1
    #[arg(long, default_value_t = 4580)]
    port: u16,
    /// The region the lab plays
    #[arg(long, default_value = "us-east-2")]
    region: String,
    /// What ids are made from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What the names of namespaces begin with
    #[arg(long, default_value = "gwlb", value_parser = prefix)]
    prefix: String,
    /// The API alone: no namespaces, no packets, no need to be root
    #[arg(long)]
    no_network: bool,
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let command = Command::parse();
    let place = Place::new(command.dir);
    let done = match command.verb {
        Verb::Up(options) => up::up(&place, &options),
        Verb::Serve(options) => serve::serve(&place, &options),
        Verb::Env => env::env(&place),
        Verb::Tutorial { quick } => tutorial::tutorial(&place, quick),
        Verb::Status { json } => show::status(&place, json),
        Verb::Exec { name, command } => within::exec(&place, &name, &command),
        Verb::Traffic { throughput } => traffic::traffic(&place, throughput),
        Verb::Logs { name, follow } => within::logs(&place, &name, follow),
        Verb::Capture { name, file, count } => within::capture(&place, &name, &file, count),
        Verb::Fault { fault, name, by } => fault::fault(&place, fault, &name, by),
        Verb::Conformance { appliance, json, prefix } => {
            conformance::conformance(&place, appliance.as_deref(), json, &prefix)
        }
        Verb::Down => down::down(&place),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gwlb-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if plain && (1..=12).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("a prefix has 1 to 12 small letters and digits".into())
}

/// A setting of a switch, as it is written.
fn switch(text: &str) -> Result<String, SwitchError> {
    Switches::default().with(text).map(|_| text.to_owned())
}

/// A file that is there, by its whole name: the lab and its appliances run elsewhere.
fn existing(file: &str) -> Result<PathBuf, String> {
    std::fs::canonicalize(file).map_err(|e| e.to_string())
}
