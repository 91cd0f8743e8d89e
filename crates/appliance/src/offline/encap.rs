//! What a capture's records hold, and what becomes of it on the way out.
//!
//! ```text
//! geneve   record = frame of GWLB           ─▶ judged as it is ─▶ reflected ─▶ written
//! none     record = a customer's packet     ─▶ wrapped as if it came through one endpoint ─▶ judged ─▶ written as it was
//! ```

use std::net::Ipv4Addr;

use flow::Moment;
use wire::{AttachmentId, EndpointId, FlowCookie, GENEVE_UDP_PORT, GwlbHeader, GwlbTags, ProtocolType};

use super::capture::Record;
use super::link::Link;

const ETHERNET_LEN: usize = 14;

/// What the records of a capture hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encap {
    /// Frames between GWLB and appliance.
    Geneve,
    /// Customers' packets, without GENEVE.
    None,
}

/// A record as the frame that is judged, and as what is written if it may pass.
pub(crate) struct CaptureFrame {
    /// When the record was captured.
    pub(crate) at: Moment,
    bytes: Vec<u8>,
    link: Link,
    emitted: Emitted,
}

/// What is written of a frame.
enum Emitted {
    /// The frame itself from this byte on: all of it, or what stands behind an Ethernet header that we put there.
    From(usize),
    /// The record as it was: the wrapping was ours alone.
    Record(Vec<u8>),
}

impl AsRef<[u8]> for CaptureFrame {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for CaptureFrame {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl CaptureFrame {
    /// The bytes to write, and what the first of them is.
    pub(crate) fn emitted(&self) -> (Link, &[u8]) {
        let bytes = match &self.emitted {
            Emitted::From(at) => self.bytes.get(*at..).unwrap_or_default(),
            Emitted::Record(record) => record,
        };
        (self.link, bytes)
    }
}

impl Encap {
    /// The frame to judge for a record.
    pub(crate) fn frame(self, record: Record) -> CaptureFrame {
        let Record { at, link, bytes } = record;
        let packet = link.ip_packet(&bytes);
        match (self, link, packet) {
            (Self::None, _, Some(packet)) if let Some(wrapped) = wrap(packet) => {
                CaptureFrame { at, bytes: wrapped, link, emitted: Emitted::Record(bytes) }
            }
            // As it is: what no GWLB could have sent so is not ours.
            (_, Link::Ethernet, _) => CaptureFrame { at, bytes, link, emitted: Emitted::From(0) },
            (Self::Geneve, _, Some(packet)) => {
                let bytes = [&[0; 12][..], &[0x08, 0x00], packet].concat();
                CaptureFrame { at, bytes, link: Link::RawIp, emitted: Emitted::From(ETHERNET_LEN) }
            }
            _ => CaptureFrame { at, bytes: Vec::new(), link, emitted: Emitted::Record(bytes) },
        }
    }
}

impl Encap {
    /// A frame that the appliance itself sends, after the record of this time and link type.
    pub(crate) fn injected(self, (at, link): (Moment, Link), bytes: &[u8]) -> CaptureFrame {
        let bytes = bytes.to_vec();
        match (self, bytes.get(GwlbHeader::LEN..)) {
            (Self::None, Some(packet)) => {
                let is_v6 = packet.first().is_some_and(|first| first >> 4 == 6);
                let record = [&link.header(is_v6), packet].concat();
                CaptureFrame { at, bytes, link, emitted: Emitted::Record(record) }
            }
            _ if link == Link::Ethernet => CaptureFrame { at, bytes, link, emitted: Emitted::From(0) },
            _ => CaptureFrame { at, bytes, link: Link::RawIp, emitted: Emitted::From(ETHERNET_LEN) },
        }
    }
}

/// A customer's packet as GWLB would send it, through endpoint 0. `None` for what is not IP, or too long for GENEVE.
fn wrap(packet: &[u8]) -> Option<Vec<u8>> {
    let protocol_type = match packet.first()? >> 4 {
        4 => ProtocolType::Ipv4,
        6 => ProtocolType::Ipv6,
        _ => return None,
    };
    let tags = GwlbTags { endpoint: EndpointId(0), attachment: Some(AttachmentId(0)), cookie: FlowCookie(0) };
    let header = GwlbHeader {
        destination_mac: [0; 6],
        source_mac: [0; 6],
        source: Ipv4Addr::UNSPECIFIED,
        destination: Ipv4Addr::UNSPECIFIED,
        udp_source_port: 0,
        udp_destination_port: GENEVE_UDP_PORT,
        tags,
        protocol_type,
    };
    let mut frame = vec![0; GwlbHeader::LEN];
    header.write(packet.len(), &mut frame).ok()?;
    frame.extend_from_slice(packet);
    Some(frame)
}
