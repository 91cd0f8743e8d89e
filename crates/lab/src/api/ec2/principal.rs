//! Who may connect to an endpoint service.

use super::lookup::ENDPOINT_SERVICE;
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::state::Tags;

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "ModifyVpcEndpointServicePermissions",
        parameters: &["ServiceId!", "AddAllowedPrincipals.N", "RemoveAllowedPrincipals.N"],
        run: modify,
    },
    Action {
        name: "DescribeVpcEndpointServicePermissions",
        parameters: &["ServiceId!", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
];

/// Principals of one service.
const MOST_PRINCIPALS: usize = 100;

fn modify(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let mut service =
        ENDPOINT_SERVICE.find(&call.state.endpoint_services, form.required("ServiceId")?)?.clone();
    let (add, remove) = (form.list("AddAllowedPrincipals"), form.list("RemoveAllowedPrincipals"));
    if add.is_empty() && remove.is_empty() {
        return Err(Fault::missing(Service::Ec2, "AddAllowedPrincipals"));
    }
    let mut added = Vec::new();
    for principal in add {
        kind(principal)?;
        if !service.principals.contains_key(principal) {
            let id = call.state.mint("vpce-svc-perm");
            service.principals.insert(principal.to_owned(), id.clone());
            added.push((principal.to_owned(), id));
        }
    }
    for principal in remove {
        service.principals.remove(principal);
    }
    if service.principals.len() > MOST_PRINCIPALS {
        let why = format!("A service has at most {MOST_PRINCIPALS} allowed principals");
        return Err(Fault::new("VpcEndpointServicePermissionLimitExceeded", why));
    }
    call.out.list("addedPrincipalSet", "item", added, |x, (principal, id)| {
        x.text("principalType", kind(&principal).unwrap_or("All"));
        x.text("principal", principal);
        x.text("servicePermissionId", id);
        x.text("serviceId", &service.id);
    });
    call.out.text("return", true);
    call.state.endpoint_services.insert(service.id.clone(), service);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let service = ENDPOINT_SERVICE.find(&state.endpoint_services, form.required("ServiceId")?)?;
    let filters = Filters::of(form, &["principal", "principal-type"])?;
    let found = service
        .principals
        .iter()
        .filter(|(principal, _)| {
            filters.pass(&Tags::new(), |name| match name {
                "principal" => one(principal),
                _ => one(kind(principal).unwrap_or("All")),
            })
        })
        .map(|(principal, id)| (principal.clone(), (principal, id)))
        .collect();
    page(form, out, "allowedPrincipals", found, |x, (principal, id)| {
        x.text("principalType", kind(principal).unwrap_or("All"));
        x.text("principal", principal);
        x.text("servicePermissionId", id);
        x.text("serviceId", &service.id);
    })
}

/// The type of a principal: `*`, an account, a user or a role.
fn kind(principal: &str) -> Result<&'static str, Fault> {
    if principal == "*" {
        return Ok("All");
    }
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if digits(principal) {
        return Ok("Account");
    }
    let parts: Vec<&str> = principal.splitn(6, ':').collect();
    match parts[..] {
        ["arn", "aws", "iam", "", account, resource] if digits(account) => match resource.split('/').next() {
            Some("root") => Ok("Account"),
            Some("user") => Ok("User"),
            Some("role") => Ok("Role"),
            _ => Err(refused(principal)),
        },
        _ => Err(refused(principal)),
    }
}

fn refused(principal: &str) -> Fault {
    Fault::new(
        "InvalidPrincipal",
        format!("The principal '{principal}' is not *, an account, or the ARN of an account, user or role"),
    )
}
