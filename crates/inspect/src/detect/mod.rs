//! What finds the rules that a packet, a stream or a transaction meets.

mod asking;
mod awaited;
mod compile;
mod compiled;
mod detector;
mod failed;
mod group;
mod marks;
mod outside;
mod packet_test;
mod patterns;
mod prefilter;
mod rule;
mod session;
mod shared;
mod sight;
mod tags;
mod tailor;
mod verdict;
mod worker;

pub(crate) use asking::{Asking, Figures};
pub(crate) use awaited::Awaited;
pub(crate) use compiled::{Compiled, Place};
pub use detector::{Detector, Sought, Uncompiled};
pub use failed::Failed;
pub(crate) use group::Group;
pub(crate) use marks::Marks;
pub use outside::Outside;
pub(crate) use session::{Flight, Session, Sessions};
pub(crate) use shared::Shared;
pub(crate) use sight::{Sight, payload_of};
pub use tailor::Tailor;
pub(crate) use verdict::{Decided, Settled, settle};
pub(crate) use worker::{Tallies, Text, Worker};
