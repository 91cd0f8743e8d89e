//! The client's first flight, held until the name in it is judged.
//!
//! ```text
//! SYN, ACK ───────────────────────────────────────────────────────▶ server
//! hello, part 1 ─▶ Hold ─▶ lane ┐
//! hello, part 2 ─▶ Hold ─▶ lane ┤◀─ LetGo: released, in order ─────▶ server
//! hello, part 3 ─▶ the name is whole ─▶ verdict ─▶ behind them ────▶ server
//!                               └◀─ LetGo: dropped, for the verdict's reason
//! ```
//! Here is only the account of what is held: how many packets, how many bytes, since when. The packets themselves stay with
//! whoever moves them, in a FIFO for each [`Lane`]; that is told by [`Verdict::Hold`](crate::Verdict::Hold) to put a packet
//! there, and by [`LetGo`] what becomes of a lane.

mod holds;
mod let_go;
mod settings;

pub(crate) use holds::{Bound, HoldCounts, Holds};
pub use let_go::{Lane, LetGo};
pub use settings::{AtBound, Settings};
