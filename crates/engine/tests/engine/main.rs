//! The engine from outside: whole topologies over real threads.
#![allow(clippy::unwrap_used, reason = "what the tests share may fail as the tests do")]

mod common;
mod hold;
mod line;
mod reload;
mod threads;
mod topology;
mod traffic;
mod turns;
