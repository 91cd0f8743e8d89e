//! Rules of security groups changed in place: the id stays, what it allows is another thing.

use ipnet::IpNet;

use super::lookup::{SECURITY_GROUP, done, network};
use super::permission::{group, in_words, no_rule, protocol};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::form::Form;
use crate::state::{Peer, SecurityGroup};

pub(super) const ACTIONS: &[Action] = &[Action {
    name: "ModifySecurityGroupRules",
    parameters: &[
        "GroupId!",
        "SecurityGroupRule.N.SecurityGroupRuleId!",
        "SecurityGroupRule.N.SecurityGroupRule.IpProtocol",
        "SecurityGroupRule.N.SecurityGroupRule.FromPort",
        "SecurityGroupRule.N.SecurityGroupRule.ToPort",
        "SecurityGroupRule.N.SecurityGroupRule.CidrIpv4",
        "SecurityGroupRule.N.SecurityGroupRule.CidrIpv6",
        "SecurityGroupRule.N.SecurityGroupRule.ReferencedGroupId",
        "SecurityGroupRule.N.SecurityGroupRule.Description",
    ],
    run: modify,
}];

fn modify(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut changed = group(call)?;
    for item in call.form.items("SecurityGroupRule") {
        let id = item.required("SecurityGroupRuleId")?;
        let wanted = item.below("SecurityGroupRule");
        let (protocol, peer) = (protocol(&wanted)?, peer(call, &changed, &wanted)?);
        let list = match changed.ingress.iter().any(|p| p.id.as_str() == id) {
            true => &mut changed.ingress,
            false => &mut changed.egress,
        };
        if list.iter().any(|p| p.id.as_str() != id && p.protocol == protocol && p.peer == peer) {
            let why = format!("the specified rule \"{}\" already exists", in_words(protocol, &peer));
            return Err(Fault::new("InvalidPermission.Duplicate", why));
        }
        let rule = list.iter_mut().find(|p| p.id.as_str() == id).ok_or_else(|| no_rule(id))?;
        if kind(&rule.peer) != kind(&peer) {
            let why = format!("The type of the source or destination of the rule '{id}' cannot be changed.");
            return Err(Fault::new("InvalidParameterCombination", why));
        }
        (rule.protocol, rule.peer) = (protocol, peer);
        rule.description = wanted.text("Description").map(str::to_owned);
    }
    call.state.security_groups.insert(changed.id.clone(), changed);
    done(call)
}

/// Which of the three ways to say it.
fn kind(peer: &Peer) -> &'static str {
    match peer {
        Peer::Net(IpNet::V4(_)) => "CidrIpv4",
        Peer::Net(IpNet::V6(_)) => "CidrIpv6",
        Peer::Group(_) => "ReferencedGroupId",
    }
}

/// From whom or to whom, of the three ways to say it.
fn peer(call: &Call<'_>, own: &SecurityGroup, wanted: &Form) -> Result<Peer, Fault> {
    let given = ["CidrIpv4", "CidrIpv6", "ReferencedGroupId"].map(|name| wanted.text(name));
    let wrong = |name, net: IpNet| Fault::invalid(Service::Ec2, name, net, "It is of the other IP version.");
    match given {
        [Some(text), None, None] => match network("CidrIpv4", text)? {
            net @ IpNet::V4(_) => Ok(Peer::Net(net)),
            net => Err(wrong("CidrIpv4", net)),
        },
        [None, Some(text), None] => match network("CidrIpv6", text)? {
            net @ IpNet::V6(_) => Ok(Peer::Net(net)),
            net => Err(wrong("CidrIpv6", net)),
        },
        [None, None, Some(id)] => {
            let peer = SECURITY_GROUP.find(&call.state.security_groups, id)?;
            if peer.vpc == own.vpc {
                return Ok(Peer::Group(peer.id.clone()));
            }
            let why = format!("The security group '{}' is not of VPC '{}'", peer.id, own.vpc);
            Err(Fault::new("InvalidGroup.NotFound", why))
        }
        _ => {
            let why = "Exactly one of CidrIpv4, CidrIpv6 and ReferencedGroupId must be given.";
            Err(Fault::new("InvalidParameterCombination", why))
        }
    }
}
