//! No allocation per packet: a counting allocator stands under the appliance's stages while they turn.
#![allow(clippy::unwrap_used, reason = "what the test is made of may fail as the test does")]

use std::sync::Arc;
use std::time::Duration;

use engine::{
    Core, Inspect, LocalPort, Pulled, Return, Role, Sink, Source, Stats, Steer, Turn, Turned, Wiring, events,
    swap,
};
use flow::{FlowHasher, Moment};
use inspect::{Burst, Detector, DropReason, Inspector};
use policy::{Loading, Policy};
use wire::TunnelEnd;
use wire::testkit::{gwlb, udp};

struct Nic(std::vec::IntoIter<Vec<u8>>);

impl Source<Vec<u8>> for Nic {
    fn pull(&mut self, burst: &mut Burst<Vec<u8>>) -> Pulled {
        let room = burst.room();
        burst.extend(self.0.by_ref().take(room));
        if burst.is_empty() { Pulled::Closed } else { Pulled::Some }
    }
}

struct Freeing;

impl Sink<Vec<u8>> for Freeing {
    fn push(&mut self, burst: &mut Burst<Vec<u8>>) {
        burst.clear();
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}

#[test]
fn no_turn_allocates_whether_flows_are_new_or_known() {
    let frame = |n: usize| {
        let source = format!("10.1.{}.{}:5000", n / 200 % 5, n % 200 + 1);
        gwlb().inner(&udp(&source, "192.0.2.80:53").build()).build()
    };
    let frames: Vec<_> = (0..5000).map(frame).collect();
    let hasher = FlowHasher::random();
    let rules = Loading::new(&[], &policy::Settings::default()).rules;
    let flows = flow::Settings { flows: 2000, ..flow::Settings::default() };
    let inspector =
        Inspector::new(&flows, hasher, Arc::new(Detector::new(Arc::new(Policy::new(1, Arc::new(rules))))));
    let ((_policies, offered), (tell, _log)) = (swap(), events(100));
    let steer = Steer { end: TunnelEnd::default(), hasher };
    let inspect =
        Inspect { inspector, detectors: offered, events: tell, frames: |bytes: &[u8]| Some(bytes.to_vec()) };
    let mut stats = Stats::default();
    let mut role = Core::from(Wiring {
        source: Nic(frames.into_iter()),
        stage: ((steer, inspect), Return),
        sink: Freeing,
        bypass: None,
        local: LocalPort::none(),
        patience: Duration::ZERO,
        stats: stats.add(Role::Rtc(0)),
    });
    let allocations = allocation_counter::measure(|| {
        for now in (0..).map(|turn| Moment(turn * 1_000_000)) {
            let turned = role.turn(now);
            role.spent(turned, now);
            if turned == Turned::Ended {
                break;
            }
        }
    });
    assert_eq!(allocations.count_total, 0);
    assert_eq!(stats.snapshot().transmitted(), 5000);
}
