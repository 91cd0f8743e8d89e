//! How a packet is judged by a policy.
#![forbid(unsafe_code)]

mod drop_reason;
mod learn;
mod packet;
mod verdict;

pub use drop_reason::DropReason;
pub use learn::learn;
pub use packet::{About, Burst, Frame, Packet};
pub use verdict::Verdict;
