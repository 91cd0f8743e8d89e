//! Steps as commands of `ip`, `nft` and `ethtool`, and running them.
//!
//! Commands of one kind for one namespace go to `ip` as one batch, since starting it costs more than its work.

use std::io::Write;
use std::process::{Command, Stdio};

use ipnet::IpNet;

use super::item::{Barrier, End, Item};
use super::namespace::{NamespaceError, within};
use super::step::Step;

/// Where rules stand: before the main table (32766), after the local one (0).
const PRIORITY: u32 = 100;

/// A metric that only counts when every other route of the destination is gone.
const LAST: u32 = u32::MAX;

/// Why a step could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A program could not be run at all.
    #[error("cannot run {0}: {1}")]
    Run(&'static str, std::io::Error),
    /// A program said no.
    #[error("{program} refused: {message}")]
    Refused {
        /// Which program.
        program: &'static str,
        /// Its words.
        message: String,
    },
    /// A setting could not be written.
    #[error("cannot set {key} in {namespace}: {error}")]
    Sysctl {
        /// Which setting.
        key: String,
        /// Where.
        namespace: String,
        /// Why.
        error: std::io::Error,
    },
    /// The network has no such device.
    #[error("there is no device {0} in {1}")]
    NoDevice(String, String),
    /// A namespace could not be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
}

/// One command, of which like ones can be given together.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Order {
    /// A line for `ip -batch`, of one family and in one namespace (`None`: the root's), and whether it takes away.
    Ip { namespace: Option<String>, family: Family, away: bool, line: String },
    /// A value for a file below `/proc/sys`.
    Sysctl { namespace: String, key: String, value: String },
    /// A text for `nft`.
    Nft { namespace: String, away: bool, text: String },
    /// No offloads on a device.
    Plain { namespace: String, device: String },
}

/// `-4`, `-6` or neither.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Family {
    Any,
    V4,
    V6,
}

/// Make the steps of one kind (see [`kind`]) in order.
///
/// # Errors
/// The first that could not be made; those before it are made.
pub(super) fn execute(steps: &[Step]) -> Result<(), KernelError> {
    let mut batches: Vec<(Order, Vec<String>)> = Vec::new();
    for order in steps.iter().flat_map(orders) {
        let Order::Ip { namespace, family, away, line } = order else {
            batches.push((order, Vec::new()));
            continue;
        };
        let head = Order::Ip { namespace, family, away, line: String::new() };
        match batches.iter_mut().find(|(candidate, _)| *candidate == head) {
            Some((_, lines)) => lines.push(line),
            None => batches.push((head, vec![line])),
        }
    }
    batches.iter().try_for_each(|(order, lines)| run(order, lines))
}

/// Steps of equal kind do not depend on one another.
pub(super) fn kind(step: &Step) -> (bool, std::mem::Discriminant<Item>) {
    match step {
        Step::Add(item) | Step::Replace(_, item) => (true, std::mem::discriminant(item)),
        Step::Remove(item) => (false, std::mem::discriminant(item)),
    }
}

fn orders(step: &Step) -> Vec<Order> {
    match step {
        Step::Add(item) => add(item),
        Step::Remove(item) => remove(item),
        // `route replace` and a table that is deleted and made in one transaction take the old one's place
        Step::Replace(Item::Rule { .. }, new) => {
            let Step::Replace(old, _) = step else { return Vec::new() };
            add(new).into_iter().chain(remove(old)).collect()
        }
        Step::Replace(_, new) => add(new),
    }
}

fn add(item: &Item) -> Vec<Order> {
    match item {
        Item::Namespace(name) => vec![
            ip(None, Family::Any, format!("netns add {name}")),
            ip(Some(name), Family::Any, "link set lo up".to_owned()),
        ],
        Item::Sysctl { namespace, key, value } => {
            vec![Order::Sysctl { namespace: namespace.clone(), key: key.clone(), value: value.clone() }]
        }
        Item::Rule { namespace, device, table } => [Family::V4, Family::V6]
            .map(|family| {
                ip(Some(namespace), family, format!("rule add prio {PRIORITY} iif {device} lookup {table}"))
            })
            .to_vec(),
        Item::Barrier { namespace, destination, .. } => {
            vec![ip(Some(namespace), family(destination), format!("route replace {}", barrier(item)))]
        }
        Item::Bridge { namespace, name, mac, mtu } => {
            let mac = ether(mac);
            vec![
                ip(
                    Some(namespace),
                    Family::Any,
                    format!("link add {name} address {mac} mtu {mtu} type bridge"),
                ),
                ip(Some(namespace), Family::Any, format!("link set {name} up")),
            ]
        }
        Item::Tun { namespace, name, mtu } => vec![
            ip(Some(namespace), Family::Any, format!("tuntap add dev {name} mode tun")),
            ip(Some(namespace), Family::Any, format!("link set {name} mtu {mtu} up")),
        ],
        Item::Veth { a, b, mtu } => veth(a, b, *mtu),
        Item::Filter { namespace, table, body } => {
            let text = format!("add table {table}\ndelete table {table}\ntable {table} {{\n{body}}}\n");
            vec![Order::Nft { namespace: namespace.clone(), away: false, text }]
        }
        Item::Address { namespace, device, address } => {
            let nodad = if matches!(address, IpNet::V6(_)) { " nodad" } else { "" };
            vec![ip(Some(namespace), Family::Any, format!("addr add {address} dev {device}{nodad}"))]
        }
        Item::Route { namespace, destination, .. } => {
            vec![ip(Some(namespace), family(destination), format!("route replace {}", route(item)))]
        }
    }
}

fn remove(item: &Item) -> Vec<Order> {
    let orders = match item {
        Item::Namespace(name) => vec![ip(None, Family::Any, format!("netns delete {name}"))],
        Item::Sysctl { .. } => Vec::new(),
        Item::Rule { namespace, device, table } => [Family::V4, Family::V6]
            .map(|family| {
                ip(Some(namespace), family, format!("rule del prio {PRIORITY} iif {device} lookup {table}"))
            })
            .to_vec(),
        Item::Barrier { namespace, destination, .. } => {
            vec![ip(Some(namespace), family(destination), format!("route del {}", barrier(item)))]
        }
        Item::Bridge { namespace, name, .. } | Item::Tun { namespace, name, .. } => {
            vec![ip(Some(namespace), Family::Any, format!("link del {name}"))]
        }
        Item::Veth { a, .. } => vec![ip(Some(&a.namespace), Family::Any, format!("link del {}", a.name))],
        Item::Filter { namespace, table, .. } => {
            let text = format!("add table {table}\ndelete table {table}\n");
            vec![Order::Nft { namespace: namespace.clone(), away: true, text }]
        }
        Item::Address { namespace, device, address } => {
            vec![ip(Some(namespace), Family::Any, format!("addr del {address} dev {device}"))]
        }
        Item::Route { namespace, destination, .. } => {
            vec![ip(Some(namespace), family(destination), format!("route del {}", route(item)))]
        }
    };
    orders.into_iter().map(taking_away).collect()
}

fn taking_away(order: Order) -> Order {
    match order {
        Order::Ip { namespace, family, line, .. } => Order::Ip { namespace, family, away: true, line },
        other => other,
    }
}

fn veth(a: &End, b: &End, mtu: u32) -> Vec<Order> {
    let end = |end: &End| {
        let mac = end.mac.map(|mac| format!(" address {}", ether(&mac))).unwrap_or_default();
        format!("{}{mac} mtu {mtu} netns {}", end.name, end.namespace)
    };
    let line = format!("link add {} type veth peer name {}", end(a), end(b));
    let mut orders = vec![ip(None, Family::Any, line)];
    for end in [a, b] {
        let bridge = end.bridge.as_ref().map(|bridge| format!(" master {bridge}")).unwrap_or_default();
        orders.push(ip(Some(&end.namespace), Family::Any, format!("link set {}{bridge} up", end.name)));
        if end.plain {
            orders.push(Order::Plain { namespace: end.namespace.clone(), device: end.name.clone() });
        }
    }
    orders
}

fn ip(namespace: Option<&str>, family: Family, line: String) -> Order {
    Order::Ip { namespace: namespace.map(str::to_owned), family, away: false, line }
}

fn family(net: &IpNet) -> Family {
    match net {
        IpNet::V4(_) => Family::V4,
        IpNet::V6(_) => Family::V6,
    }
}

fn table(number: Option<u32>) -> String {
    number.map_or_else(|| "main".to_owned(), |number| number.to_string())
}

fn barrier(item: &Item) -> String {
    match item {
        Item::Barrier { table: number, destination, kind: Barrier::Blackhole, .. } => {
            format!("blackhole {destination} metric {LAST} table {}", table(*number))
        }
        Item::Barrier { table: number, destination, kind: Barrier::Throw, .. } => {
            format!("throw {destination} table {}", table(*number))
        }
        _ => String::new(),
    }
}

fn route(item: &Item) -> String {
    let Item::Route { table: number, destination, device, via, .. } = item else { return String::new() };
    let via = match (destination, via) {
        (_, None) => String::new(),
        (IpNet::V4(_), Some(std::net::IpAddr::V6(via))) => format!(" via inet6 {via} onlink"),
        (_, Some(via)) => format!(" via {via} onlink"),
    };
    format!("{destination}{via} dev {device} table {}", table(*number))
}

fn ether(mac: &[u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

fn run(order: &Order, lines: &[String]) -> Result<(), KernelError> {
    match order {
        Order::Ip { namespace, family, away, .. } => {
            let mut command = Command::new("ip");
            command.args(match family {
                Family::Any => None,
                Family::V4 => Some("-4"),
                Family::V6 => Some("-6"),
            });
            command.args(namespace.iter().flat_map(|namespace| ["-n", namespace]));
            command.args(away.then_some("-force")).args(["-batch", "-"]);
            feed("ip", command, &format!("{}\n", lines.join("\n")), *away)
        }
        Order::Sysctl { namespace, key, value } => {
            let written = within(namespace, || std::fs::write(format!("/proc/sys/{key}"), value))?;
            written.map_err(|error| KernelError::Sysctl {
                key: key.clone(),
                namespace: namespace.clone(),
                error,
            })
        }
        Order::Nft { namespace, away, text } => {
            let mut command = Command::new("nft");
            command.args(["-f", "-"]);
            within(namespace, || feed("nft", command, text, *away))?
        }
        Order::Plain { namespace, device } => {
            let mut command = Command::new("ethtool");
            command.args(["-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off"]);
            within(namespace, || feed("ethtool", command, "", false))?
        }
    }
}

/// Run a program with `input`. What is to be taken away and is not there any more is no error: it is away.
fn feed(program: &'static str, mut command: Command, input: &str, away: bool) -> Result<(), KernelError> {
    let failed = |error| KernelError::Run(program, error);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).env("LC_ALL", "C");
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // a program that ends before it has read all says why below
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    let words = String::from_utf8_lossy(&output.stderr);
    let complaints = words.lines().filter(|line| !line.starts_with("Command failed") && !line.is_empty());
    let real: Vec<_> = complaints.filter(|line| !(away && is_absence(line))).collect();
    if output.status.success() || (away && real.is_empty()) {
        return Ok(());
    }
    let what = words.lines().find_map(|line| line.strip_prefix("Command failed -:")?.parse::<usize>().ok());
    let line = what.and_then(|number| input.lines().nth(number.saturating_sub(1))).unwrap_or_default();
    Err(KernelError::Refused { program, message: format!("{} ({line})", real.join("; ")) })
}

/// Whether a complaint says that the thing was not there.
fn is_absence(line: &str) -> bool {
    let absences = [
        "No such process",
        "No such file or directory",
        "No such device",
        "Cannot find device",
        "Cannot assign requested address",
    ];
    absences.iter().any(|absence| line.contains(absence))
}
