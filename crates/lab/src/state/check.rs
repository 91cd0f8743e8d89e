use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use super::{
    AssociationPoint, EndpointState, Id, Instance, InstanceState, Interface, Peer, State, TargetKind, Vpc,
};

/// What is wrong with a state. No call of the API leads to such a state; a file edited by hand may hold one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Flaw(String);

impl State {
    /// Checks everything that must hold between resources: what is named exists, what must be unique is, what must lie
    /// within something does.
    ///
    /// # Errors
    /// Says in a sentence what does not hold.
    pub fn check(&self) -> Result<(), Flaw> {
        self.check_vpcs()?;
        self.check_routes()?;
        self.check_security()?;
        self.check_instances()?;
        self.check_balancers()?;
        self.check_endpoints()?;
        self.check_serials()
    }

    fn check_vpcs(&self) -> Result<(), Flaw> {
        for subnet in self.subnets.values() {
            let vpc = self.vpc(&subnet.vpc, &subnet.id)?;
            need(vpc.ipv4.iter().any(|n| n.contains(&subnet.ipv4)), || {
                format!("{} lies outside its VPC", subnet.id)
            })?;
            let ipv6 = subnet.ipv6.is_none_or(|net| vpc.ipv6.iter().any(|n| n.contains(&net)));
            need(ipv6, || format!("the IPv6 network of {} lies outside its VPC", subnet.id))?;
            let zone = self.settings.zones.contains(&subnet.zone);
            need(zone, || format!("{} is in the unknown zone {}", subnet.id, subnet.zone))?;
            let share = |a: Ipv4Net, b: Ipv4Net| a.contains(&b) || b.contains(&a);
            let mut others = self.subnets.values().filter(|o| o.id != subnet.id && o.vpc == subnet.vpc);
            need(!others.any(|o| share(o.ipv4, subnet.ipv4)), || {
                format!("{} overlaps another subnet", subnet.id)
            })?;
        }
        let attached =
            self.internet_gateways.values().filter_map(|g| g.attachment.as_ref().map(|a| (&g.id, &a.vpc)));
        let mut served = BTreeSet::new();
        for (gateway, vpc) in attached {
            self.vpc(vpc, gateway)?;
            need(served.insert(vpc), || format!("{vpc} has two internet gateways"))?;
        }
        Ok(())
    }

    fn check_routes(&self) -> Result<(), Flaw> {
        let mut points = BTreeSet::new();
        for table in self.route_tables.values() {
            self.vpc(&table.vpc, &table.id)?;
            let mut destinations = BTreeSet::new();
            for route in &table.routes {
                let once = destinations.insert(route.destination);
                need(once, || format!("{} has two routes to {}", table.id, route.destination))?;
            }
            for association in &table.associations {
                let (point, vpc) = match &association.point {
                    AssociationPoint::Main => (format!("main of {}", table.vpc), Some(&table.vpc)),
                    AssociationPoint::Subnet(id) => (id.to_string(), self.subnets.get(id).map(|s| &s.vpc)),
                    AssociationPoint::Gateway(id) => {
                        let gateway = self.internet_gateways.get(id);
                        (id.to_string(), gateway.and_then(|g| g.attachment.as_ref()).map(|a| &a.vpc))
                    }
                };
                need(vpc == Some(&table.vpc), || {
                    format!("{} serves {point}, which is not of its VPC", table.id)
                })?;
                need(points.insert(point.clone()), || format!("{point} has two route tables"))?;
            }
        }
        for vpc in self.vpcs.keys() {
            need(points.contains(&format!("main of {vpc}")), || format!("{vpc} has no main route table"))?;
        }
        Ok(())
    }

    fn check_security(&self) -> Result<(), Flaw> {
        let mut names = BTreeSet::new();
        for group in self.security_groups.values() {
            self.vpc(&group.vpc, &group.id)?;
            need(names.insert((&group.vpc, &group.name)), || {
                format!("{} has the name of another group", group.id)
            })?;
            for rule in group.ingress.iter().chain(&group.egress) {
                if let Peer::Group(peer) = &rule.peer {
                    let same = self.security_groups.get(peer).is_some_and(|p| p.vpc == group.vpc);
                    need(same, || format!("{} names the group {peer}, which is not of its VPC", group.id))?;
                }
            }
        }
        Ok(())
    }

    fn check_instances(&self) -> Result<(), Flaw> {
        let mut names = BTreeSet::new();
        for instance in self.instances.values().filter(|i| i.state != InstanceState::Terminated) {
            let vpc = self.check_interface(&instance.interface, &instance.id)?;
            need(names.insert(&instance.namespace), || {
                format!("two instances are called {}", instance.name)
            })?;
            let mut groups = instance.security_groups.iter().map(|g| self.security_groups.get(g));
            let own = groups.all(|g| g.is_some_and(|g| g.vpc == *vpc));
            need(own, || format!("{} has a security group that is not of its VPC", instance.id))?;
        }
        for subnet in self.subnets.keys() {
            let mut taken = BTreeSet::new();
            for interface in self.interfaces_in(subnet) {
                need(taken.insert(interface.ipv4), || format!("{} is in {subnet} twice", interface.ipv4))?;
            }
        }
        Ok(())
    }

    fn check_balancers(&self) -> Result<(), Flaw> {
        for balancer in self.load_balancers.values() {
            let mut zones = BTreeSet::new();
            for node in &balancer.nodes {
                let vpc = self.check_interface(&node.interface, &balancer.arn)?;
                need(*vpc == balancer.vpc, || format!("{} has a node outside its VPC", balancer.arn))?;
                need(zones.insert(&node.zone), || {
                    format!("{} has two nodes in {}", balancer.arn, node.zone)
                })?;
            }
        }
        for group in self.target_groups.values() {
            self.vpc(&group.vpc, &group.arn)?;
            let mut ids = BTreeSet::new();
            for target in &group.targets {
                need(ids.insert(&target.id), || format!("{} is in {} twice", target.id, group.arn))?;
                let alive = |i: &Instance| i.state != InstanceState::Terminated;
                let there =
                    group.kind == TargetKind::Ip || self.instances.get(target.id.as_str()).is_some_and(alive);
                need(there, || format!("{} has the target {}, which does not exist", group.arn, target.id))?;
            }
        }
        let (mut balancers, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for listener in self.listeners.values() {
            let balancer = self.load_balancers.get(&listener.load_balancer);
            let group = self.target_groups.get(&listener.target_group);
            let same = balancer.zip(group).is_some_and(|(b, g)| b.vpc == g.vpc);
            need(same, || format!("{} does not join a load balancer and a group of one VPC", listener.arn))?;
            let once = balancers.insert(&listener.load_balancer) && groups.insert(&listener.target_group);
            need(once, || format!("{} shares its load balancer or its group with another", listener.arn))?;
        }
        Ok(())
    }

    fn check_endpoints(&self) -> Result<(), Flaw> {
        for service in self.endpoint_services.values() {
            need(!service.load_balancers.is_empty(), || format!("{} has no load balancer", service.id))?;
            for arn in &service.load_balancers {
                let balancer = self.load_balancers.get(arn);
                let fit = balancer.is_some_and(|b| b.dualstack || !service.families.ipv6);
                need(fit, || format!("{} cannot be served by {arn}", service.id))?;
            }
        }
        for endpoint in self.endpoints.values() {
            self.vpc(&endpoint.vpc, &endpoint.id)?;
            if let Some(interface) = &endpoint.interface {
                let vpc = self.check_interface(interface, &endpoint.id)?;
                need(*vpc == endpoint.vpc, || format!("{} stands outside its VPC", endpoint.id))?;
            }
            let service = self.endpoint_services.get(&endpoint.service);
            let carried = service.is_some_and(|s| {
                (!endpoint.families.ipv6 || s.families.ipv6) && (!endpoint.families.ipv4 || s.families.ipv4)
            });
            let fit = carried || endpoint.state == EndpointState::Rejected;
            need(fit, || format!("{} leads to no service that carries what it does", endpoint.id))?;
        }
        Ok(())
    }

    /// Serials name things in the kernel: no two may be the same, and none may come again.
    fn check_serials(&self) -> Result<(), Flaw> {
        let mut all: Vec<u32> = Vec::new();
        all.extend(self.vpcs.values().map(|r| r.serial));
        all.extend(self.subnets.values().map(|r| r.serial));
        all.extend(self.internet_gateways.values().map(|r| r.serial));
        all.extend(self.route_tables.values().map(|r| r.serial));
        all.extend(self.security_groups.values().map(|r| r.serial));
        all.extend(self.instances.values().map(|r| r.serial));
        all.extend(self.load_balancers.values().map(|r| r.serial));
        all.extend(self.endpoints.values().map(|r| r.serial));
        all.extend(self.subnets.keys().flat_map(|s| self.interfaces_in(s).map(|i| i.serial)));
        let count = all.len();
        let newest = all.iter().max().is_none_or(|n| *n <= self.minted);
        let unique: BTreeSet<u32> = all.into_iter().collect();
        need(unique.len() == count && newest, || "a serial is used twice, or was never given out".to_owned())
    }

    fn vpc(&self, id: &Id, of: &Id) -> Result<&Vpc, Flaw> {
        self.vpcs.get(id).ok_or_else(|| Flaw(format!("{of} is of the VPC {id}, which does not exist")))
    }

    /// The VPC of an interface, which lies in its subnet.
    fn check_interface(&self, interface: &Interface, of: &Id) -> Result<&Id, Flaw> {
        let subnet = self.subnets.get(&interface.subnet);
        let subnet = subnet.filter(|s| s.may_hold(interface.ipv4));
        subnet
            .map(|s| &s.vpc)
            .ok_or_else(|| Flaw(format!("{of} has the address {} outside its subnet", interface.ipv4)))
    }
}

fn need(holds: bool, flaw: impl FnOnce() -> String) -> Result<(), Flaw> {
    if holds { Ok(()) } else { Err(Flaw(flaw())) }
}
