//! Headers as checked views: what a GWLB frame is, byte by byte, and how it is turned round.
//!
//! [`classify()`] takes a frame from the outside to the last GENEVE option, [`Inner::parse`] goes on from there:
//! ```text
//! |Ethernet|IPv4|UDP|GENEVE|options|  IPv4 or IPv6  |TCP, UDP, ICMP|payload|
//!  └──────── classify ────────────┘└──────────── Inner::parse ────────────┘
//! ```
//! No clock, no allocation, no `unsafe`. A view is made by its `new_checked` only, and a view in hand cannot panic.
#![forbid(unsafe_code)]
// Tests may index: a panic there is a finding.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod bytes;
mod checksum;
mod classify;
mod error;
mod ethernet;
mod extension;
mod five_tuple;
mod geneve;
mod gwlb;
mod header;
mod inner;
mod ipv4;
mod outer;
mod prefix;
mod shim;
#[cfg(feature = "testkit")]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it makes frames for tests: what does not fit should stop the test where it stands"
)]
pub mod testkit;
mod transport;
mod tunnel;
mod udp;
mod usual;

pub use checksum::Checksum;
pub use classify::{Arrival, Local, TunnelEnd, classify};
pub use error::{FrameError, InnerError};
pub use ethernet::{ETHERNET_LEN, EtherType, Ethernet};
pub use five_tuple::{Address, FiveTuple};
pub use geneve::{GENEVE_LEN, GENEVE_LEN_MAX, GENEVE_UDP_PORT, Geneve, Options, ProtocolType, Tlv};
pub use gwlb::{AttachmentId, EndpointId, FlowCookie, GWLB_CLASS, GwlbFrame, GwlbTags, reflect};
pub use header::{GwlbHeader, HeaderError};
pub use inner::{Fragment, Inner};
pub use ipv4::{IPV4_LEN, Ipv4};
pub use outer::Outer;
pub use prefix::{Ipv4Prefix, PrefixError};
pub use shim::{behind_ether_type, behind_ppp, behind_type_field, is_ip};
pub use transport::{Icmp, Tcp, TcpFlags, Transport};
pub use tunnel::{Carried, may_carry};
pub use udp::{UDP_LEN, Udp};
pub use usual::Usual;
