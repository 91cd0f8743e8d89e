//! The network as facts: what a state needs in the kernel, and the steps from one network to another.

#![allow(clippy::unwrap_used, reason = "what a test builds on must be there")]

mod standing;

use std::collections::BTreeSet;

use ipnet::IpNet;
use lab::net::compile::compile;
use lab::net::item::{Barrier, End, Item};
use lab::net::step::{Step, diff};
use lab::state::{EndpointState, Settings, State};
use proptest::prelude::*;
use standing::system::{Consumer, consumer, provider};

/// What `steps` make of `old`, as a kernel would: a namespace takes with it what is in it.
fn make(old: &BTreeSet<Item>, steps: &[Step]) -> Result<BTreeSet<Item>, TestCaseError> {
    let mut items = old.clone();
    for step in steps {
        match step {
            Step::Remove(item) => {
                prop_assert!(items.remove(item), "{item:?} was not there");
                if let Item::Namespace(name) = item {
                    items.retain(|other| other.namespace() != name);
                }
            }
            Step::Add(item) => {
                prop_assert!(items.insert(item.clone()), "{item:?} was there");
                for (namespace, device) in item.needs() {
                    let made = |other: &Item| other.makes().contains(&(namespace, device));
                    prop_assert!(items.iter().any(made), "{item:?} lacks {device}");
                }
            }
            Step::Replace(old, new) => {
                prop_assert!(items.remove(old) && items.insert(new.clone()));
            }
        }
    }
    Ok(items)
}

fn item() -> impl Strategy<Value = Item> {
    let name = || prop_oneof![Just("x"), Just("y")].prop_map(str::to_owned);
    let port = (name(), name(), any::<bool>()).prop_map(|(a, b, plain)| {
        let mut end = End::new(&a, "port");
        (end.bridge, end.plain) = (Some("bridge".to_owned()), plain);
        Item::Veth { a: end, b: End::new(&b, "eth0"), mtu: 1500 }
    });
    let to = || prop_oneof![Just("0.0.0.0/0"), Just("::/0")].prop_map(|net| net.parse::<IpNet>().unwrap());
    prop_oneof![
        (name(), 1..3_u32).prop_map(|(namespace, table)| Item::Rule {
            namespace,
            device: "tun".to_owned(),
            table
        }),
        (name(), to()).prop_map(|(namespace, destination)| {
            Item::Barrier { namespace, table: Some(1), destination, kind: Barrier::Blackhole }
        }),
        (name(), 0..2_u8).prop_map(|(namespace, n)| {
            Item::Bridge { namespace, name: "bridge".to_owned(), mac: [2, 0, 0, 0, 0, n], mtu: 1500 }
        }),
        (name(), 0..2_u32).prop_map(|(namespace, n)| Item::Tun {
            namespace,
            name: "tun".to_owned(),
            mtu: 1500 + n
        }),
        port,
        (name(), 0..2_u8).prop_map(|(namespace, n)| {
            Item::Filter { namespace, table: "ip f".to_owned(), body: format!("rule {n}") }
        }),
        (name(), to(), 0..2_u8).prop_map(|(namespace, destination, n)| {
            let device = ["tun", "bridge"][usize::from(n)].to_owned();
            Item::Route { namespace, table: Some(1), destination, device, via: None }
        }),
    ]
}

/// A network that a kernel could hold: no name twice, nothing without what it needs.
fn network() -> impl Strategy<Value = BTreeSet<Item>> {
    prop::collection::btree_set(item(), 0..14).prop_map(|wishes| {
        let mut items = BTreeSet::new();
        for item in wishes {
            let same_place = |other: &Item| other.replaces(&item);
            let same_device = |other: &Item| other.makes().iter().any(|device| item.makes().contains(device));
            let made =
                |device: &(&str, &str)| items.iter().any(|other: &Item| other.makes().contains(device));
            if items.iter().any(|other| same_place(other) || same_device(other))
                || !item.needs().iter().all(made)
            {
                continue;
            }
            let places: Vec<String> = std::iter::once(item.namespace())
                .chain(item.makes().into_iter().map(|(namespace, _)| namespace))
                .map(str::to_owned)
                .collect();
            items.extend(places.into_iter().map(Item::Namespace));
            items.insert(item);
        }
        items
    })
}

proptest! {
    #[test]
    fn the_steps_lead_from_any_network_to_any_other(old in network(), new in network()) {
        prop_assert_eq!(make(&old, &diff(&old, &new))?, new);
    }

    #[test]
    fn no_step_is_needed_where_nothing_changes(network in network()) {
        prop_assert!(diff(&network, &network).is_empty());
    }
}

/// A system like the tutorial's.
fn whole(settings: Settings, appliances: u8) -> (State, Consumer) {
    let mut state = State::new(settings);
    let provider = provider(&mut state, appliances);
    let consumer = consumer(&mut state, 0, 0, &provider.balancer);
    (state, consumer)
}

#[test]
fn every_name_fits_the_kernel_and_bears_the_prefix() {
    let (state, _) = whole(Settings::default(), 9);
    for item in compile(&state) {
        assert!(item.namespace().starts_with("gwlb-"), "{item:?}");
        for (namespace, device) in item.makes() {
            assert!(namespace.starts_with("gwlb-") && device.len() <= 15, "{item:?}");
        }
    }
}

#[test]
fn behind_every_route_out_of_a_vpc_stands_a_barrier() {
    let (mut state, parts) = whole(Settings::default(), 1);
    let barriers_missing = |items: &BTreeSet<Item>| {
        let routes = items.iter().filter_map(|item| match item {
            Item::Route { namespace, table: Some(table), destination, .. } => {
                Some((namespace, table, destination))
            }
            _ => None,
        });
        let missing = routes.filter(|(namespace, table, destination)| {
            !items.contains(&Item::Barrier {
                namespace: (*namespace).clone(),
                table: Some(**table),
                destination: **destination,
                kind: Barrier::Blackhole,
            })
        });
        missing.count()
    };
    let barriers =
        |items: &BTreeSet<Item>| items.iter().filter(|item| matches!(item, Item::Barrier { .. })).count();
    let whole = compile(&state);
    assert_eq!(barriers_missing(&whole), 0);
    state.endpoints.get_mut(&parts.endpoint).unwrap().state = EndpointState::Rejected;
    let without = compile(&state);
    assert_eq!(barriers(&without), barriers(&whole), "a route that leads nowhere still stops");
    assert!(!without.iter().any(|item| matches!(item, Item::Tun { .. })));
}

#[test]
fn a_route_moves_to_another_target_without_a_moment_between() {
    let (state, parts) = whole(Settings::default(), 1);
    let mut moved = state.clone();
    let table = moved.route_tables.get_mut(&parts.tables[1]).unwrap();
    let gateway = state.route_tables[&parts.tables[2]].routes.last().unwrap().target.clone();
    table.routes.last_mut().unwrap().target = gateway;
    let steps = diff(&compile(&state), &compile(&moved));
    assert!(matches!(&steps[..], [Step::Replace(Item::Route { .. }, Item::Route { .. })]), "{steps:?}");
}

#[test]
fn an_association_moves_to_another_table_without_a_moment_between() {
    let (state, parts) = whole(Settings::default(), 1);
    let mut moved = state.clone();
    let [_, application, inspection] = &parts.tables;
    let association = moved.route_tables.get_mut(application).unwrap().associations.pop().unwrap();
    moved.route_tables.get_mut(inspection).unwrap().associations.push(association);
    let steps = diff(&compile(&state), &compile(&moved));
    assert!(matches!(&steps[..], [Step::Replace(Item::Rule { .. }, Item::Rule { .. })]), "{steps:?}");
}
