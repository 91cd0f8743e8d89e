//! Instances and load balancer nodes: a namespace each, with one device on a subnet's bridge.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{HOST, Items, NEAR, SILENT, VPC_MTU, everything, security};
use crate::net::item::{End, Item};
use crate::net::names;
use crate::state::{InstanceState, Interface, Role, State};

pub(super) fn compile(state: &State, items: &mut Items) {
    for balancer in state.load_balancers.values() {
        for node in &balancer.nodes {
            let here = names::node(&state.settings, &node.interface);
            items.namespace(&here, HOST);
            plug(state, &here, &node.interface, true, items);
            host(state, &here, &node.interface, items);
        }
    }
    for instance in state.instances.values() {
        if instance.state != InstanceState::Running {
            continue;
        }
        let here = &instance.namespace;
        match instance.role {
            Role::Appliance => {
                items.namespace(here, SILENT);
                plug(state, here, &instance.interface, true, items);
            }
            Role::Application | Role::Plain => {
                items.namespace(here, HOST);
                plug(state, here, &instance.interface, false, items);
                host(state, here, &instance.interface, items);
            }
        }
        security::compile(state, instance, items);
    }
}

/// The cable between the namespace and its subnet's bridge.
fn plug(state: &State, here: &str, interface: &Interface, plain: bool, items: &mut Items) {
    let Some(subnet) = state.subnets.get(&interface.subnet) else { return };
    let Some(vpc) = state.vpcs.get(&subnet.vpc) else { return };
    let mut a = End::new(&names::router(&state.settings, vpc), &names::port(interface));
    a.bridge = Some(names::bridge(subnet));
    a.plain = plain;
    let mut b = End::new(here, names::ETH0);
    b.mac = Some(interface.mac);
    b.plain = plain;
    items.add(Item::Veth { a, b, mtu: VPC_MTU });
}

/// Addresses and default routes.
fn host(state: &State, here: &str, interface: &Interface, items: &mut Items) {
    let Some(subnet) = state.subnets.get(&interface.subnet) else { return };
    let ipv4 = Ipv4Net::new(interface.ipv4, subnet.ipv4.prefix_len()).ok().map(IpNet::V4);
    let length = subnet.ipv6.map(|net| net.prefix_len()).unwrap_or(64);
    let ipv6 = interface.ipv6.and_then(|address| Ipv6Net::new(address, length).ok()).map(IpNet::V6);
    let router: Ipv4Addr = subnet.router_ipv4();
    let vias: [(Option<IpNet>, IpAddr); 2] = [(ipv4, router.into()), (ipv6, NEAR.into())];
    for (destination, (address, via)) in everything().into_iter().zip(vias) {
        let Some(address) = address else { continue };
        items.address(here, names::ETH0, address);
        let (namespace, device) = (here.to_owned(), names::ETH0.to_owned());
        items.add(Item::Route { namespace, table: None, destination, device, via: Some(via) });
    }
}
