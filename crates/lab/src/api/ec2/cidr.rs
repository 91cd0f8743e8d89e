//! The networks of a VPC that come and go after its creation.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::lookup::VPC;
use super::vpc::{checked, local_routes, provided};
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::xml::Xml;
use crate::state::{State, Vpc};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "AssociateVpcCidrBlock",
        parameters: &["VpcId!", "CidrBlock", "AmazonProvidedIpv6CidrBlock"],
        run: associate,
    },
    Action { name: "DisassociateVpcCidrBlock", parameters: &["AssociationId!"], run: disassociate },
];

/// IPv4 networks per VPC (VPC quota).
const MOST_IPV4: usize = 5;

fn associate(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let mut vpc = VPC.find(&call.state.vpcs, form.required("VpcId")?)?.clone();
    match (form.text("CidrBlock"), form.flag("AmazonProvidedIpv6CidrBlock")?) {
        (Some(text), None) => {
            let net = checked(text)?;
            if vpc.ipv4.len() >= MOST_IPV4 {
                return Err(Fault::new(
                    "CidrLimitExceeded",
                    format!("The VPC '{}' has {MOST_IPV4} CIDR blocks", vpc.id),
                ));
            }
            if let Some(old) = vpc.ipv4.iter().find(|old| old.contains(&net) || net.contains(*old)) {
                let why = format!("The CIDR '{net}' overlaps with '{old}' of the same VPC");
                return Err(Fault::new("InvalidVpc.Range", why));
            }
            vpc.ipv4.push(net);
            call.out.within("cidrBlockAssociation", |x| write_ipv4(x, &vpc, net, "associating"));
        }
        (None, Some(true)) if vpc.ipv6.is_empty() => {
            let net = provided(call)?;
            vpc.ipv6.push(net);
            let Call { state, out, .. } = call;
            out.within("ipv6CidrBlockAssociation", |x| write_ipv6(x, state, &vpc, net, "associating"));
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

fn disassociate(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = call.form.required("AssociationId")?;
    let Call { state, out, .. } = call;
    let (mut vpc, net) = named(state, id).ok_or_else(|| {
        let why = format!("The vpc CIDR block association ID '{id}' does not exist");
        Fault::new("InvalidVpcCidrBlockAssociationID.NotFound", why)
    })?;
    if vpc.ipv4.first().copied().map(IpNet::V4) == Some(net) {
        let why = format!(
            "The vpc CIDR block with association ID {id} may not be disassociated. It is the primary IPv4 CIDR block of the VPC"
        );
        return Err(Fault::new("OperationNotPermitted", why));
    }
    let within = |inner: Option<IpNet>| inner.is_some_and(|inner| net.contains(&inner));
    let of_vpc = state.subnets.values().filter(|s| s.vpc == vpc.id);
    if let Some(subnet) =
        of_vpc.into_iter().find(|s| within(Some(IpNet::V4(s.ipv4))) || within(s.ipv6.map(IpNet::V6)))
    {
        let why =
            format!("The CIDR block '{net}' has the subnet '{}' and cannot be disassociated.", subnet.id);
        return Err(Fault::new("DependencyViolation", why));
    }
    match net {
        IpNet::V4(net) => {
            out.within("cidrBlockAssociation", |x| write_ipv4(x, &vpc, net, "disassociating"));
            vpc.ipv4.retain(|own| *own != net);
        }
        IpNet::V6(net) => {
            out.within("ipv6CidrBlockAssociation", |x| write_ipv6(x, state, &vpc, net, "disassociating"));
            vpc.ipv6.retain(|own| *own != net);
        }
    }
    out.text("vpcId", &vpc.id);
    for table in state.route_tables.values_mut().filter(|t| t.vpc == vpc.id) {
        table.routes.retain(|route| route.destination != net);
    }
    state.vpcs.insert(vpc.id.clone(), vpc);
    Ok(())
}

/// The VPC and network that an association id stands for.
fn named(state: &State, id: &str) -> Option<(Vpc, IpNet)> {
    let nets = |vpc: &Vpc| -> Vec<IpNet> {
        vpc.ipv4.iter().copied().map(IpNet::V4).chain(vpc.ipv6.iter().copied().map(IpNet::V6)).collect()
    };
    state.vpcs.values().find_map(|vpc| {
        let net = nets(vpc).into_iter().find(|net| association(vpc, *net) == id)?;
        Some((vpc.clone(), net))
    })
}

/// The id of a VPC's having a network: made of both, so that it stays the same whatever else comes and goes.
fn association(vpc: &Vpc, net: IpNet) -> String {
    // FNV-1a, 64 bits (offset and prime of its authors).
    let text = format!("{} {net}", vpc.id);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("vpc-cidr-assoc-0{hash:016x}")
}

/// That `vpc` has an IPv4 network.
pub(super) fn write_ipv4(x: &mut Xml, vpc: &Vpc, net: Ipv4Net, state: &str) {
    x.text("associationId", association(vpc, IpNet::V4(net)));
    x.text("cidrBlock", net);
    x.within("cidrBlockState", |x| x.text("state", state));
}

/// That `vpc` has an IPv6 network.
pub(super) fn write_ipv6(x: &mut Xml, lab: &State, vpc: &Vpc, net: Ipv6Net, state: &str) {
    x.text("associationId", association(vpc, IpNet::V6(net)));
    x.text("ipv6CidrBlock", net);
    x.within("ipv6CidrBlockState", |x| x.text("state", state));
    x.text("ipv6Pool", "Amazon");
    x.text("networkBorderGroup", &lab.settings.region);
}
