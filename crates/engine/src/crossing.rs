//! What of a packet crosses a ring: as little as the next core needs. Every cache line that crosses is fetched from the
//! other core, and fetched back when its place in the ring is written again (DESIGN.md, "What crosses a ring").
//!
//! ```text
//! to a worker         [ frame 8 | near 22 | hash 4 | mark 4 | lengths, flags … ]  48 bytes, enough for IPv4
//!                     [ far 24 ]                                                   beside it, for IPv6 alone
//! to a transmit core  [ frame 8 ]                                                  it only turns the frame round
//! ```

use flow::{Direction, Far, FlowKey, Near};
use inspect::{About, Packet};

/// A form in which packets on their way forward cross a ring.
pub(crate) trait Crossing<B>: Sized {
    /// What has to cross beside the packet.
    fn far(packet: &Packet) -> Option<Far>;

    /// The packet as it crosses.
    fn leave(frame: B, packet: &Packet) -> Self;

    /// The frame on the other side, and into `packet`, of which nothing is known yet, what crossed with it. `far` gives what
    /// crossed beside it, in the same order.
    fn arrive(self, far: impl FnOnce() -> Option<Far>, packet: &mut Packet) -> B;
}

/// A frame and what was learnt of it.
#[derive(Debug)]
pub struct Learnt<B> {
    frame: B,
    about: Option<NearAbout>,
}

/// What was learnt of a frame, but for the far part of its key.
#[derive(Debug)]
struct NearAbout {
    near: Near,
    direction: Direction,
    tcp_flags: u8,
    hash: u32,
    mark: u32,
    inner_len: u16,
    inner_at: u16,
}

impl<B> Crossing<B> for Learnt<B> {
    #[inline]
    fn far(packet: &Packet) -> Option<Far> {
        packet.about.as_ref().and_then(|about| about.key.parts().1)
    }

    #[inline]
    fn leave(frame: B, packet: &Packet) -> Self {
        let about = packet.about.as_ref().map(|about| NearAbout {
            near: about.key.parts().0,
            direction: about.direction,
            tcp_flags: about.tcp_flags,
            hash: about.hash,
            mark: about.mark,
            inner_len: about.inner_len,
            inner_at: about.inner_at,
        });
        Self { frame, about }
    }

    #[inline]
    fn arrive(self, far: impl FnOnce() -> Option<Far>, packet: &mut Packet) -> B {
        packet.about = self.about.map(|about| About {
            key: FlowKey::from_parts(about.near, if about.near.is_ipv4() { None } else { far() }),
            hash: about.hash,
            mark: about.mark,
            direction: about.direction,
            tcp_flags: about.tcp_flags,
            inner_len: about.inner_len,
            inner_at: about.inner_at,
        });
        self.frame
    }
}

/// A frame, and nothing else.
#[derive(Debug)]
pub struct Bare<B>(B);

impl<B> Crossing<B> for Bare<B> {
    #[inline]
    fn far(_: &Packet) -> Option<Far> {
        None
    }

    #[inline]
    fn leave(frame: B, _: &Packet) -> Self {
        Self(frame)
    }

    #[inline]
    fn arrive(self, _: impl FnOnce() -> Option<Far>, _: &mut Packet) -> B {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_crosses_to_a_worker_in_48_bytes_and_on_to_the_nic_in_8() {
        assert_eq!(size_of::<Learnt<Box<u8>>>(), 48); // a frame that is a pointer, as an mbuf is
        assert_eq!(size_of::<Bare<Box<u8>>>(), 8);
    }
}
