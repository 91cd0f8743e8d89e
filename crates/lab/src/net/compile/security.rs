//! Security groups, at the instance's port on the bridge: what is not allowed does not pass, answers do.
//!
//! A packet that a permission allows leaves the tuple of its answer in a set, for as long as AWS tracks a connection at most;
//! a packet whose tuple is in the set passes. That is what AWS does per interface (EC2, "Security group connection tracking"),
//! and unlike the kernel's connection tracking it does not mind that a router sees every inspected packet twice.

use std::fmt::Write;

use ipnet::IpNet;

use super::Items;
use crate::net::item::Item;
use crate::net::names;
use crate::state::{Instance, InstanceState, IpProtocol, Peer, Permission, State};

/// How long an idle connection is remembered, in seconds: as long as a GWLB flow at least.
const REMEMBER: u32 = 432;

/// Which way a permission counts, with the words that nftables has for it.
struct Way {
    chain: &'static str,
    hook: &'static str,
    /// The peer's address.
    peer: &'static str,
}

const IN: Way = Way { chain: "in", hook: "egress", peer: "saddr" };
const OUT: Way = Way { chain: "out", hook: "ingress", peer: "daddr" };

pub(super) fn compile(state: &State, instance: &Instance, items: &mut Items) {
    let interface = &instance.interface;
    let Some(vpc) = state.subnets.get(&interface.subnet).and_then(|subnet| state.vpcs.get(&subnet.vpc))
    else {
        return;
    };
    let groups = instance.security_groups.iter().filter_map(|id| state.security_groups.get(id));
    let (ingress, egress): (Vec<_>, Vec<_>) = groups.map(|group| (&group.ingress, &group.egress)).unzip();
    let mut body = sets();
    for (way, permissions) in [(IN, ingress), (OUT, egress)] {
        let _ = writeln!(
            body,
            "chain {} {{ type filter hook {} device \"{}\" priority 0; policy drop;\n{ALWAYS}{ANSWERS}",
            way.chain,
            way.hook,
            names::port(interface)
        );
        for permission in permissions.into_iter().flatten() {
            allow(state, permission, &way, &mut body);
        }
        body.push_str("}\n");
    }
    let (namespace, table) = (names::router(&state.settings, vpc), format!("netdev sg{}", interface.serial));
    items.add(Item::Filter { namespace, table, body });
}

/// What AWS's groups do not filter: address resolution, and fragments whose first part passed.
const ALWAYS: &str = "ether type arp accept
icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
ip frag-off & 0x1fff != 0 accept
";

/// Answers of what was allowed.
const ANSWERS: &str =
    "meta l4proto { tcp, udp } ip saddr . ip daddr . meta l4proto . th sport . th dport @ports4 accept
meta l4proto { tcp, udp } ip6 saddr . ip6 daddr . meta l4proto . th sport . th dport @ports6 accept
ip saddr . ip daddr . meta l4proto @plain4 accept
ip6 saddr . ip6 daddr . meta l4proto @plain6 accept
";

fn sets() -> String {
    let mut text = String::new();
    for (version, address) in [(4, "ipv4_addr"), (6, "ipv6_addr")] {
        for (name, ports) in [("ports", " . inet_service . inet_service"), ("plain", "")] {
            let _ = writeln!(
                text,
                "set {name}{version} {{ type {address} . {address} . inet_proto{ports}; \
                 flags dynamic,timeout; timeout {REMEMBER}s; size 262144; }}"
            );
        }
    }
    text
}

/// The rules of one permission.
fn allow(state: &State, permission: &Permission, way: &Way, body: &mut String) {
    for (version, peers) in peers(state, &permission.peer) {
        let ip = if version == 4 { "ip" } else { "ip6" };
        let peer = format!("{ip} {} {peers}", way.peer);
        let ports = format!(
            "update @ports{version} {{ {ip} daddr . {ip} saddr . meta l4proto . th dport . th sport }} accept"
        );
        let plain = format!("update @plain{version} {{ {ip} daddr . {ip} saddr . meta l4proto }} accept");
        let icmp = |name: &str, kind: i16, code: i16| {
            let kind = u8::try_from(kind).map(|kind| format!("{name} type {kind} ")).unwrap_or_default();
            let code = u8::try_from(code).map(|code| format!("{name} code {code} ")).unwrap_or_default();
            format!("{kind}{code}")
        };
        let _ = match permission.protocol {
            IpProtocol::All => writeln!(body, "{peer} meta l4proto {{ tcp, udp }} {ports}\n{peer} {plain}"),
            IpProtocol::Tcp(from, to) => writeln!(body, "{peer} tcp dport {from}-{to} {ports}"),
            IpProtocol::Udp(from, to) => writeln!(body, "{peer} udp dport {from}-{to} {ports}"),
            IpProtocol::Icmp(kind, code) if version == 4 => {
                writeln!(body, "{peer} meta l4proto icmp {}{plain}", icmp("icmp", kind, code))
            }
            IpProtocol::Icmpv6(kind, code) if version == 6 => {
                writeln!(body, "{peer} meta l4proto ipv6-icmp {}{plain}", icmp("icmpv6", kind, code))
            }
            IpProtocol::Icmp(..) | IpProtocol::Icmpv6(..) => Ok(()),
            IpProtocol::Number(number) => writeln!(body, "{peer} meta l4proto {number} {plain}"),
        };
    }
}

/// The peer's addresses by IP version, as nftables writes them.
fn peers(state: &State, peer: &Peer) -> Vec<(u8, String)> {
    match peer {
        Peer::Net(IpNet::V4(net)) => vec![(4, net.trunc().to_string())],
        Peer::Net(IpNet::V6(net)) => vec![(6, net.trunc().to_string())],
        Peer::Group(id) => {
            let members = || {
                let running = |instance: &&Instance| instance.state == InstanceState::Running;
                state.instances.values().filter(running).filter(|i| i.security_groups.contains(id))
            };
            let list = |addresses: Vec<String>| format!("{{ {} }}", addresses.join(", "));
            let v4: Vec<_> = members().map(|i| i.interface.ipv4.to_string()).collect();
            let v6: Vec<_> = members().filter_map(|i| i.interface.ipv6.map(|a| a.to_string())).collect();
            let lists = [(4, v4), (6, v6)].into_iter().filter(|(_, addresses)| !addresses.is_empty());
            lists.map(|(version, addresses)| (version, list(addresses))).collect()
        }
    }
}
