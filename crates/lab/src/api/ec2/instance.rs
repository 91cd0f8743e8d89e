use std::collections::BTreeMap;

use super::interface;
use super::lookup::{INSTANCE, SUBNET};
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::time::iso8601;
use crate::api::xml::Xml;
use crate::state::{Id, Instance, InstanceState, State};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "DescribeInstances",
        parameters: &["InstanceId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action {
        name: "DescribeInstanceStatus",
        parameters: &[
            "InstanceId.N",
            "IncludeAllInstances",
            "Filter.N.Name",
            "Filter.N.Value.N",
            "MaxResults",
            "NextToken",
        ],
        run: describe_status,
    },
    Action {
        name: "StopInstances",
        parameters: &["InstanceId.N!", "Force"],
        run: |call| turn(call, InstanceState::Stopped, (64, "stopping")),
    },
    Action {
        name: "StartInstances",
        parameters: &["InstanceId.N!"],
        run: |call| turn(call, InstanceState::Running, (0, "pending")),
    },
    Action {
        name: "TerminateInstances",
        parameters: &["InstanceId.N!", "Force"],
        run: |call| turn(call, InstanceState::Terminated, (32, "shutting-down")),
    },
];

const KNOWN: &[&str] = &[
    "instance-id",
    "instance-state-name",
    "instance-state-code",
    "vpc-id",
    "subnet-id",
    "private-ip-address",
    "ip-address",
    "image-id",
    "availability-zone",
    "reservation-id",
    "instance.group-id",
    "network-interface.network-interface-id",
];

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let found = chosen(call, KNOWN)?;
    let Call { form, state, out, .. } = call;
    let mut reservations: BTreeMap<String, Vec<&Instance>> = BTreeMap::new();
    for id in found {
        if let Some(instance) = state.instances.get(&id) {
            reservations.entry(instance.reservation.to_string()).or_default().push(instance);
        }
    }
    let found = reservations.into_iter().map(|(id, instances)| (id.clone(), (id, instances))).collect();
    page(form, out, "reservationSet", found, |x, (id, mut instances)| {
        instances.sort_by_key(|i| i.launch_index);
        x.text("reservationId", id);
        x.text("ownerId", &state.settings.account);
        x.texts("groupSet", "item", [""; 0]);
        x.list("instancesSet", "item", instances, |x, i| write(x, state, i, code(i.state)));
    })
}

fn describe_status(call: &mut Call<'_>) -> Result<(), Fault> {
    let all = call.form.flag("IncludeAllInstances")? == Some(true);
    let found = chosen(call, &["instance-state-name", "instance-state-code", "availability-zone"])?;
    let Call { form, state, out, .. } = call;
    let found = found
        .iter()
        .filter_map(|id| state.instances.get(id))
        .filter(|i| all || i.state == InstanceState::Running)
        .map(|i| (i.id.to_string(), i))
        .collect();
    page(form, out, "instanceStatusSet", found, |x, i| {
        x.text("instanceId", &i.id);
        x.maybe("availabilityZone", state.subnets.get(&i.interface.subnet).map(|s| &s.zone));
        x.within("instanceState", |x| write_code(x, code(i.state)));
        let status = if i.state == InstanceState::Running { "ok" } else { "not-applicable" };
        let reachable = if i.state == InstanceState::Running { &["passed"][..] } else { &[] };
        for name in ["systemStatus", "instanceStatus"] {
            x.within(name, |x| {
                x.text("status", status);
                x.list("details", "item", reachable, |x, passed| {
                    x.text("name", "reachability");
                    x.text("status", passed);
                });
            });
        }
    })
}

/// The instances that a describe call names and its filters let pass.
fn chosen(call: &Call<'_>, known: &[&str]) -> Result<Vec<Id>, Fault> {
    let Call { form, state, .. } = call;
    let filters = Filters::of(form, known)?;
    let found = INSTANCE.select(&state.instances, &form.list("InstanceId"))?;
    let pass = |i: &&Instance| filters.pass(&i.tags, |name| values(state, i, name));
    Ok(found.into_iter().map(|(_, i)| i).filter(pass).map(|i| i.id.clone()).collect())
}

fn values(state: &State, instance: &Instance, name: &str) -> Vec<String> {
    let subnet = state.subnets.get(&instance.interface.subnet);
    match name {
        "instance-id" => one(&instance.id),
        "instance-state-name" => one(code(instance.state).1),
        "instance-state-code" => one(code(instance.state).0),
        "vpc-id" => subnet.map(|s| s.vpc.to_string()).into_iter().collect(),
        "subnet-id" => one(&instance.interface.subnet),
        "private-ip-address" => one(instance.interface.ipv4),
        "ip-address" => instance.interface.public_ipv4.iter().map(ToString::to_string).collect(),
        "image-id" => one(&instance.image),
        "availability-zone" => subnet.map(|s| s.zone.clone()).into_iter().collect(),
        "reservation-id" => one(&instance.reservation),
        "instance.group-id" => instance.security_groups.iter().map(ToString::to_string).collect(),
        _ => one(&instance.interface.id),
    }
}

/// Brings the named instances to `goal`; `now` is what the answer calls that.
fn turn(call: &mut Call<'_>, goal: InstanceState, now: (u16, &'static str)) -> Result<(), Fault> {
    call.form.flag("Force")?;
    let mut changed = Vec::new();
    for id in call.form.list("InstanceId") {
        let instance = INSTANCE.find_mut(&mut call.state.instances, id)?;
        let before = instance.state;
        if before == InstanceState::Terminated && goal != InstanceState::Terminated {
            let why =
                format!("The instance '{id}' is not in a state from which it can be started or stopped.");
            return Err(Fault::new("IncorrectInstanceState", why));
        }
        instance.state = goal;
        if goal == InstanceState::Terminated {
            // Elastic Load Balancing deregisters terminated instances by itself.
            for group in call.state.target_groups.values_mut() {
                group.targets.retain(|t| t.id != id);
            }
        }
        let after = if before == goal { code(goal) } else { now };
        changed.push((id.to_owned(), code(before), after));
    }
    call.out.list("instancesSet", "item", changed, |x, (id, before, after)| {
        x.text("instanceId", id);
        x.within("currentState", |x| write_code(x, after));
        x.within("previousState", |x| write_code(x, before));
    });
    Ok(())
}

const fn code(state: InstanceState) -> (u16, &'static str) {
    match state {
        InstanceState::Running => (16, "running"),
        InstanceState::Stopped => (80, "stopped"),
        InstanceState::Terminated => (48, "terminated"),
    }
}

fn write_code(x: &mut Xml, (code, name): (u16, &str)) {
    x.text("code", code);
    x.text("name", name);
}

/// One instance, in the state that `state_code` says.
pub(super) fn write(x: &mut Xml, state: &State, instance: &Instance, state_code: (u16, &str)) {
    x.text("instanceId", &instance.id);
    x.text("imageId", &instance.image);
    x.within("instanceState", |x| write_code(x, state_code));
    x.text("amiLaunchIndex", instance.launch_index);
    x.text("instanceType", &instance.instance_type);
    x.text("launchTime", iso8601(instance.launched_at));
    x.maybe("clientToken", instance.token.as_ref());
    tags::write(x, &instance.tags);
    if instance.state == InstanceState::Terminated {
        return;
    }
    let subnet = SUBNET.find(&state.subnets, instance.interface.subnet.as_str()).ok();
    x.within("placement", |x| {
        x.maybe("availabilityZone", subnet.map(|s| &s.zone));
        x.text("groupName", "");
        x.text("tenancy", "default");
    });
    x.text("architecture", std::env::consts::ARCH);
    x.texts("productCodes", "item", [""; 0]);
    x.text("reason", "");
    x.within("monitoring", |x| x.text("state", "disabled"));
    x.text("subnetId", &instance.interface.subnet);
    x.maybe("vpcId", subnet.map(|s| &s.vpc));
    x.text("privateIpAddress", instance.interface.ipv4);
    x.maybe("ipAddress", instance.interface.public_ipv4);
    x.maybe("ipv6Address", instance.interface.ipv6);
    x.text("sourceDestCheck", false);
    write_groups(x, state, instance);
    x.list("networkInterfaceSet", "item", [&instance.interface], |x, _| {
        interface::write_own(x, state, instance)
    });
}

/// `groupSet`.
pub(super) fn write_groups(x: &mut Xml, state: &State, instance: &Instance) {
    x.list("groupSet", "item", &instance.security_groups, |x, id| {
        x.text("groupId", id);
        x.maybe("groupName", state.security_groups.get(id).map(|g| &g.name));
    });
}
