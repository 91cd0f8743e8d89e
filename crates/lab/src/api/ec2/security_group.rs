use super::lookup::{SECURITY_GROUP, VPC};
use super::permission::{everywhere, write_permissions};
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{Id, InstanceState, Peer, SecurityGroup, State};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateSecurityGroup",
        parameters: &[
            "GroupName!",
            "GroupDescription!",
            "VpcId!",
            "TagSpecification.N.ResourceType",
            "TagSpecification.N.Tag.N.Key",
            "TagSpecification.N.Tag.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeSecurityGroups",
        parameters: &["GroupId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
    Action { name: "DeleteSecurityGroup", parameters: &["GroupId!"], run: delete },
];

/// Security groups in the lab.
const MOST_GROUPS: usize = 200;

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let (name, description) = (form.required("GroupName")?, form.required("GroupDescription")?);
    let vpc = VPC.find(&call.state.vpcs, form.required("VpcId")?)?.clone();
    for (what, text) in [("GroupName", name), ("GroupDescription", description)] {
        if text.len() > 255 || (what == "GroupName" && text.starts_with("sg-")) {
            return Err(Fault::invalid(
                form.service(),
                what,
                text,
                "It has at most 255 characters and a name does not begin with sg-.",
            ));
        }
    }
    if call.state.security_groups.values().any(|g| g.vpc == vpc.id && g.name == name) {
        let why = format!("The security group '{name}' already exists for VPC '{}'", vpc.id);
        return Err(Fault::new("InvalidGroup.Duplicate", why));
    }
    SECURITY_GROUP.room(&call.state.security_groups, MOST_GROUPS, "SecurityGroupLimitExceeded")?;
    let tags = tags::given(form, SECURITY_GROUP.resource_type)?;
    let group = SecurityGroup {
        id: call.state.mint("sg"),
        serial: call.state.serial(),
        name: name.to_owned(),
        description: description.to_owned(),
        ingress: Vec::new(),
        egress: everywhere(&mut call.state, !vpc.ipv6.is_empty()),
        vpc: vpc.id,
        tags,
    };
    let Call { state, out, .. } = call;
    out.text("groupId", &group.id);
    out.text("securityGroupArn", arn(state, &group));
    tags::write(out, &group.tags);
    state.security_groups.insert(group.id.clone(), group);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let filters = Filters::of(form, &["group-id", "group-name", "vpc-id", "description", "owner-id"])?;
    let mut found = SECURITY_GROUP.select(&state.security_groups, &form.list("GroupId"))?;
    found.retain(|(_, g)| {
        filters.pass(&g.tags, |name| match name {
            "group-id" => one(&g.id),
            "group-name" => one(&g.name),
            "vpc-id" => one(&g.vpc),
            "description" => one(&g.description),
            _ => one(&state.settings.account),
        })
    });
    page(form, out, "securityGroupInfo", found, |x, g| write(x, state, g))
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let group = SECURITY_GROUP.find(&call.state.security_groups, call.form.required("GroupId")?)?;
    let id = group.id.clone();
    if group.name == "default" {
        let why = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(Fault::new("CannotDelete", why));
    }
    if is_used(&call.state, &id) {
        return Err(Fault::new("DependencyViolation", format!("resource {id} has a dependent object")));
    }
    call.state.security_groups.remove(&id);
    call.out.text("return", true);
    call.out.text("groupId", &id);
    Ok(())
}

fn is_used(state: &State, id: &Id) -> bool {
    let named = |g: &SecurityGroup| {
        g.id != *id && g.ingress.iter().chain(&g.egress).any(|p| p.peer == Peer::Group(id.clone()))
    };
    state.instances.values().any(|i| i.state != InstanceState::Terminated && i.security_groups.contains(id))
        || state.security_groups.values().any(named)
}

fn arn(state: &State, group: &SecurityGroup) -> String {
    format!("arn:aws:ec2:{}:{}:security-group/{}", state.settings.region, state.settings.account, group.id)
}

fn write(x: &mut Xml, state: &State, group: &SecurityGroup) {
    x.text("groupId", &group.id);
    x.text("groupName", &group.name);
    x.text("groupDescription", &group.description);
    x.text("vpcId", &group.vpc);
    x.text("ownerId", &state.settings.account);
    x.text("securityGroupArn", arn(state, group));
    write_permissions(x, state, "ipPermissions", &group.ingress);
    write_permissions(x, state, "ipPermissionsEgress", &group.egress);
    tags::write(x, &group.tags);
}
