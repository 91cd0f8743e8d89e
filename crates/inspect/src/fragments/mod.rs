//! Datagrams that come in parts: put together to be judged, forwarded as they came.
//!
//! ```text
//! part ─▶ fits the others? ─▶ kept ─▶ all there? ── no ──▶ passes: alone it is of no use to its receiver
//!           │ no                        └ yes ─▶ whole ─▶ judged ── drop ─▶ the last part does not pass:
//!           ▼                                                               the receiver never has all of them
//!         dropped, and so is all that follows of the datagram
//! ```
//! So nothing is held back, and yet no datagram is whole at its receiver before it was judged. Where receivers differ,
//! about parts that overlap above all, the datagram is refused, as RFC 5722 asks of IPv6. The tricks are those of T.
//! Ptacek and T. Newsham ("Insertion, Evasion, and Denial of Service"), of "teardrop" and "ping of death".
//!
//! A datagram is remembered until its receiver has forgotten it too, whole and refused ones included: a part that comes
//! again with other bytes could replace one that was lost behind us. All parts of a datagram reach one worker by the key
//! that [`learn`](crate::learn()) gives them (DESIGN.md, "Fragments").

mod datagram;
mod gather;

pub use gather::{FragmentCounts, Fragments, Gathered, Settings};

use thiserror::Error;

/// Why a part of a datagram is refused.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum Unfit {
    /// It covers what another part does, with other bytes or other borders.
    #[error("parts of a datagram overlap")]
    Overlap,
    /// It is empty, or ends amid eight bytes though more follows (RFC 791 §3.1, RFC 8200 §4.5).
    #[error("a part of a datagram of a length that none has")]
    Length,
    /// The datagram would be longer than a packet can be.
    #[error("a datagram longer than a packet can be")]
    TooLong,
    /// It is behind the end, or there are two ends.
    #[error("a part behind the datagram's end")]
    End,
    /// The datagram is in more parts than any link makes of it.
    #[error("a datagram in too many parts")]
    Many,
    /// The datagram was whole before, or refused.
    #[error("a part of a datagram that was whole or refused before")]
    Settled,
    /// There is no room to keep it.
    #[error("no room for the parts of a datagram")]
    Bound,
}
