use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::{Id, Tags};

/// A virtual private cloud: in the lab, a router in a namespace of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// `vpc-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// The account it belongs to.
    pub owner: String,
    /// IPv4 networks, the first given at creation. Those of two VPCs may overlap.
    pub ipv4: Vec<Ipv4Net>,
    /// IPv6 networks (/56), none or one.
    pub ipv6: Vec<Ipv6Net>,
    /// `enableDnsSupport`: told when asked; the lab has no DNS.
    #[serde(default = "yes")]
    pub dns_support: bool,
    /// `enableDnsHostnames`: told when asked; the lab has no DNS.
    #[serde(default)]
    pub dns_hostnames: bool,
    /// Tags.
    pub tags: Tags,
}

/// What a VPC of a state written before it was kept has: EC2's default.
const fn yes() -> bool {
    true
}

/// A subnet: a part of a VPC's addresses in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// `subnet-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// Its VPC.
    pub vpc: Id,
    /// Its zone.
    pub zone: String,
    /// Its IPv4 network. The first four addresses and the last are AWS's; the first of those is the router.
    pub ipv4: Ipv4Net,
    /// Its IPv6 network (/64).
    pub ipv6: Option<Ipv6Net>,
    /// Give instances a public IPv4 address unless they ask for none.
    pub public_on_launch: bool,
    /// Give instances an IPv6 address.
    pub ipv6_on_launch: bool,
    /// Tags.
    pub tags: Tags,
}

impl Subnet {
    /// The router's address in this subnet: network + 1 (VPC User Guide, "Subnet CIDR blocks").
    #[must_use]
    pub fn router_ipv4(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.ipv4.network()).wrapping_add(1))
    }

    /// The router's address in this subnet: network + 1.
    #[must_use]
    pub fn router_ipv6(&self) -> Option<Ipv6Addr> {
        self.ipv6.map(|n| Ipv6Addr::from(u128::from(n.network()).wrapping_add(1)))
    }
}

/// An internet gateway: plain routing for IPv6, one-to-one translation of public addresses for IPv4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// `igw-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// The account it belongs to.
    pub owner: String,
    /// The VPC it serves.
    pub attachment: Option<Attachment>,
    /// Tags.
    pub tags: Tags,
}

/// That a gateway serves a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The VPC.
    pub vpc: Id,
}

/// An elastic network interface: an address in a subnet, of an instance, an endpoint or a load balancer node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// `eni-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// Its subnet.
    pub subnet: Id,
    /// Its Ethernet address, locally administered.
    pub mac: [u8; 6],
    /// Its address.
    pub ipv4: Ipv4Addr,
    /// Its address, if it has one.
    pub ipv6: Option<Ipv6Addr>,
    /// The public address that the internet gateway translates to [`ipv4`](Self::ipv4) and back.
    pub public_ipv4: Option<Ipv4Addr>,
}
