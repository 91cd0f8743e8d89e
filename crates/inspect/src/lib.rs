//! How a packet is judged by a policy.
#![forbid(unsafe_code)]

mod packet;
mod verdict;

pub use packet::{About, Burst, Frame, Packet};
pub use verdict::{DropReason, Verdict};
