use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Id, Tags};

/// A security group: what may reach an instance, and what it may reach. Answers of allowed flows always pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// Its VPC.
    pub vpc: Id,
    /// Its name, unique in the VPC.
    pub name: String,
    /// What its maker wrote about it.
    pub description: String,
    /// What may come in.
    pub ingress: Vec<Permission>,
    /// What may go out.
    pub egress: Vec<Permission>,
    /// Tags.
    pub tags: Tags,
}

/// One allowed kind of traffic with one peer (a "security group rule").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// `sgr-…`.
    pub id: Id,
    /// Of what kind.
    pub protocol: IpProtocol,
    /// With whom.
    pub peer: Peer,
    /// What its maker wrote about it.
    pub description: Option<String>,
}

/// Protocol and ports (destination ports for TCP and UDP; type and code for ICMP, -1 meaning any).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpProtocol {
    /// Everything (`-1`).
    All,
    /// TCP to ports from..=to.
    Tcp(u16, u16),
    /// UDP to ports from..=to.
    Udp(u16, u16),
    /// ICMP type and code; -1 is any.
    Icmp(i16, i16),
    /// ICMPv6 type and code; -1 is any.
    Icmpv6(i16, i16),
    /// Another protocol by number.
    Number(u8),
}

/// With whom traffic is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// A network.
    Net(IpNet),
    /// The instances of a security group of the same VPC, by id.
    Group(Id),
}
