//! One flow in memory: two cache lines, of which an IPv4 packet needs only the first.

use wire::{AttachmentId, FlowCookie};

use crate::encapsulation::{Headers, usual};
use crate::key::{Far, Near};
use crate::tick::Tick;
use crate::{Direction, Encapsulation, FlowKey, FlowState, Tally, Wrapping};

/// ```text
/// line 1  near key 22 | state 1 | bits 1 | memo 4 | last seen 4 | mark 4+4 | tally 12+12
/// line 2  far key 24 | first seen 4 | cookie 4+4 | node 4+4 | attachment 8+8 | udp source port 2+2
/// ```
/// Arrays are indexed by [`Direction`]. 128 bytes apart, so that the two lines are the pair that Intel's adjacent-line
/// prefetcher loads together.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(128))]
pub(crate) struct Record<M> {
    pub(crate) near: Near,
    pub(crate) state: FlowState,
    bits: u8,
    pub(crate) memo: M,
    /// In a vacant record: the next vacant one.
    pub(crate) last_seen: Tick,
    pub(crate) marks: [u32; 2],
    pub(crate) tallies: [Tally; 2],
    pub(crate) far: Far,
    pub(crate) first_seen: Tick,
    cookies: [FlowCookie; 2],
    nodes: [[u8; 4]; 2],
    /// The attachment id, or the place of the exact header if `EXACT` is set.
    attachments: [[u8; 8]; 2],
    udp_source_ports: [u16; 2],
}

/// The record holds a flow.
const OCCUPIED: u8 = 1;
/// The initiator is the high end.
const INITIATOR_IS_HIGH: u8 = 2;
/// The header of this direction is kept exactly; one bit per direction.
const EXACT: [u8; 2] = [4, 8];

impl<M: Copy + Default> Record<M> {
    pub(crate) fn vacant(next: u32) -> Self {
        Self {
            near: Near::NONE,
            state: FlowState::Opening,
            bits: 0,
            memo: M::default(),
            last_seen: Tick(next),
            marks: [0; 2],
            tallies: [Tally::default(); 2],
            far: Far::NONE,
            first_seen: Tick(0),
            cookies: [FlowCookie(0); 2],
            nodes: [[0; 4]; 2],
            attachments: [[0; 8]; 2],
            udp_source_ports: [0; 2],
        }
    }

    pub(crate) fn new(key: &FlowKey, (initiator, state): (Direction, FlowState), now: Tick) -> Self {
        let initiator = if initiator == Direction::Down { INITIATOR_IS_HIGH } else { 0 };
        let (near, far, bits) = (key.near, key.far, OCCUPIED | initiator);
        Self { near, far, bits, state, last_seen: now, first_seen: now, ..Self::vacant(0) }
    }

    #[inline]
    pub(crate) fn is_occupied(&self) -> bool {
        self.bits & OCCUPIED != 0
    }

    #[inline]
    pub(crate) fn holds(&self, key: &FlowKey) -> bool {
        // A vacant record's version is 0, and no key's is.
        self.near.is(key.near) && (key.version() == 4 || self.far == key.far)
    }

    /// One packet more.
    #[inline]
    pub(crate) fn count(&mut self, now: Tick, direction: Direction, bytes: u16) {
        self.last_seen = now;
        self.tallies[direction as usize].add(bytes);
    }

    pub(crate) fn key(&self) -> FlowKey {
        FlowKey { near: self.near, far: self.far }
    }

    #[inline]
    pub(crate) fn initiator(&self) -> Direction {
        if self.bits & INITIATOR_IS_HIGH == 0 { Direction::Up } else { Direction::Down }
    }

    pub(crate) fn cookie(&self, direction: Direction) -> Option<FlowCookie> {
        (self.marks[direction as usize] != 0).then_some(self.cookies[direction as usize])
    }

    /// Take over the newest encapsulation of a direction; false if its header is unusual and there is no room for it.
    pub(crate) fn refresh(
        &mut self,
        direction: Direction,
        mark: u32,
        new: &Encapsulation<'_>,
        headers: &mut Headers,
    ) -> bool {
        let at = direction as usize;
        self.marks[at] = mark;
        self.cookies[at] = new.cookie;
        self.nodes[at] = new.node.octets();
        self.udp_source_ports[at] = new.udp_source_port;
        self.forget_header(direction, headers);
        self.attachments[at] = new.attachment.0.to_be_bytes();
        if new.header == usual(&self.key(), new.attachment, new.cookie) {
            return true;
        }
        let place = headers.keep(new.header);
        if let Some(place) = place {
            self.bits |= EXACT[at];
            self.attachments[at] = u64::from(place).to_be_bytes();
        }
        place.is_some()
    }

    fn forget_header(&mut self, direction: Direction, headers: &mut Headers) {
        if let Some(place) = self.exact(direction) {
            headers.release(place);
            self.bits &= !EXACT[direction as usize];
        }
    }

    /// Give back what the record holds elsewhere.
    pub(crate) fn forget_headers(&mut self, headers: &mut Headers) {
        for direction in Direction::BOTH {
            self.forget_header(direction, headers);
        }
    }

    fn exact(&self, direction: Direction) -> Option<u32> {
        let [.., a, b, c, d] = self.attachments[direction as usize];
        (self.bits & EXACT[direction as usize] != 0).then_some(u32::from_be_bytes([a, b, c, d]))
    }

    /// What a packet injected in `direction` is wrapped in; none if no packet of this direction has come yet.
    pub(crate) fn wrapping(&self, direction: Direction, headers: &Headers) -> Option<Wrapping> {
        let at = direction as usize;
        let cookie = self.cookie(direction)?;
        let (node, udp_source_port) = (self.nodes[at].into(), self.udp_source_ports[at]);
        Some(match self.exact(direction) {
            Some(place) => Wrapping::new(node, udp_source_port, cookie, headers.header(place)),
            None => {
                let attachment = AttachmentId(u64::from_be_bytes(self.attachments[at]));
                Wrapping::new(node, udp_source_port, cookie, &usual(&self.key(), attachment, cookie))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn a_record_is_two_lines_and_what_an_ipv4_packet_needs_is_in_the_first() {
        assert_eq!(size_of::<Record<u32>>(), 128);
        assert_eq!(offset_of!(Record<u32>, far), 64);
    }
}
