//! What exists in the lab: a plain value that is cloned, changed, checked and then put in the old one's place.
//!
//! Nothing here touches a kernel or a clock. A change is a new [`State`]; the network driver is given the old and the new one
//! and makes the difference real. That is why every resource carries what the driver needs to name things in the kernel:
//! a [`serial`](Vpc::serial), small, unique in the lab's life, for interface names (15 characters) and kernel table numbers.

mod address;
mod balancer;
mod check;
mod endpoint;
mod id;
mod instance;
mod route;
mod security;
mod settings;
mod vpc;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use balancer::{
    HealthCheck, HealthProtocol, IdleTimeout, Listener, LoadBalancer, Node, Stickiness, Target, TargetGroup,
    TargetGroupAttributes, TargetKind,
};
pub use check::Flaw;
pub use endpoint::{Endpoint, EndpointService, EndpointState, IpFamilies};
pub use id::Id;
pub use instance::{Instance, InstanceState, Role};
pub use route::{Association, AssociationPoint, Origin, Route, RouteTable, RouteTarget};
pub use security::{IpProtocol, Peer, Permission, SecurityGroup};
pub use settings::{Internet, Settings};
pub use vpc::{Attachment, Interface, InternetGateway, Subnet, Vpc};

/// Tags of one resource: at most 50, keys of at most 128 characters.
pub type Tags = BTreeMap<String, String>;

/// Everything that exists, by id. Equal states mean equal networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What was fixed when the lab was raised.
    pub settings: Settings,
    /// How many ids and serials were given out. They are never given out again.
    pub minted: u32,
    /// VPCs by `vpc-` id.
    pub vpcs: BTreeMap<Id, Vpc>,
    /// Subnets by `subnet-` id.
    pub subnets: BTreeMap<Id, Subnet>,
    /// Internet gateways by `igw-` id.
    pub internet_gateways: BTreeMap<Id, InternetGateway>,
    /// Route tables by `rtb-` id.
    pub route_tables: BTreeMap<Id, RouteTable>,
    /// Security groups by `sg-` id.
    pub security_groups: BTreeMap<Id, SecurityGroup>,
    /// Instances by `i-` id, terminated ones included for a while.
    pub instances: BTreeMap<Id, Instance>,
    /// Load balancers by ARN.
    pub load_balancers: BTreeMap<Id, LoadBalancer>,
    /// Target groups by ARN.
    pub target_groups: BTreeMap<Id, TargetGroup>,
    /// Listeners by ARN.
    pub listeners: BTreeMap<Id, Listener>,
    /// Endpoint services by `vpce-svc-` id.
    pub endpoint_services: BTreeMap<Id, EndpointService>,
    /// Endpoints by `vpce-` id.
    pub endpoints: BTreeMap<Id, Endpoint>,
}

impl State {
    /// A lab in which nothing exists yet.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self {
            settings,
            minted: 0,
            vpcs: BTreeMap::new(),
            subnets: BTreeMap::new(),
            internet_gateways: BTreeMap::new(),
            route_tables: BTreeMap::new(),
            security_groups: BTreeMap::new(),
            instances: BTreeMap::new(),
            load_balancers: BTreeMap::new(),
            target_groups: BTreeMap::new(),
            listeners: BTreeMap::new(),
            endpoint_services: BTreeMap::new(),
            endpoints: BTreeMap::new(),
        }
    }

    /// The next serial: 1, 2, 3 …, unique in the lab's life.
    pub const fn serial(&mut self) -> u32 {
        self.minted += 1;
        self.minted
    }

    /// A new id `PREFIX-0` + 16 hexadecimal digits, as EC2 forms them today. The same calls in the same order give the same ids.
    pub fn mint(&mut self, prefix: &str) -> Id {
        let hex = self.hex16();
        Id::from(format!("{prefix}-0{hex}"))
    }

    /// Sixteen hexadecimal digits for the end of an ARN.
    pub fn hex16(&mut self) -> String {
        let serial = self.serial();
        format!("{:016x}", id::scatter(self.settings.seed, serial))
    }

    /// The route table that `subnet` uses: its own association's, else its VPC's main table.
    #[must_use]
    pub fn table_of_subnet(&self, subnet: &Id) -> Option<&RouteTable> {
        let vpc = &self.subnets.get(subnet)?.vpc;
        let point = AssociationPoint::Subnet(subnet.clone());
        self.table_at(vpc, &point).or_else(|| self.table_at(vpc, &AssociationPoint::Main))
    }

    /// The route table that what enters through `gateway` uses (ingress routing), if one is associated.
    #[must_use]
    pub fn table_of_gateway(&self, gateway: &Id) -> Option<&RouteTable> {
        let vpc = &self.internet_gateways.get(gateway)?.attachment.as_ref()?.vpc;
        self.table_at(vpc, &AssociationPoint::Gateway(gateway.clone()))
    }

    fn table_at(&self, vpc: &Id, point: &AssociationPoint) -> Option<&RouteTable> {
        self.route_tables.values().find(|t| t.vpc == *vpc && t.associations.iter().any(|a| a.point == *point))
    }

    /// Whether `route` of a table in `vpc` leads somewhere. One that does not shows as `blackhole` and drops.
    #[must_use]
    pub fn is_active(&self, vpc: &Id, route: &Route) -> bool {
        match &route.target {
            RouteTarget::Local => true,
            RouteTarget::InternetGateway(id) => self
                .internet_gateways
                .get(id)
                .and_then(|g| g.attachment.as_ref())
                .is_some_and(|a| a.vpc == *vpc),
            RouteTarget::Endpoint(id) => {
                self.endpoints.get(id).is_some_and(|e| e.state == EndpointState::Available)
            }
        }
    }

    /// Listeners of one load balancer. A Gateway Load Balancer has at most one.
    #[must_use]
    pub fn listener_of(&self, load_balancer: &Id) -> Option<&Listener> {
        self.listeners.values().find(|l| l.load_balancer == *load_balancer)
    }

    /// Load balancers whose listener forwards to `group`.
    pub fn balancers_of<'a>(&'a self, group: &'a Id) -> impl Iterator<Item = &'a LoadBalancer> {
        self.listeners
            .values()
            .filter(move |l| l.target_group == *group)
            .filter_map(|l| self.load_balancers.get(&l.load_balancer))
    }

    /// The zone that `target` of `group` stands in, if it stands in a subnet.
    #[must_use]
    pub fn zone_of(&self, group: &TargetGroup, target: &Target) -> Option<&str> {
        let subnet = match group.kind {
            TargetKind::Instance => {
                self.subnets.get(&self.instances.get(target.id.as_str())?.interface.subnet)
            }
            TargetKind::Ip => {
                let address = target.id.parse().ok()?;
                self.subnets
                    .values()
                    .find(|s| s.vpc == group.vpc && s.ipv4.contains::<&std::net::Ipv4Addr>(&address))
            }
        };
        subnet.map(|s| s.zone.as_str())
    }

    /// The IPv4 addresses in use in `subnet`: instances, endpoints and load balancer nodes.
    pub fn interfaces_in<'a>(&'a self, subnet: &'a Id) -> impl Iterator<Item = &'a Interface> {
        let instances =
            self.instances.values().filter(|i| i.state != InstanceState::Terminated).map(|i| &i.interface);
        let endpoints = self.endpoints.values().filter_map(|e| e.interface.as_ref());
        let nodes = self.load_balancers.values().flat_map(|b| b.nodes.iter().map(|n| &n.interface));
        instances.chain(endpoints).chain(nodes).filter(move |i| i.subnet == *subnet)
    }

    /// Forgets what time has ended: targets that have drained. `now` is in milliseconds since 1970.
    pub fn settle(&mut self, now: u64) {
        let scale = self.settings.time_scale;
        for group in self.target_groups.values_mut() {
            let done =
                |t: &Target| t.draining_since.is_some_and(|since| group.drained_at(since, scale) <= now);
            let drained: Vec<String> =
                group.targets.iter().filter(|t| done(t)).map(|t| t.id.clone()).collect();
            group.targets.retain(|t| !drained.contains(&t.id));
        }
    }
}
