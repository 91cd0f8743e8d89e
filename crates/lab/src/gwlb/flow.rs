//! One node's flows: which target, which cookie, how long.
//!
//! A flow is found by its key (from an endpoint) and by its cookie (from a target). It ends when it was idle too long, or
//! when its TCP connection has closed and the five-tuple is used again; the next flow of the same key gets a new cookie.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde::Serialize;
use wire::{Address, EndpointId, FiveTuple, FlowCookie, TcpFlags};

use super::config::Stickiness;

/// Protocol number of TCP (IANA).
pub const TCP: u8 = 6;
/// Protocol number of UDP (IANA).
pub const UDP: u8 = 17;

/// How long the last segments of a closed TCP connection still pass.
const LINGER: Duration = Duration::from_secs(5);

/// What names a flow: the endpoint and the ends of the inner packet, ordered, cut down to what stickiness asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FlowKey {
    /// Which endpoint it came through: consumers may use the same addresses.
    pub endpoint: EndpointId,
    low: (Address, u16),
    high: (Address, u16),
    protocol: u8,
    version: u8,
}

impl FlowKey {
    /// The key of a packet; the same for both directions.
    #[must_use]
    pub fn new(endpoint: EndpointId, tuple: &FiveTuple, stickiness: Stickiness) -> Self {
        let ports = stickiness == Stickiness::FiveTuple && matches!(tuple.protocol, TCP | UDP);
        let port = |port: u16| if ports { port } else { 0 };
        let source = (tuple.source, port(tuple.source_port));
        let destination = (tuple.destination, port(tuple.destination_port));
        Self {
            endpoint,
            low: source.min(destination),
            high: source.max(destination),
            protocol: if stickiness == Stickiness::TwoTuple { 0 } else { tuple.protocol },
            version: tuple.version,
        }
    }

    /// Whether this packet of the flow goes from the lower end to the higher.
    #[must_use]
    pub fn is_upward(&self, tuple: &FiveTuple) -> bool {
        (tuple.source, tuple.source_port) <= (tuple.destination, tuple.destination_port)
    }

    /// The ends as a five-tuple, in the order of the key; parts that stickiness cut away are 0.
    #[must_use]
    pub fn tuple(&self) -> FiveTuple {
        FiveTuple {
            source: self.low.0,
            destination: self.high.0,
            source_port: self.low.1,
            destination_port: self.high.1,
            protocol: self.protocol,
            version: self.version,
        }
    }
}

/// What the node remembers of a flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// GENEVE option 3 of all its packets.
    pub cookie: FlowCookie,
    /// The appliance that sees it.
    pub target: Ipv4Addr,
    /// It began while no target was healthy, and stays where it is.
    pub fail_open: bool,
    /// Packets and bytes sent to the target.
    pub sent: Volume,
    /// Packets and bytes that came back and were let through.
    pub returned: Volume,
    /// When it began.
    pub began: Instant,
    deadline: Instant,
    finished: [bool; 2],
    closed: bool,
}

/// Packets and inner bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Volume {
    /// Number of packets.
    pub packets: u64,
    /// Sum of their inner lengths.
    pub bytes: u64,
}

impl Volume {
    /// Count one packet of `length` inner bytes.
    pub fn count(&mut self, length: usize) {
        self.packets += 1;
        self.bytes += length as u64;
    }
}

impl Flow {
    /// A closed connection's five-tuple may begin anew.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Note a packet's arrival: the flow lives `idle` longer, unless its connection has closed.
    pub fn touch(&mut self, now: Instant, idle: Duration) {
        if !self.closed {
            self.deadline = self.deadline.max(now + idle);
        }
    }

    fn follow(&mut self, flags: TcpFlags, upward: bool, now: Instant) -> bool {
        self.finished[usize::from(upward)] |= flags.contains(TcpFlags::FIN);
        let closes = !self.closed && (flags.contains(TcpFlags::RST) || self.finished == [true; 2]);
        if closes {
            self.closed = true;
            self.deadline = now + LINGER;
        }
        closes
    }
}

/// The table. Bounded by the caller, who asks [`FlowTable::len`] before it adds.
#[derive(Debug)]
pub struct FlowTable {
    flows: HashMap<FlowKey, Flow>,
    cookies: HashMap<FlowCookie, FlowKey>,
    deadlines: BinaryHeap<Reverse<(Instant, u32)>>,
    seed: RandomState,
    made: u64,
}

impl Default for FlowTable {
    fn default() -> Self {
        Self {
            flows: HashMap::new(),
            cookies: HashMap::new(),
            deadlines: BinaryHeap::new(),
            seed: RandomState::new(),
            made: 0,
        }
    }
}

impl FlowTable {
    /// Begin a flow; one of the same key ends by it. Its cookie is one that no live flow has.
    pub fn insert(
        &mut self,
        key: FlowKey,
        target: Ipv4Addr,
        fail_open: bool,
        now: Instant,
        idle: Duration,
    ) -> &mut Flow {
        self.remove(&key);
        let cookie = self.new_cookie();
        let flow = Flow {
            cookie,
            target,
            fail_open,
            sent: Volume::default(),
            returned: Volume::default(),
            began: now,
            deadline: now + idle,
            finished: [false; 2],
            closed: false,
        };
        self.cookies.insert(cookie, key);
        self.deadlines.push(Reverse((flow.deadline, cookie.0)));
        self.flows.entry(key).insert_entry(flow).into_mut()
    }

    /// The live flow of this key.
    pub fn find(&mut self, key: &FlowKey, now: Instant) -> Option<&mut Flow> {
        self.flows.get_mut(key).filter(|flow| flow.deadline > now)
    }

    /// The live flow of this cookie.
    pub fn find_cookie(&mut self, cookie: FlowCookie, now: Instant) -> Option<(FlowKey, &mut Flow)> {
        let key = *self.cookies.get(&cookie)?;
        Some((key, self.find(&key, now)?))
    }

    /// Note a segment that finishes or resets; a flow that is closed by it ends soon.
    pub fn follow(&mut self, key: &FlowKey, flags: TcpFlags, upward: bool, now: Instant) {
        if let Some(flow) = self.flows.get_mut(key)
            && flow.follow(flags, upward, now)
        {
            self.deadlines.push(Reverse((flow.deadline, flow.cookie.0)));
        }
    }

    /// End a flow.
    pub fn remove(&mut self, key: &FlowKey) {
        if let Some(flow) = self.flows.remove(key) {
            self.cookies.remove(&flow.cookie);
        }
    }

    /// End what was idle too long, at most `budget` of them; returns how many ended.
    pub fn expire(&mut self, now: Instant, budget: usize) -> usize {
        let mut ended = 0;
        for _ in 0..budget {
            match self.deadlines.peek() {
                Some(Reverse((deadline, _))) if *deadline <= now => {}
                _ => break,
            }
            let Some(Reverse((_, cookie))) = self.deadlines.pop() else { break };
            let Some(key) = self.cookies.get(&FlowCookie(cookie)).copied() else { continue };
            match self.flows.get(&key) {
                Some(flow) if flow.deadline > now => self.deadlines.push(Reverse((flow.deadline, cookie))),
                _ => {
                    self.remove(&key);
                    ended += 1;
                }
            }
        }
        ended
    }

    /// Live flows and those that [`FlowTable::expire`] has not ended yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// No flow at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// All flows, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&FlowKey, &Flow)> {
        self.flows.iter()
    }

    /// A number that is stable for `value` in this table and cannot be guessed from outside.
    #[must_use]
    pub fn hash(&self, value: impl std::hash::Hash) -> u64 {
        self.seed.hash_one(value)
    }

    /// A number never given before.
    pub fn random(&mut self) -> u64 {
        self.made += 1;
        self.seed.hash_one(("random", self.made))
    }

    fn new_cookie(&mut self) -> FlowCookie {
        loop {
            let [a, b, c, d, ..] = self.random().to_be_bytes();
            let cookie = FlowCookie(u32::from_be_bytes([a, b, c, d]));
            if cookie.0 != 0 && !self.cookies.contains_key(&cookie) {
                return cookie;
            }
        }
    }
}
