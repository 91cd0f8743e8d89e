//! `gwlb-lab status`: the lab as a picture in text.

use std::process::ExitCode;

use serde_json::Value;

use super::Done;
use super::client::Client;
use super::place::Place;
use crate::state::{AssociationPoint, Role, RouteTable, RouteTarget, State, Vpc};

pub(super) fn status(place: &Place, json: bool) -> Done {
    let told = Client::of(place)?.look("/status")?;
    if json {
        println!("{told}");
        return Ok(ExitCode::SUCCESS);
    }
    let told: Value = serde_json::from_str(&told)?;
    let state: State = serde_json::from_value(told["state"].clone())?;
    print!("{}", picture(&state, &told));
    Ok(ExitCode::SUCCESS)
}

fn picture(state: &State, told: &Value) -> String {
    let mut lines = Vec::new();
    for vpc in state.vpcs.values() {
        draw_vpc(state, vpc, &mut lines);
    }
    for balancer in state.load_balancers.values() {
        let kind = if balancer.dualstack { "dualstack" } else { "ipv4" };
        lines.push(format!("load balancer {} ({kind}) in {}", balancer.name, balancer.vpc));
        for node in &balancer.nodes {
            lines.push(format!("  node {} in {}", node.interface.ipv4, node.zone));
        }
    }
    for target in told["targets"].as_array().into_iter().flatten() {
        let health = if target["draining"] == true {
            "draining"
        } else {
            target["health"].as_str().unwrap_or("unused")
        };
        lines.push(format!("  target {:<12} {health}", target["name"].as_str().unwrap_or_default()));
    }
    draw_flows(state, &told["network"], &mut lines);
    lines.push(String::new());
    lines.join("\n")
}

fn draw_vpc(state: &State, vpc: &Vpc, lines: &mut Vec<String>) {
    let nets = vpc.ipv4.iter().map(ToString::to_string).chain(vpc.ipv6.iter().map(ToString::to_string));
    let nets: Vec<String> = nets.collect();
    lines.push(format!("{} {} {}", vpc.id, name_of(&vpc.tags), nets.join(" ")));
    for subnet in state.subnets.values().filter(|s| s.vpc == vpc.id) {
        lines.push(format!("  {} {} {}", subnet.id, subnet.zone, subnet.ipv4));
        for instance in state.instances.values().filter(|i| i.interface.subnet == subnet.id) {
            let public = instance.interface.public_ipv4.map(|p| format!(" = {p}")).unwrap_or_default();
            let at = instance.interface.ipv4;
            lines.push(format!("    {:<12} {at}{public} {:?}", instance.name, instance.state).to_lowercase());
        }
        for endpoint in state.endpoints.values() {
            if endpoint.interface.as_ref().is_some_and(|i| i.subnet == subnet.id) {
                lines.push(format!("    {} {:?}", endpoint.id, endpoint.state).to_lowercase());
            }
        }
    }
    for table in state.route_tables.values().filter(|t| t.vpc == vpc.id) {
        draw_table(state, table, lines);
    }
}

fn draw_table(state: &State, table: &RouteTable, lines: &mut Vec<String>) {
    let users = table.associations.iter().map(|a| match &a.point {
        AssociationPoint::Main => "main".to_owned(),
        AssociationPoint::Subnet(id) | AssociationPoint::Gateway(id) => id.to_string(),
    });
    let users: Vec<String> = users.collect();
    lines.push(format!("  {} {} for {}", table.id, name_of(&table.tags), users.join(", ")));
    for route in &table.routes {
        let target = match &route.target {
            RouteTarget::Local => "local",
            RouteTarget::InternetGateway(id) | RouteTarget::Endpoint(id) => id.as_str(),
        };
        let state = if state.is_active(&table.vpc, route) { "" } else { " blackhole" };
        lines.push(format!("    {:<24} -> {target}{state}", route.destination.to_string()));
    }
}

/// What the nodes report: counters that are not zero, and the newest flows.
fn draw_flows(state: &State, network: &Value, lines: &mut Vec<String>) {
    for node in network["nodes"].as_array().into_iter().flatten() {
        let counters = node["counters"].as_object().into_iter().flatten();
        let counted = counters.filter(|(_, n)| n.as_u64() != Some(0)).map(|(name, n)| format!("{name} {n}"));
        let counted: Vec<String> = counted.collect();
        let at = node["address"].as_str().unwrap_or_default();
        lines.push(format!("node {at}: {} flows; {}", node["flow_count"], counted.join(", ")));
        for flow in node["flows"].as_array().into_iter().flatten().take(20) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let end = |e: &Value| format!("{} {}", text(&e["address"]), e["port"]);
            let (a, b) = (end(&flow["a"]), end(&flow["b"]));
            let (cookie, target) = (text(&flow["cookie"]), text(&flow["target"]));
            let protocol = protocol(flow["protocol"].as_u64().unwrap_or_default());
            let (sent, returned) = (&flow["sent"]["packets"], &flow["returned"]["packets"]);
            lines.push(format!(
                "  {protocol:<6} {a} <-> {b} at {} ({target}), cookie {cookie}, {sent} packets sent, {returned} returned",
                name_at(state, &target)
            ));
        }
    }
}

/// An IP protocol by its name (IANA), or its number.
fn protocol(number: u64) -> String {
    match number {
        0 => "any".to_owned(),
        1 => "icmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        58 => "icmpv6".to_owned(),
        other => other.to_string(),
    }
}

/// What the lab calls whoever has this address in the provider's network.
fn name_at<'a>(state: &'a State, address: &str) -> &'a str {
    let of =
        |i: &&crate::state::Instance| i.role == Role::Appliance && i.interface.ipv4.to_string() == address;
    state.instances.values().find(of).map_or("", |i| i.name.as_str())
}

fn name_of(tags: &crate::state::Tags) -> &str {
    tags.get("Name").map(String::as_str).unwrap_or_default()
}
