//! TCP streams: the bytes of a connection in order, as its two ends will read them.
//!
//! ```text
//! segment ─▶ believable? ─▶ same as before? ─▶ in order? ── yes ─▶ [ kept tail | fresh ] ─▶ ready ─▶ consume
//!              │ no           │ no               └ no ─▶ pieces behind a hole ──┘ filled, or acknowledged past
//!              ▼              ▼
//!         dropped, so that the receiver reads what was inspected; when only listening, ignored as it would be
//! ```
//! Why inline reassembly needs to know so little of operating systems: where two of them would read a segment
//! differently, what was seen first stands, and the segment that contradicts it does not reach its receiver (M. Handley,
//! V. Paxson, "Network Intrusion Detection: Evasion, Traffic Normalization, and End-to-End Protocol Semantics"; the
//! tricks are T. Ptacek's and T. Newsham's, "Insertion, Evasion, and Denial of Service"). For that, bytes are kept until
//! their receiver has acknowledged them, also when they have been inspected.
//!
//! Pure: segments and moments go in; no clock, no I/O. Memory comes out of the worker's [`Room`], whose bound holds
//! whatever is sent.

mod bytes;
mod half;
mod room;
mod segment;
mod settings;
mod tcp;

pub use bytes::Ready;
pub use room::{Room, StreamCounts};
pub use segment::Segment;
pub use settings::{AtBound, Settings, Urgent};
pub use tcp::{Misfit, Stream, Taken};
