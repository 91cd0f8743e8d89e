//! A GWLB node without its sockets: packets and the time go in, decisions come out.
//!
//! ```text
//!  endpoint ──packet──▶ from_endpoint ──▶ Forward: outer headers for the flow's target
//!                          │    └───────▶ Reply: a TCP reset for the sender
//!                       flow table
//!                          │
//!  target ──GENEVE──▶ from_target ──────▶ (endpoint, inner packet)
//! ```
//! What goes no further has a [`Fate`], and each fate a counter.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use wire::{
    EndpointId, FiveTuple, GENEVE_UDP_PORT, Geneve, GwlbHeader, GwlbTags, Inner, ProtocolType, TcpFlags,
    Transport,
};

use super::balance::Targets;
use super::config::{LoadBalancer, NodePlace, Stickiness, Switches};
use super::counters::{Counters, Fate};
use super::flow::{Flow, FlowKey, FlowTable, TCP};
use super::health::Health;
use super::reset;

/// The largest inner packet (AWS, "Gateway Load Balancers", MTU).
pub const INNER_LIMIT: usize = 8500;

/// How many flows one call of [`Node::expire`] ends at most.
const EXPIRY_BUDGET: usize = 256;

/// What to do with a packet that an endpoint gave.
#[derive(Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Send it to a target under these headers; the MACs are left to the kernel.
    Forward(GwlbHeader),
    /// Write this packet to the endpoint instead.
    Reply(Vec<u8>),
}

/// One node's configuration, flows and counters.
#[derive(Debug)]
pub struct Node {
    place: NodePlace,
    balancer: LoadBalancer,
    switches: Switches,
    endpoints: HashMap<EndpointId, bool>,
    targets: Targets,
    flows: FlowTable,
    counters: Counters,
}

impl Node {
    /// The load balancer's node at `place`.
    #[must_use]
    pub fn new(balancer: LoadBalancer, place: NodePlace, switches: Switches) -> Self {
        let mut node = Self {
            place,
            endpoints: HashMap::new(),
            targets: Targets::default(),
            flows: FlowTable::default(),
            counters: Counters::default(),
            balancer: balancer.clone(),
            switches,
        };
        node.configure(balancer, switches);
        node
    }

    /// Take a new configuration. Flows stay; those of another stickiness end, as their keys mean something else.
    pub fn configure(&mut self, balancer: LoadBalancer, switches: Switches) {
        if stickiness(&balancer) != stickiness(&self.balancer) {
            self.flows = FlowTable::default();
        }
        let own = balancer.endpoints.iter().filter(|endpoint| endpoint.zone == self.place.zone);
        self.endpoints = own.map(|endpoint| (endpoint.id, balancer.ipv6 && endpoint.ipv6)).collect();
        self.targets.configure(balancer.targets_of(&self.place.zone));
        self.balancer = balancer;
        self.switches = switches;
    }

    /// Take a target's new health.
    pub fn note_health(&mut self, target: Ipv4Addr, health: Health) {
        self.targets.note_health(target, health);
    }

    /// Judge a packet that came through `endpoint`.
    ///
    /// # Errors
    /// The fate of a packet that goes no further; it is counted.
    pub fn from_endpoint(
        &mut self,
        endpoint: EndpointId,
        packet: &[u8],
        now: Instant,
    ) -> Result<Outcome, Fate> {
        let outcome = self.forward(endpoint, packet, now);
        match &outcome {
            Ok(Outcome::Forward(_)) => self.counters.sent += 1,
            Ok(Outcome::Reply(_)) => self.counters.count(Fate::Reset),
            Err(fate) => self.counters.count(*fate),
        }
        outcome
    }

    /// Judge what a target sent to the node's UDP port 6081: GENEVE header on.
    ///
    /// # Errors
    /// The fate of a packet that goes no further; it is counted.
    pub fn from_target<'a>(
        &mut self,
        source: SocketAddrV4,
        geneve: &'a [u8],
        now: Instant,
    ) -> Result<(EndpointId, &'a [u8]), Fate> {
        let returned = self.check(source, geneve, now);
        match &returned {
            Ok(_) => self.counters.returned += 1,
            Err(fate) => self.counters.count(*fate),
        }
        returned
    }

    /// End what was idle too long. Call it now and then; it does a bounded amount of work.
    pub fn expire(&mut self, now: Instant) {
        self.counters.expired += self.flows.expire(now, EXPIRY_BUDGET) as u64;
    }

    /// Count a fate that the caller met.
    pub fn count(&mut self, fate: Fate) {
        self.counters.count(fate);
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The flows, in no order; among them some that are over and not yet forgotten.
    pub fn flows(&self) -> impl Iterator<Item = (&FlowKey, &Flow)> {
        self.flows.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn flow_count(&self) -> usize {
        self.flows.len()
    }

    fn forward(&mut self, endpoint: EndpointId, packet: &[u8], now: Instant) -> Result<Outcome, Fate> {
        let protocol_type = protocol_type(packet).ok_or(Fate::InnerMalformed)?;
        let inner = Inner::parse(packet, protocol_type).map_err(|_| Fate::InnerMalformed)?;
        if !is_routed(&inner.tuple) {
            return Err(Fate::NotRouted);
        }
        let ipv6 = *self.endpoints.get(&endpoint).ok_or(Fate::NoEndpoint)?;
        if protocol_type == ProtocolType::Ipv6 && !ipv6 {
            return Err(Fate::Ipv6NotEnabled);
        }
        if packet.len() > INNER_LIMIT {
            return Err(Fate::TooBig);
        }
        if inner.fragment.is_some() && !self.switches.fragments {
            return Err(Fate::Fragment);
        }
        let stickiness = stickiness(&self.balancer).ok_or(Fate::NoListener)?;
        let key = FlowKey::new(endpoint, &inner.tuple, stickiness);
        if let Some(reply) = self.find_or_begin(key, &inner, now)? {
            return Ok(Outcome::Reply(reply));
        }
        let udp_source_port = self.udp_source_port(&key, &inner.tuple);
        let idle = self.idle(&inner.tuple);
        let flow = self.flows.find(&key, now).ok_or(Fate::NoFlow)?;
        flow.touch(now, idle);
        flow.sent.count(packet.len());
        let header = GwlbHeader {
            destination_mac: [0; 6],
            source_mac: [0; 6],
            source: self.place.address,
            destination: flow.target,
            udp_source_port,
            udp_destination_port: GENEVE_UDP_PORT,
            tags: GwlbTags { endpoint, attachment: None, cookie: flow.cookie },
            protocol_type,
        };
        self.follow(&key, &inner, TcpFlags::FIN, now);
        self.follow(&key, &inner, TcpFlags::RST, now);
        Ok(Outcome::Forward(header))
    }

    /// See to it that the packet's flow stands in the table with a target, or answer with a reset.
    fn find_or_begin(
        &mut self,
        key: FlowKey,
        inner: &Inner<'_>,
        now: Instant,
    ) -> Result<Option<Vec<u8>>, Fate> {
        let reuses = |flow: &Flow| opens(inner) == Some(true) && flow.is_closed();
        let Some(flow) = self.flows.find(&key, now).filter(|flow| !reuses(flow)) else {
            return self.begin(key, inner, now);
        };
        let (gone, unhealthy) = (self.targets.is_gone(flow.target), self.targets.is_unhealthy(flow.target));
        if flow.fail_open || !(gone || unhealthy) {
            return Ok(None);
        }
        let group = self.balancer.group.as_ref().ok_or(Fate::NoListener)?;
        if group.rebalance {
            if let Some(target) = self.targets.choose_healthy(self.flows.hash(key))
                && let Some(flow) = self.flows.find(&key, now)
            {
                flow.target = target;
                self.counters.rebalanced += 1;
            }
            return Ok(None);
        }
        let told = (gone && group.reset_on_deregistration) || (unhealthy && group.reset_on_unhealthy);
        if told && group.stickiness == Stickiness::FiveTuple && inner.tuple.protocol == TCP {
            self.flows.remove(&key);
            return reset::answer(inner).map(Some).ok_or(Fate::NoFlow);
        }
        Ok(None)
    }

    /// Begin a flow for its first packet.
    fn begin(&mut self, key: FlowKey, inner: &Inner<'_>, now: Instant) -> Result<Option<Vec<u8>>, Fate> {
        let five = stickiness(&self.balancer) == Some(Stickiness::FiveTuple);
        if opens(inner) == Some(false) && five && !self.switches.midstream {
            return match self.balancer.reset_on_idle {
                true => reset::answer(inner).map(Some).ok_or(Fate::NoFlow),
                false => Err(Fate::NoFlow),
            };
        }
        if self.flows.len() >= self.switches.flow_limit {
            return Err(Fate::TableFull);
        }
        let idle = self.idle(&inner.tuple);
        let (target, fail_open) = match self.targets.choose_healthy(self.flows.hash(key)) {
            Some(target) => (target, false),
            None => {
                let random = self.flows.random();
                (self.targets.choose_any(random).ok_or(Fate::NoTarget)?, true)
            }
        };
        self.flows.insert(key, target, fail_open, now, idle);
        self.counters.flows_begun += 1;
        self.counters.fail_open += u64::from(fail_open);
        Ok(None)
    }

    fn check<'a>(
        &mut self,
        source: SocketAddrV4,
        bytes: &'a [u8],
        now: Instant,
    ) -> Result<(EndpointId, &'a [u8]), Fate> {
        let stickiness = stickiness(&self.balancer).ok_or(Fate::NoListener)?;
        let (geneve, packet) = Geneve::new_checked(bytes).map_err(|_| Fate::ReturnedMalformed)?;
        let tags = GwlbTags::read(&geneve).map_err(|_| Fate::ReturnedMalformed)?;
        let inner = Inner::parse(packet, geneve.protocol_type()).map_err(|_| Fate::ReturnedMalformed)?;
        if inner.packet.len() > INNER_LIMIT {
            return Err(Fate::ReturnedTooBig);
        }
        let key = FlowKey::new(tags.endpoint, &inner.tuple, stickiness);
        let ports =
            [self.udp_source_port(&key, &inner.tuple), self.udp_source_port(&key, &reverse(inner.tuple))];
        let Some((owner, flow)) = self.flows.find_cookie(tags.cookie, now) else {
            let known = self.flows.find(&key, now).is_some();
            return Err(if known { Fate::CookieMismatch } else { Fate::UnknownFlow });
        };
        if owner.endpoint != tags.endpoint {
            return Err(Fate::EndpointMismatch);
        }
        if owner != key && self.switches.check_inner {
            return Err(Fate::InnerMismatch);
        }
        if *source.ip() != flow.target && self.switches.check_source {
            return Err(Fate::SourceMismatch);
        }
        if !ports.contains(&source.port()) && self.switches.check_udp_port {
            return Err(Fate::UdpPortMismatch);
        }
        if !self.endpoints.contains_key(&tags.endpoint) {
            return Err(Fate::NoEndpoint);
        }
        flow.returned.count(inner.packet.len());
        self.follow(&owner, &inner, TcpFlags::RST, now);
        Ok((tags.endpoint, inner.packet))
    }

    /// Follow the connection of a flow that is one connection. What a target returns is mostly what was forwarded, so
    /// only its resets are new.
    fn follow(&mut self, key: &FlowKey, inner: &Inner<'_>, flag: TcpFlags, now: Instant) {
        if let Transport::Tcp(tcp) = inner.transport
            && tcp.flags.contains(flag)
            && stickiness(&self.balancer) == Some(Stickiness::FiveTuple)
        {
            self.flows.follow(key, flag, key.is_upward(&inner.tuple), now);
        }
    }

    fn idle(&self, tuple: &FiveTuple) -> Duration {
        if tuple.protocol == TCP { self.balancer.tcp_idle } else { self.balancer.other_idle }
    }

    /// From the dynamic range (RFC 6335 §6), by a hash of the inner packet (RFC 8926 §3.3).
    fn udp_source_port(&self, key: &FlowKey, tuple: &FiveTuple) -> u16 {
        let upward = self.switches.udp_port_per_direction && key.is_upward(tuple);
        let [.., a, b] = self.flows.hash(("udp source port", key, upward)).to_be_bytes();
        0xc000 | u16::from_be_bytes([a, b])
    }
}

fn stickiness(balancer: &LoadBalancer) -> Option<Stickiness> {
    balancer.group.as_ref().map(|group| group.stickiness)
}

/// What the first byte of an IP packet says.
fn protocol_type(packet: &[u8]) -> Option<ProtocolType> {
    match packet.first()? >> 4 {
        4 => Some(ProtocolType::Ipv4),
        6 => Some(ProtocolType::Ipv6),
        _ => None,
    }
}

/// Whether a TCP segment is a connection's first; `None` for what is not TCP.
fn opens(inner: &Inner<'_>) -> Option<bool> {
    let Transport::Tcp(tcp) = inner.transport else { return None };
    let others = TcpFlags::ACK | TcpFlags::RST | TcpFlags::FIN;
    Some(tcp.flags.contains(TcpFlags::SYN) && tcp.flags.0 & others.0 == 0)
}

/// Neither multicast nor link-local nor the unspecified address: what a VPC routes.
fn is_routed(tuple: &FiveTuple) -> bool {
    [tuple.source, tuple.destination].iter().all(|address| match address.to_ip(tuple.version) {
        IpAddr::V4(v4) => {
            !(v4.is_multicast() || v4.is_link_local() || v4.is_broadcast() || v4.is_unspecified())
        }
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unicast_link_local() || v6.is_unspecified()),
    })
}

fn reverse(tuple: FiveTuple) -> FiveTuple {
    FiveTuple {
        source: tuple.destination,
        destination: tuple.source,
        source_port: tuple.destination_port,
        destination_port: tuple.source_port,
        ..tuple
    }
}
