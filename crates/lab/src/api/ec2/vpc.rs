use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::lookup::{VPC, done, in_use, network};
use super::{cidr, permission};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{
    Association, AssociationPoint, Id, Origin, Route, RouteTable, RouteTarget, SecurityGroup, State, Tags,
    Vpc,
};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateVpc",
        parameters: &[
            "CidrBlock!",
            "AmazonProvidedIpv6CidrBlock",
            "InstanceTenancy",
            "TagSpecification.N.ResourceType",
            "TagSpecification.N.Tag.N.Key",
            "TagSpecification.N.Tag.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeVpcs",
        parameters: &["VpcId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action { name: "DeleteVpc", parameters: &["VpcId!"], run: delete },
    Action { name: "DescribeVpcAttribute", parameters: &["VpcId!", "Attribute!"], run: describe_attribute },
    Action {
        name: "ModifyVpcAttribute",
        parameters: &["VpcId!", "EnableDnsSupport.Value", "EnableDnsHostnames.Value"],
        run: modify_attribute,
    },
];

/// VPCs per region (a quota of ours: each is a namespace).
const MOST_VPCS: usize = 20;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let ipv4 = checked(form.required("CidrBlock")?)?;
    form.word("InstanceTenancy", &["default"])?;
    let tags = tags::given(form, VPC.resource_type)?;
    VPC.room(&call.state.vpcs, MOST_VPCS, "VpcLimitExceeded")?;
    let ipv6 = match form.flag("AmazonProvidedIpv6CidrBlock")? {
        Some(true) => vec![provided(call)?],
        _ => Vec::new(),
    };
    let vpc = Vpc {
        id: call.state.mint("vpc"),
        serial: call.state.serial(),
        owner: call.caller.account.clone(),
        ipv4: vec![ipv4],
        ipv6,
        dns_support: true,
        dns_hostnames: false,
        tags,
    };
    furnish(call, &vpc);
    let Call { state, out, .. } = &mut *call;
    out.within("vpc", |x| write(x, state, &vpc, "pending"));
    call.state.vpcs.insert(vpc.id.clone(), vpc);
    Ok(())
}

/// What every VPC comes with: a main route table and a default security group.
fn furnish(call: &mut Call<'_>, vpc: &Vpc) {
    let state = &mut call.state;
    let table = RouteTable {
        id: state.mint("rtb"),
        serial: state.serial(),
        vpc: vpc.id.clone(),
        routes: local_routes(vpc),
        associations: vec![Association { id: state.mint("rtbassoc"), point: AssociationPoint::Main }],
        token: None,
        tags: Tags::new(),
    };
    state.route_tables.insert(table.id.clone(), table);
    let id = state.mint("sg");
    let group = SecurityGroup {
        serial: state.serial(),
        vpc: vpc.id.clone(),
        name: "default".into(),
        description: "default VPC security group".into(),
        ingress: vec![permission::from_group(state, &id)],
        egress: permission::everywhere(state, !vpc.ipv6.is_empty()),
        tags: Tags::new(),
        id,
    };
    state.security_groups.insert(group.id.clone(), group);
}

/// The routes that every table of `vpc` begins with.
pub(super) fn local_routes(vpc: &Vpc) -> Vec<Route> {
    let nets = vpc.ipv4.iter().map(|n| IpNet::V4(*n)).chain(vpc.ipv6.iter().map(|n| IpNet::V6(*n)));
    nets.map(|destination| Route {
        destination,
        target: RouteTarget::Local,
        origin: Origin::CreateRouteTable,
    })
    .collect()
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let known = [
        "vpc-id",
        "cidr",
        "cidr-block-association.cidr-block",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "state",
        "owner-id",
        "is-default",
    ];
    let filters = Filters::of(form, &known)?;
    let mut found = VPC.select(&state.vpcs, &form.list("VpcId"))?;
    found.retain(|(_, vpc)| {
        filters.pass(&vpc.tags, |name| match name {
            "vpc-id" => one(&vpc.id),
            "cidr" => vpc.ipv4.first().map(ToString::to_string).into_iter().collect(),
            "cidr-block-association.cidr-block" => vpc.ipv4.iter().map(ToString::to_string).collect(),
            "ipv6-cidr-block-association.ipv6-cidr-block" => {
                vpc.ipv6.iter().map(ToString::to_string).collect()
            }
            "state" => one("available"),
            "owner-id" => one(&vpc.owner),
            _ => one(false),
        })
    });
    page(form, out, "vpcSet", found, |x, vpc| write(x, state, vpc, "available"))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = VPC.find(&call.state.vpcs, call.form.required("VpcId")?)?.id.clone();
    let state = &mut call.state;
    let main = |t: &RouteTable| t.associations.iter().any(|a| a.point == AssociationPoint::Main);
    let needed = state.subnets.values().any(|s| s.vpc == id)
        || state.internet_gateways.values().any(|g| g.attachment.as_ref().is_some_and(|a| a.vpc == id))
        || state.route_tables.values().any(|t| t.vpc == id && !main(t))
        || state.security_groups.values().any(|g| g.vpc == id && g.name != "default")
        || state.endpoints.values().any(|e| e.vpc == id)
        || state.target_groups.values().any(|g| g.vpc == id);
    if needed {
        return Err(in_use("vpc", &id));
    }
    state.route_tables.retain(|_, t| t.vpc != id);
    state.security_groups.retain(|_, g| g.vpc != id);
    state.vpcs.remove(&id);
    done(call)
}

fn describe_attribute(call: &mut Call<'_>) -> Result<(), Fault> {
    let vpc = VPC.find(&call.state.vpcs, call.form.required("VpcId")?)?;
    let (name, on) = match call.form.word("Attribute", &["enableDnsSupport", "enableDnsHostnames"])? {
        Some(name @ "enableDnsSupport") => (name, vpc.dns_support),
        name => (name.unwrap_or_default(), vpc.dns_hostnames),
    };
    call.out.text("vpcId", &vpc.id);
    call.out.within(name, |x| x.text("value", on));
    Ok(())
}

/// Remembered and told; there is no DNS in the lab that it could change.
fn modify_attribute(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let vpc = VPC.find_mut(&mut call.state.vpcs, form.required("VpcId")?)?;
    match (form.flag("EnableDnsSupport.Value")?, form.flag("EnableDnsHostnames.Value")?) {
        (Some(on), None) => vpc.dns_support = on,
        (None, Some(on)) => vpc.dns_hostnames = on,
        _ => return Err(Fault::new("InvalidParameterCombination", "Exactly one attribute must be given.")),
    }
    done(call)
}

pub(super) fn checked(text: &str) -> Result<Ipv4Net, Fault> {
    match network("CidrBlock", text)? {
        IpNet::V4(net) if (16..=28).contains(&net.prefix_len()) => Ok(net),
        IpNet::V4(net) => Err(Fault::new("InvalidVpc.Range", format!("The CIDR '{net}' is invalid."))),
        IpNet::V6(_) => {
            Err(Fault::invalid(Service::Ec2, "CidrBlock", text, "This is not a valid CIDR block."))
        }
    }
}

pub(super) fn provided(call: &Call<'_>) -> Result<Ipv6Net, Fault> {
    let full = || Fault::new("InsufficientCidrBlocks", "The lab has no IPv6 CIDR block left.");
    call.state.free_ipv6().ok_or_else(full)
}

fn write(x: &mut Xml, lab: &State, vpc: &Vpc, state: &str) {
    x.text("vpcId", &vpc.id);
    x.text("ownerId", &vpc.owner);
    x.text("state", state);
    x.maybe("cidrBlock", vpc.ipv4.first());
    let there = "associated";
    x.list("cidrBlockAssociationSet", "item", &vpc.ipv4, |x, net| cidr::write_ipv4(x, vpc, *net, there));
    x.list("ipv6CidrBlockAssociationSet", "item", &vpc.ipv6, |x, net| {
        cidr::write_ipv6(x, lab, vpc, *net, there);
    });
    x.text("dhcpOptionsId", "default");
    x.text("instanceTenancy", "default");
    x.text("isDefault", false);
    tags::write(x, &vpc.tags);
}

/// The digits of an id, the first replaced by `n`: how a part of a resource is known.
pub(super) fn part_of(id: &Id, n: usize) -> String {
    let digits = id.as_str().rsplit('-').next().unwrap_or_default();
    format!("{n:x}{}", digits.get(1..).unwrap_or_default())
}
