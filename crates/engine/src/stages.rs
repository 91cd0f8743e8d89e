//! The stages of the two wirings. `(a, b)` is a stage that runs `a`, then `b`: run to completion is the pipeline's stages
//! in one role, not a second set of them.

use flow::Moment;
use inspect::{Frame, Packet, Verdict};
use wire::reflect;

use crate::{Counts, Stage};

/// Turn what goes forward round, toward the GWLB. It runs where packets are transmitted: the worker of a decided flow
/// never touches the frame (DESIGN.md, "What crosses a ring").
#[derive(Clone, Copy, Debug, Default)]
pub struct Return;

impl<B: Frame> Stage<B> for Return {
    fn run(&mut self, _: Moment, packets: &mut [Packet<B>]) {
        for packet in packets.iter_mut().filter(|packet| packet.verdict == Verdict::Forward) {
            reflect(packet.frame.as_mut());
        }
    }
}

impl<B, First: Stage<B>, Second: Stage<B>> Stage<B> for (First, Second) {
    fn tick(&mut self, now: Moment) {
        self.0.tick(now);
        self.1.tick(now);
    }

    fn run(&mut self, now: Moment, packets: &mut [Packet<B>]) {
        self.0.run(now, packets);
        self.1.run(now, packets);
    }

    fn report(&mut self, counts: &mut Counts) {
        self.0.report(counts);
        self.1.report(counts);
    }
}
