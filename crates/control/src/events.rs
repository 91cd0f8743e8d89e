//! Events to lines: one JSON object per alert, dropped flow, ended flow and transaction, in the shape of [`crate::eve`].

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use config::{EventKind, EventSettings};
use engine::Snapshot;
use flow::{Ended, FlowState, Moment};
use inspect::{Alert, Cause, Dropped, Event, FlowSoFar, Judged, Noticed, Tagged, TransactionEnd};
use policy::{LoadedRule, Outcome, Policy, Reaction, RuleIndex, RuleSet};
use serde_json::{Value, json};

use crate::eve::{Line, alert_of, alert_part, anomaly, app, app_name, list, merge, stats, tallies, wrapped};
use crate::learn::Learner;
use crate::output::Output;
use crate::timestamp::Timestamp;

/// Policies whose rules can still be named: events of a swapped policy may come late.
const POLICIES: usize = 4;

/// A packet from its IP header on (<https://www.tcpdump.org/linktypes.html>).
const LINKTYPE_RAW: u8 = 101;

/// Writes events.
pub struct EventLog {
    output: Output,
    settings: EventSettings,
    epoch: SystemTime,
    numbered: bool,
    policies: VecDeque<Arc<Policy>>,
    learner: Option<Learner>,
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
    /// The file cannot be opened for appending. That nobody listens on a socket is no error: somebody may, later.
    pub fn open(settings: &EventSettings, epoch: SystemTime) -> io::Result<Self> {
        let output = Output::open(&settings.output, settings.rotation)?;
        Ok(Self::new(output, settings.clone(), epoch))
    }

    /// A log to a writer of the caller's.
    #[must_use]
    pub fn to(writer: Box<dyn Write + Send>, settings: EventSettings, epoch: SystemTime) -> Self {
        Self::new(Output::Writer(writer), settings, epoch)
    }

    /// A log to nowhere: events are taken and let fall.
    #[must_use]
    pub fn off() -> Self {
        Self::new(Output::Off, EventSettings::default(), SystemTime::UNIX_EPOCH)
    }

    fn new(output: Output, settings: EventSettings, epoch: SystemTime) -> Self {
        let (policies, counts) = (VecDeque::new(), LogCounts::default());
        Self { output, settings, epoch, numbered: false, policies, learner: None, counts }
    }

    /// Say of every event which packet raised it, as far as packets have numbers that mean something to the reader:
    /// those of a capture.
    #[must_use]
    pub fn numbered(self) -> Self {
        Self { numbered: true, ..self }
    }

    /// Learn the names that transactions say, until [`EventLog::end_learning`].
    #[must_use]
    pub fn learning(self, learner: Learner) -> Self {
        Self { learner: Some(learner), ..self }
    }

    /// Write what was learnt, once; gives back the files.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn end_learning(&mut self) -> io::Result<Vec<PathBuf>> {
        self.learner.take().map_or(Ok(Vec::new()), |learner| learner.write())
    }

    /// Know the rules of a policy from now on, to name them. The oldest policies are forgotten.
    pub fn know(&mut self, policy: Arc<Policy>) {
        self.policies.truncate(POLICIES - 1);
        self.policies.push_front(policy);
    }

    /// Write one event. What cannot be written is counted.
    pub fn write(&mut self, event: &Event) {
        self.learner.iter_mut().for_each(|learner| learner.note(event));
        if self.output.is_off() {
            return;
        }
        match event {
            Event::Alert(alert) if self.wants(EventKind::Alert) => self.put(alert.moment, &self.alert(alert)),
            Event::Dropped(dropped) if self.wants(EventKind::Drop) => {
                self.put(dropped.moment, &self.dropped(dropped));
            }
            Event::FlowEnd(ended) if self.wants(EventKind::Flow) => {
                self.put(ended.flow.last_seen, &self.flow(ended));
            }
            Event::Tagged(tagged) if self.wants(EventKind::Packet) => {
                self.put(tagged.moment, &self.tagged(tagged));
            }
            Event::Noticed(noticed) => self.noticed(noticed),
            Event::Transaction(ended) => self.transaction(ended),
            _ => {}
        }
    }

    /// Write what was counted up to `now`, `uptime` after the start.
    pub fn write_stats(&mut self, now: Moment, snapshot: &Snapshot, uptime: Duration) {
        if self.output.is_off() || !self.wants(EventKind::Stats) {
            return;
        }
        let mut line = Line::of_all("stats", self.time(now));
        line.part("stats", stats(snapshot, uptime));
        self.put(now, &line);
    }

    /// Let go of what is buffered; call it when nothing more comes for the moment.
    pub fn flush(&mut self) {
        if self.output.flush().is_err() {
            self.counts.failed += 1;
        }
    }

    /// Begin anew under the same name: whoever rotates logs has set the file aside.
    pub fn reopen(&mut self) {
        if self.output.reopen().is_err() {
            self.counts.failed += 1;
        }
    }

    /// What was written so far.
    #[must_use]
    pub fn counts(&self) -> LogCounts {
        self.counts
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.settings.kinds.contains(&kind)
    }

    fn put(&mut self, moment: Moment, line: &Line) {
        let bytes = match &self.settings.firewall {
            None => serde_json::to_vec(line),
            Some(firewall) => wrapped(line, firewall, self.timestamp(moment).seconds()),
        };
        let written = bytes.map_err(io::Error::from).and_then(|mut bytes| {
            bytes.push(b'\n');
            self.output.write(&bytes)
        });
        match written {
            Ok(()) => self.counts.written += 1,
            Err(_) => self.counts.failed += 1,
        }
    }

    fn alert(&self, alert: &Alert) -> Line {
        let rule = self.rule(alert.generation, alert.key.endpoint(), alert.rule);
        let rule = rule.filter(|rule| rule.rule.about.sid == alert.sid);
        let mut line = Line::of_flow("alert", self.time(alert.moment), &alert.key, alert.direction);
        self.happened(&mut line, alert.packet, Some(alert.generation), &alert.flow);
        line.part("alert", alert_part(alert.sid, rule, if alert.dropped { "blocked" } else { "allowed" }));
        let to_server = alert.flow.is_to_server(alert.direction);
        line.part("direction", if to_server { "to_server" } else { "to_client" });
        if let Some(protocol) = alert.app {
            line.part("app_proto", app_name(protocol));
            if let Some(transaction) = &alert.transaction {
                line.part("tx_id", transaction.number);
                let lists = self.rules(alert.generation, alert.key.endpoint()).map(RuleSet::lists);
                if let (Some(lists), Some(rule)) = (lists, rule)
                    && let Some(part) = list(lists, &rule.rule, transaction)
                {
                    line.part("list", part);
                }
                if let Some((name, part)) = app(protocol, transaction) {
                    line.part(name, part);
                }
            }
        }
        line.part("flow", self.so_far(&alert.key, &alert.flow));
        line
    }

    fn dropped(&self, dropped: &Dropped) -> Line {
        let mut line = Line::of_flow("drop", self.time(dropped.moment), &dropped.key, dropped.direction);
        self.happened(&mut line, dropped.packet, Some(dropped.generation), &dropped.flow);
        let reason = match dropped.by {
            Some(Cause::Rule(_)) => "rules",
            Some(Cause::Anomaly(_)) => "anomaly",
            None => "default drop",
        };
        line.part("drop", json!({ "len": dropped.bytes, "reason": reason }));
        match dropped.by {
            Some(Cause::Rule(rule)) => {
                if let Some(rule) = self.rule(dropped.generation, dropped.key.endpoint(), rule) {
                    line.part("alert", alert_part(rule.rule.about.sid, Some(rule), "blocked"));
                }
            }
            Some(Cause::Anomaly(anomaly)) => line.part("alert", alert_of(anomaly, "blocked")),
            None => {}
        }
        line.part("flow", self.so_far(&dropped.key, &dropped.flow));
        line
    }

    /// A packet as it is: of an IP header the link type is none's.
    fn tagged(&self, tagged: &Tagged) -> Line {
        let mut line = Line::of_flow("packet", self.time(tagged.moment), &tagged.key, tagged.direction);
        self.happened(&mut line, tagged.packet, None, &tagged.flow);
        line.part("packet", BASE64_STANDARD.encode(&tagged.bytes));
        line.part("packet_info", json!({ "linktype": LINKTYPE_RAW }));
        line.part("flow", self.so_far(&tagged.key, &tagged.flow));
        line
    }

    /// An oddity: as an anomaly, and as an alert if it is grave enough.
    fn noticed(&mut self, noticed: &Noticed) {
        let Noticed { moment, key, direction, flow, app: protocol, .. } = noticed;
        let record = |event_type| {
            let mut line = Line::of_flow(event_type, self.time(*moment), key, *direction);
            self.happened(&mut line, noticed.packet, Some(noticed.generation), flow);
            if let Some(number) = noticed.number {
                line.part("tx_id", number);
            }
            line
        };
        let mut lines = Vec::new();
        if self.wants(EventKind::Anomaly) {
            let mut line = record("anomaly");
            line.part("anomaly", anomaly(*protocol, noticed.anomaly));
            lines.push(line);
        }
        if noticed.reaction >= Reaction::Alert && self.wants(EventKind::Alert) {
            let mut line = record("alert");
            line.part(
                "alert",
                alert_of(noticed.anomaly, if noticed.dropped { "blocked" } else { "allowed" }),
            );
            let to_server = flow.is_to_server(*direction);
            line.part("direction", if to_server { "to_server" } else { "to_client" });
            if let Some(protocol) = *protocol {
                line.part("app_proto", app_name(protocol));
                if let Some((name, part)) = noticed.transaction.as_ref().and_then(|open| app(protocol, open))
                {
                    line.part(name, part);
                }
            }
            line.part("flow", self.so_far(key, flow));
            lines.push(line);
        }
        for line in lines {
            self.put(*moment, &line);
        }
    }

    fn transaction(&mut self, ended: &TransactionEnd) {
        let TransactionEnd { moment, key, initiator, app: protocol, transaction, packet } = ended;
        let record = |event_type| {
            let mut line = Line::of_flow(event_type, self.time(*moment), key, *initiator);
            line.pcap_cnt = Some(*packet).filter(|packet| self.numbered && *packet > 0);
            line.part("tx_id", transaction.number);
            line
        };
        if let Some((name, part)) = app(*protocol, transaction)
            && EventKind::ALL.iter().any(|(kind, wanted)| *kind == name && self.wants(*wanted))
        {
            let mut line = record(name);
            line.part(name, part);
            self.put(*moment, &line);
        }
    }

    fn flow(&self, ended: &Ended<Judged>) -> Line {
        let flow = &ended.flow;
        let ways = [flow.initiator, flow.initiator.opposite()];
        let dropped = ways.into_iter().any(|way| flow.memo.outcome(way) == Some(Outcome::Drop));
        let mut line = Line::of_flow("flow", self.time(flow.last_seen), &flow.key, flow.initiator);
        let mut part = tallies(ways.map(|way| flow.tallies[way as usize]));
        let rest = json!({
            "start": self.time(flow.first_seen),
            "end": self.time(flow.last_seen),
            "age": flow.last_seen.since(flow.first_seen).as_secs(),
            "state": match flow.state {
                FlowState::Opening | FlowState::Answered => "new",
                FlowState::Established | FlowState::ClosingByInitiator | FlowState::ClosingByResponder => {
                    "established"
                }
                FlowState::LastAck | FlowState::Closed | FlowState::Reset => "closed",
            },
            "reason": ended.why.name(),
            "action": if dropped { "drop" } else { "pass" },
        });
        merge(&mut part, rest);
        line.part("flow", part);
        line
    }

    /// What a record about a packet has besides its ends.
    fn happened(&self, line: &mut Line, packet: u64, generation: Option<u64>, flow: &FlowSoFar) {
        line.pcap_cnt = Some(packet).filter(|packet| self.numbered && *packet > 0);
        if let Some([kind, code]) = flow.icmp {
            line.part("icmp_type", kind);
            line.part("icmp_code", code);
        }
        if let Some(gwlb) = &mut line.gwlb {
            gwlb.attachment = Some(format!("{:016x}", flow.attachment.0));
            gwlb.generation = generation;
        }
    }

    fn so_far(&self, key: &flow::FlowKey, flow: &FlowSoFar) -> Value {
        let ways = [flow.initiator, flow.initiator.opposite()];
        let mut part = tallies(ways.map(|way| flow.tallies[way as usize]));
        merge(&mut part, json!({ "start": self.time(flow.begun) }));
        // The flow's own ends: those of the record are its packet's.
        let ends = Line::of_flow("flow", String::new(), key, flow.initiator);
        merge(&mut part, ends.ends());
        part
    }

    fn rule(&self, generation: u64, endpoint: wire::EndpointId, rule: RuleIndex) -> Option<&LoadedRule> {
        self.rules(generation, endpoint)?.get(rule)
    }

    fn rules(&self, generation: u64, endpoint: wire::EndpointId) -> Option<&RuleSet> {
        let policy = self.policies.iter().find(|policy| policy.generation() == generation)?;
        Some(policy.rules(endpoint))
    }

    fn timestamp(&self, moment: Moment) -> Timestamp {
        Timestamp::new(self.epoch, Duration::from_nanos(moment.0))
    }

    fn time(&self, moment: Moment) -> String {
        self.timestamp(moment).to_string()
    }
}
