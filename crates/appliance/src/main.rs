//! The binary `sluice`: arguments and wiring. The adapters between `engine` and `dpdk` are in the library beside it.

mod args;
mod check;
mod control;
mod offline;
mod policy_files;
mod reload;
mod rules;
mod run;
mod settings;
mod version;
mod wiring;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// Flow tables lie on huge pages.
#[global_allocator]
static ALLOCATOR: appliance::LargePages = appliance::LargePages;

fn main() -> ExitCode {
    let outcome = match &Arguments::parse().command {
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(args).map_err(Failure::refused),
        Command::Inspect(args) => offline::run(args),
        Command::Rules(args) => rules::run(args).map_err(Failure::refused),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { status, told }) => {
            eprintln!("sluice: {told}");
            ExitCode::from(status)
        }
    }
}

/// How a command ended that did not do what it was asked.
struct Failure {
    status: u8,
    told: String,
}

impl Failure {
    /// What was given cannot be used: a configuration, a rule file.
    fn refused(error: impl Error) -> Self {
        Self { status: 2, told: told(&error) }
    }
}

/// Whatever failed while running.
impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { status: 1, told: told(error.into().as_ref()) }
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
