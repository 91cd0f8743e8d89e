//! What GWLB puts round a customer's packet, and the way back.
//!
//! ```text
//!  0        14        34      42        50                              82
//! |Ethernet|IPv4 (20)|UDP (8)|GENEVE(8)|endpoint|attachment|cookie|     inner IP packet ...
//!                                      | 4 + 8  | 4 + 8    | 4 + 4|
//! ```
//! These are the offsets of what AWS sends; options may come in any order and others among them. A frame in the usual
//! form is told by three compares of whole option headers, any other is walked.

use std::fmt;
use std::net::Ipv4Addr;

use crate::bytes::{be32, be64, field};
use crate::geneve::{Geneve, ProtocolType, Tlv};
use crate::{ETHERNET_LEN, FrameError, Ipv4, UDP_LEN, Udp};

/// The option class that GWLB uses, of the block registered to Amazon.
pub const GWLB_CLASS: u16 = 0x0108;

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

/// What GWLB's three options say.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct GwlbTags {
    /// Kind 1, eight bytes. Never missing.
    pub endpoint: EndpointId,
    /// Kind 2, eight bytes. AWS sends it always; nothing here depends on it.
    pub attachment: Option<AttachmentId>,
    /// Kind 3, four bytes. Never missing.
    pub cookie: FlowCookie,
}

impl GwlbTags {
    /// The tags of a GENEVE header, in any order, with any other options among them.
    ///
    /// # Errors
    /// A [`FrameError`] if the options' lengths do not add up, an unknown one is critical, or a tag is missing, of a wrong
    /// length or there twice with different values.
    #[inline]
    pub fn read(geneve: &Geneve<'_>) -> Result<Self, FrameError> {
        match usual_tags(geneve.header()) {
            Some(tags) => Ok(tags),
            None => any_tags(geneve),
        }
    }
}

/// A frame from GWLB, its outer headers checked from Ethernet to the last option.
#[derive(Clone, Copy, Debug)]
pub struct GwlbFrame<'a> {
    ipv4: Ipv4<'a>,
    udp: Udp<'a>,
    geneve: Geneve<'a>,
    tags: GwlbTags,
    inner: &'a [u8],
}

impl<'a> GwlbFrame<'a> {
    /// The frame around a UDP payload. What the tunnel end allows was asked before.
    #[inline]
    pub(crate) fn new_checked(ipv4: Ipv4<'a>, udp: Udp<'a>, payload: &'a [u8]) -> Result<Self, FrameError> {
        let (geneve, inner) = Geneve::new_checked(payload)?;
        let tags = GwlbTags::read(&geneve)?;
        Ok(Self { ipv4, udp, geneve, tags, inner })
    }

    /// What GWLB's options say.
    #[must_use]
    pub fn tags(&self) -> GwlbTags {
        self.tags
    }

    /// Whether IPv4 or IPv6 is inside.
    #[must_use]
    pub fn protocol_type(&self) -> ProtocolType {
        self.geneve.protocol_type()
    }

    /// The inner packet, to the UDP datagram's end; it may be shorter by its own account.
    #[must_use]
    pub fn inner(&self) -> &'a [u8] {
        self.inner
    }

    /// Where the inner packet starts in the frame, 50 to 342; 82 in the usual form.
    #[must_use]
    pub fn inner_at(&self) -> u16 {
        let at =
            [ETHERNET_LEN, self.ipv4.header_len(), UDP_LEN, self.geneve.header().len()].iter().sum::<usize>();
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// The GWLB node's address.
    #[must_use]
    pub fn source(&self) -> Ipv4Addr {
        self.ipv4.source()
    }

    /// Our address.
    #[must_use]
    pub fn destination(&self) -> Ipv4Addr {
        self.ipv4.destination()
    }

    /// The udp port that GWLB sent from; it must come back as the source (RFC 8926 §3.3).
    #[must_use]
    pub fn udp_source_port(&self) -> u16 {
        self.udp.source_port()
    }

    /// The GENEVE header with its options.
    #[must_use]
    pub fn geneve(&self) -> Geneve<'a> {
        self.geneve
    }
}

/// Turn a frame round: swap the MACs and the outer IPv4 addresses, nothing else.
///
/// A one's-complement sum does not depend on order, so both outer checksums stay right. UDP ports are *not* swapped:
/// the destination port is 6081 in both directions (RFC 8926 §3.3).
pub fn reflect(frame: &mut [u8]) {
    if let Some(outer) = frame.first_chunk_mut::<34>() {
        let (first, last) =
            (u64::from_le_bytes(field::<0, 8, 34>(outer)), u32::from_le_bytes(field::<8, 4, 34>(outer)));
        // Registers: a rotation of the bytes in memory would read back what it has hardly written.
        let turned = u128::from(last) << 64 | u128::from(first);
        let turned = (turned >> 48 | turned << 48).to_le_bytes();
        outer[..12].copy_from_slice(&turned[..12]);
        outer[26..].rotate_left(4);
    }
}

/// Headers of the three options, as 32-bit words: class, kind, length in words.
pub(crate) const ENDPOINT_HEAD: u32 = 0x0108_0102;
pub(crate) const ATTACHMENT_HEAD: u32 = 0x0108_0202;
pub(crate) const COOKIE_HEAD: u32 = 0x0108_0301;

/// Length of a GENEVE header in the form that AWS sends.
const USUAL_LEN: usize = 40;

/// The options in the order and with the lengths that AWS sends them, and nothing else.
#[inline]
fn usual_tags(header: &[u8]) -> Option<GwlbTags> {
    let header: &[u8; USUAL_LEN] = header.try_into().ok()?;
    let heads = [be32::<8, USUAL_LEN>(header), be32::<20, USUAL_LEN>(header), be32::<32, USUAL_LEN>(header)];
    (heads == [ENDPOINT_HEAD, ATTACHMENT_HEAD, COOKIE_HEAD]).then(|| GwlbTags {
        endpoint: EndpointId(be64::<12, USUAL_LEN>(header)),
        attachment: Some(AttachmentId(be64::<24, USUAL_LEN>(header))),
        cookie: FlowCookie(be32::<36, USUAL_LEN>(header)),
    })
}

/// The options in any order, with any others among them.
///
/// We know of no rule of RFC 8926 for an option that comes twice. An equal copy is harmless; two values for one tag would let
/// two readers judge the same packet by different tenants' policies, so that is refused.
fn any_tags(geneve: &Geneve<'_>) -> Result<GwlbTags, FrameError> {
    let (mut endpoint, mut attachment, mut cookie) = (None, None, None);
    for option in geneve.options() {
        let option = option?;
        match (option.class, option.kind) {
            (GWLB_CLASS, 1) => {
                let value = u64::from_be_bytes(value(&option, FrameError::EndpointLength)?);
                once(&mut endpoint, EndpointId(value), option.kind)?;
            }
            (GWLB_CLASS, 2) => {
                let value = u64::from_be_bytes(value(&option, FrameError::AttachmentLength)?);
                once(&mut attachment, AttachmentId(value), option.kind)?;
            }
            (GWLB_CLASS, 3) => {
                let value = u32::from_be_bytes(value(&option, FrameError::CookieLength)?);
                once(&mut cookie, FlowCookie(value), option.kind)?;
            }
            (class, kind) if option.is_critical() => return Err(FrameError::OptionCritical { class, kind }),
            _ => {}
        }
    }
    let endpoint = endpoint.ok_or(FrameError::EndpointMissing)?;
    let cookie = cookie.ok_or(FrameError::CookieMissing)?;
    Ok(GwlbTags { endpoint, attachment, cookie })
}

/// An option's value, if it has the length that its kind must have.
fn value<const N: usize>(option: &Tlv<'_>, wrong: fn(u8) -> FrameError) -> Result<[u8; N], FrameError> {
    option.data.try_into().map_err(|_| wrong(u8::try_from(option.data.len()).unwrap_or(u8::MAX)))
}

/// Keep a tag's value; a second, different one is a conflict.
fn once<T: Copy + PartialEq>(tag: &mut Option<T>, value: T, kind: u8) -> Result<(), FrameError> {
    match tag.replace(value) {
        Some(first) if first != value => Err(FrameError::OptionConflict(kind)),
        _ => Ok(()),
    }
}
