use super::lookup::{ENDPOINT_SERVICE, done};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{EndpointService, EndpointState, Id, IpFamilies, State};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateVpcEndpointServiceConfiguration",
        parameters: &[
            "GatewayLoadBalancerArn.N",
            "AcceptanceRequired",
            "SupportedIpAddressType.N",
            "ClientToken",
            "TagSpecification.N.ResourceType",
            "TagSpecification.N.Tag.N.Key",
            "TagSpecification.N.Tag.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeVpcEndpointServiceConfigurations",
        parameters: &["ServiceId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action {
        name: "ModifyVpcEndpointServiceConfiguration",
        parameters: &[
            "ServiceId!",
            "AcceptanceRequired",
            "AddGatewayLoadBalancerArn.N",
            "RemoveGatewayLoadBalancerArn.N",
            "AddSupportedIpAddressType.N",
            "RemoveSupportedIpAddressType.N",
        ],
        run: modify,
    },
    Action { name: "DeleteVpcEndpointServiceConfigurations", parameters: &["ServiceId.N!"], run: delete },
    Action {
        name: "DescribeVpcEndpointServices",
        parameters: &["ServiceName.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe_for_consumers,
    },
];

/// Endpoint services in the lab.
const MOST_SERVICES: usize = 50;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let token = form.text("ClientToken").map(str::to_owned);
    let arns = form.list("GatewayLoadBalancerArn");
    if arns.is_empty() {
        let why = "At least one Gateway Load Balancer ARN must be specified.";
        return Err(Fault::new("InvalidParameter", why));
    }
    let mut service = EndpointService {
        id: Id::from(""),
        owner: call.caller.account.clone(),
        load_balancers: Vec::new(),
        acceptance_required: form.flag("AcceptanceRequired")?.unwrap_or(true),
        families: families(&form.list("SupportedIpAddressType"))?
            .unwrap_or(IpFamilies { ipv4: true, ipv6: false }),
        principals: [].into(),
        token,
        tags: tags::given(form, ENDPOINT_SERVICE.resource_type)?,
    };
    add_balancers(&call.state, &mut service, &arns)?;
    check(&call.state, &service)?;
    let old =
        call.state.endpoint_services.values().find(|s| service.token.is_some() && s.token == service.token);
    let service = match old {
        Some(old) => old.clone(),
        None => {
            ENDPOINT_SERVICE.room(
                &call.state.endpoint_services,
                MOST_SERVICES,
                "VpcEndpointServiceLimitExceeded",
            )?;
            EndpointService { id: call.state.mint("vpce-svc"), ..service }
        }
    };
    let Call { state, out, .. } = call;
    out.within("serviceConfiguration", |x| write(x, state, &service));
    out.maybe("clientToken", service.token.as_ref());
    state.endpoint_services.insert(service.id.clone(), service);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let filters =
        Filters::of(form, &["service-id", "service-name", "service-state", "supported-ip-address-types"])?;
    let mut found = ENDPOINT_SERVICE.select(&state.endpoint_services, &form.list("ServiceId"))?;
    found.retain(|(_, s)| filters.pass(&s.tags, |name| values(state, s, name)));
    page(form, out, "serviceConfigurationSet", found, |x, s| write(x, state, s))
}

fn values(state: &State, service: &EndpointService, name: &str) -> Vec<String> {
    match name {
        "service-id" => one(&service.id),
        "service-name" => one(service.name(&state.settings.region)),
        "service-state" => one("Available"),
        "service-type" => one("GatewayLoadBalancer"),
        "owner" => one(&service.owner),
        _ => types(service.families).into_iter().map(str::to_owned).collect(),
    }
}

fn modify(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let mut service =
        ENDPOINT_SERVICE.find(&call.state.endpoint_services, form.required("ServiceId")?)?.clone();
    if let Some(required) = form.flag("AcceptanceRequired")? {
        service.acceptance_required = required;
    }
    add_balancers(&call.state, &mut service, &form.list("AddGatewayLoadBalancerArn"))?;
    for arn in form.list("RemoveGatewayLoadBalancerArn") {
        if !service.load_balancers.iter().any(|own| own.as_str() == arn) {
            let why = format!("The load balancer '{arn}' is not of the service '{}'", service.id);
            return Err(Fault::new("InvalidParameter", why));
        }
        service.load_balancers.retain(|own| own.as_str() != arn);
    }
    if let Some(more) = families(&form.list("AddSupportedIpAddressType"))? {
        service.families.ipv4 |= more.ipv4;
        service.families.ipv6 |= more.ipv6;
    }
    if let Some(less) = families(&form.list("RemoveSupportedIpAddressType"))? {
        service.families.ipv4 &= !less.ipv4;
        service.families.ipv6 &= !less.ipv6;
    }
    check(&call.state, &service)?;
    call.state.endpoint_services.insert(service.id.clone(), service);
    done(call)
}

/// Answers 200 even for what it cannot delete: that stands in `unsuccessful`.
fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut failed = Vec::new();
    for id in call.form.list("ServiceId") {
        let connected =
            |e: &crate::state::Endpoint| e.service.as_str() == id && e.state != EndpointState::Rejected;
        if !call.state.endpoint_services.contains_key(id) {
            let fault = ENDPOINT_SERVICE.missing(id);
            failed.push((id, fault.code, fault.message));
        } else if call.state.endpoints.values().any(connected) {
            let why = "Service has existing active VPC Endpoint connections!".to_owned();
            failed.push((id, "ExistingVpcEndpointConnections", why));
        } else {
            call.state.endpoint_services.remove(id);
        }
    }
    write_unsuccessful(&mut call.out, failed);
    Ok(())
}

fn describe_for_consumers(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, caller, .. } = call;
    let region = &state.settings.region;
    let filters =
        Filters::of(form, &["service-name", "service-type", "owner", "supported-ip-address-types"])?;
    let mut visible: Vec<(String, &EndpointService)> = state
        .endpoint_services
        .values()
        .filter(|s| may_connect(s, &caller.account))
        .map(|s| (s.name(region), s))
        .collect();
    let names = form.list("ServiceName");
    if let Some(name) = names.iter().find(|n| !visible.iter().any(|(own, _)| own == **n)) {
        return Err(no_service(name));
    }
    visible.retain(|(name, _)| names.is_empty() || names.contains(&name.as_str()));
    visible.retain(|(_, s)| filters.pass(&s.tags, |name| values(state, s, name)));
    let names: Vec<String> = visible.iter().map(|(name, _)| name.clone()).collect();
    out.texts("serviceNameSet", "item", names);
    page(form, out, "serviceDetailSet", visible, |x, s| {
        x.text("owner", &s.owner);
        x.text("vpcEndpointPolicySupported", false);
        write_common(x, state, s);
    })
}

/// Whether endpoints of `account` may lead to `service`: its own may, and those of allowed principals.
pub(super) fn may_connect(service: &EndpointService, account: &str) -> bool {
    let root = format!("arn:aws:iam::{account}:root");
    service.owner == account || ["*", account, &root].iter().any(|p| service.principals.contains_key(*p))
}

pub(super) fn no_service(name: &str) -> Fault {
    Fault::new("InvalidServiceName", format!("The Vpc Endpoint Service '{name}' does not exist"))
}

/// `unsuccessful`: what of a batch could not be done, and why.
pub(super) fn write_unsuccessful(x: &mut Xml, failed: Vec<(&str, &str, String)>) {
    x.list("unsuccessful", "item", failed, |x, (id, code, message)| {
        x.within("error", |x| {
            x.text("code", code);
            x.text("message", message);
        });
        x.text("resourceId", id);
    });
}

fn add_balancers(state: &State, service: &mut EndpointService, arns: &[&str]) -> Result<(), Fault> {
    for arn in arns {
        let Some(balancer) = state.load_balancers.get(*arn) else {
            return Err(Fault::new("InvalidParameter", format!("The load balancer '{arn}' does not exist")));
        };
        if !service.load_balancers.contains(&balancer.arn) {
            service.load_balancers.push(balancer.arn.clone());
        }
    }
    Ok(())
}

/// A service has a load balancer and an IP version, and IPv6 only if all its load balancers carry it.
fn check(state: &State, service: &EndpointService) -> Result<(), Fault> {
    if service.load_balancers.is_empty() {
        return Err(Fault::new(
            "InvalidParameter",
            "A service must keep at least one Gateway Load Balancer.",
        ));
    }
    if !service.families.ipv4 && !service.families.ipv6 {
        return Err(Fault::new("InvalidParameter", "A service must keep at least one IP address type."));
    }
    let plain = |arn: &&Id| state.load_balancers.get(*arn).is_some_and(|b| !b.dualstack);
    if service.families.ipv6
        && let Some(arn) = service.load_balancers.iter().find(plain)
    {
        let why = format!(
            "The load balancer '{arn}' does not support the ip address type ipv6: it is not dualstack"
        );
        return Err(Fault::new("InvalidParameter", why));
    }
    let lacking = |e: &&crate::state::Endpoint| {
        e.service == service.id
            && ((e.families.ipv6 && !service.families.ipv6) || (e.families.ipv4 && !service.families.ipv4))
    };
    if let Some(endpoint) = state.endpoints.values().find(lacking) {
        let why =
            format!("The endpoint '{}' of the service uses an ip address type it would lose", endpoint.id);
        return Err(Fault::new("InvalidParameter", why));
    }
    Ok(())
}

fn families(words: &[&str]) -> Result<Option<IpFamilies>, Fault> {
    if words.is_empty() {
        return Ok(None);
    }
    let mut families = IpFamilies { ipv4: false, ipv6: false };
    for word in words {
        match *word {
            "ipv4" => families.ipv4 = true,
            "ipv6" => families.ipv6 = true,
            other => {
                return Err(Fault::invalid(
                    Service::Ec2,
                    "SupportedIpAddressType",
                    other,
                    "It must be ipv4 or ipv6.",
                ));
            }
        }
    }
    Ok(Some(families))
}

/// The zones in which a service can be reached: those of its load balancers' nodes.
pub(super) fn zones<'a>(state: &'a State, service: &EndpointService) -> Vec<&'a str> {
    let balancers = service.load_balancers.iter().filter_map(|arn| state.load_balancers.get(arn));
    let mut zones: Vec<&str> = balancers.flat_map(|b| b.nodes.iter().map(|n| n.zone.as_str())).collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

fn types(families: IpFamilies) -> Vec<&'static str> {
    let both = [(families.ipv4, "ipv4"), (families.ipv6, "ipv6")];
    both.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect()
}

/// A service as its owner sees it.
fn write(x: &mut Xml, state: &State, service: &EndpointService) {
    x.text("serviceState", "Available");
    x.texts("gatewayLoadBalancerArnSet", "item", &service.load_balancers);
    write_common(x, state, service);
}

/// What its owner and its users see.
fn write_common(x: &mut Xml, state: &State, service: &EndpointService) {
    x.list("serviceType", "item", ["GatewayLoadBalancer"], |x, kind| x.text("serviceType", kind));
    x.text("serviceId", &service.id);
    x.text("serviceName", service.name(&state.settings.region));
    let zones = zones(state, service);
    x.texts("availabilityZoneIdSet", "item", zones.iter().map(|z| super::zone::id_of(z)));
    x.texts("availabilityZoneSet", "item", zones);
    x.text("acceptanceRequired", service.acceptance_required);
    x.text("managesVpcEndpoints", false);
    x.texts("supportedIpAddressTypeSet", "item", types(service.families));
    tags::write(x, &service.tags);
}
