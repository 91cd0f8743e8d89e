use super::arn::{check_name, no_load_balancer, no_target_group};
use super::health_check;
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{HealthCheck, Id, State, TargetGroup, TargetGroupAttributes, TargetKind};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateTargetGroup",
        parameters: &[
            "Name!",
            "Protocol",
            "Port",
            "VpcId",
            "TargetType",
            "IpAddressType",
            "HealthCheckProtocol",
            "HealthCheckPort",
            "HealthCheckEnabled",
            "HealthCheckPath",
            "HealthCheckIntervalSeconds",
            "HealthCheckTimeoutSeconds",
            "HealthyThresholdCount",
            "UnhealthyThresholdCount",
            "Matcher.HttpCode",
            "Tags.member.N.Key",
            "Tags.member.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeTargetGroups",
        parameters: &["LoadBalancerArn", "TargetGroupArns.member.N", "Names.member.N", "Marker", "PageSize"],
        run: describe,
    },
    Action {
        name: "ModifyTargetGroup",
        parameters: &[
            "TargetGroupArn!",
            "HealthCheckProtocol",
            "HealthCheckPort",
            "HealthCheckEnabled",
            "HealthCheckPath",
            "HealthCheckIntervalSeconds",
            "HealthCheckTimeoutSeconds",
            "HealthyThresholdCount",
            "UnhealthyThresholdCount",
            "Matcher.HttpCode",
        ],
        run: modify,
    },
    Action { name: "DeleteTargetGroup", parameters: &["TargetGroupArn!"], run: delete },
];

/// Target groups per region (Gateway Load Balancer quota: 100 with protocol GENEVE).
const MOST_TARGET_GROUPS: usize = 100;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let name = form.required("Name")?;
    check_name(name, "target group")?;
    form.word("Protocol", &["GENEVE"])?.ok_or_else(|| Fault::missing(form.service(), "Protocol"))?;
    match form.text("Port") {
        Some("6081") => {}
        None => return Err(Fault::new("ValidationError", "A port must be specified")),
        Some(port) => {
            return Err(Fault::new(
                "ValidationError",
                format!("Port '{port}' is not supported: GENEVE needs port '6081'"),
            ));
        }
    }
    let vpc =
        form.text("VpcId").ok_or_else(|| Fault::new("ValidationError", "A VPC ID must be specified"))?;
    let vpc = Id::from(vpc);
    if !call.state.vpcs.contains_key(&vpc) {
        return Err(Fault::new("ValidationError", format!("The VPC ID '{vpc}' is not found")));
    }
    form.word("IpAddressType", &["ipv4"])?;
    let kind = match form.word("TargetType", &["instance", "ip"])? {
        Some("ip") => TargetKind::Ip,
        _ => TargetKind::Instance,
    };
    let health_check = health_check::read(form, &HealthCheck::default())?;
    let tags = tags::given(form, "")?;

    if let Some(old) =
        call.state.target_groups.values().find(|g| g.name == name && g.owner == call.caller.account)
    {
        if old.vpc == vpc && old.kind == kind && old.health_check == health_check && old.tags == tags {
            let old = old.clone();
            let Call { state, out, .. } = call;
            out.list("TargetGroups", "member", [old], |x, g| write(x, state, &g));
            return Ok(());
        }
        let message =
            format!("A target group with the same name '{name}' exists, but with different settings");
        return Err(Fault::new("DuplicateTargetGroupName", message));
    }
    if call.state.target_groups.len() >= MOST_TARGET_GROUPS {
        let message = format!("The maximum number of target groups, {MOST_TARGET_GROUPS}, has been reached");
        return Err(Fault::new("TooManyTargetGroups", message));
    }
    let hex = call.state.hex16();
    let group = TargetGroup {
        arn: call.arn(&format!("targetgroup/{name}/{hex}")),
        owner: call.caller.account.clone(),
        name: name.to_owned(),
        vpc,
        kind,
        health_check,
        attributes: TargetGroupAttributes::default(),
        targets: Vec::new(),
        tags,
    };
    put(call, group);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let balancer = match call.form.text("LoadBalancerArn") {
        Some(_) => Some(call.load_balancer_arn()?),
        None => None,
    };
    let Call { form, state, out, .. } = call;
    let arns = form.list("TargetGroupArns.member");
    let names = form.list("Names.member");
    if [balancer.is_some(), !arns.is_empty(), !names.is_empty()].iter().filter(|given| **given).count() > 1 {
        let why = "Target group names, target group ARNs and a load balancer ARN cannot be specified at the same time";
        return Err(Fault::new("ValidationError", why));
    }
    if balancer.as_ref().is_some_and(|b| !state.load_balancers.contains_key(b)) {
        return Err(no_load_balancer());
    }
    let all = state.target_groups.values();
    let unknown_arn = arns.iter().any(|a| !state.target_groups.contains_key(*a));
    if unknown_arn || names.iter().any(|n| !all.clone().any(|g| g.name == **n)) {
        return Err(no_target_group());
    }
    let of = |g: &TargetGroup, b: &Id| state.balancers_of(&g.arn).any(|own| own.arn == *b);
    let found = all
        .filter(|g| arns.is_empty() || arns.contains(&g.arn.as_str()))
        .filter(|g| names.is_empty() || names.contains(&g.name.as_str()))
        .filter(|g| balancer.as_ref().is_none_or(|b| of(g, b)))
        .map(|g| (g.arn.to_string(), g))
        .collect();
    page(form, out, "TargetGroups", found, |x, g| write(x, state, g))
}

fn modify(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut group = call.target_group()?;
    group.health_check = health_check::read(call.form, &group.health_check)?;
    put(call, group);
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.target_group_arn(call.form.required("TargetGroupArn")?)?;
    if call.state.listeners.values().any(|l| l.target_group == arn) {
        let message = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(Fault::new("ResourceInUse", message));
    }
    call.state.target_groups.remove(&arn);
    Ok(())
}

fn put(call: &mut Call<'_>, group: TargetGroup) {
    let Call { state, out, .. } = call;
    out.list("TargetGroups", "member", [&group], |x, g| write(x, state, g));
    state.target_groups.insert(group.arn.clone(), group);
}

fn write(x: &mut Xml, state: &State, group: &TargetGroup) {
    x.text("TargetGroupArn", &group.arn);
    x.text("TargetGroupName", &group.name);
    x.text("Protocol", "GENEVE");
    x.text("Port", 6081);
    x.text("VpcId", &group.vpc);
    health_check::write(x, &group.health_check);
    x.texts("LoadBalancerArns", "member", state.balancers_of(&group.arn).map(|b| &b.arn));
    x.text(
        "TargetType",
        match group.kind {
            TargetKind::Instance => "instance",
            TargetKind::Ip => "ip",
        },
    );
}
