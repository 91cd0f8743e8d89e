//! An appliance of one core over no NIC, whose turns and clock are the test's.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine::{
    Core, Counter, Counts, EventReceiver, Inspect, LocalPort, Pulled, Return, Role, Source, Stats, Steer,
    SwapSender, Turn, Turned, Wiring, events, swap,
};
use flow::{FlowHasher, Moment};
use inspect::hold::Settings;
use inspect::{Burst, Detector, DropReason, Event, Inspector, Mode, Retired, Successor};
use policy::{DefaultAction, Loading, Policy, RuleFile};
use wire::testkit::{OUR_ADDRESS, gwlb, tcp};
use wire::{TcpFlags, TunnelEnd};

use crate::common::{Frame, Wire, reflected};
use crate::hold::{CLIENT, RULES, SERVER, segment};

/// Bursts that come one by one; between them, nothing.
pub(crate) type Bursts = Rc<RefCell<VecDeque<Vec<Frame>>>>;

struct Nic {
    bursts: Bursts,
    closed: Rc<RefCell<bool>>,
}

impl Source<Frame> for Nic {
    fn pull(&mut self, burst: &mut Burst<Frame>) -> Pulled {
        match self.bursts.borrow_mut().pop_front() {
            Some(frames) => {
                burst.extend(frames);
                Pulled::Some
            }
            None if *self.closed.borrow() => Pulled::Closed,
            None => Pulled::Idle,
        }
    }
}

pub(crate) fn detector(rules: &str, default_action: DefaultAction) -> Arc<Detector> {
    let file = RuleFile { name: "test.rules".into(), text: rules.as_bytes().to_vec() };
    let settings = policy::Settings { default_action, ..policy::Settings::default() };
    let rules = Loading::new(&[file], &settings).strict().unwrap();
    Arc::new(Detector::new(Arc::new(Policy::new(1, Arc::new(rules)))))
}

/// An appliance of one core over no NIC, whose turns and clock are the test's.
pub(crate) struct Line {
    role: Box<dyn Turn>,
    pub(crate) bursts: Bursts,
    closed: Rc<RefCell<bool>>,
    wire: Wire,
    stats: Stats,
    now: Moment,
    pub(crate) policies: SwapSender<Successor, Retired>,
    pub(crate) log: EventReceiver<Event>,
}

impl Line {
    pub(crate) fn new(detector: Arc<Detector>, hold: Settings) -> Self {
        Self::in_mode(detector, hold, Mode::default())
    }

    pub(crate) fn in_mode(detector: Arc<Detector>, hold: Settings, mode: Mode) -> Self {
        let hasher = FlowHasher::random();
        let end = TunnelEnd { address: Some(OUR_ADDRESS), ..TunnelEnd::default() };
        let flows = flow::Settings { flows: 1000, ..flow::Settings::default() };
        let ((policies, detectors), (sender, log)) = (swap(), events(4096));
        let inspect = Inspect {
            inspector: Inspector::new(&flows, hasher, detector).in_mode(mode).holding(hold),
            detectors,
            events: sender,
            frames: |bytes: &[u8]| Some(bytes.to_vec()),
        };
        let (bursts, closed, wire) = (Bursts::default(), Rc::default(), Wire::new());
        let mut stats = Stats::default();
        let role = Box::new(Core::from(Wiring {
            source: Nic { bursts: Rc::clone(&bursts), closed: Rc::clone(&closed) },
            stage: ((Steer { end, hasher }, inspect), Return),
            sink: wire.clone(),
            bypass: None,
            local: LocalPort::none(),
            patience: Duration::ZERO,
            stats: stats.add(Role::Rtc(0)),
        }));
        Self { role, bursts, closed, wire, stats, now: Moment(1 << 40), policies, log }
    }

    pub(crate) fn usual() -> Self {
        Self::new(detector(RULES, DefaultAction::Forward), Settings::default())
    }

    /// One turn; its books balance.
    pub(crate) fn turn(&mut self) -> Turned {
        let turned = self.role.turn(self.now);
        self.role.spent(turned, self.now);
        let snapshot = self.stats.snapshot();
        assert!(snapshot.conserved(), "received = returned + dropped + punted + held, after each turn");
        turned
    }

    /// Packets that come in one burst, and what they set off.
    pub(crate) fn burst(&mut self, packets: &[Vec<u8>]) {
        let frames = packets.iter().map(|packet| gwlb().inner(packet).build()).collect();
        self.bursts.borrow_mut().push_back(frames);
        self.wait(0);
    }

    /// Milliseconds pass, and then all turns that have something to do.
    pub(crate) fn wait(&mut self, milliseconds: u64) {
        self.now.0 += milliseconds * 1_000_000;
        while self.turn() == Turned::Busy {}
    }

    /// No more packets come; the role ends.
    pub(crate) fn close(&mut self) {
        *self.closed.borrow_mut() = true;
        let ended = (0..1000).any(|_| self.turn() == Turned::Ended);
        assert!(ended, "a role ends once its source has closed");
    }

    pub(crate) fn counts(&self) -> Counts {
        self.stats.snapshot().roles[0].1
    }

    pub(crate) fn held(&self) -> u64 {
        assert_eq!(self.counts().of(Counter::Held), self.counts().of(Counter::HoldsNow));
        self.counts().of(Counter::Held)
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.stats.snapshot().dropped(reason)
    }

    /// What went out since the last call, in order.
    pub(crate) fn sent(&self) -> Vec<Frame> {
        std::mem::take(&mut *self.wire.frames.lock().unwrap())
    }

    /// Asserts that exactly these packets went out since the last time, in this order.
    pub(crate) fn assert_sent(&self, packets: &[Vec<u8>]) {
        let expected: Vec<_> = packets.iter().map(|packet| reflected(gwlb().inner(packet).build())).collect();
        assert!(self.sent() == expected);
    }

    /// A handshake, which is never held.
    pub(crate) fn open(&mut self) {
        let syn = tcp(CLIENT, SERVER).flags(TcpFlags::SYN).sequence(99).build();
        let answer = tcp(SERVER, CLIENT).flags(TcpFlags::SYN | TcpFlags::ACK);
        let packets = [syn, answer.sequence(199).acknowledgment(100).build(), segment(0, b"")];
        self.burst(&packets);
        self.assert_sent(&packets);
    }
}
