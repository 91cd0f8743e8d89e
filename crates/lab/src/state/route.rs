use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Id, Tags};

/// A route table of a VPC: in the lab, a kernel table of the VPC's router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    /// `rtb-…`.
    pub id: Id,
    /// Names it in the kernel.
    pub serial: u32,
    /// Its VPC.
    pub vpc: Id,
    /// Routes; no two have the same destination. The longest match wins.
    pub routes: Vec<Route>,
    /// Who uses it.
    pub associations: Vec<Association>,
    /// The token it was created with: the same token again answers with this table.
    pub token: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// Where packets to a destination go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The destination, host bits cleared.
    pub destination: IpNet,
    /// The next hop.
    pub target: RouteTarget,
    /// Who made it.
    pub origin: Origin,
}

/// A next hop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouteTarget {
    /// Within the VPC.
    Local,
    /// An internet gateway, by id.
    InternetGateway(Id),
    /// A Gateway Load Balancer endpoint, by id.
    Endpoint(Id),
}

/// Who made a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// It came with the table.
    CreateRouteTable,
    /// The user.
    CreateRoute,
}

/// That a point of a VPC uses a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// `rtbassoc-…`.
    pub id: Id,
    /// Which point.
    pub point: AssociationPoint,
}

/// Where packets enter a VPC's router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssociationPoint {
    /// Every subnet without an association of its own.
    Main,
    /// A subnet, its endpoints included.
    Subnet(Id),
    /// An internet gateway (ingress routing).
    Gateway(Id),
}
