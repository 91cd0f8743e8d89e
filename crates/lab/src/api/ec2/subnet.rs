use ipnet::{IpNet, Ipv6Net};

use super::lookup::{SUBNET, VPC, done, in_use, network};
use super::{vpc, zone};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{AssociationPoint, State, Subnet, Vpc};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateSubnet",
        parameters: &[
            "VpcId!",
            "CidrBlock!",
            "Ipv6CidrBlock",
            "AvailabilityZone",
            "AvailabilityZoneId",
            "TagSpecification.N.ResourceType",
            "TagSpecification.N.Tag.N.Key",
            "TagSpecification.N.Tag.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeSubnets",
        parameters: &["SubnetId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action { name: "DeleteSubnet", parameters: &["SubnetId!"], run: delete },
    Action { name: "AssociateSubnetCidrBlock", parameters: &["SubnetId!", "Ipv6CidrBlock!"], run: associate },
    Action {
        name: "ModifySubnetAttribute",
        parameters: &["SubnetId!", "MapPublicIpOnLaunch.Value", "AssignIpv6AddressOnCreation.Value"],
        run: modify,
    },
];

/// Subnets in the lab (VPC quota: 200 per VPC).
const MOST_SUBNETS: usize = 200;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let vpc = VPC.find(&call.state.vpcs, form.required("VpcId")?)?.clone();
    let text = form.required("CidrBlock")?;
    let ipv4 = match network("CidrBlock", text)? {
        IpNet::V4(net) => net,
        IpNet::V6(_) => {
            return Err(Fault::invalid(Service::Ec2, "CidrBlock", text, "This is not a valid CIDR block."));
        }
    };
    if !(16..=28).contains(&ipv4.prefix_len()) || !vpc.ipv4.iter().any(|n| n.contains(&ipv4)) {
        return Err(Fault::new("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid.")));
    }
    if call.state.overlaps_subnet(&vpc.id, ipv4) {
        return Err(conflict(ipv4));
    }
    let ipv6 = form.text("Ipv6CidrBlock").map(|text| checked_ipv6(&call.state, &vpc, text)).transpose()?;
    let zone = zone::wanted(call)?;
    let tags = tags::given(form, SUBNET.resource_type)?;
    SUBNET.room(&call.state.subnets, MOST_SUBNETS, "SubnetLimitExceeded")?;
    let subnet = Subnet {
        id: call.state.mint("subnet"),
        serial: call.state.serial(),
        vpc: vpc.id,
        zone,
        ipv4,
        ipv6,
        public_on_launch: false,
        ipv6_on_launch: false,
        tags,
    };
    call.state.subnets.insert(subnet.id.clone(), subnet.clone());
    let Call { state, out, .. } = call;
    out.within("subnet", |x| write(x, state, &subnet));
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let known = [
        "subnet-id",
        "vpc-id",
        "cidr-block",
        "cidrBlock",
        "cidr",
        "availability-zone",
        "availabilityZone",
        "availability-zone-id",
        "ipv6-cidr-block-association.ipv6-cidr-block",
        "state",
        "owner-id",
    ];
    let filters = Filters::of(form, &known)?;
    let mut found = SUBNET.select(&state.subnets, &form.list("SubnetId"))?;
    found.retain(|(_, s)| {
        filters.pass(&s.tags, |name| match name {
            "subnet-id" => one(&s.id),
            "vpc-id" => one(&s.vpc),
            "cidr-block" | "cidrBlock" | "cidr" => one(s.ipv4),
            "availability-zone" | "availabilityZone" => one(&s.zone),
            "availability-zone-id" => one(zone::id_of(&s.zone)),
            "ipv6-cidr-block-association.ipv6-cidr-block" => s.ipv6.iter().map(ToString::to_string).collect(),
            "state" => one("available"),
            _ => state.vpcs.get(&s.vpc).map(|v| v.owner.clone()).into_iter().collect(),
        })
    });
    page(form, out, "subnetSet", found, |x, subnet| write(x, state, subnet))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = SUBNET.find(&call.state.subnets, call.form.required("SubnetId")?)?.id.clone();
    if call.state.interfaces_in(&id).next().is_some() {
        return Err(in_use("subnet", &id));
    }
    for table in call.state.route_tables.values_mut() {
        table.associations.retain(|a| a.point != AssociationPoint::Subnet(id.clone()));
    }
    call.state.subnets.remove(&id);
    done(call)
}

fn associate(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let subnet = SUBNET.find(&call.state.subnets, form.required("SubnetId")?)?;
    let vpc = VPC.find(&call.state.vpcs, subnet.vpc.as_str())?;
    let net = checked_ipv6(&call.state, vpc, form.required("Ipv6CidrBlock")?)?;
    if let Some(old) = subnet.ipv6 {
        let why = format!("The subnet '{}' has the IPv6 CIDR block '{old}'", subnet.id);
        return Err(Fault::new("SubnetCidrLimitExceeded", why));
    }
    let id = subnet.id.clone();
    let subnet = SUBNET.find_mut(&mut call.state.subnets, id.as_str())?;
    subnet.ipv6 = Some(net);
    call.out.within("ipv6CidrBlockAssociation", |x| write_ipv6(x, subnet, net));
    call.out.text("subnetId", &id);
    Ok(())
}

fn modify(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let subnet = SUBNET.find_mut(&mut call.state.subnets, form.required("SubnetId")?)?;
    match (form.flag("MapPublicIpOnLaunch.Value")?, form.flag("AssignIpv6AddressOnCreation.Value")?) {
        (Some(on), None) => subnet.public_on_launch = on,
        (None, Some(true)) if subnet.ipv6.is_none() => {
            let why = format!("The subnet '{}' has no IPv6 CIDR block.", subnet.id);
            return Err(Fault::new("InvalidParameterValue", why));
        }
        (None, Some(on)) => subnet.ipv6_on_launch = on,
        _ => return Err(Fault::new("InvalidParameterCombination", "Exactly one attribute must be given.")),
    }
    done(call)
}

fn conflict(net: impl std::fmt::Display) -> Fault {
    Fault::new("InvalidSubnet.Conflict", format!("The CIDR '{net}' conflicts with another subnet"))
}

fn checked_ipv6(state: &State, vpc: &Vpc, text: &str) -> Result<Ipv6Net, Fault> {
    let net = match network("Ipv6CidrBlock", text)? {
        IpNet::V6(net) if net.prefix_len() == 64 && vpc.ipv6.iter().any(|n| n.contains(&net)) => net,
        _ => return Err(Fault::new("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid."))),
    };
    if state.subnets.values().any(|s| s.ipv6 == Some(net)) {
        return Err(conflict(net));
    }
    Ok(net)
}

fn write(x: &mut Xml, state: &State, subnet: &Subnet) {
    let owner = state.vpcs.get(&subnet.vpc).map(|v| v.owner.as_str()).unwrap_or_default();
    x.text("subnetId", &subnet.id);
    let arn = format!("arn:aws:ec2:{}:{owner}:subnet/{}", state.settings.region, subnet.id);
    x.text("subnetArn", arn);
    x.text("state", "available");
    x.text("vpcId", &subnet.vpc);
    x.text("ownerId", owner);
    x.text("cidrBlock", subnet.ipv4);
    x.list("ipv6CidrBlockAssociationSet", "item", subnet.ipv6, |x, net| write_ipv6(x, subnet, net));
    x.text("availableIpAddressCount", available(state, subnet));
    x.text("availabilityZone", &subnet.zone);
    x.text("availabilityZoneId", zone::id_of(&subnet.zone));
    x.text("defaultForAz", false);
    x.text("mapPublicIpOnLaunch", subnet.public_on_launch);
    x.text("assignIpv6AddressOnCreation", subnet.ipv6_on_launch);
    x.text("ipv6Native", false);
    x.text("enableDns64", false);
    x.text("mapCustomerOwnedIpOnLaunch", false);
    tags::write(x, &subnet.tags);
}

fn write_ipv6(x: &mut Xml, subnet: &Subnet, net: Ipv6Net) {
    x.text("associationId", format!("subnet-cidr-assoc-{}", vpc::part_of(&subnet.id, 15)));
    x.text("ipv6CidrBlock", net);
    x.within("ipv6CidrBlockState", |x| x.text("state", "associated"));
}

/// All addresses but AWS's five and those in use.
fn available(state: &State, subnet: &Subnet) -> usize {
    let size = 1_usize << (32 - subnet.ipv4.prefix_len());
    size.saturating_sub(5 + state.interfaces_in(&subnet.id).count())
}
