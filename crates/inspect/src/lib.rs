//! How a packet is judged by a policy.
// One file wraps the matching library and says so; everywhere else `unsafe` stays forbidden.
#![deny(unsafe_code)]

pub mod app;
mod burst;
mod detect;
mod drop_reason;
mod event;
mod examiner;
pub mod fragments;
pub mod hold;
mod injections;
mod inspector;
mod judged;
mod learn;
mod limits;
mod losses;
pub mod matcher;
mod mode;
mod packet;
pub mod payload;
pub mod regex;
mod reject;
pub mod stream;
mod table;
mod tenants;
mod truth;
mod verdict;
pub mod witness;

pub use burst::Burst;
pub use detect::{Detector, Outside, Retired, Sought, Successor, Tailor, Uncompiled};
pub use drop_reason::DropReason;
pub use event::{Alert, Cause, Dropped, Event, FlowSoFar, Noticed, Tagged, TransactionEnd};
pub use injections::Injections;
pub use inspector::{Counts, Inspector};
pub use judged::Judged;
pub use learn::learn;
pub use limits::{AtFull, Limits};
pub use losses::{EventKind, Losses};
pub use mode::{AtSwap, Checksums, Mode, Tunnels};
pub use packet::{About, Frame, Packet};
pub use tenants::{Share, TenantCounts, Tenants};
pub use verdict::Verdict;
