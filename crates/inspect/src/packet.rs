//! A packet: what the receive core learnt of a frame, and what becomes of it.

use flow::{Direction, FlowKey, Sighting};

use crate::Verdict;

/// Bytes from the NIC, Ethernet first: an mbuf in the appliance, a `Vec<u8>` in tests and over captures.
pub trait Frame: AsRef<[u8]> + AsMut<[u8]> + Send {}
impl<T: AsRef<[u8]> + AsMut<[u8]> + Send> Frame for T {}

/// What is known of one frame of a [`Burst`](crate::Burst), in one cache line beside it. The worker judges packets of
/// decided flows by `about` alone and leaves the frame's cache lines where they are (DESIGN.md, "What crosses a ring").
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Packet {
    /// What was learnt of it; `None` until the receive core parsed it, and for what is not GENEVE for us.
    pub about: Option<About>,
    /// What becomes of it, as far as is known.
    pub verdict: Verdict,
}

impl Packet {
    /// Nothing is known of it yet, and it is on its way forward.
    pub const UNREAD: Self = Self { about: None, verdict: Verdict::Forward };

    /// Make it [`UNREAD`](Self::UNREAD) again, in two bytes.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.about = None;
        self.verdict = Verdict::Forward;
    }
}

/// What one pass over a frame's headers tells, in 60 bytes.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The flow's canonical key.
    pub key: FlowKey,
    /// The key's seeded hash. Steering uses the high half: the flow table's index uses the low bits.
    pub hash: u32,
    /// Mark of the encapsulation ([`flow::FlowHasher::mark`]): it changes when GWLB's cookie, node or options do.
    pub mark: u32,
    /// Which way the packet goes.
    pub direction: Direction,
    /// TCP flags, 0 for other protocols.
    pub tcp_flags: u8,
    /// Length of the inner packet in bytes, from its own headers.
    pub inner_len: u16,
    /// Where the inner packet starts in the frame, 50 to 342.
    pub inner_at: u16,
}

impl About {
    /// What the flow table must know of it.
    #[inline]
    pub(crate) fn sighting(&self) -> Sighting<'_> {
        let Self { key, hash, mark, direction, tcp_flags, inner_len, inner_at: _ } = self;
        Sighting {
            key,
            hash: *hash,
            mark: *mark,
            direction: *direction,
            tcp_flags: *tcp_flags,
            bytes: *inner_len,
        }
    }

    /// What is known where a flow is, and no packet of it.
    pub(crate) fn of_none(key: FlowKey, direction: Direction) -> Self {
        Self { key, hash: 0, mark: 0, direction, tcp_flags: 0, inner_len: 0, inner_at: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_frame_is_one_cache_line() {
        assert_eq!(size_of::<About>(), 60);
        assert_eq!(size_of::<Packet>(), 64);
    }
}
