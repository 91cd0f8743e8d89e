//! The tutorial's system as a state, without a call of the API: a provider with appliances in every zone, and consumers
//! that all have the same IPv4 network.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use lab::state::{
    Association, AssociationPoint, Attachment, Endpoint, EndpointService, EndpointState, HealthCheck, Id,
    IdleTimeout, Instance, InstanceState, Interface, InternetGateway, IpFamilies, IpProtocol, Listener,
    LoadBalancer, Node, Origin, Peer, Permission, Role, Route, RouteTable, RouteTarget, SecurityGroup, State,
    Subnet, Target, TargetGroup, TargetGroupAttributes, TargetKind, Vpc,
};

const BOTH: IpFamilies = IpFamilies { ipv4: true, ipv6: true };

/// Who inspects.
#[derive(Clone, Debug)]
pub struct Provider {
    pub vpc: Id,
    pub balancer: Id,
    pub group: Id,
    /// Zone after zone.
    pub appliances: Vec<Id>,
    pub security_group: Id,
}

/// Who is inspected.
#[derive(Clone, Debug)]
pub struct Consumer {
    pub vpc: Id,
    pub endpoint: Id,
    pub application: Id,
    /// The gateway's, the application subnet's and the endpoint subnet's route table.
    pub tables: [Id; 3],
}

/// A load balancer with a node and `appliances` appliances in every zone. Checks are HTTP every 5 s, two for a change.
pub fn provider(state: &mut State, appliances: u8) -> Provider {
    let vpc = vpc(state, Ipv4Net::new_assert(Ipv4Addr::new(10, 1, 0, 0), 16), None);
    let security_group = security_group(state, &vpc, IpProtocol::Udp(6081, 6081));
    let checks = permission(state, IpProtocol::Tcp(80, 80), IpNet::V4(Ipv4Net::default()));
    state.security_groups.get_mut(&security_group).unwrap().ingress.push(checks);
    let (mut nodes, mut targets) = (Vec::new(), Vec::new());
    for (n, zone) in (0_u8..).zip(state.settings.zones.clone()) {
        let subnets = [1, 2].map(|m| subnet(state, &vpc, &zone, [10, 1, 10 * n + m, 0], None));
        nodes.push(Node { zone, interface: interface(state, &subnets[0], 5) });
        for m in 1..=appliances {
            let name = format!("appliance{}", targets.len() + 1);
            targets.push(instance(state, &name, Role::Appliance, (&subnets[1], 10 + m), &security_group));
        }
    }
    let balancer = balancer(state, &vpc, nodes);
    let group = target_group(state, &vpc, &balancer, &targets);
    Provider { vpc, balancer, group, appliances: targets, security_group }
}

/// The `n`th consumer, counted from 0, in one zone: application server `appN`, endpoint, gateway, and the tutorial's routes.
pub fn consumer(state: &mut State, n: u8, zone: usize, balancer: &Id) -> Consumer {
    let zone = state.settings.zones[zone].clone();
    let ipv6 = |net: u16, length| {
        let net = u128::from(0x2001_0db8_0000_0a00_u64 + 0x100 * u64::from(n) + u64::from(net)) << 64;
        Ipv6Net::new_assert(net.into(), length)
    };
    let vpc = vpc(state, Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 16), Some(ipv6(0, 56)));
    let application_subnet = subnet(state, &vpc, &zone, [10, 0, 1, 0], Some(ipv6(1, 64)));
    let endpoint_subnet = subnet(state, &vpc, &zone, [10, 0, 2, 0], Some(ipv6(2, 64)));
    let id = state.mint("igw");
    let made = InternetGateway {
        id: id.clone(),
        serial: state.serial(),
        owner: owner(state),
        attachment: Some(Attachment { vpc: vpc.clone() }),
        tags: BTreeMap::new(),
    };
    state.internet_gateways.insert(id.clone(), made);
    let open = security_group(state, &vpc, IpProtocol::All);
    let name = format!("app{n}");
    let application = instance(state, &name, Role::Application, (&application_subnet, 10), &open);
    let public = Some(Ipv4Addr::new(198, 51, 100, 10 + n));
    state.instances.get_mut(&application).unwrap().interface.public_ipv4 = public;
    let endpoint = endpoint(state, &vpc, &endpoint_subnet, balancer);
    let tables = route_tables(state, &vpc, [&application_subnet, &endpoint_subnet], &id, &endpoint);
    Consumer { vpc, endpoint, application, tables }
}

fn owner(state: &State) -> String {
    state.settings.account.clone()
}

fn vpc(state: &mut State, ipv4: Ipv4Net, ipv6: Option<Ipv6Net>) -> Id {
    let id = state.mint("vpc");
    let (serial, owner) = (state.serial(), owner(state));
    let ipv6 = ipv6.into_iter().collect();
    let made = Vpc {
        id: id.clone(),
        serial,
        owner,
        ipv4: vec![ipv4],
        ipv6,
        dns_support: true,
        dns_hostnames: false,
        tags: BTreeMap::new(),
    };
    state.vpcs.insert(id.clone(), made);
    id
}

pub fn subnet(state: &mut State, vpc: &Id, zone: &str, ipv4: [u8; 4], ipv6: Option<Ipv6Net>) -> Id {
    let id = state.mint("subnet");
    let made = Subnet {
        id: id.clone(),
        serial: state.serial(),
        vpc: vpc.clone(),
        zone: zone.to_owned(),
        ipv4: Ipv4Net::new_assert(ipv4.into(), 24),
        ipv6,
        public_on_launch: false,
        ipv6_on_launch: ipv6.is_some(),
        tags: BTreeMap::new(),
    };
    state.subnets.insert(id.clone(), made);
    id
}

fn interface(state: &mut State, subnet: &Id, host: u8) -> Interface {
    let id = state.mint("eni");
    let serial = state.serial();
    let [a, b, c, d] = serial.to_be_bytes();
    let place = state.subnets.get(subnet);
    let ipv4 = place.map_or(0, |place| u32::from(place.ipv4.network())) + u32::from(host);
    let ipv6 =
        place.and_then(|place| place.ipv6).map(|net| (u128::from(net.network()) + u128::from(host)).into());
    Interface {
        id,
        serial,
        subnet: subnet.clone(),
        mac: [0x02, 0x67, a, b, c, d],
        ipv4: ipv4.into(),
        ipv6,
        public_ipv4: None,
    }
}

pub fn instance(state: &mut State, name: &str, role: Role, (subnet, host): (&Id, u8), group: &Id) -> Id {
    let id = state.mint("i");
    let interface = interface(state, subnet, host);
    let made = Instance {
        id: id.clone(),
        serial: state.serial(),
        name: name.to_owned(),
        namespace: state.settings.namespace(name),
        image: state.mint("ami"),
        role,
        state: InstanceState::Running,
        interface,
        security_groups: vec![group.clone()],
        instance_type: "c5n.large".to_owned(),
        reservation: state.mint("r"),
        token: None,
        launch_index: 0,
        launched_at: 0,
        tags: BTreeMap::new(),
    };
    state.instances.insert(id.clone(), made);
    id
}

fn permission(state: &mut State, protocol: IpProtocol, net: IpNet) -> Permission {
    Permission { id: state.mint("sgr"), protocol, peer: Peer::Net(net), description: None }
}

fn security_group(state: &mut State, vpc: &Id, ingress: IpProtocol) -> Id {
    let id = state.mint("sg");
    let nets = [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
    let made = SecurityGroup {
        id: id.clone(),
        serial: state.serial(),
        vpc: vpc.clone(),
        name: format!("for {vpc}"),
        description: String::new(),
        ingress: nets.map(|net| permission(state, ingress, net)).to_vec(),
        egress: nets.map(|net| permission(state, IpProtocol::All, net)).to_vec(),
        tags: BTreeMap::new(),
    };
    state.security_groups.insert(id.clone(), made);
    id
}

fn balancer(state: &mut State, vpc: &Id, nodes: Vec<Node>) -> Id {
    let arn = arn(state, "loadbalancer/gwy/my-load-balancer");
    let made = LoadBalancer {
        arn: arn.clone(),
        serial: state.serial(),
        owner: owner(state),
        name: "my-load-balancer".to_owned(),
        vpc: vpc.clone(),
        nodes,
        dualstack: true,
        cross_zone: false,
        deletion_protection: false,
        created_at: 0,
        tags: BTreeMap::new(),
    };
    state.load_balancers.insert(arn.clone(), made);
    arn
}

fn target_group(state: &mut State, vpc: &Id, balancer: &Id, appliances: &[Id]) -> Id {
    let id = arn(state, "targetgroup/my-targets");
    let target = |id: &Id| Target { id: id.to_string(), zone: None, registered_at: 0, draining_since: None };
    let health_check = HealthCheck {
        protocol: lab::state::HealthProtocol::Http,
        interval_s: 5,
        timeout_s: 2,
        healthy_threshold: 2,
        unhealthy_threshold: 2,
        ..HealthCheck::default()
    };
    let made = TargetGroup {
        arn: id.clone(),
        owner: owner(state),
        name: "my-targets".to_owned(),
        vpc: vpc.clone(),
        kind: TargetKind::Instance,
        health_check,
        attributes: TargetGroupAttributes::default(),
        targets: appliances.iter().map(target).collect(),
        tags: BTreeMap::new(),
    };
    state.target_groups.insert(id.clone(), made);
    let listener = arn(state, "listener/gwy/my-load-balancer");
    let (load_balancer, idle) = (balancer.clone(), IdleTimeout::default());
    let made = Listener {
        arn: listener.clone(),
        load_balancer,
        target_group: id.clone(),
        idle,
        tags: BTreeMap::new(),
    };
    state.listeners.insert(listener, made);
    id
}

fn arn(state: &mut State, resource: &str) -> Id {
    let (region, account) = (state.settings.region.clone(), owner(state));
    Id::from(format!("arn:aws:elasticloadbalancing:{region}:{account}:{resource}/{}", state.hex16()))
}

fn endpoint(state: &mut State, vpc: &Id, subnet: &Id, balancer: &Id) -> Id {
    let service = state.mint("vpce-svc");
    let made = EndpointService {
        id: service.clone(),
        owner: owner(state),
        load_balancers: vec![balancer.clone()],
        acceptance_required: false,
        families: BOTH,
        principals: BTreeMap::new(),
        token: None,
        tags: BTreeMap::new(),
    };
    state.endpoint_services.insert(service.clone(), made);
    let id = state.mint("vpce");
    let made = Endpoint {
        id: id.clone(),
        serial: state.serial(),
        owner: owner(state),
        vpc: vpc.clone(),
        service,
        interface: Some(interface(state, subnet, 5)),
        families: BOTH,
        state: EndpointState::Available,
        connection: state.mint("vpce-con"),
        created_at: 0,
        token: None,
        tags: BTreeMap::new(),
    };
    state.endpoints.insert(id.clone(), made);
    id
}

/// The tutorial's three tables with the routes of its last step.
fn route_tables(state: &mut State, vpc: &Id, subnets: [&Id; 2], gateway: &Id, endpoint: &Id) -> [Id; 3] {
    let [application, inspection] = subnets;
    let own: Vec<IpNet> = state.subnets.get(application).map_or(Vec::new(), |subnet| {
        std::iter::once(IpNet::V4(subnet.ipv4)).chain(subnet.ipv6.map(IpNet::V6)).collect()
    });
    let all = vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
    let to_endpoint = RouteTarget::Endpoint(endpoint.clone());
    let to_internet = RouteTarget::InternetGateway(gateway.clone());
    let gateway_point = AssociationPoint::Gateway(gateway.clone());
    [
        route_table(state, vpc, gateway_point, own, to_endpoint.clone()),
        route_table(state, vpc, AssociationPoint::Subnet(application.clone()), all.clone(), to_endpoint),
        route_table(state, vpc, AssociationPoint::Subnet(inspection.clone()), all, to_internet),
    ]
}

fn route_table(
    state: &mut State,
    vpc: &Id,
    point: AssociationPoint,
    to: Vec<IpNet>,
    target: RouteTarget,
) -> Id {
    let id = state.mint("rtb");
    let local = state.vpcs.get(vpc).map_or(Vec::new(), |vpc| {
        let v4 = vpc.ipv4.iter().copied().map(IpNet::V4);
        v4.chain(vpc.ipv6.iter().copied().map(IpNet::V6)).collect()
    });
    let route = |target: RouteTarget, origin| {
        move |destination| Route { destination, target: target.clone(), origin }
    };
    let local = local.into_iter().map(route(RouteTarget::Local, Origin::CreateRouteTable));
    let routes = local.chain(to.into_iter().map(route(target, Origin::CreateRoute))).collect();
    let made = RouteTable {
        id: id.clone(),
        serial: state.serial(),
        vpc: vpc.clone(),
        routes,
        associations: vec![Association { id: state.mint("rtbassoc"), point }],
        token: None,
        tags: BTreeMap::new(),
    };
    state.route_tables.insert(id.clone(), made);
    id
}
