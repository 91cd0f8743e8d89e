//! The small control thread and its neighbours: whatever an appliance does besides moving packets.
//!
//! - [`Host`]: the end of the local lane: ARP, ping and the GWLB's health checks.
//! - [`Health`]: the verdict that the health checks are told.
//!
//! Nothing here knows DPDK: frames are bytes, figures are values, time is an argument.
#![forbid(unsafe_code)]

mod checks;
mod health;
mod host;
mod http;
mod punt;
mod stack;

pub use health::{Health, Reason, Vitals};
pub use host::{Host, HostCounts};
