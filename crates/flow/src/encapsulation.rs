//! How GWLB wrapped the newest packet of one direction of a flow: what an injected packet must be wrapped in.

use std::net::Ipv4Addr;

use wire::{AttachmentId, FlowCookie};

use crate::FlowKey;

/// The longest GENEVE header: 8 bytes and 63 words of options (RFC 8926 §3.4).
pub const LONGEST_HEADER: usize = 260;

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
    header: [u8; LONGEST_HEADER],
    len: usize,
}

impl Wrapping {
    pub(crate) fn new(node: Ipv4Addr, udp_source_port: u16, cookie: FlowCookie, header: &[u8]) -> Self {
        let mut copy = [0; LONGEST_HEADER];
        let len = header.len().min(LONGEST_HEADER);
        copy[..len].copy_from_slice(&header[..len]);
        Self { node, udp_source_port, cookie, header: copy, len }
    }

    /// The GENEVE header, byte for byte as it came.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header[..self.len]
    }
}

/// The header as GWLB usually sends it: version 0, VNI 0, three options of class 0x0108 in the order of their kinds.
pub(crate) fn usual(key: &FlowKey, attachment: AttachmentId, cookie: FlowCookie) -> [u8; USUAL_LEN] {
    let protocol: [u8; 2] = if key.version() == 4 { [0x08, 0x00] } else { [0x86, 0xdd] };
    let mut header = [0; USUAL_LEN];
    header[0] = 8; // version 0, eight words of options
    header[2..4].copy_from_slice(&protocol);
    header[8..12].copy_from_slice(&[0x01, 0x08, 1, 2]);
    header[12..20].copy_from_slice(&key.endpoint().0.to_be_bytes());
    header[20..24].copy_from_slice(&[0x01, 0x08, 2, 2]);
    header[24..32].copy_from_slice(&attachment.0.to_be_bytes());
    header[32..36].copy_from_slice(&[0x01, 0x08, 3, 1]);
    header[36..40].copy_from_slice(&cookie.0.to_be_bytes());
    header
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
    bytes: [u8; LONGEST_HEADER],
}

impl Headers {
    pub(crate) fn new(slots: u32) -> Self {
        Self {
            slots: vec![Slot { len: 1, bytes: [0xff; LONGEST_HEADER] }; slots as usize],
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
            let len = header.len().min(LONGEST_HEADER);
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
