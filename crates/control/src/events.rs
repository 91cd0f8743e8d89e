//! Events to lines: one JSON object per alert and per ended flow, in the shape of Suricata's EVE log, so that what reads
//! that reads this. What only a GWLB has stands under `gwlb`.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use config::EventOutput;
use flow::{Direction, Ended, FlowKey, FlowState, Moment};
use inspect::{Alert, Event, Judged};
use policy::{About, Outcome, Policy};
use serde::Serialize;

use crate::timestamp::Timestamp;

/// Policies whose rules can still be named: events of a swapped policy may come late.
const POLICIES: usize = 4;

/// Writes events.
pub struct EventLog {
    /// `None`: events are taken and let fall.
    writer: Option<Box<dyn Write + Send>>,
    epoch: SystemTime,
    numbered: bool,
    policies: VecDeque<Arc<Policy>>,
    counts: LogCounts,
}

/// What the log has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LogCounts {
    /// Events written.
    pub written: u64,
    /// Events that could not be written.
    pub failed: u64,
}

impl EventLog {
    /// A log to where the operator wants it; `epoch` is the time of the zero moment.
    ///
    /// # Errors
    /// The file cannot be opened for appending.
    pub fn open(output: &EventOutput, epoch: SystemTime) -> io::Result<Self> {
        let writer: Option<Box<dyn Write + Send>> = match output {
            EventOutput::Off => None,
            EventOutput::Stdout => Some(Box::new(BufWriter::new(io::stdout()))),
            EventOutput::File(path) => {
                let file = File::options().append(true).create(true).open(path)?;
                Some(Box::new(BufWriter::new(file)))
            }
        };
        Ok(Self { writer, epoch, ..Self::off() })
    }

    /// A log to nowhere: events are taken and let fall.
    #[must_use]
    pub fn off() -> Self {
        Self {
            writer: None,
            epoch: SystemTime::UNIX_EPOCH,
            numbered: false,
            policies: VecDeque::new(),
            counts: LogCounts::default(),
        }
    }

    /// A log to a writer of the caller's.
    #[must_use]
    pub fn to(writer: Box<dyn Write + Send>, epoch: SystemTime) -> Self {
        Self { writer: Some(writer), epoch, ..Self::off() }
    }

    /// Know the rules of a policy from now on, to name them. The oldest policies are forgotten.
    pub fn know(&mut self, policy: Arc<Policy>) {
        self.policies.truncate(POLICIES - 1);
        self.policies.push_front(policy);
    }

    /// Say of every alert which packet raised it, as far as packets have numbers that mean something to the reader:
    /// those of a capture.
    #[must_use]
    pub fn numbered(self) -> Self {
        Self { numbered: true, ..self }
    }

    /// Write one event. What cannot be written is counted.
    pub fn write(&mut self, event: &Event) {
        if self.writer.is_none() {
            return;
        }
        let line = match event {
            Event::Alert(alert) => serde_json::to_vec(&self.alert(alert)),
            Event::FlowEnd(ended) => serde_json::to_vec(&self.flow(ended)),
            Event::Transaction(_) => return,
        };
        let written = line.map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.writer.as_mut().map_or(Ok(()), |writer| writer.write_all(&line))
        });
        match written {
            Ok(()) => self.counts.written += 1,
            Err(_) => self.counts.failed += 1,
        }
    }

    /// Let go of what is buffered; call it when nothing more comes for the moment.
    pub fn flush(&mut self) {
        if self.writer.as_mut().is_some_and(|writer| writer.flush().is_err()) {
            self.counts.failed += 1;
        }
    }

    /// What was written so far.
    #[must_use]
    pub fn counts(&self) -> LogCounts {
        self.counts
    }

    fn alert(&self, alert: &Alert) -> Line<'_> {
        let policy = self.policies.iter().find(|policy| policy.generation() == alert.generation);
        let rule = policy.and_then(|policy| policy.rules(alert.key.endpoint()).get(alert.rule));
        let about = rule.map(|loaded| &loaded.rule.about).filter(|about| about.sid == alert.sid);
        let mut line = self.line("alert", alert.moment, &alert.key, alert.direction);
        line.pcap_cnt = self.numbered.then_some(alert.packet);
        line.gwlb.generation = Some(alert.generation);
        line.alert = Some(AlertPart {
            action: if alert.dropped { "blocked" } else { "allowed" },
            gid: about.map_or(1, |about| about.gid),
            signature_id: alert.sid,
            rev: about.map(|about| about.rev),
            signature: about.and_then(|about| about.msg.as_deref()).unwrap_or_default(),
            category: about.and_then(|about| about.classtype.as_deref()).unwrap_or_default(),
            severity: about.and_then(|about| about.priority),
            metadata: about.map(metadata).unwrap_or_default(),
        });
        line
    }

    fn flow(&self, ended: &Ended<Judged>) -> Line<'_> {
        let flow = &ended.flow;
        let back = if flow.initiator == Direction::Up { Direction::Down } else { Direction::Up };
        let [to_server, to_client] = [flow.initiator, back].map(|direction| flow.tallies[direction as usize]);
        let dropped =
            [flow.initiator, back].into_iter().any(|way| flow.memo.outcome(way) == Some(Outcome::Drop));
        let mut line = self.line("flow", flow.last_seen, &flow.key, flow.initiator);
        line.flow = Some(FlowPart {
            pkts_toserver: to_server.packets(),
            pkts_toclient: to_client.packets(),
            bytes_toserver: to_server.bytes(),
            bytes_toclient: to_client.bytes(),
            start: self.time(flow.first_seen),
            end: self.time(flow.last_seen),
            age: flow.last_seen.since(flow.first_seen).as_secs(),
            state: match flow.state {
                FlowState::Opening | FlowState::Answered => "new",
                FlowState::Established | FlowState::ClosingByInitiator | FlowState::ClosingByResponder => {
                    "established"
                }
                FlowState::LastAck | FlowState::Closed | FlowState::Reset => "closed",
            },
            reason: ended.why.name(),
            action: if dropped { "drop" } else { "pass" },
        });
        line
    }

    fn line<'a>(
        &self,
        event_type: &'static str,
        moment: Moment,
        key: &FlowKey,
        direction: Direction,
    ) -> Line<'a> {
        let tuple = key.tuple(direction);
        // Other protocols have no ports, and neither has a flow of fragments.
        let has_ports =
            matches!(tuple.protocol, 6 | 17 | 132) && (tuple.source_port, tuple.destination_port) != (0, 0);
        Line {
            timestamp: self.time(moment),
            flow_id: flow_id(key),
            pcap_cnt: None,
            event_type,
            src_ip: address(tuple.source.to_ip(tuple.version)),
            src_port: has_ports.then_some(tuple.source_port),
            dest_ip: address(tuple.destination.to_ip(tuple.version)),
            dest_port: has_ports.then_some(tuple.destination_port),
            proto: protocol(tuple.protocol),
            alert: None,
            flow: None,
            gwlb: Gwlb { endpoint: key.endpoint().to_string(), generation: None },
        }
    }

    fn time(&self, moment: Moment) -> String {
        Timestamp::new(self.epoch, Duration::from_nanos(moment.0)).to_string()
    }
}

/// One event, in the order in which its fields are written.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    flow_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pcap_cnt: Option<u64>,
    event_type: &'static str,
    src_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_port: Option<u16>,
    proto: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<AlertPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<FlowPart>,
    gwlb: Gwlb,
}

#[derive(Serialize)]
struct AlertPart<'a> {
    action: &'static str,
    gid: u32,
    signature_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    rev: Option<u32>,
    signature: &'a str,
    category: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<u8>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'a str, Vec<&'a str>>,
}

#[derive(Serialize)]
struct FlowPart {
    pkts_toserver: u64,
    pkts_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    start: String,
    end: String,
    age: u64,
    state: &'static str,
    reason: &'static str,
    action: &'static str,
}

#[derive(Serialize)]
struct Gwlb {
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
}

/// A rule's metadata as the EVE log has it: each key once, with all its values.
fn metadata(about: &About) -> BTreeMap<&str, Vec<&str>> {
    let mut metadata: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in &about.metadata {
        metadata.entry(key).or_default().push(value);
    }
    metadata
}

/// The same number for every event of a flow, and after a restart. JSON readers keep 53 bits of an integer.
fn flow_id(key: &FlowKey) -> u64 {
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
