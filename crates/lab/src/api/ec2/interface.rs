use super::instance::write_groups;
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::time::iso8601;
use crate::api::xml::Xml;
use crate::state::{Instance, InstanceState, Interface, State, Tags};

pub(super) const ACTIONS: &[Action] = &[Action {
    name: "DescribeNetworkInterfaces",
    parameters: &["NetworkInterfaceId.N", "Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
    run: describe,
}];

/// An interface and what it belongs to.
struct Owned<'a> {
    interface: &'a Interface,
    kind: &'static str,
    description: String,
    instance: Option<&'a Instance>,
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let known = [
        "network-interface-id",
        "vpc-id",
        "subnet-id",
        "interface-type",
        "description",
        "status",
        "private-ip-address",
        "attachment.instance-id",
        "availability-zone",
        "mac-address",
    ];
    let filters = Filters::of(form, &known)?;
    let all = all(state);
    let ids = form.list("NetworkInterfaceId");
    if let Some(id) = ids.iter().find(|id| !all.iter().any(|o| o.interface.id.as_str() == **id)) {
        let why = format!("The networkInterface ID '{id}' does not exist");
        return Err(Fault::new("InvalidNetworkInterfaceID.NotFound", why));
    }
    let mut found: Vec<_> = all
        .into_iter()
        .filter(|o| ids.is_empty() || ids.contains(&o.interface.id.as_str()))
        .filter(|o| filters.pass(&Tags::new(), |name| values(state, o, name)))
        .map(|o| (o.interface.id.to_string(), o))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    page(form, out, "networkInterfaceSet", found, |x, o| write(x, state, &o))
}

fn all(state: &State) -> Vec<Owned<'_>> {
    let mut all = Vec::new();
    for i in state.instances.values().filter(|i| i.state != InstanceState::Terminated) {
        all.push(Owned {
            interface: &i.interface,
            kind: "interface",
            description: String::new(),
            instance: Some(i),
        });
    }
    for e in state.endpoints.values() {
        all.extend(e.interface.as_ref().map(|interface| Owned {
            interface,
            kind: "gateway_load_balancer_endpoint",
            description: format!("VPC Endpoint Interface {}", e.id),
            instance: None,
        }));
    }
    for b in state.load_balancers.values() {
        all.extend(b.nodes.iter().map(|node| Owned {
            interface: &node.interface,
            kind: "gateway_load_balancer",
            description: format!(
                "ELB {}",
                b.arn.as_str().split_once("loadbalancer/").map(|(_, r)| r).unwrap_or_default()
            ),
            instance: None,
        }));
    }
    all
}

fn values(state: &State, owned: &Owned<'_>, name: &str) -> Vec<String> {
    let i = owned.interface;
    let subnet = state.subnets.get(&i.subnet);
    match name {
        "network-interface-id" => one(&i.id),
        "vpc-id" => subnet.map(|s| s.vpc.to_string()).into_iter().collect(),
        "subnet-id" => one(&i.subnet),
        "interface-type" => one(owned.kind),
        "description" => one(&owned.description),
        "private-ip-address" => one(i.ipv4),
        "attachment.instance-id" => owned.instance.map(|i| i.id.to_string()).into_iter().collect(),
        "availability-zone" => subnet.map(|s| s.zone.clone()).into_iter().collect(),
        "mac-address" => one(mac(i)),
        _ => one("in-use"),
    }
}

/// An Ethernet address as it is written.
fn mac(interface: &Interface) -> String {
    interface.mac.map(|b| format!("{b:02x}")).join(":")
}

/// An instance's interface, as an answer about the instance has it.
pub(super) fn write_own(x: &mut Xml, state: &State, instance: &Instance) {
    let owned = Owned {
        interface: &instance.interface,
        kind: "interface",
        description: String::new(),
        instance: Some(instance),
    };
    x.within("attachment", |x| write_attachment(x, instance));
    write_common(x, state, &owned);
}

fn write(x: &mut Xml, state: &State, owned: &Owned<'_>) {
    let subnet = state.subnets.get(&owned.interface.subnet);
    x.maybe("availabilityZone", subnet.map(|s| &s.zone));
    x.text("requesterManaged", owned.instance.is_none());
    x.texts("tagSet", "item", [""; 0]);
    if let Some(instance) = owned.instance {
        x.within("attachment", |x| {
            write_attachment(x, instance);
            x.text("instanceId", &instance.id);
            x.text("instanceOwnerId", &state.settings.account);
        });
    }
    write_common(x, state, owned);
}

/// What an answer about interfaces and one about instances have alike.
fn write_common(x: &mut Xml, state: &State, owned: &Owned<'_>) {
    let i = owned.interface;
    x.text("networkInterfaceId", &i.id);
    x.text("subnetId", &i.subnet);
    x.maybe("vpcId", state.subnets.get(&i.subnet).map(|s| &s.vpc));
    x.text("description", &owned.description);
    x.text("ownerId", &state.settings.account);
    x.text("interfaceType", owned.kind);
    x.text("status", "in-use");
    x.text("macAddress", mac(i));
    x.text("privateIpAddress", i.ipv4);
    x.text("sourceDestCheck", false);
    if let Some(instance) = owned.instance {
        write_groups(x, state, instance);
    }
    let public = |x: &mut Xml| {
        if let Some(public) = i.public_ipv4 {
            x.within("association", |x| {
                x.text("ipOwnerId", "amazon");
                x.text("publicIp", public);
            });
        }
    };
    public(x);
    x.list("ipv6AddressesSet", "item", i.ipv6, |x, address| x.text("ipv6Address", address));
    x.list("privateIpAddressesSet", "item", [i.ipv4], |x, address| {
        x.text("privateIpAddress", address);
        x.text("primary", true);
        public(x);
    });
}

fn write_attachment(x: &mut Xml, instance: &Instance) {
    let digits = instance.interface.id.as_str().trim_start_matches("eni-");
    x.text("attachmentId", format!("eni-attach-{digits}"));
    x.text("attachTime", iso8601(instance.launched_at));
    x.text("deleteOnTermination", true);
    x.text("deviceIndex", 0);
    x.text("status", "attached");
}
