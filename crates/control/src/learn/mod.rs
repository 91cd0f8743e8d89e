//! Learning mode: the names that were asked for become the smallest list that allows them.
//!
//! ```text
//! transactions, on the log's thread ─▶ names by endpoint, so many at most ─▶ domains ─▶ a file for `[[list]]`
//! ```

mod allow_list;
mod learner;

pub use allow_list::allow_list;
pub use learner::Learner;
