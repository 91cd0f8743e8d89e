//! What stands above TCP and UDP: parsers that turn the bytes of a flow into transactions.
//!
//! ```text
//! stream bytes, datagrams ─▶ parser ─▶ Transactions ─▶ detection (buffers, facts) ─▶ event log
//!          in order              │        number, phase of each way, buffers, facts
//!                                └─ keeps what it needs of unfinished messages, within its bounds
//! ```
//! A parser is pure: bytes and their direction go in, transactions come out, no clock, no I/O. It takes every byte it is
//! given, in pieces of any size, and gives the same transactions however the bytes were cut. It makes only the buffers
//! that are [`Wanted`]: what no rule and no log asks for costs nothing.
//!
//! Which parser it is, [`App`] guesses from the first bytes of each way.

mod anomalies;
mod anomaly;
pub mod dns;
mod facts;
mod flow;
mod guess;
pub mod http;
mod parser;
pub mod quic;
mod reader;
mod ssh;
pub mod tls;
mod transaction;
mod wanted;

pub use anomalies::Anomalies;
pub use anomaly::Anomaly;
pub use facts::Facts;
pub use flow::App;
pub use guess::{GUESS_BYTES, Guess, Ports};
pub use ssh::Ssh;
pub use transaction::{Phase, Piece, TRANSACTIONS_MAX, Transaction, Transactions};
pub use wanted::Wanted;
