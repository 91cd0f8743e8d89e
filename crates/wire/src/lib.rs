//! Headers as checked views: what a GWLB frame is, byte by byte, and how it is turned round.
//!
//! No clock, no allocation, no `unsafe`. A view is made by its `new_checked` only, and a view in hand cannot panic.
#![forbid(unsafe_code)]

mod five_tuple;
mod gwlb;

pub use five_tuple::{Address, FiveTuple};
pub use gwlb::{AttachmentId, EndpointId, FlowCookie, reflect};
