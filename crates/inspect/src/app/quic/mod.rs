//! QUIC, as far as anybody on the path can read it: the Initial packets with the hellos of TLS.
//!
//! ```text
//! datagram ─▶ packets ─▶ Initial: keys from the client's first connection id ─▶ frames ─▶ CRYPTO, out of order
//!             coalesced      version negotiation, Retry, 0-RTT, Handshake: noted or passed over      │
//!                                                   one Transaction ◀─ tls: hellos ◀─ Messages ◀─ in order
//! ```
//! Keys of Initial packets are no secret: they follow from the version and a connection id in clear (RFC 9001 §5.2). A
//! client hello with a post-quantum key share takes several datagrams, and clients cut and shuffle it on purpose: its
//! pieces are put in order by their offsets, within bounds.

mod crypto;
mod facts;
mod frame;
mod header;
mod keys;
mod parser;
mod summary;
mod version;

pub use facts::QuicFacts;
pub use parser::{DATAGRAMS_MAX, Quic};
pub use summary::Summary;
