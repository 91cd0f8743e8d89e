//! TLS, as far as it stands in clear: hellos, certificates up to TLS 1.2, alerts.
//!
//! ```text
//! stream ─▶ Records ─▶ fragments ─▶ Messages ─▶ hellos, certificates ─▶ one Transaction
//!           header, length   any cut     whole messages, borrowed          buffers, Handshake (facts)
//!                                        where they came in one piece
//! QUIC's CRYPTO frames, in order ─────────▶ Messages
//! ```
//! A client hello with a post-quantum key share takes two segments, and a hostile one is cut into a record for each byte:
//! nothing is read before the message is whole, and what is kept of an unfinished one is bounded ([`MESSAGE_MAX`]).
//! Once a way has changed to encryption nothing of it is read; once both have, the flow has nothing more to tell.
//!
//! Hellos are read by our own reader, not by `tls-parser`: fingerprints need the extensions in their order and as sent,
//! QUIC needs the same reader without records, and a list that is wrong must spoil itself only, not the hello.

mod certificate;
mod client_hello;
mod extensions;
mod handshake;
mod messages;
mod parser;
mod print;
mod records;
mod server_hello;
mod ssl2;
mod summary;

pub use certificate::CERTIFICATES_MAX;
pub use client_hello::ClientHello;
pub use extensions::Extensions;
pub use handshake::{Handshake, Validity};
pub use messages::MESSAGE_MAX;
pub(super) use messages::{Message, Messages};
pub use parser::{RECORDS_MAX, Tls};
pub(super) use parser::{client_hello, server_hello};
pub use print::Carrier;
pub use server_hello::ServerHello;
pub use summary::Summary;

/// Handshake messages (RFC 8446 §4, RFC 5246 §7.4).
pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CLIENT_KEY_EXCHANGE: u8 = 16;
