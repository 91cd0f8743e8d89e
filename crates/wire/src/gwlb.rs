//! What GWLB adds to a frame: three GENEVE options, and the way back.

use std::fmt;

/// GENEVE option 1: which VPC endpoint the packet came through. Opaque; two tenants may use the same inner addresses.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EndpointId(pub u64);

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vpce-0{:016x}", self.0)
    }
}

/// GENEVE option 2: the customer visible attachment. Opaque, often 0.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AttachmentId(pub u64);

/// GENEVE option 3: GWLB's handle of the flow. It must come back unchanged.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FlowCookie(pub u32);

/// Turn a frame round: swap the MACs and the outer IPv4 addresses, nothing else.
///
/// A one's-complement sum does not depend on order, so both outer checksums stay right. UDP ports are *not* swapped:
/// the destination port is 6081 in both directions (RFC 8926 §3.3).
pub fn reflect(frame: &mut [u8]) {
    if let Some(outer) = frame.first_chunk_mut::<34>() {
        outer[..12].rotate_left(6);
        outer[26..].rotate_left(4);
    }
}
