//! An appliance of one core without a NIC: frames go through `learn` and an inspector.

use std::sync::Arc;

use flow::{FlowHasher, Moment, Settings};
use inspect::{Detector, Event, Inspector, Packet, Verdict, learn};
use policy::{DefaultAction, Loading, Policy, RuleFile};
use wire::testkit::{OUR_ADDRESS, gwlb};
use wire::{Ipv4Prefix, TunnelEnd};

pub(crate) struct Desk {
    pub(crate) inspector: Inspector,
    pub(crate) now: Moment,
    hasher: FlowHasher,
    end: TunnelEnd,
}

impl Desk {
    pub(crate) fn new(rules: &str) -> Self {
        Self::with(&Settings { flows: 1000, ..Settings::default() }, policy(rules, DefaultAction::Forward))
    }

    pub(crate) fn with(settings: &Settings, detector: Arc<Detector>) -> Self {
        let hasher = FlowHasher::random();
        let sources = Ipv4Prefix::new(OUR_ADDRESS, 16).into_iter().collect();
        let end = TunnelEnd { address: Some(OUR_ADDRESS), sources, ..TunnelEnd::default() };
        Self { inspector: Inspector::new(settings, hasher, detector), now: Moment(1 << 60), hasher, end }
    }

    pub(crate) fn learn(&self, frame: &[u8]) -> Packet {
        let mut packet = Packet::UNREAD;
        learn(frame, &self.end, &self.hasher, &mut packet);
        packet
    }

    /// The verdicts of frames that come in one go.
    pub(crate) fn judge(&mut self, frames: &[Vec<u8>]) -> Vec<Verdict> {
        let mut packets: Vec<_> = frames.iter().map(|frame| self.learn(frame)).collect();
        self.inspector.judge(self.now, frames, &mut packets);
        packets.into_iter().map(|packet| packet.verdict).collect()
    }

    /// The verdict of one inner packet, wrapped as usual.
    pub(crate) fn see(&mut self, inner: &[u8]) -> Verdict {
        self.judge(&[gwlb().inner(inner).build()])[0]
    }

    /// The sids of the alerts since the last call, and how many flows ended.
    pub(crate) fn told(&mut self) -> (Vec<u32>, usize) {
        let (mut sids, mut ended) = (Vec::new(), 0);
        for event in self.inspector.events() {
            match event {
                Event::Alert(alert) => sids.push(alert.sid),
                Event::FlowEnd(_) => ended += 1,
                Event::Dropped(_) | Event::Noticed(_) | Event::Tagged(_) | Event::Transaction(_) => {}
            }
        }
        (sids, ended)
    }
}

pub(crate) fn policy(rules: &str, default_action: DefaultAction) -> Arc<Detector> {
    detector(rules, &policy::Settings { default_action, ..policy::Settings::default() })
}

pub(crate) fn detector(rules: &str, settings: &policy::Settings) -> Arc<Detector> {
    let file = RuleFile { name: "test.rules".into(), text: rules.as_bytes().to_vec() };
    let loading = Loading::new(&[file], settings);
    assert!(loading.refusals.is_empty(), "{:?}", loading.refusals);
    Arc::new(Detector::new(Arc::new(Policy::new(1, Arc::new(loading.rules)))))
}
