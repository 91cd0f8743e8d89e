pub(super) mod zones;

use super::arn::{check_name, no_load_balancer};
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::page::page;
use crate::api::tags;
use crate::api::time::iso8601;
use crate::api::xml::Xml;
use crate::state::{Id, LoadBalancer};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateLoadBalancer",
        parameters: &[
            "Name!",
            "Type",
            "Subnets.member.N",
            "SubnetMappings.member.N.SubnetId",
            "IpAddressType",
            "Tags.member.N.Key",
            "Tags.member.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeLoadBalancers",
        parameters: &["LoadBalancerArns.member.N", "Names.member.N", "Marker", "PageSize"],
        run: describe,
    },
    Action { name: "DeleteLoadBalancer", parameters: &["LoadBalancerArn!"], run: delete },
];

/// Load balancers per region (a quota of ours: each node is an interface in the kernel).
const MOST_LOAD_BALANCERS: usize = 50;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let name = form.required("Name")?;
    check_name(name, "load balancer")?;
    match form.text("Type") {
        Some("gateway") => {}
        other => {
            let kind = other.unwrap_or("application");
            return Err(Fault::new(
                "ValidationError",
                format!("The load balancer type '{kind}' is not in this lab, only 'gateway'"),
            ));
        }
    }
    let dualstack = form.word("IpAddressType", &["ipv4", "dualstack"])? == Some("dualstack");
    let tags = tags::given(form, "")?;
    let subnets = zones::wanted(call)?;
    let vpc = zones::checked(call, &subnets, dualstack)?;

    if let Some(old) =
        call.state.load_balancers.values().find(|b| b.name == name && b.owner == call.caller.account)
    {
        let same = old.nodes.iter().map(|n| &n.interface.subnet).eq(&subnets) && old.dualstack == dualstack;
        if same && old.tags == tags {
            let old = old.clone();
            call.out.list("LoadBalancers", "member", [old], |x, b| write(x, &b, "active"));
            return Ok(());
        }
        let message =
            format!("A load balancer with the same name '{name}' exists, but with different settings");
        return Err(Fault::new("DuplicateLoadBalancerName", message));
    }
    if call.state.load_balancers.len() >= MOST_LOAD_BALANCERS {
        let message =
            format!("The maximum number of load balancers, {MOST_LOAD_BALANCERS}, has been reached");
        return Err(Fault::new("TooManyLoadBalancers", message));
    }
    let nodes = zones::nodes(call, &subnets, &[])?;
    let serial = call.state.serial();
    let hex = call.state.hex16();
    let balancer = LoadBalancer {
        arn: call.arn(&format!("loadbalancer/gwy/{name}/{hex}")),
        serial,
        owner: call.caller.account.clone(),
        name: name.to_owned(),
        vpc,
        nodes,
        dualstack,
        cross_zone: false,
        deletion_protection: false,
        created_at: call.now,
        tags,
    };
    call.state.load_balancers.insert(balancer.arn.clone(), balancer.clone());
    call.out.list("LoadBalancers", "member", [balancer], |x, b| write(x, &b, "provisioning"));
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let arns = form.list("LoadBalancerArns.member");
    let names = form.list("Names.member");
    if !arns.is_empty() && !names.is_empty() {
        return Err(Fault::new(
            "ValidationError",
            "Load balancer names and load balancer ARNs cannot be specified at the same time",
        ));
    }
    let all = state.load_balancers.values();
    if let Some(arn) = arns.iter().find(|a| !state.load_balancers.contains_key(**a)) {
        return Err(Fault { message: format!("Load balancer '{arn}' not found"), ..no_load_balancer() });
    }
    if let Some(name) = names.iter().find(|n| !all.clone().any(|b| b.name == **n)) {
        return Err(Fault { message: format!("Load balancers '[{name}]' not found"), ..no_load_balancer() });
    }
    let found = all
        .filter(|b| arns.is_empty() || arns.contains(&b.arn.as_str()))
        .filter(|b| names.is_empty() || names.contains(&b.name.as_str()))
        .map(|b| (b.arn.to_string(), b))
        .collect();
    page(form, out, "LoadBalancers", found, |x, b| write(x, b, "active"))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let arn = call.load_balancer_arn()?;
    let Some(balancer) = call.state.load_balancers.get(&arn) else { return Ok(()) };
    if balancer.deletion_protection {
        let message =
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        return Err(Fault::new("OperationNotPermitted", message));
    }
    if call.state.endpoint_services.values().any(|s| s.load_balancers.contains(&arn)) {
        let message = format!(
            "Load balancer '{arn}' cannot be deleted because it is currently associated with another service"
        );
        return Err(Fault::new("ResourceInUse", message));
    }
    call.state.load_balancers.remove(&arn);
    let gone: Vec<Id> =
        call.state.listeners.values().filter(|l| l.load_balancer == arn).map(|l| l.arn.clone()).collect();
    for listener in gone {
        call.state.listeners.remove(&listener);
    }
    Ok(())
}

fn write(x: &mut Xml, balancer: &LoadBalancer, state: &str) {
    x.text("LoadBalancerArn", &balancer.arn);
    x.text("CreatedTime", iso8601(balancer.created_at));
    x.text("LoadBalancerName", &balancer.name);
    x.text("VpcId", &balancer.vpc);
    x.within("State", |x| x.text("Code", state));
    x.text("Type", "gateway");
    zones::write(x, balancer);
    x.text("IpAddressType", if balancer.dualstack { "dualstack" } else { "ipv4" });
}
