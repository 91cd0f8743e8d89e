//! The inspector as a worker drives it: one binary, so that all of what the tests share is used by some of them.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

mod allocations;
mod common;
mod fragments;
mod inspector;
mod limits;
mod listening;
mod lists;
mod marks;
#[path = "../recorded/mod.rs"]
mod recorded;
mod reject;
mod rules;
mod scans;
mod suspicion;
mod swaps;
mod talk;
mod tunnels;
