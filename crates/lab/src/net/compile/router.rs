//! A VPC's router: subnets, endpoints, route tables.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{FORWARDING, Items, NEAR, VPC_MTU, everything, link_local};
use crate::net::item::{Barrier, Item};
use crate::net::names;
use crate::state::{EndpointState, RouteTable, RouteTarget, State, Subnet, Vpc};

pub(super) fn compile(state: &State, vpc: &Vpc, items: &mut Items) {
    let here = names::router(&state.settings, vpc);
    items.namespace(&here, FORWARDING);
    for destination in everything() {
        let (namespace, kind) = (here.clone(), Barrier::Blackhole);
        items.add(Item::Barrier { namespace, table: None, destination, kind });
    }
    for subnet in state.subnets.values().filter(|subnet| subnet.vpc == vpc.id) {
        compile_subnet(&here, subnet, items);
        rule(state, &here, names::bridge(subnet), state.table_of_subnet(&subnet.id), items);
    }
    for endpoint in state.endpoints.values().filter(|endpoint| endpoint.vpc == vpc.id) {
        let Some(interface) = &endpoint.interface else { continue };
        if endpoint.state == EndpointState::Available {
            items.add(Item::Tun { namespace: here.clone(), name: names::tun(endpoint), mtu: VPC_MTU });
            rule(state, &here, names::tun(endpoint), state.table_of_subnet(&interface.subnet), items);
        }
    }
    for gateway in state.internet_gateways.values() {
        if gateway.attachment.as_ref().is_some_and(|at| at.vpc == vpc.id) {
            rule(state, &here, names::gateway_link(gateway), state.table_of_gateway(&gateway.id), items);
        }
    }
    for table in state.route_tables.values().filter(|table| table.vpc == vpc.id) {
        compile_table(state, &here, vpc, table, items);
    }
}

fn compile_subnet(here: &str, subnet: &Subnet, items: &mut Items) {
    let bridge = names::bridge(subnet);
    let [a, b, c, d] = subnet.serial.to_be_bytes();
    let (namespace, mac) = (here.to_owned(), [0x02, 0x68, a, b, c, d]);
    items.add(Item::Bridge { namespace, name: bridge.clone(), mac, mtu: VPC_MTU });
    items.address(here, &bridge, link_local(NEAR));
    let ipv4 = Ipv4Net::new(subnet.router_ipv4(), subnet.ipv4.prefix_len()).ok().map(IpNet::V4);
    let length = subnet.ipv6.map(|net| net.prefix_len()).unwrap_or_default();
    let ipv6 = subnet.router_ipv6().and_then(|router| Ipv6Net::new(router, length).ok()).map(IpNet::V6);
    for address in ipv4.into_iter().chain(ipv6) {
        items.address(here, &bridge, address);
    }
}

/// What enters by `device` is routed by `table`. Without a table (a gateway without ingress routing) only `local` counts,
/// which is the main table.
fn rule(_: &State, here: &str, device: String, table: Option<&RouteTable>, items: &mut Items) {
    if let Some(table) = table {
        items.add(Item::Rule { namespace: here.to_owned(), device, table: names::table(table) });
    }
}

fn compile_table(state: &State, here: &str, vpc: &Vpc, table: &RouteTable, items: &mut Items) {
    let number = Some(names::table(table));
    let barrier =
        |destination, kind| Item::Barrier { namespace: here.to_owned(), table: number, destination, kind };
    for destination in everything() {
        items.add(barrier(destination, Barrier::Blackhole));
    }
    for route in &table.routes {
        let active = state.is_active(&vpc.id, route);
        let (device, via) = match &route.target {
            RouteTarget::Local => {
                items.add(barrier(route.destination, Barrier::Throw));
                continue;
            }
            RouteTarget::InternetGateway(id) => {
                let gateway = state.internet_gateways.get(id);
                (gateway.map(names::gateway_link), Some(NEAR.into()))
            }
            RouteTarget::Endpoint(id) => (state.endpoints.get(id).map(names::tun), None),
        };
        items.add(barrier(route.destination, Barrier::Blackhole));
        if let Some(device) = device.filter(|_| active) {
            let (namespace, destination) = (here.to_owned(), route.destination);
            items.add(Item::Route { namespace, table: number, destination, device, via });
        }
    }
}
