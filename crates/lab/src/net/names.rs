//! What things are called in the kernel. Interface names have at most 15 characters, so they are made of serials.

use crate::state::{Endpoint, Interface, InternetGateway, RouteTable, Settings, Subnet, Vpc};

/// The only device of a node, an instance and the client.
pub const ETH0: &str = "eth0";

/// The internet's namespace, the link of every gateway and of the client.
#[must_use]
pub fn internet(settings: &Settings) -> String {
    settings.namespace("internet")
}

/// The namespace of the client in the internet.
#[must_use]
pub fn client(settings: &Settings) -> String {
    settings.namespace("client")
}

/// The namespace of a VPC's router.
#[must_use]
pub fn router(settings: &Settings, vpc: &Vpc) -> String {
    settings.namespace(&format!("vpc{}", vpc.serial))
}

/// The namespace of an internet gateway.
#[must_use]
pub fn gateway(settings: &Settings, gateway: &InternetGateway) -> String {
    settings.namespace(&gateway_link(gateway))
}

/// The namespace of a load balancer's node.
#[must_use]
pub fn node(settings: &Settings, interface: &Interface) -> String {
    settings.namespace(&format!("node{}", interface.serial))
}

/// The link to an internet gateway, in the router and in the internet.
#[must_use]
pub fn gateway_link(gateway: &InternetGateway) -> String {
    format!("igw{}", gateway.serial)
}

/// A subnet's bridge in the router.
#[must_use]
pub fn bridge(subnet: &Subnet) -> String {
    format!("sub{}", subnet.serial)
}

/// The port of an interface on its subnet's bridge.
#[must_use]
pub fn port(interface: &Interface) -> String {
    format!("eni{}", interface.serial)
}

/// An endpoint's TUN device in the router.
#[must_use]
pub fn tun(endpoint: &Endpoint) -> String {
    format!("vpce{}", endpoint.serial)
}

/// A route table's number; those below 1000 are left to the system.
#[must_use]
pub fn table(table: &RouteTable) -> u32 {
    table.serial.saturating_add(1000)
}
