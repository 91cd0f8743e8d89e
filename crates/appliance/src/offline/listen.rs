//! What a listener does to a verdict: nothing that a policy says holds a packet up.

use engine::{Counts, Stage};
use flow::Moment;
use inspect::{DropReason, Frame, Packet, Verdict};

/// A stage behind the judging one: with `passive`, packets that the policy drops go on.
pub(crate) struct Listen {
    /// Only listen.
    pub(crate) passive: bool,
}

impl<B: Frame> Stage<B> for Listen {
    fn run(&mut self, _: Moment, _: &mut [B], packets: &mut [Packet]) {
        if !self.passive {
            return;
        }
        for packet in packets.iter_mut().filter(|packet| packet.about.is_some()) {
            if packet.verdict == Verdict::Drop(DropReason::Policy) {
                packet.verdict = Verdict::Forward;
            }
        }
    }

    fn report(&mut self, _: &mut Counts) {}
}
