use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Id, Interface, Tags};

/// An endpoint service: a provider's offer of its Gateway Load Balancers to other VPCs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointService {
    /// `vpce-svc-…`.
    pub id: Id,
    /// The account it belongs to.
    pub owner: String,
    /// ARNs of its Gateway Load Balancers.
    pub load_balancers: Vec<Id>,
    /// Whether an endpoint waits for the provider's word.
    pub acceptance_required: bool,
    /// What its endpoints may carry.
    pub families: IpFamilies,
    /// ARNs of principals that may connect, with the id of each permission; `*` is everyone.
    pub principals: BTreeMap<String, Id>,
    /// The token it was created with.
    pub token: Option<String>,
    /// Tags.
    pub tags: Tags,
}

impl EndpointService {
    /// `com.amazonaws.vpce.REGION.` and the id.
    #[must_use]
    pub fn name(&self, region: &str) -> String {
        format!("com.amazonaws.vpce.{region}.{}", self.id)
    }
}

/// IP versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpFamilies {
    /// IPv4.
    pub ipv4: bool,
    /// IPv6.
    pub ipv6: bool,
}

/// A Gateway Load Balancer endpoint: in the lab, a TUN device in its VPC's router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `vpce-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// The account it belongs to.
    pub owner: String,
    /// The VPC it serves.
    pub vpc: Id,
    /// The service it leads to.
    pub service: Id,
    /// Where it stands. `None` until it was given a subnet.
    pub interface: Option<Interface>,
    /// What it carries: `ipv4`, or both.
    pub families: IpFamilies,
    /// Whether packets may enter it.
    pub state: EndpointState,
    /// `vpce-con-…`: how the provider knows the connection.
    pub connection: Id,
    /// When, milliseconds since 1970.
    pub created_at: u64,
    /// The token it was created with.
    pub token: Option<String>,
    /// Tags.
    pub tags: Tags,
}

impl Endpoint {
    /// The endpoint id that GENEVE option 1 carries: the last sixteen hexadecimal digits of the id.
    #[must_use]
    pub fn wire_id(&self) -> u64 {
        let text = self.id.as_str();
        let tail = text.get(text.len().saturating_sub(16)..).unwrap_or_default();
        u64::from_str_radix(tail, 16).unwrap_or_default()
    }
}

/// Whether an endpoint carries packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointState {
    /// The provider must accept it first.
    PendingAcceptance,
    /// It carries packets.
    Available,
    /// The provider said no.
    Rejected,
}
