//! What is known of a packet that is looked into, and what rules see of it.

use flow::{Course, Moment};
use policy::Way;
use wire::Inner;

use crate::detect::{Figures, Sight, payload_of};
use crate::{About, Mode};

/// What is known of a packet that is looked into.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Moment,
    /// Counts the inspector's packets.
    pub(crate) packet: u64,
    pub(crate) about: &'a About,
    pub(crate) frame: &'a [u8],
    pub(crate) course: Course<'a>,
    pub(crate) mode: Mode,
    /// In how many tunnels it is, besides the one from GWLB.
    pub(crate) layer: usize,
}

impl<'a> Seen<'a> {
    /// Whether the packet is one of a tunnel that is looked into.
    pub(crate) fn carries(&self) -> bool {
        self.mode.looks_into(&self.about.key.tuple(self.about.direction))
    }

    pub(super) fn sight(&self, inner: &'a Inner<'a>) -> Sight<'a> {
        let (tuple, payload) = (inner.tuple, payload_of(inner));
        Sight { tuple, inner: Some(inner), payload, ..self.sight_of_none() }
    }

    /// What rules see when no packet is there.
    pub(super) fn sight_of_none(&self) -> Sight<'a> {
        let About { key, direction, .. } = self.about;
        Sight {
            now: self.now,
            key,
            direction: *direction,
            way: if *direction == self.course.initiator { Way::ToServer } else { Way::ToClient },
            tuple: key.tuple(*direction),
            inner: None,
            payload: &[],
            state: self.course.state,
            whole: false,
        }
    }

    /// The port of who did not begin the flow.
    pub(super) fn responder_port(&self) -> u16 {
        self.about.key.tuple(self.course.initiator).destination_port
    }

    pub(super) fn figures(&self, streamed: [u64; 2]) -> Figures<'a> {
        Figures { course: self.course, begun: self.course.begun(self.now), streamed }
    }
}
