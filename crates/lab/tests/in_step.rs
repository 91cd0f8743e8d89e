//! Model and kernel in step: random calls against a lab with a real network, and after each the kernel holds what the model
//! says, no more and no less. What the model means for the kernel is said here anew, not asked of the driver.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what a test builds on must be there")]

mod calls;
mod command;
mod common;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use calls::{CALLS, call, stand};
use common::User;
use ipnet::IpNet;
use lab::ground::Ground;
use lab::net::namespace::of_prefix;
use lab::state::{EndpointState, InstanceState, Role, RouteTarget, Settings, State, Subnet, Vpc};
use proptest::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Facts about one network, as lines of text.
type Facts = BTreeSet<String>;

const EVERYTHING: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// What the model asks of the kernel.
fn wanted(state: &State) -> Facts {
    let mut facts = Facts::new();
    let name = |end: &str| state.settings.namespace(end);
    facts.extend(["client", "internet"].map(|end| format!("{} is", name(end))));
    for vpc in state.vpcs.values() {
        router(state, vpc, &name(&format!("vpc{}", vpc.serial)), &mut facts);
    }
    for gateway in state.internet_gateways.values().filter(|g| g.attachment.is_some()) {
        facts.insert(format!("{} is", name(&format!("igw{}", gateway.serial))));
    }
    for node in state.load_balancers.values().flat_map(|b| &b.nodes) {
        let at = name(&format!("node{}", node.interface.serial));
        facts.insert(format!("{at} is"));
        facts.insert(format!("{at} eth0 has {}", node.interface.ipv4));
    }
    for instance in state.instances.values().filter(|i| i.state == InstanceState::Running) {
        let (at, interface) = (&instance.namespace, &instance.interface);
        facts.insert(format!("{at} is"));
        if instance.role != Role::Appliance {
            let ipv6 = interface.ipv6.map(IpAddr::from);
            let both = ipv6.into_iter().chain([interface.ipv4.into()]);
            facts.extend(both.map(|address: IpAddr| format!("{at} eth0 has {address}")));
        }
    }
    facts
}

fn router(state: &State, vpc: &Vpc, at: &str, facts: &mut Facts) {
    facts.insert(format!("{at} is"));
    let number = |table: &lab::state::RouteTable| table.serial + 1000;
    let of_subnet = |id| state.table_of_subnet(id).map(number);
    let mut enters = |device: String, table: Option<u32>| {
        facts.extend(
            table.iter().flat_map(|t| ["v4", "v6"].map(|v| format!("{at} {v} from {device} by {t}"))),
        );
    };
    for subnet in state.subnets.values().filter(|s| s.vpc == vpc.id) {
        enters(format!("sub{}", subnet.serial), of_subnet(&subnet.id));
    }
    for endpoint in
        state.endpoints.values().filter(|e| e.vpc == vpc.id && e.state == EndpointState::Available)
    {
        if let Some(interface) = &endpoint.interface {
            enters(format!("vpce{}", endpoint.serial), of_subnet(&interface.subnet));
        }
    }
    for gateway in state.internet_gateways.values() {
        if gateway.attachment.as_ref().is_some_and(|a| a.vpc == vpc.id) {
            enters(format!("igw{}", gateway.serial), state.table_of_gateway(&gateway.id).map(number));
        }
    }
    for subnet in state.subnets.values().filter(|s| s.vpc == vpc.id) {
        facts.extend(own(subnet).map(|address| format!("{at} sub{} has {address}", subnet.serial)));
    }
    for table in state.route_tables.values().filter(|t| t.vpc == vpc.id) {
        let t = number(table);
        facts.extend(EVERYTHING.map(|all| format!("{at} {t}: {all} blackhole")));
        for route in &table.routes {
            let to = route.destination;
            let device = match &route.target {
                RouteTarget::Local => {
                    facts.insert(format!("{at} {t}: {to} throw"));
                    continue;
                }
                RouteTarget::InternetGateway(id) => {
                    let gateway = state.internet_gateways.get(id);
                    let serves = gateway.filter(|g| g.attachment.as_ref().is_some_and(|a| a.vpc == vpc.id));
                    serves.map(|g| format!("igw{}", g.serial))
                }
                RouteTarget::Endpoint(id) => {
                    let endpoint = state.endpoints.get(id);
                    let serves = endpoint.filter(|e| e.state == EndpointState::Available);
                    serves.map(|e| format!("vpce{}", e.serial))
                }
            };
            // a blackhole behind every way out
            facts.insert(format!("{at} {t}: {to} blackhole"));
            facts.extend(device.map(|device| format!("{at} {t}: {to} by {device}")));
        }
    }
}

/// The router's addresses in a subnet.
fn own(subnet: &Subnet) -> impl Iterator<Item = IpAddr> {
    std::iter::once(subnet.router_ipv4().into()).chain(subnet.router_ipv6().map(IpAddr::from))
}

/// What the kernel holds in all namespaces of the lab.
fn held(settings: &Settings) -> Facts {
    let mut facts = Facts::new();
    for at in of_prefix(&settings.prefix).unwrap() {
        facts.insert(format!("{at} is"));
        let end = at.strip_prefix(&format!("{}-", settings.prefix)).unwrap_or_default();
        let outside = ["client", "internet"].contains(&end) || end.starts_with("igw");
        if !outside {
            addresses(&at, &mut facts);
        }
        if end.starts_with("vpc") {
            rules(&at, &mut facts);
            routes(&at, &mut facts);
        }
    }
    facts
}

fn ip(at: &str, words: &[&str]) -> Vec<Value> {
    let told = Command::new("ip").args(["-n", at, "-j"]).args(words).output().unwrap();
    let text = String::from_utf8(told.stdout).unwrap();
    if text.trim().is_empty() { Vec::new() } else { serde_json::from_str(&text).unwrap() }
}

fn addresses(at: &str, facts: &mut Facts) {
    for device in ip(at, &["addr"]) {
        let name = device["ifname"].as_str().unwrap_or_default();
        if !name.starts_with("sub") && name != "eth0" {
            continue;
        }
        let all = device["addr_info"].as_array().into_iter().flatten();
        let global = all.filter(|a| a["scope"] == "global").filter_map(|a| a["local"].as_str());
        facts.extend(global.map(|address| format!("{at} {name} has {address}")));
    }
}

fn rules(at: &str, facts: &mut Facts) {
    for (version, word) in [("-4", "v4"), ("-6", "v6")] {
        for rule in ip(at, &[version, "rule"]) {
            if let (Some(device), Some(table)) = (rule["iif"].as_str(), rule["table"].as_str()) {
                facts.insert(format!("{at} {word} from {device} by {table}"));
            }
        }
    }
}

fn routes(at: &str, facts: &mut Facts) {
    for (version, everything) in [("-4", EVERYTHING[0]), ("-6", EVERYTHING[1])] {
        for route in ip(at, &[version, "route", "show", "table", "all"]) {
            let Some(table) = route["table"].as_str().and_then(|t| t.parse::<u32>().ok()) else { continue };
            let to = match route["dst"].as_str().unwrap_or_default() {
                "default" => everything.to_owned(),
                net if net.contains('/') => net.to_owned(),
                host => IpNet::from(host.parse::<IpAddr>().unwrap()).to_string(),
            };
            let kind = route["type"].as_str().filter(|kind| *kind != "unicast");
            let by = route["dev"].as_str().unwrap_or_default();
            facts.insert(match kind {
                Some(kind) => format!("{at} {table}: {to} {kind}"),
                None => format!("{at} {table}: {to} by {by}"),
            });
        }
    }
}

/// Nodes at work with the endpoints they serve, by the model and by the load balancers themselves.
fn nodes(user: &User) -> [BTreeSet<(String, Vec<String>)>; 2] {
    let state = user.lab.state();
    let wanted = state.load_balancers.values().flat_map(|b| b.nodes.iter().map(move |n| (b, n)));
    let serves = |balancer: &lab::state::LoadBalancer, zone: &str| -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for endpoint in state.endpoints.values().filter(|e| e.state == EndpointState::Available) {
            let subnet = endpoint.interface.as_ref().and_then(|i| state.subnets.get(&i.subnet));
            let service = &state.endpoint_services[&endpoint.service];
            let has_node = |arn: &&lab::state::Id| {
                state.load_balancers[*arn].nodes.iter().any(|n| subnet.is_some_and(|s| s.zone == n.zone))
            };
            let own = service.load_balancers.iter().find(has_node) == Some(&balancer.arn);
            if own && subnet.is_some_and(|s| s.zone == zone) {
                all.push(endpoint.id.to_string());
            }
        }
        all.sort();
        all
    };
    let wanted = wanted.map(|(b, n)| (n.interface.ipv4.to_string(), serves(b, &n.zone))).collect();
    let report = user.lab.plane().report();
    let texts = |list: &Value| -> Vec<String> {
        let mut all: Vec<String> =
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        all.sort();
        all
    };
    let at_work = report["nodes"].as_array().into_iter().flatten();
    let at_work = at_work
        .map(|n| (n["address"].as_str().unwrap_or_default().to_owned(), texts(&n["endpoints"])))
        .collect();
    [wanted, at_work]
}

fn differences(state: &State) -> Vec<String> {
    let (wanted, held) = (wanted(state), held(&state.settings));
    let lacks = wanted.difference(&held).map(|fact| format!("not in the kernel: {fact}"));
    lacks.chain(held.difference(&wanted).map(|fact| format!("not in the model: {fact}"))).collect()
}

/// Makes and unmakes a subnet until nobody answers any more, so that there is always a command under way.
fn keep_busy(port: u16, subnet: &str) {
    let send = |form: &str| -> std::io::Result<String> {
        let key = lab::api::access_key(common::ACCOUNT);
        let head = format!(
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={key}/0/us-east-2/ec2/aws4_request\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(head.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let run = format!(
        "Version=2016-11-15&Action=RunInstances&ImageId=ami-0a991a7ce00000003&MinCount=3&MaxCount=3&SubnetId={subnet}"
    );
    while send(&run).is_ok_and(|answer| answer.contains("200 OK")) {}
}

#[test]
fn a_lab_that_is_killed_in_the_middle_of_a_command_is_resumed_in_step() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: network namespaces need root");
        return;
    }
    let Some(lab) = command::Lab::up("midway", &["--appliance=sleep 100000"]) else { return };
    let running: Value =
        serde_json::from_slice(&std::fs::read(lab.dir.join("running.json")).unwrap()).unwrap();
    let number = |name: &str| running[name].as_i64().unwrap();
    let pid = Pid::from_raw(i32::try_from(number("pid")).unwrap()).unwrap();
    let port = u16::try_from(number("port")).unwrap();
    let subnet = lab.state().subnets.values().next().unwrap().id.to_string();
    let before = lab.state().instances.len();
    let client = std::thread::spawn(move || keep_busy(port, &subnet));
    // the first command is done, the next is under way
    while lab.state().instances.len() == before {
        std::thread::yield_now();
    }
    kill_process(pid, Signal::KILL).unwrap();
    client.join().unwrap();
    let up = lab.command(&["up", "--port=0"]);
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    assert_eq!(differences(&lab.state()), Vec::<String>::new());
}

proptest! {
    // A case is fifty calls and some hundred runs of ip(8).
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 8, ..ProptestConfig::default() })]

    #[test]
    fn any_fifty_calls_leave_model_and_kernel_in_step_and_nothing_behind(
        calls in prop::collection::vec((0..CALLS.len(), any::<u16>(), any::<[u16; 4]>()), 50)
    ) {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: network namespaces need root");
            return Ok(());
        }
        let prefix = format!("step{}", std::process::id());
        let appliance = Some("sleep 100000".to_owned());
        let settings = Settings { prefix: prefix.clone(), appliance, time_scale: 100, ..Settings::default() };
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mut user = User::with(settings.clone(), Box::new(Ground::new(&settings, dir).unwrap()));
        let mut known = stand(&mut user);
        prop_assert_eq!(differences(user.lab.state()), Vec::<String>::new(), "after the tutorial");
        for one in calls {
            let before = user.lab.state().clone();
            let (called, reply) = call(&mut user, &mut known, one);
            prop_assert!(reply.status == 200 || reply.status == 400, "{called}: {}", reply.body);
            prop_assert!(!reply.body.contains("InternalError"), "{called}: {}", reply.body);
            // What is refused must change nothing, which is seen at the next change.
            if *user.lab.state() != before {
                prop_assert_eq!(differences(user.lab.state()), Vec::<String>::new(), "after {}", called);
                let [wanted, at_work] = nodes(&user);
                prop_assert_eq!(wanted, at_work, "after {}", called);
            }
        }
        prop_assert_eq!(differences(user.lab.state()), Vec::<String>::new(), "at the end");
        user.lab.lower().unwrap();
        drop(user);
        prop_assert_eq!(of_prefix(&prefix).unwrap(), Vec::<String>::new());
    }
}
