//! Whether the name that a client gives is that of the server it speaks to.
//!
//! ```text
//! DNS answer ─▶ Memory: (endpoint, name, address) until …          shared by all workers, never locked
//!                  │ asked
//! TLS or QUIC hello ─▶ `oddities` ─▶ unresolved · other than the host asked for · missing · hidden
//! ```
//! Rules on names believe what the client says. Who may reach `allowed.example` can write that name into a hello to any
//! address; only what DNS has answered says whether the address is that name's.

mod hello;
mod memory;

pub(crate) use hello::{Hello, is_young, oddities};
pub(crate) use memory::Memory;
