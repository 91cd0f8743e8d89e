//! What the load balancers shall do: plain data, made whole from the state and handed to the engine as one value.

use std::net::Ipv4Addr;
use std::time::Duration;

use wire::EndpointId;

use super::health::HealthCheck;
pub use super::switches::Switches;

/// Every load balancer that has at least one node. The engine makes itself equal to the newest one it was given.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Config {
    /// In any order; `name` is what tells them apart.
    pub load_balancers: Vec<LoadBalancer>,
    /// How the points that AWS leaves open are decided.
    pub switches: Switches,
}

/// One Gateway Load Balancer with its listener's target group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LoadBalancer {
    /// Unique, for messages and status.
    pub name: String,
    /// One per enabled zone (AWS, "Quotas for your Gateway Load Balancers").
    pub nodes: Vec<NodePlace>,
    /// The endpoints whose service stands before this load balancer.
    pub endpoints: Vec<Endpoint>,
    /// What the listener forwards to; without a listener everything is dropped.
    pub group: Option<Group>,
    /// `load_balancing.cross_zone.enabled`: a node may use targets of every enabled zone.
    pub cross_zone: bool,
    /// `dualstack`: inner IPv6 is carried, in an outer IPv4 header.
    pub ipv6: bool,
    /// How long a TCP flow may be idle.
    pub tcp_idle: Duration,
    /// How long any other flow may be idle.
    pub other_idle: Duration,
    /// Listener attribute `send_tcp_reset.on_idle_timeout.enabled`.
    pub reset_on_idle: bool,
}

/// Where a node lives: one network interface in one zone.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodePlace {
    /// The zone's name.
    pub zone: String,
    /// The network namespace that holds the node's interface.
    pub namespace: String,
    /// The node's address: source of GENEVE and of health checks, and where returned packets go.
    pub address: Ipv4Addr,
}

/// A GWLB endpoint: a TUN device in its consumer VPC's router.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// What GENEVE option 1 carries.
    pub id: EndpointId,
    /// Zone of its subnet; the node of this zone serves it.
    pub zone: String,
    /// The namespace that holds the TUN device.
    pub namespace: String,
    /// The TUN device's name.
    pub tun: String,
    /// `dualstack`: inner IPv6 is carried.
    pub ipv6: bool,
}

/// A GENEVE target group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Unique; its ARN.
    pub name: String,
    /// What makes packets belong together.
    pub stickiness: Stickiness,
    /// `target_failover.on_deregistration` and `.on_unhealthy`: false is `no_rebalance`. Both have one value (AWS API).
    pub rebalance: bool,
    /// `send_tcp_reset.on_unhealthy.enabled`.
    pub reset_on_unhealthy: bool,
    /// `send_tcp_reset.on_deregistration.enabled`.
    pub reset_on_deregistration: bool,
    /// How targets are checked.
    pub check: HealthCheck,
    /// Registered targets, draining ones included. One that is gone from here has ended its deregistration delay.
    pub targets: Vec<Target>,
}

/// An appliance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Unique in the group: an instance's id or an address.
    pub id: String,
    /// Where GENEVE and health checks go.
    pub address: Ipv4Addr,
    /// Zone of the address.
    pub zone: String,
    /// Being deregistered: flows stay, no new ones come.
    pub draining: bool,
}

/// Which parts of the inner packet name a flow (target group attribute `stickiness.type`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Stickiness {
    /// Addresses, protocol and ports for TCP and UDP; addresses and protocol for the rest. AWS's default.
    #[default]
    FiveTuple,
    /// `source_ip_dest_ip_proto`.
    ThreeTuple,
    /// `source_ip_dest_ip`.
    TwoTuple,
}

impl LoadBalancer {
    /// The targets that the node of `zone` may use: its own zone's, or with cross-zone on those of all enabled zones.
    pub fn targets_of(&self, zone: &str) -> impl Iterator<Item = &Target> {
        let enabled = |place: &Target| self.nodes.iter().any(|node| node.zone == place.zone);
        let targets = self.group.as_ref().map(|group| group.targets.as_slice()).unwrap_or_default();
        targets.iter().filter(move |target| target.zone == zone || (self.cross_zone && enabled(target)))
    }
}
