//! Flows: which packets belong together, how long, and what state they are in. One table per worker, no lock.
//!
//! No clock, no allocation after start, no `unsafe`. [`FlowHasher`] and [`FlowKey`] serve the receive core, which steers
//! by them; [`FlowTable`] the worker.
#![forbid(unsafe_code)]

mod account;
mod candidates;
mod encapsulation;
mod hasher;
mod index;
mod key;
mod moment;
mod record;
mod settings;
mod sighting;
mod state;
mod sweep;
mod table;
mod tally;
mod tick;
mod tracked;

pub use account::{Account, EndReason, Ended};
pub use candidates::{BURST, Candidates, Hint};
pub use encapsulation::{Encapsulation, Wrapping};
pub use hasher::FlowHasher;
pub use key::{Direction, Far, FlowKey, Near};
pub use moment::Moment;
pub use settings::{Midstream, Settings, Timeouts};
pub use sighting::Sighting;
pub use state::FlowState;
pub use table::{FlowTable, NoFlow};
pub use tally::Tally;
pub use tracked::{Change, Course, Tracked};
