//! IPv6 extension headers (RFC 8200 §4): a chain of next-header numbers, walked to the first that is none.
//!
//! Bounded: RFC 8200 §4.1 knows at most eight headers in a packet that makes sense (destination options twice), and an
//! endless chain of empty ones is an old trick against inspection.

use etherparse::{IpAuthHeaderSlice, IpNumber, Ipv6FragmentHeaderSlice, Ipv6RawExtHeaderSlice};

use crate::InnerError;
use crate::inner::Fragment;

/// The most extension headers that a packet may have.
pub(crate) const CHAIN_MAX: u8 = 8;

/// What follows the extension headers.
pub(crate) struct Upper<'a> {
    /// Protocol number.
    pub(crate) protocol: u8,
    /// Bytes after the last extension header.
    pub(crate) payload: &'a [u8],
    /// The fragment header's place, if there was one and it says that the packet is a part.
    pub(crate) fragment: Option<Fragment>,
}

/// Walk the chain that starts with `first` at `payload`, which is behind `header_len` bytes of the packet.
///
/// Behind a later fragment's header there is the middle of a datagram, so its next-header number is taken as it stands.
pub(crate) fn walk(payload: &[u8], header_len: usize, first: IpNumber) -> Result<Upper<'_>, InnerError> {
    let mut upper = Upper { protocol: first.0, payload, fragment: None };
    let end = header_len.saturating_add(payload.len());
    for _ in 0..CHAIN_MAX {
        if !step(&mut upper, end)? || upper.fragment.is_some_and(|fragment| !fragment.is_first()) {
            return Ok(upper);
        }
    }
    if step(&mut upper, end)? { Err(InnerError::ExtensionChain(CHAIN_MAX)) } else { Ok(upper) }
}

/// Step over one extension header of a packet that ends at `end`; `false` if what stands there is none.
fn step(upper: &mut Upper<'_>, end: usize) -> Result<bool, InnerError> {
    let kind = upper.protocol;
    let truncated = || InnerError::ExtensionTruncated(kind);
    let (next, len) = match IpNumber(kind) {
        IpNumber::IPV6_HEADER_HOP_BY_HOP
        | IpNumber::IPV6_ROUTE_HEADER
        | IpNumber::IPV6_DESTINATION_OPTIONS
        | IpNumber::MOBILITY_HEADER
        | IpNumber::HIP
        | IpNumber::SHIM6 => {
            let header = Ipv6RawExtHeaderSlice::from_slice(upper.payload).map_err(|_| truncated())?;
            (header.next_header(), header.slice().len())
        }
        IpNumber::AUTHENTICATION_HEADER => {
            let header = IpAuthHeaderSlice::from_slice(upper.payload).map_err(|_| truncated())?;
            (header.next_header(), header.slice().len())
        }
        IpNumber::IPV6_FRAGMENTATION_HEADER => {
            let header = Ipv6FragmentHeaderSlice::from_slice(upper.payload).map_err(|_| truncated())?;
            // A second fragment header cannot make a whole packet of a part.
            let len = header.slice().len();
            let rest = upper.payload.len().saturating_sub(len);
            let place = Fragment {
                offset: header.fragment_offset().value() << 3,
                more: header.more_fragments(),
                identification: header.identification(),
                protocol: header.next_header().0,
                data_at: u16::try_from(end.saturating_sub(rest)).unwrap_or(u16::MAX),
            };
            upper.fragment = place.part().or(upper.fragment);
            (header.next_header(), len)
        }
        _ => return Ok(false),
    };
    upper.protocol = next.0;
    upper.payload = upper.payload.get(len..).unwrap_or_default();
    Ok(true)
}
