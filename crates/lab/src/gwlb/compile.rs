//! What the engine shall do so that a [`State`] is real.

use std::net::Ipv4Addr;
use std::time::Duration;

use wire::EndpointId;

use super::config::{Config, Endpoint, Group, LoadBalancer, NodePlace, Stickiness, Target};
use super::health::{HealthCheck, Protocol};
use crate::net::names;
use crate::state::{self, EndpointState, HealthProtocol, InstanceState, State, TargetGroup, TargetKind};

/// Idle time of everything that is not TCP, in seconds; fixed (AWS, "Gateway Load Balancers").
const OTHER_IDLE: u32 = 120;

/// Idle time of TCP with two- or three-tuple stickiness, in seconds: what the listener says does not count then.
const TCP_IDLE: u32 = 350;

/// What a check's timeout is at least, however fast the lab's time goes: the machine does not go faster with it, and an
/// appliance that waits for a CPU is not a dead one. AWS's own least is 2 s.
const LEAST_TIMEOUT: Duration = Duration::from_secs(1);

/// The whole engine. Documented times are divided by the lab's time scale.
#[must_use]
pub fn compile(state: &State) -> Config {
    let balancers = state.load_balancers.values().map(|balancer| compile_balancer(state, balancer));
    Config { load_balancers: balancers.collect(), switches: state.settings.switches }
}

fn compile_balancer(state: &State, balancer: &state::LoadBalancer) -> LoadBalancer {
    let settings = &state.settings;
    let listener = state.listener_of(&balancer.arn);
    let group = listener.and_then(|listener| state.target_groups.get(&listener.target_group));
    let five = group.is_none_or(|group| group.attributes.stickiness() == state::Stickiness::FiveTuple);
    let idle = listener.map(|listener| listener.idle).unwrap_or_default();
    let nodes = balancer.nodes.iter().map(|node| NodePlace {
        zone: node.zone.clone(),
        namespace: names::node(settings, &node.interface),
        address: node.interface.ipv4,
    });
    LoadBalancer {
        name: balancer.arn.to_string(),
        nodes: nodes.collect(),
        endpoints: endpoints(state, balancer),
        group: group.map(|group| compile_group(state, group)),
        cross_zone: balancer.cross_zone,
        ipv6: balancer.dualstack,
        tcp_idle: scaled(state, if five { idle.tcp_s } else { TCP_IDLE }),
        other_idle: scaled(state, OTHER_IDLE),
        reset_on_idle: idle.reset,
    }
}

/// The endpoints that carry packets to `balancer`. Where a service has several load balancers, an endpoint goes to the first
/// that has a node in its zone.
fn endpoints(state: &State, balancer: &state::LoadBalancer) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for endpoint in state.endpoints.values().filter(|endpoint| endpoint.state == EndpointState::Available) {
        let Some(service) = state.endpoint_services.get(&endpoint.service) else { continue };
        let subnet = endpoint.interface.as_ref().and_then(|at| state.subnets.get(&at.subnet));
        let Some((subnet, vpc)) = subnet.and_then(|it| Some((it, state.vpcs.get(&it.vpc)?))) else {
            continue;
        };
        let serves = |arn: &&state::Id| {
            let nodes = state.load_balancers.get(*arn).map(|it| it.nodes.as_slice()).unwrap_or_default();
            nodes.iter().any(|node| node.zone == subnet.zone)
        };
        if service.load_balancers.iter().find(serves) == Some(&balancer.arn) {
            endpoints.push(Endpoint {
                id: EndpointId(endpoint.wire_id()),
                zone: subnet.zone.clone(),
                namespace: names::router(&state.settings, vpc),
                tun: names::tun(endpoint),
                ipv6: endpoint.families.ipv6,
            });
        }
    }
    endpoints
}

fn compile_group(state: &State, group: &TargetGroup) -> Group {
    let attributes = &group.attributes;
    Group {
        name: group.arn.to_string(),
        stickiness: match attributes.stickiness() {
            state::Stickiness::FiveTuple => Stickiness::FiveTuple,
            state::Stickiness::ThreeTuple => Stickiness::ThreeTuple,
            state::Stickiness::TwoTuple => Stickiness::TwoTuple,
        },
        rebalance: attributes.rebalance,
        reset_on_unhealthy: attributes.reset_on_unhealthy,
        reset_on_deregistration: attributes.reset_on_deregistration,
        check: compile_check(state, &group.health_check),
        targets: group.targets.iter().filter_map(|target| compile_target(state, group, target)).collect(),
    }
}

fn compile_check(state: &State, check: &state::HealthCheck) -> HealthCheck {
    HealthCheck {
        protocol: match check.protocol {
            HealthProtocol::Tcp => Protocol::Tcp,
            HealthProtocol::Http => Protocol::Http,
            HealthProtocol::Https => Protocol::Https,
        },
        tcp_port: check.port.unwrap_or(wire::GENEVE_UDP_PORT),
        path: check.path.clone(),
        matcher: check.matcher.iter().map(|(from, to)| *from..=*to).collect(),
        interval: scaled(state, check.interval_s),
        timeout: scaled(state, check.timeout_s).max(LEAST_TIMEOUT),
        healthy_threshold: check.healthy_threshold,
        unhealthy_threshold: check.unhealthy_threshold,
        tls13: state.settings.switches.https_tls13,
    }
}

/// A target's address and zone. `None` for an instance that does not exist or was terminated.
fn compile_target(state: &State, group: &TargetGroup, target: &state::Target) -> Option<Target> {
    let zone_of = |subnet| state.subnets.get(subnet).map(|subnet| subnet.zone.clone());
    let (address, zone) = match group.kind {
        TargetKind::Instance => {
            let instance = state.instances.get(target.id.as_str())?;
            let lives = instance.state != InstanceState::Terminated;
            (instance.interface.ipv4, lives.then(|| zone_of(&instance.interface.subnet))??)
        }
        TargetKind::Ip => {
            let address: Ipv4Addr = target.id.parse().ok()?;
            let holds = |subnet: &&state::Subnet| subnet.vpc == group.vpc && subnet.ipv4.contains(&address);
            let subnet = state.subnets.values().find(holds).map(|subnet| subnet.zone.clone());
            (address, target.zone.clone().or(subnet)?)
        }
    };
    Some(Target { id: target.id.clone(), address, zone, draining: target.draining_since.is_some() })
}

fn scaled(state: &State, seconds: u32) -> Duration {
    Duration::from_secs(seconds.into()) / state.settings.time_scale.max(1)
}
