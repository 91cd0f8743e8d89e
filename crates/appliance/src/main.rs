//! The binary `sluice`: arguments, wiring, and the adapters between `engine` and `dpdk`.

mod args;
mod check;
mod control;
mod nic;
mod offline;
mod policy_files;
mod run;
mod settings;
mod version;
mod wiring;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let outcome: Result<(), Box<dyn Error>> = match &Arguments::parse().command {
        Command::Run(args) => run::run(args).map_err(Into::into),
        Command::Check(args) => check::run(args).map_err(Into::into),
        Command::Inspect(args) => offline::run(args).map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sluice: {}", told(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error and what it came from, in one line; a source that the error's own words repeat is not told twice.
fn told(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !line.contains(&words) {
            line = format!("{line}: {words}");
        }
        source = cause.source();
    }
    line
}
