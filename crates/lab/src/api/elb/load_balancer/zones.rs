//! Where a load balancer stands: one subnet, hence one node, per zone.

use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::xml::Xml;
use crate::state::{Id, LoadBalancer, Node};

pub(in crate::api::elb) const ACTIONS: &[Action] = &[
    Action {
        name: "SetSubnets",
        parameters: &[
            "LoadBalancerArn!",
            "Subnets.member.N",
            "SubnetMappings.member.N.SubnetId",
            "IpAddressType",
        ],
        run: set_subnets,
    },
    Action {
        name: "SetIpAddressType",
        parameters: &["LoadBalancerArn!", "IpAddressType!"],
        run: set_ip_address_type,
    },
];

/// The subnets that a request names, as `Subnets` or as `SubnetMappings`.
pub(super) fn wanted(call: &Call<'_>) -> Result<Vec<Id>, Fault> {
    let plain = call.form.list("Subnets.member");
    let mapped = call.form.items("SubnetMappings.member");
    match (plain.is_empty(), mapped.is_empty()) {
        (false, true) => Ok(plain.into_iter().map(Id::from).collect()),
        (true, false) => mapped.iter().map(|m| Ok(Id::from(m.required("SubnetId")?))).collect(),
        (true, true) => Err(Fault::new("ValidationError", "Subnets or subnet mappings must be specified")),
        (false, false) => Err(Fault::new(
            "ValidationError",
            "Subnets and subnet mappings cannot be specified at the same time",
        )),
    }
}

/// The VPC of `subnets`, which exist, share it, and have a zone each; and IPv6, if they are to carry it.
pub(super) fn checked(call: &Call<'_>, subnets: &[Id], dualstack: bool) -> Result<Id, Fault> {
    let mut vpc: Option<&Id> = None;
    let mut zones: Vec<&str> = Vec::new();
    for id in subnets {
        let subnet = call
            .state
            .subnets
            .get(id)
            .ok_or_else(|| Fault::new("SubnetNotFound", format!("The subnet ID '{id}' is not valid")))?;
        if **vpc.get_or_insert(&subnet.vpc) != subnet.vpc {
            return Err(Fault::new("InvalidConfigurationRequest", "All subnets must belong to the same VPC"));
        }
        if zones.contains(&subnet.zone.as_str()) {
            let why = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
            return Err(Fault::new("InvalidConfigurationRequest", why));
        }
        zones.push(&subnet.zone);
        if dualstack && subnet.ipv6.is_none() {
            let why = format!("You must specify subnets with an associated IPv6 CIDR block; '{id}' has none");
            return Err(Fault::new("InvalidSubnet", why));
        }
    }
    vpc.cloned().ok_or_else(|| Fault::new("ValidationError", "At least one subnet must be specified"))
}

/// One node for each of `subnets`, in their order; those of `old` stay as they are.
pub(super) fn nodes(call: &mut Call<'_>, subnets: &[Id], old: &[Node]) -> Result<Vec<Node>, Fault> {
    let mut nodes = Vec::new();
    for id in subnets {
        if let Some(node) = old.iter().find(|n| n.interface.subnet == *id) {
            nodes.push(node.clone());
            continue;
        }
        let zone = call.state.subnets.get(id).map(|s| s.zone.clone()).unwrap_or_default();
        let interface = call
            .state
            .interface(id, None, false)
            .ok_or_else(|| Fault::new("InvalidSubnet", format!("Not enough IP space available in {id}")))?;
        nodes.push(Node { zone, interface });
    }
    Ok(nodes)
}

/// `AvailabilityZones`.
pub(super) fn write(x: &mut Xml, balancer: &LoadBalancer) {
    x.list("AvailabilityZones", "member", &balancer.nodes, |x, node| {
        x.text("ZoneName", &node.zone);
        x.text("SubnetId", &node.interface.subnet);
    });
}

fn set_subnets(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut balancer = call.load_balancer()?;
    if let Some(kind) = call.form.word("IpAddressType", &["ipv4", "dualstack"])? {
        balancer.dualstack = kind == "dualstack";
    }
    let subnets = wanted(call)?;
    let vpc = checked(call, &subnets, balancer.dualstack)?;
    if vpc != balancer.vpc {
        return Err(Fault::new(
            "InvalidConfigurationRequest",
            format!("The subnets must belong to '{}'", balancer.vpc),
        ));
    }
    if let Some(node) = balancer.nodes.iter().find(|n| !subnets.contains(&n.interface.subnet)) {
        let why = format!(
            "Subnet '{}' is enabled and cannot be removed from a gateway load balancer",
            node.interface.subnet
        );
        return Err(Fault::new("InvalidConfigurationRequest", why));
    }
    balancer.nodes = nodes(call, &subnets, &balancer.nodes)?;
    write(&mut call.out, &balancer);
    put(call, balancer)
}

fn set_ip_address_type(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut balancer = call.load_balancer()?;
    balancer.dualstack = call.form.word("IpAddressType", &["ipv4", "dualstack"])? == Some("dualstack");
    let subnets: Vec<Id> = balancer.nodes.iter().map(|n| n.interface.subnet.clone()).collect();
    checked(call, &subnets, balancer.dualstack)?;
    put(call, balancer)
}

/// Puts the changed load balancer in place and writes its address type.
fn put(call: &mut Call<'_>, balancer: LoadBalancer) -> Result<(), Fault> {
    let needed =
        |s: &crate::state::EndpointService| s.families.ipv6 && s.load_balancers.contains(&balancer.arn);
    if !balancer.dualstack
        && let Some(service) = call.state.endpoint_services.values().find(|s| needed(s))
    {
        let why = format!("The endpoint service '{}' of this load balancer supports IPv6", service.id);
        return Err(Fault::new("InvalidConfigurationRequest", why));
    }
    call.out.text("IpAddressType", if balancer.dualstack { "dualstack" } else { "ipv4" });
    call.state.load_balancers.insert(balancer.arn.clone(), balancer);
    Ok(())
}
