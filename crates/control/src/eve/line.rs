//! One record, in the order in which its fields are written.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use config::Firewall;
use flow::{Direction, FlowKey};
use serde::Serialize;
use serde_json::{Map, Value};

/// One record.
#[derive(Serialize)]
pub(crate) struct Line {
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pcap_cnt: Option<u64>,
    event_type: &'static str,
    #[serde(flatten)]
    ends: Option<Ends>,
    /// `alert`, `flow`, `http` and their like, each under its own name, and single values.
    #[serde(flatten)]
    parts: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gwlb: Option<Gwlb>,
}

#[derive(Serialize)]
struct Ends {
    src_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_port: Option<u16>,
    proto: String,
}

/// What only a GWLB has.
#[derive(Serialize)]
pub(crate) struct Gwlb {
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attachment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generation: Option<u64>,
}

impl Line {
    /// A record of a flow, as its packets go one way.
    pub(crate) fn of_flow(
        event_type: &'static str,
        timestamp: String,
        key: &FlowKey,
        direction: Direction,
    ) -> Self {
        let tuple = key.tuple(direction);
        // Other protocols have no ports; a packet of these that hides or breaks its ports has zeros.
        let has_ports = matches!(tuple.protocol, 6 | 17 | 132);
        let ends = Ends {
            src_ip: address(tuple.source.to_ip(tuple.version)),
            src_port: has_ports.then_some(tuple.source_port),
            dest_ip: address(tuple.destination.to_ip(tuple.version)),
            dest_port: has_ports.then_some(tuple.destination_port),
            proto: protocol(tuple.protocol),
        };
        Self {
            flow_id: Some(flow_id(key)),
            ends: Some(ends),
            gwlb: Some(Gwlb { endpoint: key.endpoint().to_string(), attachment: None, generation: None }),
            ..Self::of_all(event_type, timestamp)
        }
    }

    /// A record of the appliance as a whole.
    pub(crate) fn of_all(event_type: &'static str, timestamp: String) -> Self {
        Self {
            timestamp,
            flow_id: None,
            pcap_cnt: None,
            event_type,
            ends: None,
            parts: Map::new(),
            gwlb: None,
        }
    }

    /// The ends alone, without the protocol.
    pub(crate) fn ends(&self) -> Value {
        let mut ends = serde_json::to_value(&self.ends).unwrap_or_default();
        if let Some(ends) = ends.as_object_mut() {
            ends.remove("proto");
        }
        ends
    }

    /// Add a part under its name.
    pub(crate) fn part(&mut self, name: &str, part: impl Into<Value>) {
        self.parts.insert(name.to_owned(), part.into());
    }
}

/// A record in the wrapping of AWS Network Firewall (AWS, "Contents of a AWS Network Firewall log"); `seconds` since 1970.
pub(crate) fn wrapped(line: &Line, firewall: &Firewall, seconds: u64) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Wrapped<'a> {
        firewall_name: &'a str,
        availability_zone: &'a str,
        event_timestamp: String,
        event: &'a Line,
    }
    serde_json::to_vec(&Wrapped {
        firewall_name: &firewall.name,
        availability_zone: &firewall.zone,
        event_timestamp: seconds.to_string(),
        event: line,
    })
}

/// A flow's `flow_id`: the same number for every event of a flow, and after a restart. JSON readers keep 53 bits of an
/// integer.
#[must_use]
pub fn flow_id(key: &FlowKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish() >> 11
}

/// An address as the EVE log has it: IPv6 in eight groups of four digits, none left out.
fn address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => v6.segments().map(|group| format!("{group:04x}")).join(":"),
    }
}

/// Names as the EVE log has them, which are IANA's ("Protocol Numbers") in the spelling of old; three digits for what has
/// none.
fn protocol(number: u8) -> String {
    let name = match number {
        1 => "ICMP",
        2 => "IGMP",
        4 => "IP-in-IP",
        6 => "TCP",
        8 => "EGP",
        17 => "UDP",
        33 => "DCCP",
        41 => "IPv6",
        43 => "IPv6-Route",
        44 => "IPv6-Frag",
        46 => "RSVP",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "IPv6-ICMP",
        59 => "IPv6-NoNxt",
        60 => "IPv6-Opts",
        88 => "EIGRP",
        103 => "PIM",
        112 => "VRRP",
        115 => "L2TP",
        132 => "SCTP",
        _ => return format!("{number:03}"),
    };
    name.into()
}
