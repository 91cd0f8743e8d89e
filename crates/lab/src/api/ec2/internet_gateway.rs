use super::lookup::{INTERNET_GATEWAY, VPC, done, in_use};
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{Attachment, Id, InstanceState, InternetGateway};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateInternetGateway",
        parameters: &[
            "TagSpecification.N.ResourceType",
            "TagSpecification.N.Tag.N.Key",
            "TagSpecification.N.Tag.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeInternetGateways",
        parameters: &["InternetGatewayId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action { name: "AttachInternetGateway", parameters: &["InternetGatewayId!", "VpcId!"], run: attach },
    Action { name: "DetachInternetGateway", parameters: &["InternetGatewayId!", "VpcId!"], run: detach },
    Action { name: "DeleteInternetGateway", parameters: &["InternetGatewayId!"], run: delete },
];

/// Internet gateways per region, as many as VPCs.
const MOST_GATEWAYS: usize = 20;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let tags = tags::given(call.form, INTERNET_GATEWAY.resource_type)?;
    INTERNET_GATEWAY.room(&call.state.internet_gateways, MOST_GATEWAYS, "InternetGatewayLimitExceeded")?;
    let gateway = InternetGateway {
        id: call.state.mint("igw"),
        serial: call.state.serial(),
        owner: call.caller.account.clone(),
        attachment: None,
        tags,
    };
    call.out.within("internetGateway", |x| write(x, &gateway));
    call.state.internet_gateways.insert(gateway.id.clone(), gateway);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let known = ["internet-gateway-id", "attachment.vpc-id", "attachment.state", "owner-id"];
    let filters = Filters::of(form, &known)?;
    let mut found = INTERNET_GATEWAY.select(&state.internet_gateways, &form.list("InternetGatewayId"))?;
    found.retain(|(_, g)| {
        filters.pass(&g.tags, |name| match name {
            "internet-gateway-id" => one(&g.id),
            "attachment.vpc-id" => g.attachment.iter().map(|a| a.vpc.to_string()).collect(),
            "attachment.state" => g.attachment.iter().map(|_| "available".to_owned()).collect(),
            _ => one(&g.owner),
        })
    });
    page(form, out, "internetGatewaySet", found, write)
}

fn attach(call: &mut Call<'_>) -> Result<(), Fault> {
    let (gateway, vpc) = named(call)?;
    if let Some(old) = &gateway.attachment {
        let why = format!("resource {} is already attached to network {}", gateway.id, old.vpc);
        return Err(Fault::new("Resource.AlreadyAssociated", why));
    }
    let serves = |g: &InternetGateway| g.attachment.as_ref().is_some_and(|a| a.vpc == vpc);
    if call.state.internet_gateways.values().any(serves) {
        let why = format!("Network {vpc} already has an internet gateway attached");
        return Err(Fault::new("InvalidParameterValue", why));
    }
    set(call, gateway, Some(Attachment { vpc }))
}

fn detach(call: &mut Call<'_>) -> Result<(), Fault> {
    let (gateway, vpc) = named(call)?;
    if gateway.attachment.as_ref().is_none_or(|a| a.vpc != vpc) {
        let why = format!("resource {} is not attached to network {vpc}", gateway.id);
        return Err(Fault::new("Gateway.NotAttached", why));
    }
    let state = &call.state;
    let mapped = state.instances.values().any(|i| {
        i.state != InstanceState::Terminated
            && i.interface.public_ipv4.is_some()
            && state.subnets.get(&i.interface.subnet).is_some_and(|s| s.vpc == vpc)
    });
    if mapped {
        let why = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        );
        return Err(Fault::new("DependencyViolation", why));
    }
    if let Some(table) = state.table_of_gateway(&gateway.id) {
        let why =
            format!("The internetGateway '{}' is associated with the routeTable '{}'", gateway.id, table.id);
        return Err(Fault::new("DependencyViolation", why));
    }
    set(call, gateway, None)
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let id = call.form.required("InternetGatewayId")?;
    let gateway = INTERNET_GATEWAY.find(&call.state.internet_gateways, id)?;
    if gateway.attachment.is_some() {
        return Err(in_use("internetGateway", &gateway.id));
    }
    call.state.internet_gateways.remove(id);
    done(call)
}

fn named(call: &Call<'_>) -> Result<(InternetGateway, Id), Fault> {
    let id = call.form.required("InternetGatewayId")?;
    let gateway = INTERNET_GATEWAY.find(&call.state.internet_gateways, id)?.clone();
    let vpc = VPC.find(&call.state.vpcs, call.form.required("VpcId")?)?.id.clone();
    Ok((gateway, vpc))
}

fn set(call: &mut Call<'_>, gateway: InternetGateway, attachment: Option<Attachment>) -> Result<(), Fault> {
    let gateway = InternetGateway { attachment, ..gateway };
    call.state.internet_gateways.insert(gateway.id.clone(), gateway);
    done(call)
}

fn write(x: &mut Xml, gateway: &InternetGateway) {
    x.text("internetGatewayId", &gateway.id);
    x.text("ownerId", &gateway.owner);
    x.list("attachmentSet", "item", &gateway.attachment, |x, attachment| {
        x.text("vpcId", &attachment.vpc);
        x.text("state", "available");
    });
    tags::write(x, &gateway.tags);
}
