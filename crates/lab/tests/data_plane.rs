//! A system like the tutorial's with reflecting appliances: packets really pass namespaces, TUN devices and GENEVE.

#![allow(clippy::unwrap_used, reason = "what a test builds on must be there")]

mod standing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lab::gwlb::health::{Failure, Health};
use lab::net::item::Item;
use lab::net::namespace::of_prefix;
use lab::net::{clean, compile};
use lab::state::{EndpointState, IpProtocol, Role};
use lab::web::Web;
use standing::{ADDRESSES, Habit, Lab, ip, may_make_namespaces, serve, system, wait_until};

const DOWN: Health = Health::Unhealthy(Failure::Failed);

/// The four pings between the client and the first application server.
fn pings(lab: &Lab) -> [bool; 4] {
    let [app4, app6, client4, client6] = ADDRESSES;
    [("client", app4), ("client", app6), ("app0", client4), ("app0", client6)]
        .map(|(from, to)| lab.pings(from, to))
}

#[test]
fn all_eight_checks_pass_and_pass_by_an_appliance() {
    if !may_make_namespaces() {
        return;
    }
    let lab = Lab::up(2);
    let servers = ["app0", "client"].map(|name| Web::start(&lab.namespace(name), 8080).unwrap().unwrap());
    assert_eq!(lab.checks(), [false; 8], "nothing may pass without an appliance");
    let appliances = [lab.appliance(1, Habit::Reflect), lab.appliance(2, Habit::Reflect)];
    lab.wait_health(1, Health::Healthy);
    lab.wait_health(2, Health::Healthy);
    wait_until("all eight checks pass", || lab.checks() == [true; 8]);
    wait_until("what appliances saw came back, and nothing else did", || {
        lab.count("returned") == appliances.iter().map(|a| a.seen.load(Ordering::Relaxed)).sum::<u64>()
    });
    drop(servers);
}

#[test]
fn nothing_passes_uninspected_whatever_is_taken_away() {
    if !may_make_namespaces() {
        return;
    }
    let mut lab = Lab::up(1);
    let appliance = lab.appliance(1, Habit::Reflect);
    lab.wait_health(1, Health::Healthy);
    wait_until("pings pass", || pings(&lab) == [true; 4]);

    let router = lab.namespace(&format!("vpc{}", lab.state.vpcs[&lab.consumers[0].vpc].serial));
    let tun = format!("vpce{}", lab.state.endpoints[&lab.consumers[0].endpoint].serial);
    ip(&router, &format!("link del {tun}"));
    assert_eq!(pings(&lab), [false; 4], "the endpoint's device is gone");
    lab.network.forget(|item| matches!(item, Item::Tun { .. }));
    lab.network.forget(|item| item.needs().iter().any(|(_, device)| *device == tun));
    lab.apply();
    wait_until("pings pass again", || pings(&lab) == [true; 4]);

    lab.engine.apply(lab::gwlb::config::Config::default()).unwrap();
    assert_eq!(pings(&lab), [false; 4], "the load balancer's nodes are gone");
    lab.apply();
    lab.wait_health(1, Health::Healthy);
    wait_until("pings pass again", || pings(&lab) == [true; 4]);

    lab.state.endpoints.get_mut(&lab.consumers[0].endpoint).unwrap().state = EndpointState::Rejected;
    lab.apply();
    assert_eq!(pings(&lab), [false; 4], "the endpoint was rejected");

    lab.state.endpoints.get_mut(&lab.consumers[0].endpoint).unwrap().state = EndpointState::Available;
    lab.apply();
    wait_until("pings pass again", || pings(&lab) == [true; 4]);
    drop(appliance);
    lab.wait_health(1, DOWN);
    assert_eq!(pings(&lab), [false; 4], "the appliance is gone");
}

#[test]
fn what_an_appliance_changes_does_not_pass_and_is_counted() {
    if !may_make_namespaces() {
        return;
    }
    let lab = Lab::up(1);
    let habits = [
        (Habit::Change(19), "endpoint-mismatch"),
        (Habit::Change(36), "cookie-mismatch"),
        (Habit::Change(40 + 15), "inner-mismatch"),
        (Habit::OtherPort, "udp-port-mismatch"),
        (Habit::Change(0), "returned-malformed"),
    ];
    for (habit, counter) in habits {
        let appliance = lab.appliance(1, habit);
        assert!(!lab.pings("client", ADDRESSES[0]), "{habit:?}");
        wait_until(counter, || lab.count(counter) > 0);
        drop(appliance);
    }
    assert_eq!(lab.count("returned"), 0);
}

#[test]
fn security_groups_are_enforced_at_the_instance() {
    if !may_make_namespaces() {
        return;
    }
    let mut lab = Lab::up(1);
    let (client, app) = ("client", ADDRESSES[0]);
    let _server = Web::start(&lab.namespace("app0"), 8080).unwrap().unwrap();
    let _appliance = lab.appliance(1, Habit::Reflect);
    lab.wait_health(1, Health::Healthy);
    wait_until("ping passes", || lab.pings(client, app));

    let group = lab.state.instances[&lab.consumers[0].application].security_groups[0].clone();
    let permissions = &mut lab.state.security_groups.get_mut(&group).unwrap().ingress;
    permissions.iter_mut().for_each(|permission| permission.protocol = IpProtocol::Tcp(8000, 8100));
    lab.apply();
    assert!(!lab.pings(client, app), "ICMP is not allowed");
    wait_until("TCP 8080 is allowed", || lab.fetches(client, app));
    assert!(lab.pings("app0", ADDRESSES[2]), "what goes out is allowed, and its answer");

    let appliances = lab.state.security_groups.get_mut(&lab.provider.security_group).unwrap();
    let geneve = std::mem::take(&mut appliances.ingress);
    lab.apply();
    lab.wait_health(1, DOWN);
    assert!(!lab.fetches(client, app), "UDP 6081 is not allowed");
    lab.state.security_groups.get_mut(&lab.provider.security_group).unwrap().ingress = geneve;
    lab.apply();
    lab.wait_health(1, Health::Healthy);
    wait_until("all is well again", || lab.fetches(client, app));
}

#[test]
fn two_consumers_with_the_same_addresses_each_in_its_zone() {
    if !may_make_namespaces() {
        return;
    }
    let mut lab = Lab::of(&["us-east-2a", "us-east-2b"], 1, &[0, 1]);
    let appliances = [lab.appliance(1, Habit::Reflect), lab.appliance(2, Habit::Reflect)];
    lab.wait_health(1, Health::Healthy);
    lab.wait_health(2, Health::Healthy);
    let seen = |n: usize| appliances[n].seen.load(Ordering::Relaxed);
    wait_until("the first consumer is reached", || lab.pings("client", "198.51.100.10"));
    assert_eq!(seen(1), 0, "zone b must not see zone a's traffic");
    let first = seen(0);
    wait_until("the second consumer is reached", || lab.pings("client", "198.51.100.11"));
    wait_until("the second consumer reaches out", || lab.pings("app1", ADDRESSES[2]));
    assert_eq!(seen(0), first, "zone a must not see zone b's traffic");
    assert!(seen(1) > 0);

    lab.state.load_balancers.get_mut(&lab.provider.balancer).unwrap().cross_zone = true;
    lab.apply();
    let second = seen(1);
    wait_until("both zones' appliances see zone a's traffic", || {
        lab.run("client", "curl -sS -m 1 http://198.51.100.10:9/");
        seen(1) > second && seen(0) > first
    });
}

#[test]
fn the_largest_inner_packet_passes_and_a_larger_one_does_not() {
    if !may_make_namespaces() {
        return;
    }
    let lab = Lab::up(1);
    let _appliance = lab.appliance(1, Habit::Reflect);
    lab.wait_health(1, Health::Healthy);
    let gateway = format!("igw{}", lab.state.internet_gateways.values().next().unwrap().serial);
    for (namespace, device) in
        [("client", "eth0"), ("internet", "client"), ("internet", &gateway), (gateway.as_str(), "inet")]
    {
        ip(&lab.namespace(namespace), &format!("link set {device} mtu 9000"));
    }
    let ping = |length: usize| {
        let line = format!("ping -n -c 1 -W 1 -M do -s {length} {}", ADDRESSES[0]);
        lab.run("client", &line).status.success()
    };
    wait_until("8500 bytes pass", || ping(8500 - 28));
    assert!(!ping(8501 - 28));
    assert_eq!(lab.count("too-big"), 1);
}

#[test]
fn a_download_arrives_whole() {
    if !may_make_namespaces() {
        return;
    }
    let lab = Lab::up(2);
    let _appliances = [lab.appliance(1, Habit::Reflect), lab.appliance(2, Habit::Reflect)];
    let servers = ["app0", "client"].map(|name| Web::start(&lab.namespace(name), 8080).unwrap().unwrap());
    lab.wait_health(1, Health::Healthy);
    lab.wait_health(2, Health::Healthy);
    let [app4, app6, client4, client6] = ADDRESSES;
    let length = 20_000_000_usize;
    for (from, to) in [
        ("client", app4),
        ("client", &format!("[{app6}]")),
        ("app0", client4),
        ("app0", &format!("[{client6}]")),
    ] {
        let output = lab.run(from, &format!("curl -sS -m 30 http://{to}:8080/bytes/{length}"));
        assert_eq!(output.stdout.len(), length, "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.iter().zip((0..=250).cycle()).all(|(byte, expected)| *byte == expected));
    }
    drop(servers);
}

#[test]
fn a_change_that_fails_leaves_the_network_as_it_was() {
    if !may_make_namespaces() {
        return;
    }
    let mut lab = Lab::up(1);
    let router = lab.namespace(&format!("vpc{}", lab.state.vpcs[&lab.provider.vpc].serial));
    let picture = |lab: &Lab| {
        let mut names = of_prefix(&lab.state.settings.prefix).unwrap();
        names.sort();
        let show = |line: &str| {
            let output =
                std::process::Command::new("ip").args(["-n", &router]).args(line.split(' ')).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        (
            names,
            ["-br link", "-4 route show table all", "-6 route show table main", "-4 rule", "-br addr"]
                .map(show),
        )
    };
    let before = picture(&lab);
    let old = lab.state.clone();
    let subnet = lab.state.instances[&lab.provider.appliances[0]].interface.subnet.clone();
    let group = lab.provider.security_group.clone();
    system::instance(&mut lab.state, "late", Role::Plain, (&subnet, 77), &group);
    let mut items = compile::compile(&lab.state);
    items.insert(Item::Route {
        namespace: router.clone(),
        table: Some(4711),
        destination: "192.0.2.0/24".parse().unwrap(),
        device: "no-such-device".to_owned(),
        via: None,
    });
    let error = lab.network.apply(items).unwrap_err().to_string();
    assert!(error.contains("192.0.2.0/24 dev no-such-device"), "{error}");
    assert_eq!(picture(&lab), before);
    lab.apply();
    assert_ne!(picture(&lab), before, "without the impossible route it can be done");
    lab.state = old;
    lab.apply();
    assert_eq!(picture(&lab), before);
}

#[test]
fn leftovers_of_a_killed_run_are_removed_with_their_processes() {
    if !may_make_namespaces() {
        return;
    }
    let mut lab = Lab::up(1);
    let stop = Arc::new(AtomicBool::new(false));
    let mut process = std::process::Command::new("ip")
        .args(["netns", "exec", &lab.namespace("app0"), "tail", "-f", "/dev/null"])
        .spawn()
        .unwrap();
    lab.network = lab::net::Network::default();
    let prefix = lab.state.settings.prefix.clone();
    wait_until("the process is in its namespace", || {
        let pids = std::process::Command::new("ip").args(["netns", "pids", &lab.namespace("app0")]).output();
        String::from_utf8_lossy(&pids.unwrap().stdout).contains(&process.id().to_string())
    });
    clean(&prefix).unwrap();
    assert_eq!(of_prefix(&prefix).unwrap(), Vec::<String>::new());
    assert!(!process.wait().unwrap().success());
    lab.engine = lab::gwlb::engine::Engine::default();
    lab.apply();
    let server = serve(&lab.namespace("app0"), ([0, 0, 0, 0].into(), 8080), Arc::clone(&stop));
    stop.store(true, Ordering::Relaxed);
    server.join().unwrap();
}
