use serde::{Deserialize, Serialize};

use super::{Id, Interface, Tags};

/// A Gateway Load Balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/gwy/NAME/16 digits`.
    pub arn: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// The account it belongs to.
    pub owner: String,
    /// Unique in account and region.
    pub name: String,
    /// The VPC of its nodes.
    pub vpc: Id,
    /// One node per enabled zone, in the order the zones were enabled.
    pub nodes: Vec<Node>,
    /// Carries IPv6 packets too (in an IPv4 outer header).
    pub dualstack: bool,
    /// `load_balancing.cross_zone.enabled`: a node uses targets of every zone.
    pub cross_zone: bool,
    /// `deletion_protection.enabled`.
    pub deletion_protection: bool,
    /// When, milliseconds since 1970.
    pub created_at: u64,
    /// Tags.
    pub tags: Tags,
}

/// What a load balancer has in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The zone.
    pub zone: String,
    /// Where it stands: the source of GENEVE packets and health checks.
    pub interface: Interface,
}

/// A target group of protocol GENEVE, port 6081.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/16 digits`.
    pub arn: Id,
    /// The account it belongs to.
    pub owner: String,
    /// Unique in account and region.
    pub name: String,
    /// The VPC of its targets.
    pub vpc: Id,
    /// What its targets' ids are.
    pub kind: TargetKind,
    /// How health is found out.
    pub health_check: HealthCheck,
    /// The rest.
    pub attributes: TargetGroupAttributes,
    /// Registered and draining targets, in order of registration.
    pub targets: Vec<Target>,
    /// Tags.
    pub tags: Tags,
}

/// What a target's id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetKind {
    /// An instance's id.
    Instance,
    /// An IPv4 address.
    Ip,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// An instance id or an IPv4 address, as the group's [`kind`](TargetGroup::kind) says.
    pub id: String,
    /// The zone given at registration (addresses outside the VPC may say `all`).
    pub zone: Option<String>,
    /// When, milliseconds since 1970.
    pub registered_at: u64,
    /// When it was deregistered, if it is draining.
    pub draining_since: Option<u64>,
}

/// How a node finds out whether a target is well. Defaults are those of GENEVE groups (`CreateTargetGroup`, API reference).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// TCP, HTTP or HTTPS.
    pub protocol: HealthProtocol,
    /// The TCP port asked, 1–65535; 80 by default. `None` is `traffic-port`: the group's own, 6081.
    pub port: Option<u16>,
    /// What HTTP asks for; `/` by default.
    pub path: String,
    /// Seconds between checks, 5–300; 10 by default.
    pub interval_s: u32,
    /// Seconds until a check has failed, 2–120; 5 by default.
    pub timeout_s: u32,
    /// Checks in a row that make a target healthy, 2–10; 5 by default.
    pub healthy_threshold: u32,
    /// Checks in a row that make a target unhealthy, 2–10; 2 by default.
    pub unhealthy_threshold: u32,
    /// HTTP statuses that count as well, as ranges within 200–399.
    pub matcher: Vec<(u16, u16)>,
}

/// The protocol of a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthProtocol {
    /// A completed handshake is enough.
    Tcp,
    /// A status in the matcher.
    Http,
    /// The same over TLS; the certificate is not checked.
    Https,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            protocol: HealthProtocol::Tcp,
            port: Some(80),
            path: "/".into(),
            interval_s: 10,
            timeout_s: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: vec![(200, 399)],
        }
    }
}

/// Attributes of a target group, by their API names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupAttributes {
    /// `deregistration_delay.timeout_seconds`, 0–3600; 300 by default.
    pub deregistration_delay_s: u32,
    /// `stickiness.enabled`.
    pub stickiness_enabled: bool,
    /// `stickiness.type`; counts only while enabled. Never [`Stickiness::FiveTuple`].
    pub stickiness_type: Stickiness,
    /// `target_failover.on_deregistration` and `.on_unhealthy`, which must be equal: whether existing flows move.
    pub rebalance: bool,
    /// `send_tcp_reset.on_unhealthy.enabled`.
    pub reset_on_unhealthy: bool,
    /// `send_tcp_reset.on_deregistration.enabled`.
    pub reset_on_deregistration: bool,
}

impl TargetGroupAttributes {
    /// What makes two packets one flow: five-tuple unless stickiness is enabled.
    #[must_use]
    pub const fn stickiness(&self) -> Stickiness {
        if self.stickiness_enabled { self.stickiness_type } else { Stickiness::FiveTuple }
    }
}

impl Default for TargetGroupAttributes {
    fn default() -> Self {
        Self {
            deregistration_delay_s: 300,
            stickiness_enabled: false,
            stickiness_type: Stickiness::ThreeTuple,
            rebalance: false,
            reset_on_unhealthy: false,
            reset_on_deregistration: false,
        }
    }
}

/// What makes two packets one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stickiness {
    /// Addresses, protocol and ports (TCP, UDP); addresses and protocol for the rest.
    FiveTuple,
    /// `source_ip_dest_ip_proto`.
    ThreeTuple,
    /// `source_ip_dest_ip`.
    TwoTuple,
}

/// A listener: joins a load balancer to its target group. It has neither protocol nor port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/gwy/NAME/16 digits/16 digits`.
    pub arn: Id,
    /// The ARN of its load balancer.
    pub load_balancer: Id,
    /// The ARN of the group it forwards to.
    pub target_group: Id,
    /// When idle flows end.
    pub idle: IdleTimeout,
    /// Tags.
    pub tags: Tags,
}

/// When idle flows end. Non-TCP flows end after 120 s, whatever stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleTimeout {
    /// `tcp.idle_timeout.seconds`, 60–6000; 350 by default. Counts only with five-tuple stickiness.
    pub tcp_s: u32,
    /// `send_tcp_reset.on_idle_timeout.enabled`.
    pub reset: bool,
}

impl Default for IdleTimeout {
    fn default() -> Self {
        Self { tcp_s: 350, reset: false }
    }
}

impl TargetGroup {
    /// When a target that began to drain at `since` has drained, in a lab whose time runs `scale` times as fast.
    #[must_use]
    pub fn drained_at(&self, since: u64, scale: u32) -> u64 {
        since + u64::from(self.attributes.deregistration_delay_s) * 1000 / u64::from(scale.max(1))
    }
}
