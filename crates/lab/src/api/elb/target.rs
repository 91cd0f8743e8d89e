use std::net::Ipv4Addr;

use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::form::Form;
use crate::api::xml::Xml;
use crate::gwlb::health::Health;
use crate::state::{InstanceState, State, Target, TargetGroup, TargetKind};

pub(super) const ACTIONS: &[Action] = &[
    Action { name: "RegisterTargets", parameters: TARGETS, run: register },
    Action { name: "DeregisterTargets", parameters: TARGETS, run: deregister },
    Action {
        name: "DescribeTargetHealth",
        parameters: &[
            "TargetGroupArn!",
            "Targets.member.N.Id",
            "Targets.member.N.Port",
            "Targets.member.N.AvailabilityZone",
        ],
        run: describe_health,
    },
];

const TARGETS: &[&str] = &[
    "TargetGroupArn!",
    "Targets.member.N.Id!",
    "Targets.member.N.Port",
    "Targets.member.N.AvailabilityZone",
];

/// Targets per group (Gateway Load Balancer quota: 300 with protocol GENEVE).
const MOST_TARGETS: usize = 300;

fn register(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut group = call.target_group()?;
    for item in call.form.items("Targets.member") {
        let id = named(&item)?.to_owned();
        let zone = item.text("AvailabilityZone").map(str::to_owned);
        match group.kind {
            TargetKind::Instance => check_instance(&call.state, &group, &id, zone.as_deref())?,
            TargetKind::Ip => check_address(&call.state, &group, &id, zone.as_deref())?,
        }
        match group.targets.iter_mut().find(|t| t.id == id) {
            Some(old) if old.draining_since.is_some() => {
                *old = Target { id, zone, registered_at: call.now, draining_since: None };
            }
            Some(_) => {}
            None => group.targets.push(Target { id, zone, registered_at: call.now, draining_since: None }),
        }
    }
    if group.targets.len() > MOST_TARGETS {
        let message = format!("The maximum number of targets, {MOST_TARGETS}, has been reached");
        return Err(Fault::new("TooManyTargets", message));
    }
    call.state.target_groups.insert(group.arn.clone(), group);
    Ok(())
}

/// A target that is not registered is no error (`DeregisterTargets`, API reference).
fn deregister(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut group = call.target_group()?;
    let in_use = call.state.balancers_of(&group.arn).next().is_some();
    for item in call.form.items("Targets.member") {
        let id = named(&item)?;
        if let Some(target) = group.targets.iter_mut().find(|t| t.id == id) {
            target.draining_since.get_or_insert(call.now);
        }
    }
    if !in_use || group.attributes.deregistration_delay_s == 0 {
        group.targets.retain(|t| t.draining_since.is_none());
    }
    call.state.target_groups.insert(group.arn.clone(), group);
    Ok(())
}

fn describe_health(call: &mut Call<'_>) -> Result<(), Fault> {
    let group = call.target_group()?;
    let mut asked = Vec::new();
    for item in call.form.items("Targets.member") {
        asked.push(named(&item)?.to_owned());
    }
    if asked.is_empty() {
        asked = group.targets.iter().map(|t| t.id.clone()).collect();
    }
    for id in &asked {
        let known = group.targets.iter().any(|t| t.id == *id)
            || match group.kind {
                TargetKind::Instance => call.state.instances.contains_key(id.as_str()),
                TargetKind::Ip => id.parse::<Ipv4Addr>().is_ok(),
            };
        if !known {
            return Err(invalid_target("The following targets do not exist", id));
        }
    }
    let Call { state, out, plane, .. } = call;
    out.list("TargetHealthDescriptions", "member", &asked, |x, id| {
        let target = group.targets.iter().find(|t| t.id == *id);
        x.within("Target", |x| {
            x.text("Id", id);
            x.text("Port", 6081);
            x.maybe("AvailabilityZone", target.and_then(|t| t.zone.as_ref()));
        });
        x.text("HealthCheckPort", group.health_check.port.unwrap_or(wire::GENEVE_UDP_PORT));
        x.within("TargetHealth", |x| {
            write(x, &condition(state, &group, target, || plane.health(&group.arn, id)))
        });
    });
    Ok(())
}

/// What is said about a target: state, reason, description (`TargetHealth`, API reference).
struct Condition(&'static str, &'static str, String);

fn write(x: &mut Xml, Condition(state, reason, description): &Condition) {
    x.text("State", state);
    if !reason.is_empty() {
        x.text("Reason", reason);
        x.text("Description", description);
    }
}

fn condition(
    state: &State,
    group: &TargetGroup,
    target: Option<&Target>,
    checked: impl FnOnce() -> Option<Health>,
) -> Condition {
    let say = |state, reason, text: &str| Condition(state, reason, text.to_owned());
    let Some(target) = target else {
        return say("unused", "Target.NotRegistered", "Target is not registered to the target group");
    };
    if target.draining_since.is_some() {
        return say("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
    }
    if state.balancers_of(&group.arn).next().is_none() {
        let text = "Target group is not configured to receive traffic from the load balancer";
        return say("unused", "Target.NotInUse", text);
    }
    let instance = state.instances.get(target.id.as_str());
    if group.kind == TargetKind::Instance && instance.is_none_or(|i| i.state != InstanceState::Running) {
        return say("unused", "Target.InvalidState", "Target is in the stopped state");
    }
    let zone = state.zone_of(group, target);
    let enabled = |zone: &str| {
        state.balancers_of(&group.arn).any(|b| b.cross_zone || b.nodes.iter().any(|n| n.zone == zone))
    };
    if zone.is_some_and(|z| !enabled(z)) {
        let text = "Target is in an Availability Zone that is not enabled for the load balancer";
        return say("unused", "Target.NotInUse", text);
    }
    match checked() {
        None => say("initial", "Elb.RegistrationInProgress", "Target registration is in progress"),
        Some(health) => Condition(health.state(), health.reason().unwrap_or_default(), health.to_string()),
    }
}

/// The id in one item of `Targets`, whose port can only be 6081.
fn named(item: &Form) -> Result<&str, Fault> {
    if let Some(port) = item.text("Port").filter(|p| *p != "6081") {
        return Err(Fault::new(
            "ValidationError",
            format!("Port '{port}' is not supported: GENEVE targets have port '6081'"),
        ));
    }
    item.required("Id")
}

fn check_instance(state: &State, group: &TargetGroup, id: &str, zone: Option<&str>) -> Result<(), Fault> {
    if zone.is_some() {
        let why = "You cannot specify an Availability Zone for targets of type 'instance'";
        return Err(Fault::new("ValidationError", why));
    }
    let instance =
        state.instances.get(id).ok_or_else(|| invalid_target("The following targets do not exist", id))?;
    if instance.state != InstanceState::Running {
        return Err(invalid_target(
            "The following targets are not in a running state and cannot be registered",
            id,
        ));
    }
    if state.subnets.get(&instance.interface.subnet).is_none_or(|s| s.vpc != group.vpc) {
        let why = format!("The following targets are not in the target group VPC '{}'", group.vpc);
        return Err(invalid_target(&why, id));
    }
    Ok(())
}

fn check_address(state: &State, group: &TargetGroup, id: &str, zone: Option<&str>) -> Result<(), Fault> {
    let address: Ipv4Addr = id.parse().map_err(|_| {
        Fault::new("ValidationError", format!("The IP address '{id}' is not a valid IPv4 address"))
    })?;
    let inside = state.vpcs.get(&group.vpc).is_some_and(|v| v.ipv4.iter().any(|n| n.contains(&address)));
    if !inside {
        let why = format!(
            "The following targets are not in the target group VPC '{}', the only place this lab reaches",
            group.vpc
        );
        return Err(invalid_target(&why, id));
    }
    let own = state
        .subnets
        .values()
        .find(|s| s.vpc == group.vpc && s.ipv4.contains(&address))
        .map(|s| s.zone.as_str());
    if let Some(zone) = zone
        && own != Some(zone)
    {
        let why = format!("The Availability Zone '{zone}' is not the one of the IP address '{id}'");
        return Err(Fault::new("ValidationError", why));
    }
    Ok(())
}

fn invalid_target(why: &str, id: &str) -> Fault {
    Fault::new("InvalidTarget", format!("{why}: '{id}'"))
}
