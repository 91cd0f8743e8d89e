//! What a node tells of itself.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use serde::Serialize;
use wire::EndpointId;

use super::config::NodePlace;
use super::counters::Counters;
use super::flow::{Flow, FlowKey, Volume};
use super::node::Node;

/// One node's counters and flows.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// The zone it serves.
    pub zone: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The endpoints whose devices are open, as `vpce-…`.
    pub endpoints: Vec<String>,
    /// What it has done.
    pub counters: Counters,
    /// How many flows it keeps.
    pub flow_count: usize,
    /// Flows, the newest first, no more than were asked for.
    pub flows: Vec<FlowReport>,
    /// The endpoints whose devices are open, for the engine.
    #[serde(skip)]
    pub open: Vec<EndpointId>,
}

/// One flow.
#[derive(Clone, Debug, Serialize)]
pub struct FlowReport {
    /// Which endpoint it came through.
    pub endpoint: String,
    /// One end.
    pub a: End,
    /// The other end.
    pub b: End,
    /// IP protocol number; 0 if stickiness does not look at it.
    pub protocol: u8,
    /// The appliance that sees it.
    pub target: Ipv4Addr,
    /// GENEVE option 3, in hexadecimal.
    pub cookie: String,
    /// Sent to the target.
    pub sent: Volume,
    /// Came back and went on.
    pub returned: Volume,
    /// How long ago it began, in seconds.
    pub age: f64,
    /// Its TCP connection has closed.
    pub closed: bool,
}

/// An end of a flow.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct End {
    /// Its address.
    pub address: IpAddr,
    /// Its TCP or UDP port; 0 if there is none.
    pub port: u16,
}

impl NodeReport {
    /// What `node` tells now, with at most `limit` flows.
    #[must_use]
    pub fn new(node: &Node, place: &NodePlace, open: impl Iterator<Item = EndpointId>, limit: usize) -> Self {
        let now = Instant::now();
        let flows = newest(node, limit);
        let mut open: Vec<_> = open.collect();
        open.sort();
        Self {
            zone: place.zone.clone(),
            address: place.address,
            endpoints: open.iter().map(EndpointId::to_string).collect(),
            counters: node.counters().clone(),
            flow_count: node.flow_count(),
            flows: flows.into_iter().map(|(key, flow)| FlowReport::new(key, flow, now)).collect(),
            open,
        }
    }
}

/// The newest flows, in that order; a table of a million is looked through once and not sorted.
fn newest(node: &Node, limit: usize) -> Vec<(&FlowKey, &Flow)> {
    if limit == 0 {
        return Vec::new();
    }
    let age = |(_, flow): &(&FlowKey, &Flow)| std::cmp::Reverse(flow.began);
    let mut flows: Vec<_> = node.flows().collect();
    if flows.len() > limit {
        flows.select_nth_unstable_by_key(limit, age);
        flows.truncate(limit);
    }
    flows.sort_by_key(age);
    flows
}

impl FlowReport {
    fn new(key: &FlowKey, flow: &Flow, now: Instant) -> Self {
        let tuple = key.tuple();
        Self {
            endpoint: key.endpoint.to_string(),
            a: End { address: tuple.source.to_ip(tuple.version), port: tuple.source_port },
            b: End { address: tuple.destination.to_ip(tuple.version), port: tuple.destination_port },
            protocol: tuple.protocol,
            target: flow.target,
            cookie: format!("{:08x}", flow.cookie.0),
            sent: flow.sent,
            returned: flow.returned,
            age: now.saturating_duration_since(flow.began).as_secs_f64(),
            closed: flow.is_closed(),
        }
    }
}
