//! Whole-system tests: the binaries as a user runs them, in network namespaces, with traffic of real clients.
//!
//! What a test needs and does not find (root, a tool, cases that are not part of the project) makes it *ignored*: the
//! runner says so and counts it. With `SLUICE_NO_SKIP` set, what only this machine could lack is a failure instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod browser;
mod client;
mod clients;
mod conformance;
mod datagrams;
mod fates;
mod hold;
mod image;
mod inspect;
mod lab;
mod names;
mod page;
mod place;
mod reject;
mod running;
mod server;
mod sight;
mod traffic;
mod trial;
mod truth;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let mut arguments = Arguments::from_args();
    // One at a time: they share two cores, and measure nothing that another may disturb.
    arguments.test_threads.get_or_insert(1);
    let trials = [
        clients::trials(),
        conformance::trials(),
        datagrams::trials(),
        fates::trials(),
        hold::trials(),
        image::trials(),
        inspect::trials(),
        names::trials(),
        page::trials(),
        reject::trials(),
        traffic::trials(),
        truth::trials(),
    ];
    let trials: Vec<Trial> = trials.into_iter().flatten().collect();
    libtest_mimic::run(&arguments, trials).exit();
}
