use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::lookup::{VPC, done, in_use, network};
use super::permission;
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{
    Association, AssociationPoint, Id, Origin, Route, RouteTable, RouteTarget, SecurityGroup, Tags, Vpc,
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
    Action {
        name: "AssociateVpcCidrBlock",
        parameters: &["VpcId!", "CidrBlock", "AmazonProvidedIpv6CidrBlock"],
        run: associate,
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
        tags,
    };
    furnish(call, &vpc);
    call.out.within("vpc", |x| write(x, &vpc, "pending"));
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
    page(form, out, "vpcSet", found, |x, vpc| write(x, vpc, "available"))
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

fn associate(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let mut vpc = VPC.find(&call.state.vpcs, form.required("VpcId")?)?.clone();
    match (form.text("CidrBlock"), form.flag("AmazonProvidedIpv6CidrBlock")?) {
        (Some(text), None) => {
            let net = checked(text)?;
            if vpc.ipv4.len() >= 5 {
                return Err(Fault::new(
                    "CidrLimitExceeded",
                    format!("The VPC '{}' has 5 CIDR blocks", vpc.id),
                ));
            }
            if let Some(old) = vpc.ipv4.iter().find(|old| old.contains(&net) || net.contains(*old)) {
                let why = format!("The CIDR '{net}' overlaps with '{old}' of the same VPC");
                return Err(Fault::new("InvalidVpc.Range", why));
            }
            vpc.ipv4.push(net);
            call.out.within("cidrBlockAssociation", |x| write_ipv4(x, &vpc, vpc.ipv4.len() - 1, net));
        }
        (None, Some(true)) if vpc.ipv6.is_empty() => {
            let net = provided(call)?;
            vpc.ipv6.push(net);
            call.out.within("ipv6CidrBlockAssociation", |x| write_ipv6(x, &vpc, net));
        }
        (None, Some(true)) => {
            return Err(Fault::new(
                "CidrLimitExceeded",
                format!("The VPC '{}' has an IPv6 CIDR block", vpc.id),
            ));
        }
        _ => {
            let why = "Exactly one of CidrBlock and AmazonProvidedIpv6CidrBlock must be given.";
            return Err(Fault::new("InvalidParameterCombination", why));
        }
    }
    call.out.text("vpcId", &vpc.id);
    for table in call.state.route_tables.values_mut().filter(|t| t.vpc == vpc.id) {
        for route in local_routes(&vpc) {
            if !table.routes.iter().any(|r| r.destination == route.destination) {
                table.routes.push(route);
            }
        }
    }
    call.state.vpcs.insert(vpc.id.clone(), vpc);
    Ok(())
}

fn checked(text: &str) -> Result<Ipv4Net, Fault> {
    match network("CidrBlock", text)? {
        IpNet::V4(net) if (16..=28).contains(&net.prefix_len()) => Ok(net),
        IpNet::V4(net) => Err(Fault::new("InvalidVpc.Range", format!("The CIDR '{net}' is invalid."))),
        IpNet::V6(_) => {
            Err(Fault::invalid(Service::Ec2, "CidrBlock", text, "This is not a valid CIDR block."))
        }
    }
}

fn provided(call: &Call<'_>) -> Result<Ipv6Net, Fault> {
    let full = || Fault::new("InsufficientCidrBlocks", "The lab has no IPv6 CIDR block left.");
    call.state.free_ipv6().ok_or_else(full)
}

fn write(x: &mut Xml, vpc: &Vpc, state: &str) {
    x.text("vpcId", &vpc.id);
    x.text("ownerId", &vpc.owner);
    x.text("state", state);
    x.maybe("cidrBlock", vpc.ipv4.first());
    x.list("cidrBlockAssociationSet", "item", vpc.ipv4.iter().enumerate(), |x, (n, net)| {
        write_ipv4(x, vpc, n, *net)
    });
    x.list("ipv6CidrBlockAssociationSet", "item", &vpc.ipv6, |x, net| write_ipv6(x, vpc, *net));
    x.text("dhcpOptionsId", "default");
    x.text("instanceTenancy", "default");
    x.text("isDefault", false);
    tags::write(x, &vpc.tags);
}

fn write_ipv4(x: &mut Xml, vpc: &Vpc, n: usize, net: Ipv4Net) {
    x.text("associationId", format!("vpc-cidr-assoc-{}", part_of(&vpc.id, n)));
    x.text("cidrBlock", net);
    x.within("cidrBlockState", |x| x.text("state", "associated"));
}

fn write_ipv6(x: &mut Xml, vpc: &Vpc, net: Ipv6Net) {
    x.text("associationId", format!("vpc-cidr-assoc-{}", part_of(&vpc.id, 15)));
    x.text("ipv6CidrBlock", net);
    x.within("ipv6CidrBlockState", |x| x.text("state", "associated"));
    x.text("ipv6Pool", "Amazon");
}

/// The digits of an id, the first replaced by `n`: how a part of a resource is known.
pub(super) fn part_of(id: &Id, n: usize) -> String {
    let digits = id.as_str().rsplit('-').next().unwrap_or_default();
    format!("{n:x}{}", digits.get(1..).unwrap_or_default())
}
