//! The load balancers' data plane: what a Gateway Load Balancer does with packets, flows and targets.
//!
//! ```text
//!  state ──compile──▶ config ──▶ engine ──orders──▶ carrier: one thread for each node
//!   (pure)                         │                   TUN ⇄ node (pure: flows, balance, checks) ⇄ sockets
//!                                  └──────────────▶ checker: schedule (pure) and probes ──health──▶ carrier
//! ```
//! Decisions are made by values that know neither sockets nor a clock; threads own one such value each and are told things
//! through a channel, so there is no lock on a packet's way.

pub mod balance;
mod carrier;
pub mod compile;
pub mod config;
pub mod counters;
pub mod engine;
pub mod flow;
pub mod health;
pub mod node;
pub mod probe;
pub mod report;
pub mod reset;
pub mod schedule;
mod sending;
pub mod switches;
mod tls;
pub mod tun;
