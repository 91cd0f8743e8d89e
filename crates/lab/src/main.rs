//! `gwlb-lab`: a Gateway Load Balancer system on this machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    lab::cli::run()
}
