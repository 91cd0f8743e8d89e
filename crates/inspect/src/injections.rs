//! Frames that a worker sends of its own accord, on their way out: a bounded number of them, at a bounded rate.
//!
//! They have the form in which GWLB's frames arrive, so that the stage which turns those round sends these as well.

use flow::{Moment, Wrapping};
use wire::{Ethernet, Ipv4, Outer, Udp};

/// Most frames that wait: twice what a burst of rejected packets makes.
const ROOM: usize = 128;
/// Nanoseconds between two frames, on average: 1000 a second, as hosts bound what they answer (RFC 1812 §4.3.2.8).
const PACE: u64 = 1_000_000;
/// How many may come at once after a pause.
const AT_ONCE: u64 = 256;

/// One worker's frames on their way out.
#[derive(Debug)]
pub struct Injections {
    bytes: Vec<u8>,
    /// Where each frame that waits ends in `bytes`.
    ends: Vec<usize>,
    /// How many of them are gone.
    sent: usize,
    /// When the next would be due if all came evenly.
    due: Moment,
    withheld: u64,
    /// Frames that could not be sent for want of memory, counted by who sends them.
    pub lost: u64,
}

impl Injections {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(ROOM * 1024),
            ends: Vec::with_capacity(ROOM),
            sent: 0,
            due: Moment::default(),
            withheld: 0,
            lost: 0,
        }
    }

    /// The oldest frame that waits.
    #[must_use]
    pub fn first(&self) -> Option<&[u8]> {
        let end = *self.ends.get(self.sent)?;
        let start = self.sent.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.bytes.get(start..end)
    }

    /// The oldest frame is sent, or cannot be.
    pub fn next(&mut self) {
        self.sent = self.ends.len().min(self.sent + 1);
        if self.sent == self.ends.len() || self.sent >= ROOM / 2 {
            let gone = self.sent.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
            self.bytes.drain(..gone);
            self.ends.drain(..self.sent);
            self.ends.iter_mut().for_each(|end| *end -= gone);
            self.sent = 0;
        }
    }

    /// Whether none waits.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many were not sent because of their rate, or because too many waited.
    #[must_use]
    pub fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Send a packet that `write` writes, wrapped as `wrapping` says, by the way on which `frame` came. False if `write`
    /// has nothing to say.
    pub(crate) fn put(
        &mut self,
        now: Moment,
        (frame, wrapping): (&[u8], &Wrapping),
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> bool {
        let (start, geneve) = (self.bytes.len(), wrapping.header());
        let inner_at = start + Outer::LEN + geneve.len();
        self.bytes.resize(start + Outer::LEN, 0);
        self.bytes.extend_from_slice(geneve);
        let said = write(&mut self.bytes);
        let outer = outer(frame, wrapping).filter(|_| said && self.bytes.len() > inner_at);
        let len = self.bytes.len() - start - Outer::LEN;
        let head = self.bytes.get_mut(start..).and_then(<[u8]>::first_chunk_mut);
        let whole = outer.zip(head).is_some_and(|(outer, head)| outer.write(len, head).is_ok());
        if whole && self.ends.len() - self.sent < ROOM && self.is_due(now) {
            self.ends.push(self.bytes.len());
            return true;
        }
        self.withheld += u64::from(whole);
        self.bytes.truncate(start);
        false
    }

    fn is_due(&mut self, now: Moment) -> bool {
        let due = self.due.0.max(now.0);
        if due - now.0 >= PACE * AT_ONCE {
            return false;
        }
        self.due = Moment(due + PACE);
        true
    }
}

/// The headers in which GWLB would send what it is to take.
fn outer(frame: &[u8], wrapping: &Wrapping) -> Option<Outer> {
    let (_, packet) = Ethernet::new_checked(frame)?;
    let (ipv4, payload) = Ipv4::new_checked(packet).ok()?;
    let (udp, _) = Udp::new_checked(payload).ok()?;
    let (destination_mac, rest) = frame.split_first_chunk()?;
    Some(Outer {
        destination_mac: *destination_mac,
        source_mac: *rest.first_chunk()?,
        source: wrapping.node,
        destination: ipv4.destination(),
        udp_source_port: wrapping.udp_source_port,
        udp_destination_port: udp.destination_port(),
    })
}
