//! The provider's side of an endpoint: accept it or not.

use super::endpoint_service::write_unsuccessful;
use super::lookup::{ENDPOINT, ENDPOINT_SERVICE};
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::time::iso8601;
use crate::state::{EndpointState, Tags};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "DescribeVpcEndpointConnections",
        parameters: &["Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action {
        name: "AcceptVpcEndpointConnections",
        parameters: &["ServiceId!", "VpcEndpointId.N!"],
        run: |call| decide(call, EndpointState::Available, &[EndpointState::PendingAcceptance]),
    },
    Action {
        name: "RejectVpcEndpointConnections",
        parameters: &["ServiceId!", "VpcEndpointId.N!"],
        run: |call| {
            decide(
                call,
                EndpointState::Rejected,
                &[EndpointState::PendingAcceptance, EndpointState::Available],
            )
        },
    },
];

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let known =
        ["service-id", "vpc-endpoint-id", "vpc-endpoint-owner", "vpc-endpoint-state", "ip-address-type"];
    let filters = Filters::of(form, &known)?;
    let found = state
        .endpoints
        .values()
        .filter(|e| {
            filters.pass(&Tags::new(), |name| match name {
                "service-id" => one(&e.service),
                "vpc-endpoint-id" => one(&e.id),
                "vpc-endpoint-owner" => one(&e.owner),
                "vpc-endpoint-state" => one(super::endpoint::word(e.state)),
                _ => one(super::endpoint::address_type(e.families)),
            })
        })
        .map(|e| (e.id.to_string(), e))
        .collect();
    page(form, out, "vpcEndpointConnectionSet", found, |x, e| {
        x.text("serviceId", &e.service);
        x.text("vpcEndpointId", &e.id);
        x.text("vpcEndpointOwner", &e.owner);
        x.text("vpcEndpointState", super::endpoint::word(e.state));
        x.text("creationTimestamp", iso8601(e.created_at));
        let arns =
            state.endpoint_services.get(&e.service).map(|s| s.load_balancers.clone()).unwrap_or_default();
        x.texts("gatewayLoadBalancerArnSet", "item", arns);
        x.text("ipAddressType", super::endpoint::address_type(e.families));
        x.text("vpcEndpointConnectionId", &e.connection);
    })
}

/// Brings the named endpoints of a service to `goal` if they are in one of the states `from`.
fn decide(call: &mut Call<'_>, goal: EndpointState, from: &[EndpointState]) -> Result<(), Fault> {
    let service =
        ENDPOINT_SERVICE.find(&call.state.endpoint_services, call.form.required("ServiceId")?)?.id.clone();
    let mut failed = Vec::new();
    for id in call.form.list("VpcEndpointId") {
        match call.state.endpoints.get_mut(id).filter(|e| e.service == service) {
            None => {
                let fault = ENDPOINT.missing(id);
                failed.push((id, fault.code, fault.message));
            }
            Some(endpoint) if from.contains(&endpoint.state) => endpoint.state = goal,
            Some(endpoint) => {
                let why = format!("The endpoint is in the state '{}'", super::endpoint::word(endpoint.state));
                failed.push((id, "InvalidState", why));
            }
        }
    }
    write_unsuccessful(&mut call.out, failed);
    Ok(())
}
