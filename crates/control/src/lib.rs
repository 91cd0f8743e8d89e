//! The small control thread and its neighbours: whatever an appliance does besides moving packets.
//!
//! - [`Host`]: the end of the local lane: ARP, ping and the GWLB's health checks.
//! - [`Health`]: the verdict that the health checks are told.
//! - [`Exporter`], [`MetricsServer`]: figures for Prometheus, every name documented in [`Metric`].
//! - [`EventLog`], [`LogThread`]: alerts and ended flows as JSON lines.
//!
//! Nothing here knows DPDK: frames are bytes, figures are values, time is an argument.
#![forbid(unsafe_code)]

mod checks;
mod eve;
mod events;
mod exporter;
mod health;
mod host;
mod http;
mod learn;
mod log_thread;
mod metric;
mod metrics_server;
mod output;
mod punt;
mod stack;
mod timestamp;

pub use eve::{app_name, flow_id};
pub use events::{EventLog, LogCounts};
pub use exporter::{Exporter, PortReading, Readings, Reloads};
pub use health::{Health, Reason, Vitals};
pub use host::{Host, HostCounts};
pub use learn::{Learner, allow_list};
pub use log_thread::LogThread;
pub use metric::{Kind, Metric};
pub use metrics_server::MetricsServer;
