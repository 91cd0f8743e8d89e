//! How GWLB wrapped the newest packet of one direction of a flow: what an injected packet must be wrapped in.

use std::net::Ipv4Addr;

use wire::{AttachmentId, FlowCookie, GENEVE_LEN_MAX, GwlbHeader, GwlbTags, ProtocolType};

use crate::FlowKey;

/// The length of the header that GWLB sends: endpoint id, attachment id and cookie, in this order (AWS: 40 bytes).
const USUAL_LEN: usize = 40;

/// Outer facts of one packet, borrowed from its frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Encapsulation<'a> {
    /// The GWLB node that sent it: the outer source address.
    pub node: Ipv4Addr,
    /// The outer UDP source port, which returned packets keep.
    pub udp_source_port: u16,
    /// GWLB's handle of the flow.
    pub cookie: FlowCookie,
    /// Option 2; 0 if absent.
    pub attachment: AttachmentId,
    /// The whole GENEVE header with its options, 8 to 260 bytes.
    pub header: &'a [u8],
}

/// The same, owned: the header stands in a buffer of its own.
#[derive(Clone, Copy, Debug)]
pub struct Wrapping {
    /// The GWLB node to send to.
    pub node: Ipv4Addr,
    /// The UDP source port to send from; the destination is 6081.
    pub udp_source_port: u16,
    /// GWLB's handle of the flow.
    pub cookie: FlowCookie,
    header: [u8; GENEVE_LEN_MAX],
    len: usize,
}

impl Wrapping {
    pub(crate) fn new(node: Ipv4Addr, udp_source_port: u16, cookie: FlowCookie, header: &[u8]) -> Self {
        let mut copy = [0; GENEVE_LEN_MAX];
        let len = header.len().min(GENEVE_LEN_MAX);
        copy[..len].copy_from_slice(&header[..len]);
        Self { node, udp_source_port, cookie, header: copy, len }
    }

    /// The GENEVE header, byte for byte as it came.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header[..self.len]
    }
}

/// The header as GWLB usually sends it: version 0, VNI 0, three options in the order of their kinds.
pub(crate) fn usual(key: &FlowKey, attachment: AttachmentId, cookie: FlowCookie) -> [u8; USUAL_LEN] {
    let header = GwlbHeader {
        destination_mac: [0; 6],
        source_mac: [0; 6],
        source: Ipv4Addr::UNSPECIFIED,
        destination: Ipv4Addr::UNSPECIFIED,
        udp_source_port: 0,
        udp_destination_port: 0,
        tags: GwlbTags { endpoint: key.endpoint(), attachment: Some(attachment), cookie },
        protocol_type: if key.version() == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 },
    };
    let mut bytes = [0; GwlbHeader::LEN];
    let written = header.write(0, &mut bytes);
    debug_assert_eq!(written, Ok(bytes.len()));
    let mut geneve = [0; USUAL_LEN];
    geneve.copy_from_slice(&bytes[GwlbHeader::LEN - USUAL_LEN..]);
    geneve
}

/// Exact headers that differ from the usual one, a bounded number of them.
#[derive(Debug)]
pub(crate) struct Headers {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Slot {
    len: u16,
    bytes: [u8; GENEVE_LEN_MAX],
}

impl Headers {
    pub(crate) fn new(slots: u32) -> Self {
        Self {
            slots: vec![Slot { len: 1, bytes: [0xff; GENEVE_LEN_MAX] }; slots as usize],
            free: (0..slots).rev().collect(),
        }
    }

    /// A slot with a copy of this header, or none if all are taken.
    pub(crate) fn keep(&mut self, header: &[u8]) -> Option<u32> {
        let place = self.free.pop()?;
        self.overwrite(place, header);
        Some(place)
    }

    pub(crate) fn overwrite(&mut self, place: u32, header: &[u8]) {
        if let Some(slot) = self.slots.get_mut(place as usize) {
            let len = header.len().min(GENEVE_LEN_MAX);
            slot.bytes[..len].copy_from_slice(&header[..len]);
            slot.len = u16::try_from(len).unwrap_or(0);
        }
    }

    pub(crate) fn header(&self, place: u32) -> &[u8] {
        self.slots.get(place as usize).map_or(&[], |slot| &slot.bytes[..usize::from(slot.len)])
    }

    pub(crate) fn release(&mut self, place: u32) {
        self.free.push(place);
    }

    pub(crate) fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.free.capacity() * size_of::<u32>()
    }
}
