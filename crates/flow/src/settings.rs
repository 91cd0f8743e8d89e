//! How many flows a table holds and how long it remembers each.

use std::time::Duration;

use crate::FlowState;
use crate::record::Record;
use crate::tick::{Tick, ticks};

/// What a table is built from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Most flows at once, 1 to 2^28; their memory is taken at start (at most 160 bytes each).
    pub flows: usize,
    /// Idle times.
    pub timeouts: Timeouts,
    /// What to do with TCP flows whose SYN was not seen.
    pub midstream: Midstream,
}

impl Default for Settings {
    fn default() -> Self {
        Self { flows: 1 << 20, timeouts: Timeouts::default(), midstream: Midstream::default() }
    }
}

/// How long a flow may be idle before it is forgotten, by what it is. At most about a year; never shorter than said.
///
/// The defaults are GWLB's own (AWS, "Gateway Load Balancers": 350 s for TCP, 120 s for everything else): a flow
/// forgotten sooner than GWLB forgets it would come back midstream, one kept longer could meet another's packets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Timeouts {
    /// TCP before the handshake is complete: 350 s.
    pub tcp_opening: Duration,
    /// TCP: 350 s; GWLB's listener may be set from 60 to 6000 s.
    pub tcp: Duration,
    /// TCP after both FINs or a RST: 60 s, for late packets. GWLB forgets such flows at once.
    pub tcp_closed: Duration,
    /// UDP: 120 s.
    pub udp: Duration,
    /// Every other protocol, and fragments: 120 s.
    pub other: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp_opening: Duration::from_secs(350),
            tcp: Duration::from_secs(350),
            tcp_closed: Duration::from_secs(60),
            udp: Duration::from_secs(120),
            other: Duration::from_secs(120),
        }
    }
}

/// What becomes of a TCP packet without a flow that is not a SYN: GWLB moved the flow here from a target that failed, or
/// this appliance was started again, or somebody scans.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Midstream {
    /// Begin a flow in its midst.
    #[default]
    Pass,
    /// Refuse it.
    Drop,
}

/// The timeouts in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdleTicks {
    tcp_opening: u32,
    tcp: u32,
    tcp_closed: u32,
    udp: u32,
    other: u32,
    shortest: u32,
}

impl IdleTicks {
    pub(crate) fn new(timeouts: &Timeouts) -> Self {
        let Timeouts { tcp_opening, tcp, tcp_closed, udp, other } = timeouts;
        let [tcp_opening, tcp, tcp_closed, udp, other] =
            [tcp_opening, tcp, tcp_closed, udp, other].map(|&t| ticks(t));
        let shortest = tcp_opening.min(tcp).min(tcp_closed).min(udp).min(other);
        Self { tcp_opening, tcp, tcp_closed, udp, other, shortest }
    }

    /// Whether the flow has been idle for longer than it may.
    #[inline]
    pub(crate) fn is_past<M: Copy + Default>(&self, record: &Record<M>, now: Tick) -> bool {
        let idle = now.since(record.last_seen);
        idle > self.shortest && idle > self.limit(record)
    }

    fn limit<M: Copy + Default>(&self, record: &Record<M>) -> u32 {
        let key = record.key();
        match (key.protocol(), record.state) {
            (6, FlowState::Opening | FlowState::Answered) if key.is_tcp() => self.tcp_opening,
            (6, FlowState::Closed | FlowState::Reset) if key.is_tcp() => self.tcp_closed,
            (6, _) if key.is_tcp() => self.tcp,
            (17, _) => self.udp,
            _ => self.other,
        }
    }
}
