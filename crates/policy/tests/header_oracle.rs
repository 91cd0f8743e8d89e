//! The header index against a naive oracle that knows nothing of ranges, rows or classes: random rules over a small
//! world of addresses and ports, every packet judged by both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use policy::{Loading, Order, Outcome, Policy, RuleFile, RuleIndex, Settings, Way};
use proptest::prelude::*;
use wire::{Address, EndpointId, FiveTuple};

/// A list as the oracle sees it: items by number, and what stands before them.
#[derive(Clone, Debug)]
enum Tree {
    Any,
    Range(u8, u8),
    Group(Vec<(bool, Self)>),
}

impl Tree {
    fn includes(&self, value: u8) -> bool {
        match self {
            Self::Any => true,
            Self::Range(first, last) => (*first..=*last).contains(&value),
            Self::Group(items) => {
                let mut plain = items.iter().filter(|(negated, _)| !negated).peekable();
                let included = plain.peek().is_none() || plain.any(|(_, tree)| tree.includes(value));
                included && !items.iter().any(|(negated, tree)| *negated && tree.includes(value))
            }
        }
    }

    fn print(&self, item: &dyn Fn(u8, u8) -> String) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Range(first, last) => item(*first, *last),
            Self::Group(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|(negated, tree)| format!("{}{}", if *negated { "!" } else { "" }, tree.print(item)))
                    .collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

/// Addresses 0 to 7 are IPv4, 8 to 15 IPv6; a range never leaves its half.
fn address(number: u8) -> IpAddr {
    match number {
        0..8 => Ipv4Addr::new(10, 0, 0, number).into(),
        _ => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()).into(),
    }
}

fn tree(halves: bool) -> impl Strategy<Value = Tree> {
    let range = (0u8..16, 0u8..16).prop_map(move |(a, b)| match halves {
        true => Tree::Range((a & 8) | (a & 7).min(b & 7), (a & 8) | (a & 7).max(b & 7)),
        false => Tree::Range(a.min(b), a.max(b)),
    });
    let leaf = prop_oneof![1 => Just(Tree::Any), 4 => range];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop::collection::vec((any::<bool>(), inner), 1..4).prop_map(Tree::Group)
    })
}

#[derive(Clone, Debug)]
struct Model {
    action: &'static str,
    protocol: &'static str,
    ends: [(Tree, Tree); 2],
    both_ways: bool,
}

impl Model {
    fn text(&self, sid: usize) -> String {
        let addresses = |tree: &Tree| {
            tree.print(&|first, last| match first == last {
                true => address(first).to_string(),
                false => format!("{}-{}", address(first), address(last)),
            })
        };
        let ports = |tree: &Tree| tree.print(&|first, last| format!("{first}:{last}"));
        let [(source, source_port), (destination, destination_port)] = &self.ends;
        format!(
            "{} {} {} {} {} {} {} (sid:{sid};)\n",
            self.action,
            self.protocol,
            addresses(source),
            ports(source_port),
            if self.both_ways { "<>" } else { "->" },
            addresses(destination),
            ports(destination_port),
        )
    }

    fn matches(&self, packet: &Packet) -> bool {
        let protocol = match self.protocol {
            "ip" => true,
            "ipv4" => packet.ends[0].0 < 8,
            "ipv6" => packet.ends[0].0 >= 8,
            "tcp" => packet.protocol == 6,
            "udp" => packet.protocol == 17,
            _ => packet.protocol == 1 || packet.protocol == 58,
        };
        let with_ports =
            (packet.protocol == 6 || packet.protocol == 17) && packet.ends.iter().any(|end| end.1 != 0);
        let port = |tree: &Tree, value: u8| match with_ports {
            true => tree.includes(value),
            // The world's ports end at 15: a list that covers them all need not cover 65535.
            false => matches!(tree, Tree::Any) || covers_all(tree),
        };
        let one_way = |from: (u8, u8), to: (u8, u8)| {
            let [source, destination] = &self.ends;
            source.0.includes(from.0)
                && port(&source.1, from.1)
                && destination.0.includes(to.0)
                && port(&destination.1, to.1)
        };
        let [from, to] = packet.ends;
        protocol && (one_way(from, to) || (self.both_ways && one_way(to, from)))
    }
}

/// Whether a list of ports includes those beyond the world's as well as all within.
fn covers_all(tree: &Tree) -> bool {
    (0..=u8::MAX).all(|value| tree.includes(value))
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    protocol: u8,
    ends: [(u8, u8); 2],
}

impl Packet {
    fn tuple(&self) -> FiveTuple {
        let to_address = |number| match address(number) {
            IpAddr::V4(v4) => Address::from(v4),
            IpAddr::V6(v6) => Address::from(v6),
        };
        let [(source, source_port), (destination, destination_port)] = self.ends;
        FiveTuple {
            source: to_address(source),
            destination: to_address(destination),
            source_port: source_port.into(),
            destination_port: destination_port.into(),
            protocol: self.protocol,
            version: if source < 8 { 4 } else { 6 },
        }
    }
}

fn model() -> impl Strategy<Value = Model> {
    let end = || (tree(true), tree(false));
    (
        prop::sample::select(vec!["alert", "alert", "pass", "drop"]),
        prop::sample::select(vec!["ip", "ipv4", "ipv6", "tcp", "udp", "icmp"]),
        end(),
        end(),
        any::<bool>(),
    )
        .prop_map(|(action, protocol, a, b, both_ways)| Model {
            action,
            protocol,
            ends: [a, b],
            both_ways,
        })
}

fn packet() -> impl Strategy<Value = Packet> {
    let end = || (0u8..8, prop_oneof![1 => Just(0u8), 4 => 0u8..16]);
    (prop::sample::select(vec![1u8, 6, 17, 47, 58]), any::<bool>(), end(), end()).prop_map(
        |(protocol, v6, from, to)| {
            let half = if v6 { 8 } else { 0 };
            Packet { protocol, ends: [(from.0 | half, from.1), (to.0 | half, to.1)] }
        },
    )
}

fn load(models: &[Model], order: Order) -> (Policy, Vec<usize>) {
    let text: String = models.iter().enumerate().map(|(index, model)| model.text(index + 1)).collect();
    let file = RuleFile { name: "oracle.rules".into(), text: text.into_bytes() };
    let loading = Loading::new(&[file], &Settings { order, ..Settings::default() });
    // Lists may turn out empty: those rules are refused, and the oracle has to forget them too.
    let loaded = loading.rules.iter().map(|loaded| loaded.rule.about.sid as usize - 1).collect();
    for refusal in &loading.refusals {
        assert!(refusal.why.to_string().contains("is empty"), "{refusal}");
    }
    (Policy::new(1, Arc::new(loading.rules)), loaded)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_judgement_is_what_asking_every_rule_in_turn_would_give(
        models in prop::collection::vec(model(), 0..40),
        packets in prop::collection::vec(packet(), 1..20),
        by_action in any::<bool>(),
    ) {
        let order = if by_action { Order::Action } else { Order::Strict };
        let (policy, loaded) = load(&models, order);
        for packet in packets {
            let judgement = policy.judge(EndpointId(7), &packet.tuple());
            let (mut by, mut action, mut alerts) = (None, Outcome::Forward, Vec::new());
            for (place, index) in (0u32..).zip(&loaded) {
                let model = &models[*index];
                let rules = policy.rules(EndpointId(7));
                let mismatch = rules.get(RuleIndex(place)).unwrap().mismatch(&packet.tuple(), Way::ToServer);
                prop_assert_eq!(mismatch.is_none(), model.matches(&packet), "{:?}", mismatch);
                if !model.matches(&packet) {
                    continue;
                }
                match model.action {
                    "alert" => alerts.push(RuleIndex(place)),
                    "pass" => {
                        by = Some(RuleIndex(place));
                        break;
                    }
                    _ => {
                        alerts.push(RuleIndex(place));
                        action = Outcome::Drop;
                        by = by.or(Some(RuleIndex(place)));
                        if order == Order::Strict {
                            break;
                        }
                    }
                }
            }
            let lost = alerts.len().saturating_sub(policy::ALERTS_MAX);
            alerts.truncate(policy::ALERTS_MAX);
            prop_assert_eq!(judgement.by, by, "{:?}", packet);
            prop_assert_eq!(judgement.action, action);
            prop_assert_eq!(judgement.alerts.as_slice(), alerts.as_slice());
            prop_assert_eq!(judgement.alerts_lost as usize, lost);
        }
    }
}

#[test]
fn rules_beyond_one_chunk_of_bits_are_asked_in_order() {
    let rule = |index: usize| {
        format!("alert udp any any -> 10.0.{}.{} 53 (sid:{};)\n", index / 250, index % 250, index + 1)
    };
    let mut text: String = (0..5000).map(rule).collect();
    text.push_str(
        "drop udp any any -> 10.0.0.0/8 any (sid:100000;)\npass udp any any -> any any (sid:100001;)\n",
    );
    let file = RuleFile { name: "many.rules".into(), text: text.into_bytes() };
    let policy = Policy::new(1, Arc::new(Loading::new(&[file], &Settings::default()).strict().unwrap()));
    let sids = |tuple: &FiveTuple| {
        let judgement = policy.judge(EndpointId(0), tuple);
        let sid = |index| policy.rules(EndpointId(0)).get(index).unwrap().rule.about.sid;
        (judgement.alerts.iter().map(|index| sid(*index)).collect::<Vec<_>>(), judgement.by.map(sid))
    };
    let to = |address: [u8; 4]| FiveTuple {
        source: Ipv4Addr::new(192, 0, 2, 1).into(),
        destination: Ipv4Addr::from(address).into(),
        source_port: 4000,
        destination_port: 53,
        protocol: 17,
        version: 4,
    };
    assert_eq!(sids(&to([10, 0, 17, 3])), (vec![4254, 100_000], Some(100_000)));
    assert_eq!(sids(&to([10, 9, 9, 9])), (vec![100_000], Some(100_000)));
    assert_eq!(sids(&to([11, 9, 9, 9])), (vec![], Some(100_001)));
}
