//! Finding what a request names, and the code EC2 has for what is not there.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::api::action::Call;
use crate::api::fault::{Fault, Service};
use crate::state::{Id, State, Tags};

/// One kind of resource: the start of its ids, its name in tag specifications, its code and words when not found.
pub(super) struct Kind {
    prefix: &'static str,
    pub(super) resource_type: &'static str,
    code: &'static str,
    words: &'static str,
}

pub(super) const VPC: Kind = kind("vpc-", "vpc", "InvalidVpcID.NotFound", "vpc ID");
pub(super) const SUBNET: Kind = kind("subnet-", "subnet", "InvalidSubnetID.NotFound", "subnet ID");
pub(super) const INTERNET_GATEWAY: Kind =
    kind("igw-", "internet-gateway", "InvalidInternetGatewayID.NotFound", "internetGateway ID");
pub(super) const ROUTE_TABLE: Kind =
    kind("rtb-", "route-table", "InvalidRouteTableID.NotFound", "routeTable ID");
pub(super) const SECURITY_GROUP: Kind =
    kind("sg-", "security-group", "InvalidGroup.NotFound", "security group");
pub(super) const INSTANCE: Kind = kind("i-", "instance", "InvalidInstanceID.NotFound", "instance ID");
pub(super) const ENDPOINT_SERVICE: Kind = kind(
    "vpce-svc-",
    "vpc-endpoint-service",
    "InvalidVpcEndpointServiceId.NotFound",
    "VpcEndpointService Id",
);
pub(super) const ENDPOINT: Kind =
    kind("vpce-", "vpc-endpoint", "InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id");

/// Longer prefixes before shorter ones.
const KINDS: &[Kind] =
    &[VPC, SUBNET, INTERNET_GATEWAY, ROUTE_TABLE, SECURITY_GROUP, INSTANCE, ENDPOINT_SERVICE, ENDPOINT];

const fn kind(
    prefix: &'static str,
    resource_type: &'static str,
    code: &'static str,
    words: &'static str,
) -> Kind {
    Kind { prefix, resource_type, code, words }
}

impl Kind {
    /// That nothing of this kind has this id.
    pub(super) fn missing(&self, id: &str) -> Fault {
        Fault::not_found(self.code, self.words, id)
    }

    /// The one with this id.
    pub(super) fn find<'a, T>(&self, all: &'a BTreeMap<Id, T>, id: &str) -> Result<&'a T, Fault> {
        all.get(id).ok_or_else(|| self.missing(id))
    }

    /// The one with this id, to be changed.
    pub(super) fn find_mut<'a, T>(&self, all: &'a mut BTreeMap<Id, T>, id: &str) -> Result<&'a mut T, Fault> {
        all.get_mut(id).ok_or_else(|| self.missing(id))
    }

    /// Those that a describe call names, all if it names none.
    pub(super) fn select<'a, T>(
        &self,
        all: &'a BTreeMap<Id, T>,
        ids: &[&str],
    ) -> Result<Vec<(String, &'a T)>, Fault> {
        if let Some(id) = ids.iter().find(|id| !all.contains_key(**id)) {
            return Err(self.missing(id));
        }
        let chosen = all.iter().filter(|(id, _)| ids.is_empty() || ids.contains(&id.as_str()));
        Ok(chosen.map(|(id, one)| (id.to_string(), one)).collect())
    }

    /// That so many are enough.
    pub(super) fn room<T>(
        &self,
        all: &BTreeMap<Id, T>,
        most: usize,
        code: &'static str,
    ) -> Result<(), Fault> {
        if all.len() < most {
            return Ok(());
        }
        Err(Fault::new(
            code,
            format!("The maximum number of {}s, {most}, has been reached", self.resource_type),
        ))
    }
}

/// The tags of any resource, with its type.
pub(super) fn tagged<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Tags, Fault> {
    let kind = KINDS
        .iter()
        .find(|k| id.starts_with(k.prefix))
        .ok_or_else(|| Fault::new("InvalidID", format!("The ID '{id}' is not valid")))?;
    let found = match kind.prefix {
        "vpc-" => state.vpcs.get_mut(id).map(|r| &mut r.tags),
        "subnet-" => state.subnets.get_mut(id).map(|r| &mut r.tags),
        "igw-" => state.internet_gateways.get_mut(id).map(|r| &mut r.tags),
        "rtb-" => state.route_tables.get_mut(id).map(|r| &mut r.tags),
        "sg-" => state.security_groups.get_mut(id).map(|r| &mut r.tags),
        "i-" => state.instances.get_mut(id).map(|r| &mut r.tags),
        "vpce-svc-" => state.endpoint_services.get_mut(id).map(|r| &mut r.tags),
        _ => state.endpoints.get_mut(id).map(|r| &mut r.tags),
    };
    found.ok_or_else(|| kind.missing(id))
}

/// The tags of every resource: id, type, tags.
pub(super) fn all_tags(state: &State) -> Vec<(&Id, &'static str, &Tags)> {
    let mut all = Vec::new();
    all.extend(state.vpcs.values().map(|r| (&r.id, VPC.resource_type, &r.tags)));
    all.extend(state.subnets.values().map(|r| (&r.id, SUBNET.resource_type, &r.tags)));
    all.extend(state.internet_gateways.values().map(|r| (&r.id, INTERNET_GATEWAY.resource_type, &r.tags)));
    all.extend(state.route_tables.values().map(|r| (&r.id, ROUTE_TABLE.resource_type, &r.tags)));
    all.extend(state.security_groups.values().map(|r| (&r.id, SECURITY_GROUP.resource_type, &r.tags)));
    all.extend(state.instances.values().map(|r| (&r.id, INSTANCE.resource_type, &r.tags)));
    all.extend(state.endpoint_services.values().map(|r| (&r.id, ENDPOINT_SERVICE.resource_type, &r.tags)));
    all.extend(state.endpoints.values().map(|r| (&r.id, ENDPOINT.resource_type, &r.tags)));
    all
}

/// That something still needs this.
pub(super) fn in_use(what: &str, id: &Id) -> Fault {
    Fault::new("DependencyViolation", format!("The {what} '{id}' has dependencies and cannot be deleted."))
}

/// That all went well and there is nothing to tell.
pub(super) fn done(call: &mut Call<'_>) -> Result<(), Fault> {
    call.out.text("return", true);
    Ok(())
}

/// A network in CIDR notation, host bits cleared, as EC2 does.
pub(super) fn network(name: &str, text: &str) -> Result<IpNet, Fault> {
    text.parse::<IpNet>()
        .map(|net| net.trunc())
        .map_err(|_| Fault::invalid(Service::Ec2, name, text, "This is not a valid CIDR block."))
}
