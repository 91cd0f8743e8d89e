//! The smaller tables: what is ours, how long flows live, the policy, and what the control thread does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::Ipv4Net;
use policy::{DefaultAction, Order, Variables};
use toml::de::DeValue;

use crate::document::Document;
use crate::machine::Machine;
use crate::value;

/// `[eal]`: memory for DPDK's environment abstraction layer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EalSettings {
    /// MiB if the operator fixed it.
    pub memory: Option<u32>,
    /// Whether to use huge pages if the operator fixed it.
    pub huge_pages: Option<bool>,
    /// Free huge pages of the machine, in bytes.
    pub huge_page_bytes: u64,
}

/// `[tunnel]`: which GENEVE frames are for us.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TunnelSettings {
    /// UDP port of GENEVE; 6081 unless somebody has a reason (RFC 8926 §3.3).
    pub udp_port: u16,
    /// Prefixes that hold the GWLB's node addresses. Frames from elsewhere are dropped.
    pub sources: Vec<Ipv4Net>,
}

/// What to do with a TCP packet of a flow whose start was not seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Midstream {
    /// Track it as an established flow.
    Pass,
    /// Drop it.
    Drop,
}

/// `[flow]`: how many flows, how long.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FlowSettings {
    /// Flows that all workers together can track.
    pub capacity: u32,
    /// Idle time after which an established TCP flow is forgotten.
    pub tcp_timeout: Duration,
    /// Idle time after which any other flow is forgotten.
    pub other_timeout: Duration,
    /// Flows that were there before us.
    pub midstream: Midstream,
}

/// `[policy]`: the operator's rules.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicySettings {
    /// Rule files; those that were relative to the configuration file are below its directory now.
    pub files: Vec<PathBuf>,
    /// How their rules are read and tried.
    pub rules: policy::Settings,
}

/// What the GWLB's health check of the target group is set to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HealthProtocol {
    /// A status code is read: unhealthy answers 503.
    Http,
    /// A handshake is all: unhealthy refuses the connection.
    Tcp,
}

/// `[health]`: what answers the GWLB's health checks.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HealthSettings {
    /// As in the target group.
    pub protocol: HealthProtocol,
    /// TCP port of the check.
    pub tcp_port: u16,
    /// Path of the HTTP check.
    pub path: String,
    /// Connections at once, over all GWLB nodes.
    pub connections: u32,
    /// A check that is not done after this long is reset.
    pub timeout: Duration,
}

/// Where events are written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventOutput {
    /// Nowhere.
    Off,
    /// Standard output, one JSON object a line.
    Stdout,
    /// A file that is appended to.
    File(PathBuf),
}

/// `[metrics]`, `[events]`, `[drain]`: single keys.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ServiceSettings {
    /// Address of the Prometheus exporter, on the management side.
    pub metrics: SocketAddr,
    /// Where alerts and flow records go.
    pub events: EventOutput,
    /// Between failing the health check and stopping: the GWLB's interval times its unhealthy threshold, and some.
    pub drain_delay: Duration,
}

impl EalSettings {
    pub(crate) fn read(document: &mut Document<'_>, machine: &Machine) -> Self {
        let huge_pages = |value: &DeValue<'_>| match value.as_str() {
            Some("auto") => Ok(None),
            _ => value.as_bool().map(Some).ok_or_else(|| "must be \"auto\", true or false".to_string()),
        };
        Self {
            memory: document.optional("eal", "memory", value::number(1..=1_048_576)),
            huge_pages: document.value("eal", "huge_pages", None, huge_pages),
            huge_page_bytes: machine.huge_page_bytes,
        }
    }
}

impl TunnelSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let private = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];
        let private: Vec<Ipv4Net> = private.iter().filter_map(|net| net.parse().ok()).collect();
        let udp_port = document.value("tunnel", "udp_port", 6081, value::listen_port);
        let sources = document.value("tunnel", "sources", private, value::list(value::prefix));
        if sources.is_empty() {
            document.wrong("tunnel.sources", "must name at least one prefix, or every frame is dropped");
        }
        Self { udp_port, sources }
    }
}

impl FlowSettings {
    pub(crate) fn read(document: &mut Document<'_>, workers: usize) -> Self {
        let midstream = [("pass", Midstream::Pass), ("drop", Midstream::Drop)];
        let capacity = document.value("flow", "capacity", 1_000_000, value::number(1..=1_000_000_000));
        if (capacity as usize) < workers {
            document.wrong("flow.capacity", format!("must be at least {workers}: one flow for every worker"));
        }
        Self {
            capacity,
            tcp_timeout: document.value(
                "flow",
                "tcp_timeout",
                Duration::from_secs(350),
                value::seconds(1..=86400),
            ),
            other_timeout: document.value(
                "flow",
                "other_timeout",
                Duration::from_secs(120),
                value::seconds(1..=86400),
            ),
            midstream: document.value("flow", "midstream", Midstream::Pass, value::choice(&midstream)),
        }
    }
}

impl PolicySettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let actions = [("forward", DefaultAction::Forward), ("drop", DefaultAction::Drop)];
        let orders = [("strict", Order::Strict), ("action", Order::Action)];
        let files = document.value("policy", "rules", Vec::new(), value::list(value::text));
        let mut rules = policy::Settings {
            order: document.value("policy", "order", Order::Strict, value::choice(&orders)),
            default_action: document.value(
                "policy",
                "default",
                DefaultAction::Forward,
                value::choice(&actions),
            ),
            ..policy::Settings::default()
        };
        for name in document.free_keys("policy.vars") {
            let set = |value: &DeValue<'_>| set_variable(&mut rules.variables, &name, &value::text(value)?);
            // The value is set where it is read, or wrong.
            let _ = document.optional("policy.vars", &name, set);
        }
        Self { files: files.into_iter().map(|file| document.beside(&file)).collect(), rules }
    }
}

/// A variable is a list of addresses or of ports, whichever its text is; a text that is both is both.
fn set_variable(variables: &mut Variables, name: &str, list: &str) -> Result<(), String> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("is no variable's name: letters, digits and _".into());
    }
    let ports = variables.set_ports(name, list);
    match (variables.set_addresses(name, list), ports) {
        (Err(addresses), Err(ports)) => {
            Err(format!("is no list of addresses ({addresses}) nor of ports ({ports})"))
        }
        _ => Ok(()),
    }
}

impl HealthSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let protocols = [("http", HealthProtocol::Http), ("tcp", HealthProtocol::Tcp)];
        let path = |value: &DeValue<'_>| {
            let good = |path: &String| {
                path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'?')
            };
            let wanted = || "must be a path of printable ASCII that starts with / and has no ?".to_string();
            value::text(value).ok().filter(good).ok_or_else(wanted)
        };
        Self {
            protocol: document.value("health", "protocol", HealthProtocol::Http, value::choice(&protocols)),
            tcp_port: document.value("health", "port", 80, value::listen_port),
            path: document.value("health", "path", "/".into(), path),
            connections: document.value("health", "connections", 64, value::number(4..=1024)),
            timeout: document.value("health", "timeout", Duration::from_secs(10), value::seconds(1..=120)),
        }
    }
}

impl ServiceSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 9100));
        let output = |value: &DeValue<'_>| {
            let said =
                value::text(value).map_err(|_| "must be \"off\", \"stdout\" or a file's name".to_string())?;
            Ok(match said.as_str() {
                "off" => EventOutput::Off,
                "stdout" => EventOutput::Stdout,
                _ => EventOutput::File(said.into()),
            })
        };
        Self {
            metrics: document.value("metrics", "listen", loopback, value::socket),
            events: document.value("events", "output", EventOutput::Stdout, output),
            drain_delay: document.value("drain", "delay", Duration::from_secs(25), value::seconds(0..=3600)),
        }
    }
}
