//! What one rule wants of one buffer: its tests compiled into a program, and the program run over bytes.
//!
//! ```text
//!  policy::BufferTests ─▶ Program ─┐
//!  bytes ─▶ transforms ────────────┼─▶ does it hold? (and if not, which test was the farthest that failed)
//!            Context (per worker) ─┘
//! ```
//! Tests hold in the order written, and a test that is relative counts from where the match before it ended. If it fails,
//! earlier patterns are looked for further on, until one way through all tests is found, or none is left, or the steps are
//! used up: that is counted, and the rule does not match. A program is a pure function of bytes and of the numbers that
//! earlier programs of its rule extracted; data sets alone know more, and are asked last.

mod base64;
mod content;
mod context;
mod field;
mod needle;
mod number;
mod pattern;
mod program;
mod run;
pub mod sets;
mod test;
mod transform;

pub use context::Context;
pub use pattern::fast_pattern;
pub use program::{Program, ProgramError};
pub use transform::Transforms;

#[cfg(test)]
mod tests;
