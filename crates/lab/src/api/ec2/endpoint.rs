use super::endpoint_service::{may_connect, no_service, write_unsuccessful, zones};
use super::lookup::{ENDPOINT, SUBNET, VPC, done};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::time::iso8601;
use crate::api::xml::Xml;
use crate::state::{Endpoint, EndpointService, EndpointState, Id, IpFamilies, RouteTarget, State, Subnet};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateVpcEndpoint",
        parameters: &[
            "VpcEndpointType!",
            "VpcId!",
            "ServiceName!",
            "SubnetId.N",
            "IpAddressType",
            "ClientToken",
            "TagSpecification.N.ResourceType",
            "TagSpecification.N.Tag.N.Key",
            "TagSpecification.N.Tag.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeVpcEndpoints",
        parameters: &["VpcEndpointId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action { name: "ModifyVpcEndpoint", parameters: &["VpcEndpointId!", "IpAddressType"], run: modify },
    Action { name: "DeleteVpcEndpoints", parameters: &["VpcEndpointId.N!"], run: delete },
];

/// Endpoints in the lab (a quota of ours: each is a device in the kernel).
const MOST_ENDPOINTS: usize = 100;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    form.word("VpcEndpointType", &["GatewayLoadBalancer"])?;
    let token = form.text("ClientToken").map(str::to_owned);
    let vpc = VPC.find(&call.state.vpcs, form.required("VpcId")?)?.id.clone();
    let service = service(call, form.required("ServiceName")?)?;
    let subnets = form.list("SubnetId");
    let [subnet] = subnets[..] else {
        let why = format!("A Gateway Load Balancer endpoint has exactly one subnet, not {}.", subnets.len());
        return Err(Fault::new("InvalidParameter", why));
    };
    let subnet = SUBNET.find(&call.state.subnets, subnet)?.clone();
    if subnet.vpc != vpc {
        let why = format!("The subnet ID '{}' is not of the vpc '{vpc}'", subnet.id);
        return Err(Fault::new("InvalidParameter", why));
    }
    if !zones(&call.state, &service).contains(&subnet.zone.as_str()) {
        let why = format!(
            "The VPC endpoint service {} does not support the availability zone of the subnet: {}.",
            form.required("ServiceName")?,
            subnet.id
        );
        return Err(Fault::new("InvalidParameter", why));
    }
    let families = families(call)?.unwrap_or(IpFamilies { ipv4: true, ipv6: false });
    check(&service, &subnet, families)?;
    let tags = tags::given(form, ENDPOINT.resource_type)?;
    if let Some(old) = call.state.endpoints.values().find(|e| token.is_some() && e.token == token).cloned() {
        return answer(call, &old);
    }
    ENDPOINT.room(&call.state.endpoints, MOST_ENDPOINTS, "VpcEndpointLimitExceeded")?;
    let full = || {
        Fault::new("InsufficientFreeAddressesInSubnet", format!("No free address in subnet '{}'.", subnet.id))
    };
    let interface = call.state.interface(&subnet.id, None, families.ipv6).ok_or_else(full)?;
    let state =
        if service.acceptance_required { EndpointState::PendingAcceptance } else { EndpointState::Available };
    let endpoint = Endpoint {
        id: call.state.mint("vpce"),
        serial: call.state.serial(),
        owner: call.caller.account.clone(),
        vpc,
        service: service.id,
        interface: Some(interface),
        families,
        state,
        connection: call.state.mint("vpce-con"),
        created_at: call.now,
        token,
        tags,
    };
    call.state.endpoints.insert(endpoint.id.clone(), endpoint.clone());
    answer(call, &endpoint)
}

fn answer(call: &mut Call<'_>, endpoint: &Endpoint) -> Result<(), Fault> {
    let Call { state, out, .. } = call;
    let word = if endpoint.state == EndpointState::Available { "pending" } else { word(endpoint.state) };
    out.within("vpcEndpoint", |x| write(x, state, endpoint, word));
    out.maybe("clientToken", endpoint.token.as_ref());
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let known = [
        "vpc-endpoint-id",
        "vpc-id",
        "service-name",
        "vpc-endpoint-state",
        "vpc-endpoint-type",
        "ip-address-type",
    ];
    let filters = Filters::of(form, &known)?;
    let mut found = ENDPOINT.select(&state.endpoints, &form.list("VpcEndpointId"))?;
    found.retain(|(_, e)| {
        filters.pass(&e.tags, |name| match name {
            "vpc-endpoint-id" => one(&e.id),
            "vpc-id" => one(&e.vpc),
            "service-name" => one(service_name(state, e)),
            "vpc-endpoint-state" => one(word(e.state)),
            "vpc-endpoint-type" => one("GatewayLoadBalancer"),
            _ => one(address_type(e.families)),
        })
    });
    page(form, out, "vpcEndpointSet", found, |x, e| write(x, state, e, word(e.state)))
}

fn modify(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut endpoint = ENDPOINT.find(&call.state.endpoints, call.form.required("VpcEndpointId")?)?.clone();
    let service = call.state.endpoint_services.get(&endpoint.service).cloned();
    let subnet = endpoint.interface.as_ref().and_then(|i| call.state.subnets.get(&i.subnet)).cloned();
    let (Some(service), Some(subnet)) = (service, subnet) else {
        let why = format!("The endpoint '{}' has lost its service", endpoint.id);
        return Err(Fault::new("IncorrectState", why));
    };
    if let Some(families) = families(call)? {
        check(&service, &subnet, families)?;
        endpoint.families = families;
    }
    call.state.endpoints.insert(endpoint.id.clone(), endpoint);
    done(call)
}

/// Answers 200 even for what it cannot delete. An endpoint that a route leads to stays (`DeleteVpcEndpoints`, API reference).
fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut failed = Vec::new();
    for id in call.form.list("VpcEndpointId") {
        let target = RouteTarget::Endpoint(Id::from(id));
        let used = call.state.route_tables.values().find(|t| t.routes.iter().any(|r| r.target == target));
        if !call.state.endpoints.contains_key(id) {
            let fault = ENDPOINT.missing(id);
            failed.push((id, fault.code, fault.message));
        } else if let Some(table) = used {
            let why = format!("Endpoint must be removed from route table before deletion: {}", table.id);
            failed.push((id, "InvalidParameter", why));
        } else {
            call.state.endpoints.remove(id);
        }
    }
    write_unsuccessful(&mut call.out, failed);
    Ok(())
}

/// The service of this name, if the caller may connect to it.
fn service(call: &Call<'_>, name: &str) -> Result<EndpointService, Fault> {
    let region = &call.state.settings.region;
    let found = call.state.endpoint_services.values().find(|s| s.name(region) == name);
    found.filter(|s| may_connect(s, &call.caller.account)).cloned().ok_or_else(|| no_service(name))
}

fn families(call: &Call<'_>) -> Result<Option<IpFamilies>, Fault> {
    let word = call.form.word("IpAddressType", &["ipv4", "dualstack", "ipv6"])?;
    Ok(word.map(|w| IpFamilies { ipv4: w != "ipv6", ipv6: w != "ipv4" }))
}

/// An endpoint carries what its service supports and its subnet has.
fn check(service: &EndpointService, subnet: &Subnet, families: IpFamilies) -> Result<(), Fault> {
    let lacking = (families.ipv6 && !service.families.ipv6) || (families.ipv4 && !service.families.ipv4);
    if lacking {
        let why = format!(
            "The endpoint service {} does not support the ip address type {}",
            service.id,
            address_type(families)
        );
        return Err(Fault::new("InvalidParameter", why));
    }
    if families.ipv6 && subnet.ipv6.is_none() {
        let why = format!("The subnet '{}' has no IPv6 CIDR block", subnet.id);
        return Err(Fault::invalid(Service::Ec2, "IpAddressType", address_type(families), &why));
    }
    Ok(())
}

/// What a state is called.
pub(super) const fn word(state: EndpointState) -> &'static str {
    match state {
        EndpointState::PendingAcceptance => "pendingAcceptance",
        EndpointState::Available => "available",
        EndpointState::Rejected => "rejected",
    }
}

/// What a choice of IP versions is called.
pub(super) const fn address_type(families: IpFamilies) -> &'static str {
    match (families.ipv4, families.ipv6) {
        (true, true) => "dualstack",
        (false, true) => "ipv6",
        _ => "ipv4",
    }
}

/// The name of the service an endpoint leads to. A rejected endpoint may have outlived it.
fn service_name(state: &State, endpoint: &Endpoint) -> String {
    format!("com.amazonaws.vpce.{}.{}", state.settings.region, endpoint.service)
}

fn write(x: &mut Xml, state: &State, endpoint: &Endpoint, word: &str) {
    x.text("vpcEndpointId", &endpoint.id);
    x.text("vpcEndpointType", "GatewayLoadBalancer");
    x.text("vpcId", &endpoint.vpc);
    x.text("serviceName", service_name(state, endpoint));
    x.text("state", word);
    x.texts("subnetIdSet", "item", endpoint.interface.iter().map(|i| &i.subnet));
    x.text("ipAddressType", address_type(endpoint.families));
    x.text("requesterManaged", false);
    x.texts("networkInterfaceIdSet", "item", endpoint.interface.iter().map(|i| &i.id));
    x.text("creationTimestamp", iso8601(endpoint.created_at));
    tags::write(x, &endpoint.tags);
    x.text("ownerId", &endpoint.owner);
}
