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

mod cores;
mod document;
mod machine;
mod plan;
mod port;
mod problem;
mod sections;
mod settings;
mod value;

pub use cores::CoreSettings;
pub use machine::Machine;
pub use plan::{OVERHEAD, Plan, Pool, Thread};
pub use port::{PortSettings, Profile};
pub use problem::{ConfigError, Problem};
pub use sections::{
    EalSettings, EventOutput, FlowSettings, HealthProtocol, HealthSettings, Midstream, PolicySettings,
    ServiceSettings, TunnelSettings,
};
pub use settings::Settings;
