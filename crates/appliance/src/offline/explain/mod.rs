//! Why a rule matched, or did not: for each flow the first condition that failed, of the time when it came farthest.
//!
//! ```text
//! judge ─▶ Watch ─▶ Notes (while packets come) ─▶ Explanation (when all is over) ─▶ text, JSON
//! ```
//! Who judges says itself what failed, so an explanation cannot differ from the verdict. What it cannot say, because a rule
//! was never asked, follows from the rule alone: a header that the flow does not match, a pattern that was never seen.

mod notes;
mod report;
mod subject;
mod words;

pub(crate) use notes::Notes;
pub(crate) use report::Explanation;
pub(crate) use subject::Subject;
