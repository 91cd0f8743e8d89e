//! `RunInstances`: an instance is a namespace with one interface.

use std::net::Ipv4Addr;

use super::image::role_of;
use super::instance::write;
use super::lookup::{INSTANCE, SECURITY_GROUP, SUBNET};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::form::Form;
use crate::api::tags;
use crate::state::{Id, Instance, InstanceState, Interface, Role, Subnet, Tags};

pub(super) const ACTIONS: &[Action] = &[Action {
    name: "RunInstances",
    parameters: &[
        "ImageId!",
        "MinCount!",
        "MaxCount!",
        "InstanceType",
        "SubnetId",
        "SecurityGroupId.N",
        "PrivateIpAddress",
        "Ipv6AddressCount",
        "NetworkInterface.N.DeviceIndex",
        "NetworkInterface.N.SubnetId",
        "NetworkInterface.N.AssociatePublicIpAddress",
        "NetworkInterface.N.PrivateIpAddress",
        "NetworkInterface.N.Ipv6AddressCount",
        "NetworkInterface.N.SecurityGroupId.N",
        "ClientToken",
        "TagSpecification.N.ResourceType",
        "TagSpecification.N.Tag.N.Key",
        "TagSpecification.N.Tag.N.Value",
    ],
    run,
}];

/// Instances in the lab, terminated ones included (a quota of ours: each is a namespace and a process).
const MOST_INSTANCES: usize = 100;
/// Terminated instances that are remembered.
const MOST_TERMINATED: usize = 20;

fn run(call: &mut Call<'_>) -> Result<(), Fault> {
    let form = call.form;
    let token = form.text("ClientToken").map(str::to_owned);
    let old: Vec<Instance> =
        call.state.instances.values().filter(|i| token.is_some() && i.token == token).cloned().collect();
    if !old.is_empty() {
        return answer(call, &old);
    }
    let role = role_of(form.required("ImageId")?)?;
    let wish = Wish::of(call)?;
    let most = u32::try_from(MOST_INSTANCES).unwrap_or(u32::MAX);
    let (least, count) = (form.number("MinCount", 1..=most)?, form.number("MaxCount", 1..=most)?);
    let (Some(least), Some(count)) = (least, count) else {
        return Err(Fault::missing(Service::Ec2, "MinCount"));
    };
    if least > count || (wish.address.is_some() && count > 1) {
        let why = format!("{least} to {count} instances cannot be run with these parameters.");
        return Err(Fault::new("InvalidParameterCombination", why));
    }
    let tags = tags::given(form, INSTANCE.resource_type)?;
    forget(call);
    if call.state.instances.len() + count as usize > MOST_INSTANCES {
        let why =
            format!("You have requested more instances than the lab's limit of {MOST_INSTANCES} allows.");
        return Err(Fault::new("InstanceLimitExceeded", why));
    }
    let reservation = call.state.mint("r");
    let mut made = Vec::new();
    for launch_index in 0..count {
        let Some(interface) = wish.interface(call) else {
            let why = match wish.address {
                Some(address) => Fault::new(
                    "InvalidIPAddress.InUse",
                    format!("Address {address} is in use or not in the subnet."),
                ),
                None => Fault::new(
                    "InsufficientFreeAddressesInSubnet",
                    format!("There are not enough free addresses in subnet '{}'.", wish.subnet.id),
                ),
            };
            return Err(why);
        };
        let instance = instance(call, role, &wish, interface, &reservation, launch_index, tags.clone());
        let instance = Instance { token: token.clone(), ..instance };
        call.state.instances.insert(instance.id.clone(), instance.clone());
        made.push(instance);
    }
    answer(call, &made)
}

fn instance(
    call: &mut Call<'_>,
    role: Role,
    wish: &Wish,
    interface: Interface,
    reservation: &Id,
    launch_index: u32,
    tags: Tags,
) -> Instance {
    let id = call.state.mint("i");
    let name = name(call, &id, &tags);
    Instance {
        serial: call.state.serial(),
        namespace: call.state.settings.namespace(&name),
        name,
        image: Id::from(super::image_of(role)),
        role,
        state: InstanceState::Running,
        interface,
        security_groups: wish.groups.clone(),
        instance_type: call.form.text("InstanceType").unwrap_or("m1.small").to_owned(),
        reservation: reservation.clone(),
        token: None,
        launch_index,
        launched_at: call.now,
        tags,
        id,
    }
}

/// The `Name` tag if it is a plain word that nothing else in the lab is called, else the id.
fn name(call: &Call<'_>, id: &Id, tags: &Tags) -> String {
    let plain = |n: &&String| {
        (1..=16).contains(&n.len())
            && n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && n.starts_with(|c: char| c.is_ascii_lowercase())
            && !["vpc", "igw", "node", "internet", "client"].iter().any(|r| n.starts_with(r))
    };
    let taken =
        |n: &str| call.state.instances.values().any(|i| i.name == n && i.state != InstanceState::Terminated);
    let tagged = tags.get("Name").filter(plain).filter(|n| !taken(n));
    tagged.cloned().unwrap_or_else(|| id.to_string())
}

/// Forgets the longest terminated instances but a few.
fn forget(call: &mut Call<'_>) {
    let ended = |i: &&Instance| i.state == InstanceState::Terminated;
    let mut ended: Vec<(u32, Id)> =
        call.state.instances.values().filter(ended).map(|i| (i.serial, i.id.clone())).collect();
    ended.sort_unstable();
    let spare = ended.len().saturating_sub(MOST_TERMINATED);
    for (_, id) in ended.into_iter().take(spare) {
        call.state.instances.remove(&id);
    }
}

fn answer(call: &mut Call<'_>, made: &[Instance]) -> Result<(), Fault> {
    let Call { state, out, .. } = call;
    out.maybe("reservationId", made.first().map(|i| &i.reservation));
    out.text("ownerId", &state.settings.account);
    out.texts("groupSet", "item", [""; 0]);
    out.list("instancesSet", "item", made, |x, i| write(x, state, i, (0, "pending")));
    Ok(())
}

/// Where instances shall stand.
struct Wish {
    subnet: Subnet,
    address: Option<Ipv4Addr>,
    ipv6: bool,
    public: bool,
    groups: Vec<Id>,
}

impl Wish {
    /// Reads it from the request: its own parameters, or those of its only network interface.
    fn of(call: &Call<'_>) -> Result<Self, Fault> {
        let form = call.form;
        let interfaces = form.items("NetworkInterface");
        let own = ["SubnetId", "SecurityGroupId", "PrivateIpAddress", "Ipv6AddressCount"];
        let place: &Form = match &interfaces[..] {
            [] => form,
            [one] => {
                one.number("DeviceIndex", 0..=0)?;
                if own.iter().any(|name| form.has(name)) {
                    let why = "Network interfaces and an instance-level subnet, group or address may not be specified on the same request";
                    return Err(Fault::new("InvalidParameterCombination", why));
                }
                one
            }
            more => {
                let why = format!("An instance of this lab has one network interface, not {}.", more.len());
                return Err(Fault::new("UnsupportedOperation", why));
            }
        };
        let no_subnet =
            || Fault::new("VPCIdNotSpecified", "No default VPC for this user: a subnet must be given");
        let id = place.text("SubnetId").ok_or_else(no_subnet)?;
        let subnet = SUBNET.find(&call.state.subnets, id)?.clone();
        let groups = groups(call, &subnet, &place.list("SecurityGroupId"))?;
        let address = match place.text("PrivateIpAddress") {
            None => None,
            Some(text) => match text.parse::<Ipv4Addr>().ok().filter(|a| subnet.may_hold(*a)) {
                None => {
                    return Err(Fault::invalid(
                        Service::Ec2,
                        "PrivateIpAddress",
                        text,
                        "It is not an address of the subnet.",
                    ));
                }
                address => address,
            },
        };
        let ipv6 = place.number("Ipv6AddressCount", 0..=1)?.map_or(subnet.ipv6_on_launch, |n| n == 1);
        if ipv6 && subnet.ipv6.is_none() {
            let why = format!("The subnet '{}' has no IPv6 CIDR block.", subnet.id);
            return Err(Fault::new("InvalidParameterCombination", why));
        }
        let public = place.flag("AssociatePublicIpAddress")?.unwrap_or(subnet.public_on_launch);
        Ok(Self { subnet, address, ipv6, public, groups })
    }

    fn interface(&self, call: &mut Call<'_>) -> Option<Interface> {
        let public_ipv4 = if self.public { Some(call.state.free_public_ipv4()?) } else { None };
        let interface = call.state.interface(&self.subnet.id, self.address, self.ipv6)?;
        Some(Interface { public_ipv4, ..interface })
    }
}

/// The security groups asked for, which must be of the subnet's VPC; its default group if none is.
fn groups(call: &Call<'_>, subnet: &Subnet, asked: &[&str]) -> Result<Vec<Id>, Fault> {
    let mut groups = Vec::new();
    for id in asked {
        let group = SECURITY_GROUP.find(&call.state.security_groups, id)?;
        if group.vpc != subnet.vpc {
            let why = format!("Security group {id} and subnet {} belong to different networks.", subnet.id);
            return Err(Fault::new("InvalidParameter", why));
        }
        groups.push(group.id.clone());
    }
    if groups.is_empty() {
        let default =
            call.state.security_groups.values().find(|g| g.vpc == subnet.vpc && g.name == "default");
        groups.extend(default.map(|g| g.id.clone()));
    }
    groups.dedup();
    Ok(groups)
}
