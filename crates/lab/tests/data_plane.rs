//! The tutorial's system with reflecting appliances: packets really pass namespaces, TUN devices and GENEVE.

mod standing;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lab::gwlb::health::{Failure, Health};
use standing::{Habit, Lab, may_make_namespaces, serve};

#[test]
fn all_eight_checks_pass_and_pass_by_an_appliance() {
    if !may_make_namespaces() {
        return;
    }
    let lab = Lab::up(2);
    let stop = Arc::new(AtomicBool::new(false));
    let any = std::net::IpAddr::from([0_u16; 8]);
    let servers = ["app", "client"].map(|name| serve(&lab.namespace(name), (any, 8080), Arc::clone(&stop)));
    assert_eq!(lab.checks(), [false; 8], "nothing may pass without an appliance");
    let appliances = [lab.appliance(1, Habit::Reflect), lab.appliance(2, Habit::Reflect)];
    lab.wait_health(1, Health::Healthy);
    lab.wait_health(2, Health::Healthy);
    let checks = lab.checks();
    assert_eq!(checks, [true; 8], "{:?}", lab.counters());
    let seen: u64 = appliances.iter().map(|a| a.seen.load(std::sync::atomic::Ordering::Relaxed)).sum();
    assert_eq!(seen, lab.count("returned"), "what an appliance saw came back, and nothing else did");
    drop(appliances);
    lab.wait_health(1, Health::Unhealthy(Failure::Failed));
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for server in servers {
        server.join().unwrap();
    }
}
