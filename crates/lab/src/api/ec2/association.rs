use super::lookup::{INTERNET_GATEWAY, ROUTE_TABLE, SUBNET, done};
use super::route::check_edge;
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::state::{Association, AssociationPoint, Id};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "AssociateRouteTable",
        parameters: &["RouteTableId!", "SubnetId", "GatewayId"],
        run: associate,
    },
    Action { name: "DisassociateRouteTable", parameters: &["AssociationId!"], run: disassociate },
    Action {
        name: "ReplaceRouteTableAssociation",
        parameters: &["AssociationId!", "RouteTableId!"],
        run: replace,
    },
];

fn associate(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let table = ROUTE_TABLE.find(&call.state.route_tables, form.required("RouteTableId")?)?.id.clone();
    let (point, vpc) = match (form.text("SubnetId"), form.text("GatewayId")) {
        (Some(id), None) => {
            let subnet = SUBNET.find(&call.state.subnets, id)?;
            (AssociationPoint::Subnet(subnet.id.clone()), Some(subnet.vpc.clone()))
        }
        (None, Some(id)) => {
            let gateway = call
                .state
                .internet_gateways
                .get(id)
                .ok_or_else(|| Fault::not_found("InvalidGatewayID.NotFound", "gateway ID", id))?;
            let vpc = gateway.attachment.as_ref().map(|a| a.vpc.clone());
            (AssociationPoint::Gateway(gateway.id.clone()), vpc)
        }
        _ => {
            let why = "Exactly one of SubnetId and GatewayId must be given.";
            return Err(Fault::new("InvalidParameterCombination", why));
        }
    };
    let taken = |a: &Association| a.point == point;
    if call.state.route_tables.values().any(|t| t.associations.iter().any(taken)) {
        let why = format!(
            "the specified association for route table {table} conflicts with an existing association"
        );
        return Err(Fault::new("Resource.AlreadyAssociated", why));
    }
    let id = put(call, &table, point, vpc.as_ref())?;
    call.out.text("associationId", id);
    associated(call)
}

fn disassociate(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = Id::from(call.form.required("AssociationId")?);
    let (table, point) = named(call, &id)?;
    if point == AssociationPoint::Main {
        let why = format!("cannot disassociate the main route table association {id}");
        return Err(Fault::new("InvalidParameterValue", why));
    }
    remove(call, &table, &id)?;
    done(call)
}

fn replace(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = Id::from(call.form.required("AssociationId")?);
    let (old, point) = named(call, &id)?;
    let new = ROUTE_TABLE.find(&call.state.route_tables, call.form.required("RouteTableId")?)?.id.clone();
    let vpc = ROUTE_TABLE.find(&call.state.route_tables, old.as_str())?.vpc.clone();
    remove(call, &old, &id)?;
    let id = put(call, &new, point, Some(&vpc))?;
    call.out.text("newAssociationId", id);
    associated(call)
}

fn associated(call: &mut Call<'_>) -> Result<(), Fault> {
    call.out.within("associationState", |x| x.text("state", "associated"));
    Ok(())
}

fn named(call: &Call<'_>, id: &Id) -> Result<(Id, AssociationPoint), Fault> {
    let tables = call.state.route_tables.values();
    let mut all = tables.flat_map(|t| t.associations.iter().map(move |a| (t, a)));
    all.find(|(_, a)| a.id == *id)
        .map(|(t, a)| (t.id.clone(), a.point.clone()))
        .ok_or_else(|| Fault::not_found("InvalidAssociationID.NotFound", "association ID", id))
}

fn remove(call: &mut Call<'_>, table: &Id, association: &Id) -> Result<(), Fault> {
    let table = ROUTE_TABLE.find_mut(&mut call.state.route_tables, table.as_str())?;
    table.associations.retain(|a| a.id != *association);
    Ok(())
}

/// Lets `point`, which is of `vpc`, use `table`.
fn put(call: &mut Call<'_>, table: &Id, point: AssociationPoint, vpc: Option<&Id>) -> Result<Id, Fault> {
    let found = ROUTE_TABLE.find(&call.state.route_tables, table.as_str())?;
    if vpc != Some(&found.vpc) {
        let what = match &point {
            AssociationPoint::Main => "main association".to_owned(),
            AssociationPoint::Subnet(id) => format!("network {id}"),
            AssociationPoint::Gateway(id) => format!("network gateway {id}"),
        };
        let why = format!("route table {table} and {what} belong to different networks");
        return Err(Fault::new("InvalidParameterValue", why));
    }
    if let AssociationPoint::Gateway(id) = &point {
        INTERNET_GATEWAY.find(&call.state.internet_gateways, id.as_str())?;
        for route in &found.routes {
            check_edge(&call.state, &found.vpc, route)?;
        }
    }
    let id = call.state.mint("rtbassoc");
    let table = ROUTE_TABLE.find_mut(&mut call.state.route_tables, table.as_str())?;
    table.associations.push(Association { id: id.clone(), point });
    Ok(id)
}
