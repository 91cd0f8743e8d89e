//! What finds the rules that a packet, a stream or a transaction meets.

mod detector;

pub use detector::Detector;
