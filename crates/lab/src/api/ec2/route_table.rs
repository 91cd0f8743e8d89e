use ipnet::IpNet;

use super::lookup::{ROUTE_TABLE, VPC, done, in_use};
use super::vpc::local_routes;
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{Association, AssociationPoint, Origin, Route, RouteTable, RouteTarget, State};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateRouteTable",
        parameters: &[
            "VpcId!",
            "ClientToken",
            "TagSpecification.N.ResourceType",
            "TagSpecification.N.Tag.N.Key",
            "TagSpecification.N.Tag.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeRouteTables",
        parameters: &["RouteTableId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action { name: "DeleteRouteTable", parameters: &["RouteTableId!"], run: delete },
];

/// Route tables in the lab (VPC quota: 200 per VPC).
const MOST_TABLES: usize = 200;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let vpc = VPC.find(&call.state.vpcs, form.required("VpcId")?)?.clone();
    let tags = tags::given(form, ROUTE_TABLE.resource_type)?;
    let token = form.text("ClientToken").map(str::to_owned);
    let same = |t: &&RouteTable| token.is_some() && t.token == token;
    let table = match call.state.route_tables.values().find(same).cloned() {
        Some(old) if old.vpc == vpc.id => old,
        Some(old) => {
            let why =
                format!("The client token was used for the routeTable '{}' with other parameters", old.id);
            return Err(Fault::new("IdempotentParameterMismatch", why));
        }
        None => {
            ROUTE_TABLE.room(&call.state.route_tables, MOST_TABLES, "RouteTableLimitExceeded")?;
            RouteTable {
                id: call.state.mint("rtb"),
                serial: call.state.serial(),
                routes: local_routes(&vpc),
                vpc: vpc.id,
                associations: Vec::new(),
                token,
                tags,
            }
        }
    };
    let Call { state, out, .. } = call;
    out.within("routeTable", |x| write(x, state, &table));
    out.maybe("clientToken", table.token.as_ref());
    state.route_tables.insert(table.id.clone(), table);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let known = [
        "route-table-id",
        "vpc-id",
        "owner-id",
        "association.main",
        "association.subnet-id",
        "association.gateway-id",
        "association.route-table-id",
        "association.route-table-association-id",
        "route.destination-cidr-block",
        "route.destination-ipv6-cidr-block",
        "route.gateway-id",
        "route.origin",
        "route.state",
    ];
    let filters = Filters::of(form, &known)?;
    let mut found = ROUTE_TABLE.select(&state.route_tables, &form.list("RouteTableId"))?;
    found.retain(|(_, table)| filters.pass(&table.tags, |name| values(state, table, name)));
    page(form, out, "routeTableSet", found, |x, table| write(x, state, table))
}

fn values(state: &State, table: &RouteTable, name: &str) -> Vec<String> {
    let associations =
        |f: &dyn Fn(&Association) -> Option<String>| table.associations.iter().filter_map(f).collect();
    let routes = |f: &dyn Fn(&Route) -> Option<String>| table.routes.iter().filter_map(f).collect();
    match name {
        "route-table-id" => one(&table.id),
        "vpc-id" => one(&table.vpc),
        "association.main" => associations(&|a| Some((a.point == AssociationPoint::Main).to_string())),
        "association.route-table-id" => associations(&|_| Some(table.id.to_string())),
        "association.route-table-association-id" => associations(&|a| Some(a.id.to_string())),
        "association.subnet-id" => associations(&|a| match &a.point {
            AssociationPoint::Subnet(id) => Some(id.to_string()),
            _ => None,
        }),
        "association.gateway-id" => associations(&|a| match &a.point {
            AssociationPoint::Gateway(id) => Some(id.to_string()),
            _ => None,
        }),
        "route.destination-cidr-block" => {
            routes(&|r| matches!(r.destination, IpNet::V4(_)).then(|| r.destination.to_string()))
        }
        "route.destination-ipv6-cidr-block" => {
            routes(&|r| matches!(r.destination, IpNet::V6(_)).then(|| r.destination.to_string()))
        }
        "route.gateway-id" => routes(&|r| Some(gateway_id(&r.target).to_owned())),
        "route.origin" => routes(&|r| Some(origin(r.origin).to_owned())),
        "route.state" => routes(&|r| Some(condition(state, table, r).to_owned())),
        _ => state.vpcs.get(&table.vpc).map(|v| v.owner.clone()).into_iter().collect(),
    }
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = call.form.required("RouteTableId")?;
    let table = ROUTE_TABLE.find(&call.state.route_tables, id)?;
    if !table.associations.is_empty() {
        return Err(in_use("routeTable", &table.id));
    }
    call.state.route_tables.remove(id);
    done(call)
}

fn write(x: &mut Xml, state: &State, table: &RouteTable) {
    x.text("routeTableId", &table.id);
    x.text("vpcId", &table.vpc);
    x.maybe("ownerId", state.vpcs.get(&table.vpc).map(|v| &v.owner));
    x.list("associationSet", "item", &table.associations, |x, association| {
        x.text("routeTableAssociationId", &association.id);
        x.text("routeTableId", &table.id);
        match &association.point {
            AssociationPoint::Main => {}
            AssociationPoint::Subnet(id) => x.text("subnetId", id),
            AssociationPoint::Gateway(id) => x.text("gatewayId", id),
        }
        x.text("main", association.point == AssociationPoint::Main);
        x.within("associationState", |x| x.text("state", "associated"));
    });
    x.texts("propagatingVgwSet", "item", [""; 0]);
    x.list("routeSet", "item", &table.routes, |x, route| {
        match route.destination {
            IpNet::V4(net) => x.text("destinationCidrBlock", net),
            IpNet::V6(net) => x.text("destinationIpv6CidrBlock", net),
        }
        x.text("gatewayId", gateway_id(&route.target));
        x.text("state", condition(state, table, route));
        x.text("origin", origin(route.origin));
    });
    tags::write(x, &table.tags);
}

/// A route has no member for an endpoint: its id stands where a gateway's does.
fn gateway_id(target: &RouteTarget) -> &str {
    match target {
        RouteTarget::Local => "local",
        RouteTarget::InternetGateway(id) | RouteTarget::Endpoint(id) => id.as_str(),
    }
}

fn condition(state: &State, table: &RouteTable, route: &Route) -> &'static str {
    if state.is_active(&table.vpc, route) { "active" } else { "blackhole" }
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::CreateRouteTable => "CreateRouteTable",
        Origin::CreateRoute => "CreateRoute",
    }
}
