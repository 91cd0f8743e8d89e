//! The one place where tests, benches and the lab get frames from.
//!
//! ```
//! use wire::testkit::{gwlb, tcp};
//! use wire::{Arrival, TcpFlags, TunnelEnd, classify};
//!
//! let syn = tcp("10.1.2.10:49152", "192.0.2.80:443").flags(TcpFlags::SYN).build();
//! let frame = gwlb().endpoint(7).cookie(9).inner(&syn).build();
//! assert!(matches!(classify(&frame, &TunnelEnd::default()), Ok(Arrival::Gwlb(_))));
//! ```
//! Defaults are those of the frame of record (`tests/golden.rs`): everything right. A builder makes right what it is not
//! asked to make wrong, so a test names the one thing that it is about. [`fates()`] is the table of all fates.

mod check;
mod fates;
mod frame;
mod hello;
mod local;
mod mutation;
mod oracle;
mod packet;

pub use check::{check_frame, check_inner, check_options};
pub use fates::{Case, Fate, OUR_ADDRESS, fates};
pub use frame::{FrameBuilder, gwlb, set_outer_checksum};
pub use hello::client_hello;
pub use local::{arp, plain};
pub use mutation::Mutation;
pub use oracle::check_against_etherparse;
pub use packet::{PacketBuilder, icmp, ip, tcp, udp};
