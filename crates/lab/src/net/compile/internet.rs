//! The internet, its client, and the gateways into it.

use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{FAR, FORWARDING, HOST, INTERNET_MTU, Items, NEAR, VPC_MTU, everything, link_local};
use crate::net::item::{Barrier, End, Item};
use crate::net::names;
use crate::state::{InstanceState, Interface, InternetGateway, State, Vpc};

/// The gateway's link to the internet.
const INET: &str = "inet";
/// The gateway's link to its VPC.
const VPC: &str = "vpc";
/// The internet's link to its client.
const CLIENT: &str = "client";

pub(super) fn compile(state: &State, items: &mut Items) {
    let settings = &state.settings;
    let (internet, client) = (names::internet(settings), names::client(settings));
    items.namespace(&internet, FORWARDING);
    items.namespace(&client, HOST);
    let (a, b) = (End::new(&internet, CLIENT), End::new(&client, names::ETH0));
    items.add(Item::Veth { a, b, mtu: INTERNET_MTU });
    let outside = &settings.internet;
    let router_v4 = u32::from(outside.ipv4.network()).wrapping_add(1).into();
    let router_v6 = u128::from(outside.ipv6.network()).wrapping_add(1).into();
    let nets = |v4, v6| {
        let v4 = Ipv4Net::new(v4, outside.ipv4.prefix_len()).map(IpNet::V4);
        let v6 = Ipv6Net::new(v6, outside.ipv6.prefix_len()).map(IpNet::V6);
        v4.into_iter().chain(v6)
    };
    for address in nets(router_v4, router_v6) {
        items.address(&internet, CLIENT, address);
    }
    // neighbours are only asked for from a link-local address
    items.address(&internet, CLIENT, link_local(NEAR));
    for address in nets(outside.client_ipv4, outside.client_ipv6) {
        items.address(&client, names::ETH0, address);
    }
    for (destination, via) in everything().into_iter().zip([IpAddr::V4(router_v4), NEAR.into()]) {
        items.add(Item::Route {
            namespace: client.clone(),
            table: None,
            destination,
            device: names::ETH0.to_owned(),
            via: Some(via),
        });
    }
    let nowhere = [IpNet::V4(outside.public)];
    for destination in everything().into_iter().chain(nowhere) {
        let (namespace, kind) = (internet.clone(), Barrier::Blackhole);
        items.add(Item::Barrier { namespace, table: None, destination, kind });
    }
    for gateway in state.internet_gateways.values() {
        if let Some(vpc) = gateway.attachment.as_ref().and_then(|at| state.vpcs.get(&at.vpc)) {
            compile_gateway(state, gateway, vpc, items);
        }
    }
}

/// A gateway that serves `vpc`: routes both ways, and the translation of public addresses.
fn compile_gateway(state: &State, gateway: &InternetGateway, vpc: &Vpc, items: &mut Items) {
    let settings = &state.settings;
    let (here, internet) = (names::gateway(settings, gateway), names::internet(settings));
    let (router, link) = (names::router(settings, vpc), names::gateway_link(gateway));
    items.namespace(&here, FORWARDING);
    items.cable(End::new(&internet, &link), End::new(&here, INET), INTERNET_MTU);
    items.cable(End::new(&here, VPC), End::new(&router, &link), VPC_MTU);
    let mut route = |namespace: &str, destination: IpNet, device: &str, via: Ipv6Addr| {
        items.add(Item::Route {
            namespace: namespace.to_owned(),
            table: None,
            destination,
            device: device.to_owned(),
            via: Some(via.into()),
        });
    };
    for destination in everything() {
        route(&here, destination, INET, NEAR);
    }
    for net in &vpc.ipv4 {
        route(&here, IpNet::V4(*net), VPC, FAR);
    }
    for net in &vpc.ipv6 {
        route(&here, IpNet::V6(*net), VPC, FAR);
        route(&internet, IpNet::V6(*net), &link, FAR);
    }
    let mut body =
        String::from("chain translate { type filter hook prerouting priority raw; policy accept;\n");
    for interface in public_interfaces(state, vpc) {
        let Some(public) = interface.public_ipv4 else { continue };
        route(&internet, IpNet::V4(public.into()), &link, FAR);
        let private = interface.ipv4;
        let _ = writeln!(body, "iifname \"{INET}\" ip daddr {public} ip daddr set {private} accept");
        let _ = writeln!(body, "iifname \"{VPC}\" ip saddr {private} ip saddr set {public} accept");
    }
    body.push_str("drop\n}\n");
    items.add(Item::Filter { namespace: here, table: "ip gateway".to_owned(), body });
}

/// The interfaces of the VPC that have a public address.
fn public_interfaces<'a>(state: &'a State, vpc: &'a Vpc) -> impl Iterator<Item = &'a Interface> {
    let lives = |state: InstanceState| state != InstanceState::Terminated;
    let instances = state.instances.values().filter(move |instance| lives(instance.state));
    instances
        .map(|instance| &instance.interface)
        .filter(|interface| state.subnets.get(&interface.subnet).is_some_and(|subnet| subnet.vpc == vpc.id))
        .filter(|interface| interface.public_ipv4.is_some())
}
