//! Flows: which packets belong together, how long, and what state they are in. One table per worker, no lock.
#![forbid(unsafe_code)]

mod key;
mod moment;

pub use key::{Direction, FlowKey};
pub use moment::Moment;
