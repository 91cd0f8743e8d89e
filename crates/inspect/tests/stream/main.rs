//! Streams: what is read of a connection, however it is cut, turned round, repeated, or tampered with.

mod common;
mod evasion;
mod life;
mod properties;
