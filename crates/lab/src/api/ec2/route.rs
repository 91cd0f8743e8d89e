use ipnet::IpNet;

use super::lookup::{ENDPOINT, ROUTE_TABLE, done, network};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::state::{AssociationPoint, Id, Origin, Route, RouteTable, RouteTarget, State};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateRoute",
        parameters: &[
            "RouteTableId!",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "GatewayId",
            "VpcEndpointId",
        ],
        run: create,
    },
    Action {
        name: "ReplaceRoute",
        parameters: &[
            "RouteTableId!",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "GatewayId",
            "VpcEndpointId",
            "LocalTarget",
        ],
        run: replace,
    },
    Action {
        name: "DeleteRoute",
        parameters: &["RouteTableId!", "DestinationCidrBlock", "DestinationIpv6CidrBlock"],
        run: delete,
    },
];

/// Routes per table (VPC quota: 50, up to 1000).
const MOST_ROUTES: usize = 100;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut table = table(call)?;
    let destination = destination(call)?;
    let target = target(call, &table, false)?;
    if table.routes.iter().any(|r| r.destination == destination) {
        let why = format!("The route identified by {destination} already exists.");
        return Err(Fault::new("RouteAlreadyExists", why));
    }
    if table.routes.len() >= MOST_ROUTES {
        let why = format!("The maximum number of routes, {MOST_ROUTES}, has been reached in {}", table.id);
        return Err(Fault::new("RouteLimitExceeded", why));
    }
    let route = Route { destination, target, origin: Origin::CreateRoute };
    check(&call.state, &table, &route)?;
    table.routes.push(route);
    put(call, table)
}

fn replace(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut table = table(call)?;
    let destination = destination(call)?;
    let target = target(call, &table, true)?;
    let Some(n) = table.routes.iter().position(|r| r.destination == destination) else {
        return Err(no_route(&table, destination));
    };
    let origin = table.routes[n].origin;
    if target == RouteTarget::Local && origin == Origin::CreateRoute {
        let why = format!("{destination} is not a CIDR block of the VPC: it cannot be local");
        return Err(Fault::new("InvalidParameterValue", why));
    }
    let route = Route { destination, target, origin };
    check(&call.state, &table, &route)?;
    table.routes[n] = route;
    put(call, table)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut table = table(call)?;
    let destination = destination(call)?;
    match table.routes.iter().find(|r| r.destination == destination) {
        None => return Err(no_route(&table, destination)),
        Some(route) if route.origin == Origin::CreateRouteTable => {
            let why = format!("cannot remove local route {destination} in route table {}", table.id);
            return Err(Fault::new("InvalidParameterValue", why));
        }
        Some(_) => table.routes.retain(|r| r.destination != destination),
    }
    put(call, table)
}

fn put(call: &mut Call<'_>, table: RouteTable) -> Result<(), Fault> {
    call.state.route_tables.insert(table.id.clone(), table);
    done(call)
}

fn table(call: &Call<'_>) -> Result<RouteTable, Fault> {
    Ok(ROUTE_TABLE.find(&call.state.route_tables, call.form.required("RouteTableId")?)?.clone())
}

fn no_route(table: &RouteTable, destination: IpNet) -> Fault {
    let why = format!("no route with destination-cidr-block {destination} in route table {}", table.id);
    Fault::new("InvalidRoute.NotFound", why)
}

/// The one destination. The tutorial types IPv6 networks into the IPv4 option; EC2 refuses that, and so does a strict lab.
fn destination(call: &Call<'_>) -> Result<IpNet, Fault> {
    let form = call.form;
    let (name, text) = match (form.text("DestinationCidrBlock"), form.text("DestinationIpv6CidrBlock")) {
        (Some(text), None) => ("DestinationCidrBlock", text),
        (None, Some(text)) => ("DestinationIpv6CidrBlock", text),
        (None, None) => return Err(Fault::missing(Service::Ec2, "DestinationCidrBlock")),
        (Some(_), Some(_)) => {
            let why = "DestinationCidrBlock and DestinationIpv6CidrBlock cannot both be given.";
            return Err(Fault::new("InvalidParameterCombination", why));
        }
    };
    let net = network(name, text)?;
    let wrong = match (name, net) {
        ("DestinationCidrBlock", IpNet::V6(_)) => call.state.settings.strict,
        ("DestinationIpv6CidrBlock", IpNet::V4(_)) => true,
        _ => false,
    };
    if wrong {
        return Err(Fault::invalid(Service::Ec2, name, text, "This is not a valid CIDR block."));
    }
    Ok(net)
}

/// The one target, which must be of the table's VPC.
fn target(call: &Call<'_>, table: &RouteTable, may_be_local: bool) -> Result<RouteTarget, Fault> {
    let form = call.form;
    let local = may_be_local && form.flag("LocalTarget")? == Some(true);
    match (form.text("GatewayId"), form.text("VpcEndpointId"), local) {
        (None, None, true) => Ok(RouteTarget::Local),
        (Some(id), None, false) => {
            let gateway = call
                .state
                .internet_gateways
                .get(id)
                .ok_or_else(|| Fault::not_found("InvalidGatewayID.NotFound", "gateway ID", id))?;
            if gateway.attachment.as_ref().is_none_or(|a| a.vpc != table.vpc) {
                return Err(elsewhere(table, &format!("network gateway {id}")));
            }
            Ok(RouteTarget::InternetGateway(Id::from(id)))
        }
        (None, Some(id), false) => {
            if ENDPOINT.find(&call.state.endpoints, id)?.vpc != table.vpc {
                return Err(elsewhere(table, &format!("vpc endpoint {id}")));
            }
            Ok(RouteTarget::Endpoint(Id::from(id)))
        }
        (None, None, false) => Err(Fault::new(
            "MissingParameter",
            "The request must contain exactly one of gatewayId and vpcEndpointId, the targets of this lab",
        )),
        _ => Err(Fault::new("InvalidParameterCombination", "A route has exactly one target.")),
    }
}

fn elsewhere(table: &RouteTable, what: &str) -> Fault {
    let why = format!("route table {} and {what} belong to different networks", table.id);
    Fault::new("InvalidParameterValue", why)
}

/// Whether `table` may have `route`.
fn check(state: &State, table: &RouteTable, route: &Route) -> Result<(), Fault> {
    let edge = table.associations.iter().any(|a| matches!(a.point, AssociationPoint::Gateway(_)));
    if edge {
        check_edge(state, &table.vpc, route)?;
    }
    if matches!(route.target, RouteTarget::InternetGateway(_)) && in_vpc(state, &table.vpc, route.destination)
    {
        let why = format!(
            "The destination CIDR block {} is equal to or more specific than one of this VPC's CIDR blocks. \
             This route can target only a Gateway Load Balancer endpoint.",
            route.destination
        );
        return Err(Fault::new("InvalidParameterValue", why));
    }
    Ok(())
}

/// Whether a table of an internet gateway may have `route`: local, or the whole of the VPC or of a subnet to an endpoint
/// (VPC User Guide, "Gateway route tables").
pub(super) fn check_edge(state: &State, vpc: &Id, route: &Route) -> Result<(), Fault> {
    if let RouteTarget::InternetGateway(id) = &route.target {
        let why = format!("Route table contains unsupported route target: {id}");
        return Err(Fault::new("InvalidParameterValue", why));
    }
    let subnet = state.subnets.values().filter(|s| s.vpc == *vpc).any(|s| match route.destination {
        IpNet::V4(net) => s.ipv4 == net,
        IpNet::V6(net) => s.ipv6 == Some(net),
    });
    if route.origin == Origin::CreateRoute && !subnet {
        let why = format!("Route destination doesn't match any subnet CIDR blocks: {}", route.destination);
        return Err(Fault::new("InvalidParameterValue", why));
    }
    Ok(())
}

fn in_vpc(state: &State, vpc: &Id, destination: IpNet) -> bool {
    state.vpcs.get(vpc).is_some_and(|v| match destination {
        IpNet::V4(net) => v.ipv4.iter().any(|n| n.contains(&net)),
        IpNet::V6(net) => v.ipv6.iter().any(|n| n.contains(&net)),
    })
}
