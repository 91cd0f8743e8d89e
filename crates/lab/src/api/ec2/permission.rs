//! Rules of security groups: allow (authorize) and no longer allow (revoke).

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::lookup::{SECURITY_GROUP, network};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::form::Form;
use crate::api::page::page;
use crate::api::xml::Xml;
use crate::state::{Id, IpProtocol, Peer, Permission, SecurityGroup, State, Tags};

pub(super) const ACTIONS: &[Action] = &[
    Action { name: "AuthorizeSecurityGroupIngress", parameters: CHANGE, run: |call| authorize(call, false) },
    Action { name: "AuthorizeSecurityGroupEgress", parameters: CHANGE, run: |call| authorize(call, true) },
    Action { name: "RevokeSecurityGroupIngress", parameters: REVOKE, run: |call| revoke(call, false) },
    Action { name: "RevokeSecurityGroupEgress", parameters: REVOKE, run: |call| revoke(call, true) },
    Action {
        name: "DescribeSecurityGroupRules",
        parameters: &[
            "SecurityGroupRuleId.N",
            "Filter.N.Name",
            "Filter.N.Value.N",
            "MaxResults",
            "NextToken",
        ],
        run: describe,
    },
];

const CHANGE: &[&str] = &[
    "GroupId!",
    "IpProtocol",
    "FromPort",
    "ToPort",
    "CidrIp",
    "IpPermissions.N.IpProtocol",
    "IpPermissions.N.FromPort",
    "IpPermissions.N.ToPort",
    "IpPermissions.N.IpRanges.N.CidrIp",
    "IpPermissions.N.IpRanges.N.Description",
    "IpPermissions.N.Ipv6Ranges.N.CidrIpv6",
    "IpPermissions.N.Ipv6Ranges.N.Description",
    "IpPermissions.N.Groups.N.GroupId",
    "IpPermissions.N.Groups.N.Description",
];

const REVOKE: &[&str] = &[
    "GroupId!",
    "SecurityGroupRuleId.N",
    "IpProtocol",
    "FromPort",
    "ToPort",
    "CidrIp",
    "IpPermissions.N.IpProtocol",
    "IpPermissions.N.FromPort",
    "IpPermissions.N.ToPort",
    "IpPermissions.N.IpRanges.N.CidrIp",
    "IpPermissions.N.IpRanges.N.Description",
    "IpPermissions.N.Ipv6Ranges.N.CidrIpv6",
    "IpPermissions.N.Ipv6Ranges.N.Description",
    "IpPermissions.N.Groups.N.GroupId",
    "IpPermissions.N.Groups.N.Description",
];

/// Rules per security group (VPC quota: 60 in, 60 out).
const MOST_RULES: usize = 120;

/// Everything to everyone: how what may go out begins.
pub(super) fn everywhere(state: &mut State, ipv6: bool) -> Vec<Permission> {
    let mut nets = vec![IpNet::V4(Ipv4Net::default())];
    if ipv6 {
        nets.push(IpNet::V6(Ipv6Net::default()));
    }
    let all = |net| Permission {
        id: state.mint("sgr"),
        protocol: IpProtocol::All,
        peer: Peer::Net(net),
        description: None,
    };
    nets.into_iter().map(all).collect()
}

/// Everything from the instances of `group`.
pub(super) fn from_group(state: &mut State, group: &Id) -> Permission {
    let peer = Peer::Group(group.clone());
    Permission { id: state.mint("sgr"), protocol: IpProtocol::All, peer, description: None }
}

fn authorize(call: &mut Call<'_>, egress: bool) -> Result<(), Fault> {
    let mut group = group(call)?;
    let mut added = Vec::new();
    for (protocol, peer, description) in asked(call)? {
        let list = if egress { &mut group.egress } else { &mut group.ingress };
        if list.iter().any(|p| p.protocol == protocol && p.peer == peer) {
            let why = format!("the specified rule \"{}\" already exists", in_words(protocol, &peer));
            return Err(Fault::new("InvalidPermission.Duplicate", why));
        }
        if list.len() >= MOST_RULES {
            let why =
                format!("The maximum number of rules per security group, {MOST_RULES}, has been reached.");
            return Err(Fault::new("RulesPerSecurityGroupLimitExceeded", why));
        }
        let rule = Permission { id: call.state.mint("sgr"), protocol, peer, description };
        list.push(rule.clone());
        added.push(rule);
    }
    let Call { state, out, .. } = call;
    out.text("return", true);
    out.list("securityGroupRuleSet", "item", &added, |x, rule| write_rule(x, state, &group.id, rule, egress));
    state.security_groups.insert(group.id.clone(), group);
    Ok(())
}

fn revoke(call: &mut Call<'_>, egress: bool) -> Result<(), Fault> {
    let mut group = group(call)?;
    let list = if egress { &mut group.egress } else { &mut group.ingress };
    let ids = call.form.list("SecurityGroupRuleId");
    if ids.is_empty() {
        for (protocol, peer, _) in asked(call)? {
            let before = list.len();
            list.retain(|p| p.protocol != protocol || p.peer != peer);
            if list.len() == before {
                let why = format!(
                    "The specified rule \"{}\" does not exist in this security group.",
                    in_words(protocol, &peer)
                );
                return Err(Fault::new("InvalidPermission.NotFound", why));
            }
        }
    }
    for id in ids {
        if !list.iter().any(|p| p.id.as_str() == id) {
            return Err(no_rule(id));
        }
        list.retain(|p| p.id.as_str() != id);
    }
    call.out.text("return", true);
    call.state.security_groups.insert(group.id.clone(), group);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let filters = Filters::of(form, &["group-id", "security-group-rule-id"])?;
    let ids = form.list("SecurityGroupRuleId");
    let mut found = Vec::new();
    for group in state.security_groups.values() {
        let both = group.ingress.iter().map(|p| (p, false)).chain(group.egress.iter().map(|p| (p, true)));
        for (rule, egress) in both {
            let pass = filters
                .pass(&Tags::new(), |name| if name == "group-id" { one(&group.id) } else { one(&rule.id) });
            if pass && (ids.is_empty() || ids.contains(&rule.id.as_str())) {
                found.push((rule.id.to_string(), (&group.id, rule, egress)));
            }
        }
    }
    if let Some(id) = ids.iter().find(|id| !found.iter().any(|(own, _)| own == **id)) {
        return Err(no_rule(id));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    page(form, out, "securityGroupRuleSet", found, |x, (group, rule, egress)| {
        write_rule(x, state, group, rule, egress)
    })
}

pub(super) fn no_rule(id: &str) -> Fault {
    Fault::new(
        "InvalidSecurityGroupRuleId.NotFound",
        format!("The security group rule ID '{id}' does not exist"),
    )
}

pub(super) fn group(call: &Call<'_>) -> Result<SecurityGroup, Fault> {
    Ok(SECURITY_GROUP.find(&call.state.security_groups, call.form.required("GroupId")?)?.clone())
}

/// The rules that a request speaks of, from `IpPermissions.N` or from its own few parameters.
fn asked(call: &Call<'_>) -> Result<Vec<(IpProtocol, Peer, Option<String>)>, Fault> {
    let form = call.form;
    let mut rules = Vec::new();
    if form.has("IpProtocol") {
        let peer = Peer::Net(network("CidrIp", form.required("CidrIp")?)?);
        rules.push((protocol(form)?, peer, None));
    }
    for item in form.items("IpPermissions") {
        let protocol = protocol(&item)?;
        let mut add =
            |peer, of: &Form| rules.push((protocol, peer, of.text("Description").map(str::to_owned)));
        for range in item.items("IpRanges") {
            match network("CidrIp", range.required("CidrIp")?)? {
                net @ IpNet::V4(_) => add(Peer::Net(net), &range),
                IpNet::V6(net) => {
                    return Err(Fault::invalid(Service::Ec2, "CidrIp", net, "It is an IPv6 network."));
                }
            }
        }
        for range in item.items("Ipv6Ranges") {
            match network("CidrIpv6", range.required("CidrIpv6")?)? {
                net @ IpNet::V6(_) => add(Peer::Net(net), &range),
                IpNet::V4(net) => {
                    return Err(Fault::invalid(Service::Ec2, "CidrIpv6", net, "It is an IPv4 network."));
                }
            }
        }
        for pair in item.items("Groups") {
            let own = group(call)?;
            let peer = SECURITY_GROUP.find(&call.state.security_groups, pair.required("GroupId")?)?;
            if peer.vpc != own.vpc {
                let why = format!("The security group '{}' is not of VPC '{}'", peer.id, own.vpc);
                return Err(Fault::new("InvalidGroup.NotFound", why));
            }
            add(Peer::Group(peer.id.clone()), &pair);
        }
    }
    if rules.is_empty() {
        return Err(Fault::missing(Service::Ec2, "ipPermissions"));
    }
    Ok(rules)
}

/// Protocol by name or number, ports or ICMP type and code.
pub(super) fn protocol(form: &Form) -> Result<IpProtocol, Fault> {
    let name = form.required("IpProtocol")?;
    let bound = |key: &str, any: i32| -> Result<i32, Fault> {
        let Some(text) = form.text(key) else { return Ok(any) };
        text.parse().map_err(|_| Fault::invalid(Service::Ec2, key, text, "It must be a whole number."))
    };
    let ports = || -> Result<(u16, u16), Fault> {
        let (from, to) = (bound("FromPort", -1)?, bound("ToPort", -1)?);
        match (u16::try_from(from), u16::try_from(to)) {
            (Ok(from), Ok(to)) if from <= to => Ok((from, to)),
            _ if from == -1 && to == -1 => Ok((0, u16::MAX)),
            _ => Err(Fault::invalid(
                Service::Ec2,
                "FromPort",
                format!("{from}-{to}"),
                "It must be a range of ports.",
            )),
        }
    };
    let icmp = || -> Result<(i16, i16), Fault> {
        let (kind, code) = (bound("FromPort", -1)?, bound("ToPort", -1)?);
        match (i16::try_from(kind), i16::try_from(code)) {
            (Ok(kind @ -1..=255), Ok(code @ -1..=255)) => Ok((kind, code)),
            _ => Err(Fault::invalid(
                Service::Ec2,
                "FromPort",
                format!("{kind}-{code}"),
                "It must be an ICMP type and code.",
            )),
        }
    };
    Ok(match name {
        "-1" | "all" => IpProtocol::All,
        "tcp" | "6" => ports().map(|(a, b)| IpProtocol::Tcp(a, b))?,
        "udp" | "17" => ports().map(|(a, b)| IpProtocol::Udp(a, b))?,
        "icmp" | "1" => icmp().map(|(a, b)| IpProtocol::Icmp(a, b))?,
        "icmpv6" | "58" => icmp().map(|(a, b)| IpProtocol::Icmpv6(a, b))?,
        number => IpProtocol::Number(number.parse().map_err(|_| {
            Fault::invalid(
                Service::Ec2,
                "IpProtocol",
                number,
                "It must be tcp, udp, icmp, icmpv6, -1 or a number.",
            )
        })?),
    })
}

pub(super) fn in_words(protocol: IpProtocol, peer: &Peer) -> String {
    let (name, from, to) = parts(protocol);
    let peer = match peer {
        Peer::Net(net) => net.to_string(),
        Peer::Group(id) => id.to_string(),
    };
    let ports = from.zip(to).map(|(a, b)| format!(", from port: {a}, to port: {b}")).unwrap_or_default();
    format!("peer: {peer}, {}{ports}, ALLOW", name.to_uppercase())
}

/// Name and bounds as EC2 gives them.
fn parts(protocol: IpProtocol) -> (String, Option<i32>, Option<i32>) {
    let bounded = |name: &str, a: i32, b: i32| (name.to_owned(), Some(a), Some(b));
    match protocol {
        IpProtocol::All => ("-1".into(), None, None),
        IpProtocol::Tcp(a, b) => bounded("tcp", a.into(), b.into()),
        IpProtocol::Udp(a, b) => bounded("udp", a.into(), b.into()),
        IpProtocol::Icmp(a, b) => bounded("icmp", a.into(), b.into()),
        IpProtocol::Icmpv6(a, b) => bounded("icmpv6", a.into(), b.into()),
        IpProtocol::Number(n) => (n.to_string(), None, None),
    }
}

fn write_protocol(x: &mut Xml, protocol: IpProtocol) {
    let (name, from, to) = parts(protocol);
    x.text("ipProtocol", name);
    x.maybe("fromPort", from);
    x.maybe("toPort", to);
}

/// A group's rules as `ipPermissions`: one item per protocol and ports, its peers inside.
pub(super) fn write_permissions(x: &mut Xml, state: &State, name: &str, rules: &[Permission]) {
    let mut protocols: Vec<IpProtocol> = Vec::new();
    for rule in rules {
        if !protocols.contains(&rule.protocol) {
            protocols.push(rule.protocol);
        }
    }
    x.list(name, "item", protocols, |x, protocol| {
        write_protocol(x, protocol);
        let of: Vec<&Permission> = rules.iter().filter(|r| r.protocol == protocol).collect();
        let peers =
            |pick: &dyn Fn(&Peer) -> bool| of.iter().copied().filter(|r| pick(&r.peer)).collect::<Vec<_>>();
        let ranges = [
            ("ipRanges", "cidrIp", peers(&|p| matches!(p, Peer::Net(IpNet::V4(_))))),
            ("ipv6Ranges", "cidrIpv6", peers(&|p| matches!(p, Peer::Net(IpNet::V6(_))))),
            ("groups", "groupId", peers(&|p| matches!(p, Peer::Group(_)))),
        ];
        for (set, member, rules) in ranges {
            x.list(set, "item", rules, |x, rule| {
                match &rule.peer {
                    Peer::Net(net) => x.text(member, net),
                    Peer::Group(id) => {
                        x.text("userId", &state.settings.account);
                        x.text(member, id);
                    }
                }
                x.maybe("description", rule.description.as_ref());
            });
        }
        x.texts("prefixListIds", "item", [""; 0]);
    });
}

fn write_rule(x: &mut Xml, state: &State, group: &Id, rule: &Permission, egress: bool) {
    x.text("securityGroupRuleId", &rule.id);
    x.text("groupId", group);
    x.text("groupOwnerId", &state.settings.account);
    x.text("isEgress", egress);
    let (name, from, to) = parts(rule.protocol);
    x.text("ipProtocol", name);
    x.text("fromPort", from.unwrap_or(-1));
    x.text("toPort", to.unwrap_or(-1));
    match &rule.peer {
        Peer::Net(IpNet::V4(net)) => x.text("cidrIpv4", net),
        Peer::Net(IpNet::V6(net)) => x.text("cidrIpv6", net),
        Peer::Group(id) => x.within("referencedGroupInfo", |x| {
            x.text("groupId", id);
            x.text("userId", &state.settings.account);
        }),
    }
    x.texts("tagSet", "item", [""; 0]);
    x.maybe("description", rule.description.as_ref());
}
