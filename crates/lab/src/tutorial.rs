//! The tutorial's system as a state, without a call of the API: two VPCs, an application server, appliances, a load balancer,
//! its endpoint, and the routes of the last step.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::state::{
    Association, AssociationPoint, Attachment, Endpoint, EndpointService, EndpointState, HealthCheck, Id,
    IdleTimeout, Instance, InstanceState, Interface, InternetGateway, IpFamilies, IpProtocol, Listener,
    LoadBalancer, Node, Origin, Peer, Permission, Role, Route, RouteTable, RouteTarget, SecurityGroup,
    Settings, State, Subnet, Target, TargetGroup, TargetGroupAttributes, TargetKind, Vpc,
};

const BOTH: IpFamilies = IpFamilies { ipv4: true, ipv6: true };

/// The ids of what a test or a demonstration wants to name.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The consumer VPC.
    pub consumer: Id,
    /// The provider VPC.
    pub provider: Id,
    /// The load balancer.
    pub balancer: Id,
    /// The target group.
    pub group: Id,
    /// The endpoint.
    pub endpoint: Id,
    /// The gateway's, the application subnet's and the endpoint subnet's route table.
    pub tables: [Id; 3],
    /// The appliances.
    pub appliances: Vec<Id>,
    /// The application server.
    pub application: Id,
}

/// The whole system with `appliances` appliances, 1 to 200, in one zone. Checks are HTTP on port 80 every 5 s, two for a change.
#[must_use]
pub fn whole(settings: Settings, appliances: u8) -> (State, Parts) {
    let mut state = State::new(settings);
    let provider = vpc(&mut state, Ipv4Net::new_assert(Ipv4Addr::new(10, 1, 0, 0), 16), None);
    let consumer_v6 = Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0xa00, 0, 0, 0, 0), 56);
    let consumer = vpc(&mut state, Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 16), Some(consumer_v6));
    let node_subnet = subnet(&mut state, &provider, [10, 1, 1, 0], None);
    let appliance_subnet = subnet(&mut state, &provider, [10, 1, 2, 0], None);
    let six = |n: u16| Some(Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0xa00 + n, 0, 0, 0, 0), 64));
    let application_subnet = subnet(&mut state, &consumer, [10, 0, 1, 0], six(1));
    let endpoint_subnet = subnet(&mut state, &consumer, [10, 0, 2, 0], six(2));
    let gateway = state.mint("igw");
    let serial = state.serial();
    let attachment = Some(Attachment { vpc: consumer.clone() });
    let made = InternetGateway {
        id: gateway.clone(),
        serial,
        owner: owner(&state),
        attachment,
        tags: BTreeMap::new(),
    };
    state.internet_gateways.insert(gateway.clone(), made);

    let open = security_group(&mut state, &consumer, IpProtocol::All);
    let application = instance(&mut state, "app", Role::Application, &application_subnet, 10, open);
    let geneve = security_group(&mut state, &provider, IpProtocol::Udp(6081, 6081));
    let checks = permission(&mut state, IpProtocol::Tcp(80, 80), IpNet::V4(Ipv4Net::default()));
    if let Some(group) = state.security_groups.get_mut(&geneve) {
        group.ingress.push(checks);
    }
    let appliances: Vec<Id> = (1..=appliances)
        .map(|n| {
            let name = format!("appliance{n}");
            instance(&mut state, &name, Role::Appliance, &appliance_subnet, 10 + n, geneve.clone())
        })
        .collect();

    let balancer = balancer(&mut state, &provider, &node_subnet);
    let group = target_group(&mut state, &provider, &balancer, &appliances);
    let endpoint = endpoint(&mut state, &consumer, &endpoint_subnet, &balancer);
    let tables =
        route_tables(&mut state, &consumer, [&application_subnet, &endpoint_subnet], &gateway, &endpoint);
    (state, Parts { consumer, provider, balancer, group, endpoint, tables, appliances, application })
}

fn owner(state: &State) -> String {
    state.settings.account.clone()
}

fn vpc(state: &mut State, ipv4: Ipv4Net, ipv6: Option<Ipv6Net>) -> Id {
    let id = state.mint("vpc");
    let (serial, owner) = (state.serial(), owner(state));
    let ipv6 = ipv6.into_iter().collect();
    state.vpcs.insert(
        id.clone(),
        Vpc { id: id.clone(), serial, owner, ipv4: vec![ipv4], ipv6, tags: BTreeMap::new() },
    );
    id
}

fn subnet(state: &mut State, vpc: &Id, ipv4: [u8; 4], ipv6: Option<Ipv6Net>) -> Id {
    let id = state.mint("subnet");
    let made = Subnet {
        id: id.clone(),
        serial: state.serial(),
        vpc: vpc.clone(),
        zone: state.settings.zones.first().cloned().unwrap_or_default(),
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

fn instance(state: &mut State, name: &str, role: Role, subnet: &Id, host: u8, group: Id) -> Id {
    let id = state.mint("i");
    let mut interface = interface(state, subnet, host);
    if role == Role::Application {
        interface.public_ipv4 = Some(Ipv4Addr::new(198, 51, 100, host));
    }
    let made = Instance {
        id: id.clone(),
        serial: state.serial(),
        name: name.to_owned(),
        namespace: state.settings.namespace(name),
        image: state.mint("ami"),
        role,
        state: InstanceState::Running,
        interface,
        security_groups: vec![group],
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

fn balancer(state: &mut State, vpc: &Id, subnet: &Id) -> Id {
    let arn = arn(state, "loadbalancer/gwy/my-load-balancer");
    let zone = state.settings.zones.first().cloned().unwrap_or_default();
    let made = LoadBalancer {
        arn: arn.clone(),
        serial: state.serial(),
        owner: owner(state),
        name: "my-load-balancer".to_owned(),
        vpc: vpc.clone(),
        nodes: vec![Node { zone, interface: interface(state, subnet, 5) }],
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
        protocol: crate::state::HealthProtocol::Http,
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
