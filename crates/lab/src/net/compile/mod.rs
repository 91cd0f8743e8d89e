//! What the kernel must hold so that a [`State`] is real.
//!
//! ```text
//!  client ── internet ══ igw N ══ vpc N (router) ══ sub N (bridge) ══ instance, node
//!                                   └ vpce N (TUN, the engine's)
//! ```
//! | AWS | kernel |
//! |---|---|
//! | VPC | namespace of a router |
//! | subnet | bridge in it, with the router's addresses |
//! | route table | kernel table |
//! | association | `ip rule iif` of the subnet's bridge, its endpoints' TUNs, or the gateway's link |
//! | `local` | `throw`: falls on to the main table, which holds the connected subnets |
//! | any other route | a route, and a blackhole of the same destination that counts when the route is gone |
//! | no matching route | blackhole |
//! | GWLB endpoint | TUN device |
//! | internet gateway | namespace with stateless one-to-one translation |
//! | instance, load balancer node | namespace with one device `eth0` |
//! | security group | nftables at the instance's port, on the bridge's side |

mod instance;
mod internet;
mod router;
mod security;

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::item::{End, Item};
use crate::state::State;

/// MTU within a VPC (EC2, "Network maximum transmission unit").
const VPC_MTU: u32 = 9001;

/// MTU of an internet gateway's links (the same page).
const INTERNET_MTU: u32 = 1500;

/// Next hops on links between routers, which have no other addresses: the end nearer to the internet is the first.
const NEAR: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const FAR: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);

/// Every fact of the state.
#[must_use]
pub fn compile(state: &State) -> BTreeSet<Item> {
    let mut items = Items::default();
    internet::compile(state, &mut items);
    for vpc in state.vpcs.values() {
        router::compile(state, vpc, &mut items);
    }
    instance::compile(state, &mut items);
    items.0
}

/// Facts under construction.
#[derive(Default)]
struct Items(BTreeSet<Item>);

impl Items {
    fn add(&mut self, item: Item) {
        self.0.insert(item);
    }

    fn namespace(&mut self, name: &str, sysctls: &[(&str, &str)]) {
        self.add(Item::Namespace(name.to_owned()));
        for (key, value) in sysctls {
            let (key, value) = ((*key).to_owned(), (*value).to_owned());
            self.add(Item::Sysctl { namespace: name.to_owned(), key, value });
        }
    }

    fn address(&mut self, namespace: &str, device: &str, address: IpNet) {
        self.add(Item::Address { namespace: namespace.to_owned(), device: device.to_owned(), address });
    }

    /// A cable between two routers, with link-local next hops only; `near` is the end nearer to the internet.
    fn cable(&mut self, near: End, far: End, mtu: u32) {
        for (end, address) in [(&near, NEAR), (&far, FAR)] {
            self.address(&end.namespace, &end.name, link_local(address));
        }
        self.add(Item::Veth { a: near, b: far, mtu });
    }
}

/// A link-local address with its network.
fn link_local(address: Ipv6Addr) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(address, 64))
}

/// Everything, in both IP versions.
fn everything() -> [IpNet; 2] {
    [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]
}

/// How a namespace that forwards is set up.
const FORWARDING: &[(&str, &str)] = &[
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    // no link-local address but those given here: a TUN shall not speak of itself
    ("net/ipv6/conf/default/addr_gen_mode", "1"),
];

/// How a namespace of a host is set up.
const HOST: &[(&str, &str)] = &[
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/accept_ra", "0"),
];

/// How a namespace is set up whose device belongs to a program: the kernel keeps silent.
const SILENT: &[(&str, &str)] = &[("net/ipv6/conf/default/disable_ipv6", "1")];
