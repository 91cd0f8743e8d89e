//! Text to valid settings: one TOML file, and every error with its file, line, key, value, and what would be right.
//!
//! ```text
//! text ─▶ Document (keys with their places) ─▶ sections ─▶ plan ─▶ Settings
//!             └── problems, all of them, in the order of their lines
//! ```
//! Nothing here reads a file, a clock or the machine: CPUs and huge pages are an argument ([`Machine`]), so `sluice
//! check` on a desk tells what would happen on the instance. Settings have private fields and one constructor, so
//! nothing behind this crate validates again.
#![forbid(unsafe_code)]

mod anomalies;
mod cores;
mod document;
mod eal;
mod events;
mod flow;
mod health;
mod hold;
mod inspection;
mod learn;
mod lists;
mod machine;
mod plan;
mod port;
mod problem;
mod rules;
mod service;
mod settings;
mod tunnel;
mod value;

pub use cores::CoreSettings;
pub use eal::EalSettings;
pub use events::{EventKind, EventOutput, EventSettings, Firewall, Rotation};
pub use flow::{FlowSettings, Midstream, Tunnels};
pub use health::{HealthProtocol, HealthSettings};
pub use hold::{AtHoldBound, HoldSettings};
pub use inspection::{InspectionSettings, SessionsFull, StreamFull};
pub use learn::LearnSettings;
pub use lists::ListSettings;
pub use machine::Machine;
pub use plan::{OVERHEAD, Plan, Pool, Thread};
pub use port::{PortSettings, Profile};
pub use problem::{ConfigError, Problem};
pub use rules::{EndpointSettings, PolicySettings, RunningFlows};
pub use service::ServiceSettings;
pub use settings::Settings;
pub use tunnel::TunnelSettings;
