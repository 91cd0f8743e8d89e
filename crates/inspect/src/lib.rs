//! How a packet is judged by a policy.
#![forbid(unsafe_code)]

pub mod app;
mod drop_reason;
mod event;
mod inspector;
mod judged;
mod learn;
mod packet;
mod verdict;

pub use drop_reason::DropReason;
pub use event::{Alert, Event};
pub use inspector::{Counts, Inspector};
pub use judged::Judged;
pub use learn::learn;
pub use packet::{About, Burst, Frame, Packet};
/// What an [`Inspector`] judges by: whoever moves inspectors about need not know more of it.
pub use policy::Policy;
pub use verdict::Verdict;
