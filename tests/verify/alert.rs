//! An alert as both engines write it.

use std::fmt;

use serde_json::Value;

/// What two engines must agree on: the rule and the five-tuple.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Alert {
    sid: u64,
    proto: String,
    ends: [(String, Option<u64>); 2],
    /// The packet that raised it, as far as that is told; last, so that alerts sort by the rest first.
    pub(crate) packet: Option<u64>,
}

impl Alert {
    /// An alert of `expected.json`.
    pub(crate) fn expected(told: &Value) -> Self {
        Self::new(told, &told["sid"])
    }

    /// A line of an EVE log, if it is an alert.
    pub(crate) fn of_eve(line: &str) -> Option<Self> {
        let told: Value = serde_json::from_str(line).expect("a line of EVE is JSON");
        (told["event_type"] == "alert").then(|| Self::new(&told, &told["alert"]["signature_id"]))
    }

    fn new(told: &Value, sid: &Value) -> Self {
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let end = |ip, port: &str| (text(ip), told[port].as_u64());
        Self {
            sid: sid.as_u64().unwrap_or_default(),
            proto: text("proto"),
            ends: [end("src_ip", "src_port"), end("dest_ip", "dest_port")],
            packet: told["pcap_cnt"].as_u64(),
        }
    }

    /// The same alert, whichever packet raised it.
    pub(crate) fn anywhere(&self) -> Self {
        Self { packet: None, ..self.clone() }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = |port: Option<u64>| port.map(|port| format!(":{port}")).unwrap_or_default();
        let [(source, from), (destination, to)] = &self.ends;
        write!(f, "sid {} {} {source}{} -> {destination}{}", self.sid, self.proto, port(*from), port(*to))?;
        self.packet.map_or(Ok(()), |packet| write!(f, " packet {packet}"))
    }
}
