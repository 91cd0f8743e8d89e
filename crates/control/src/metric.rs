//! Every metric's name and meaning, in one table. What is not here cannot be exported.

use std::borrow::Cow;

use engine::Counter;

/// How a metric moves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Only ever grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A metric as it is documented.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metric {
    /// Its name for Prometheus, with its unit; a counter's ends in `_total`.
    pub name: Cow<'static, str>,
    /// How it moves.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub about: &'static str,
}

impl Metric {
    /// Every metric there is.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let cores = Counter::ALL.into_iter().filter_map(Self::of_core);
        TABLE.iter().map(|metric| (*metric).clone()).chain(cores).collect()
    }

    /// The metric of a core's counter. A heartbeat has none: a moment says nothing, [`HEARTBEAT_AGE`] does.
    pub(crate) fn of_core(counter: Counter) -> Option<Self> {
        let kind = if counter.is_gauge() { Kind::Gauge } else { Kind::Counter };
        let total = if counter.is_gauge() { "" } else { "_total" };
        let name = Cow::Owned(format!("sluice_core_{}{total}", counter.name()));
        (counter != Counter::Heartbeat).then_some(Self {
            name,
            kind,
            labels: &["core"],
            about: about(counter),
        })
    }

    const fn counter(name: &'static str, labels: &'static [&'static str], about: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind: Kind::Counter, labels, about }
    }

    const fn gauge(name: &'static str, labels: &'static [&'static str], about: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind: Kind::Gauge, labels, about }
    }
}

pub(crate) const BUILD_INFO: Metric =
    Metric::gauge("sluice_build_info", &["version"], "Always 1; the version that runs.");
pub(crate) const UPTIME: Metric = Metric::gauge("sluice_uptime_seconds", &[], "Seconds since the start.");
pub(crate) const HEALTHY: Metric =
    Metric::gauge("sluice_healthy", &[], "1 while health checks are told that new flows may come, else 0.");
pub(crate) const DRAINING: Metric =
    Metric::gauge("sluice_draining", &[], "1 from the first signal to end on, else 0.");
pub(crate) const LINK_UP: Metric =
    Metric::gauge("sluice_link_up", &[], "1 while the port's link is up, else 0.");
pub(crate) const POLICY_GENERATION: Metric =
    Metric::gauge("sluice_policy_generation", &[], "Which policy is in force; 0 while none is.");
pub(crate) const POLICY_RELOADS: Metric = Metric::counter(
    "sluice_policy_reloads_total",
    &["result"],
    "Times the rules were read again: taken, or refused because they could not be used.",
);
pub(crate) const ANOMALIES: Metric = Metric::counter(
    "sluice_anomalies_total",
    &["event"],
    "What was odd in itself, by what: names, protocols, bounds.",
);
pub(crate) const MARKS_EVICTED: Metric = Metric::counter(
    "sluice_marks_evicted_total",
    &[],
    "Marks on addresses, counts of matches and tags of hosts that gave way to others before their time.",
);
pub(crate) const NAMES_EVICTED: Metric = Metric::counter(
    "sluice_names_evicted_total",
    &[],
    "Addresses of names, as DNS answered them, that gave way to others before their time.",
);
pub(crate) const HEARTBEAT_AGE: Metric = Metric::gauge(
    "sluice_core_heartbeat_age_seconds",
    &["core"],
    "Seconds since the core ended a turn; from 1 on it is taken for dead.",
);
pub(crate) const DROPPED: Metric = Metric::counter(
    "sluice_dropped_packets_total",
    &["core", "reason"],
    "Packets dropped, by the core that dropped them and the reason.",
);
pub(crate) const IN_FLIGHT: Metric = Metric::gauge(
    "sluice_in_flight_packets",
    &[],
    "Packets between receiving and leaving, in all cores and rings.",
);
pub(crate) const UNACCOUNTED: Metric = Metric::gauge(
    "sluice_unaccounted_packets",
    &[],
    "Packets received or injected that are neither sent, dropped, punted nor in flight. Always 0.",
);
pub(crate) const LOCAL_ARP: Metric = Metric::counter(
    "sluice_local_arp_replies_total",
    &[],
    "ARP requests for our address that were answered.",
);
pub(crate) const LOCAL_ECHO: Metric =
    Metric::counter("sluice_local_echo_requests_total", &[], "Pings that came.");
pub(crate) const LOCAL_IGNORED: Metric = Metric::counter(
    "sluice_local_ignored_frames_total",
    &[],
    "Punted frames that ask nothing that is answered.",
);
pub(crate) const LOCAL_UNSENT: Metric = Metric::counter(
    "sluice_local_unsent_frames_total",
    &[],
    "Answers that could not be sent: no mbuf, or a full ring.",
);
pub(crate) const CHECKS: Metric = Metric::counter(
    "sluice_health_checks_total",
    &["answer"],
    "HTTP health checks by their answer: 200, 503, or 4xx for what is no check.",
);
pub(crate) const CHECKS_OPENED: Metric = Metric::counter(
    "sluice_health_connections_total",
    &[],
    "Connections that came to the health check, of whatever protocol.",
);
pub(crate) const CHECKS_TIMED_OUT: Metric = Metric::counter(
    "sluice_health_connections_timed_out_total",
    &[],
    "Connections to the health check that were reset because they took too long.",
);
pub(crate) const CHECKS_EVICTED: Metric = Metric::counter(
    "sluice_health_connections_evicted_total",
    &[],
    "Connections to the health check that made room for newer ones.",
);
pub(crate) const PORT_FRAMES: Metric = Metric::counter(
    "sluice_port_frames_total",
    &["direction"],
    "Frames that the port received (rx) and sent (tx), as DPDK counts them.",
);
pub(crate) const PORT_BYTES: Metric =
    Metric::counter("sluice_port_bytes_total", &["direction"], "Bytes of these frames.");
pub(crate) const PORT_ERRORS: Metric = Metric::counter(
    "sluice_port_errors_total",
    &["direction"],
    "Frames received in error, or that failed to be sent.",
);
pub(crate) const PORT_MISSED: Metric = Metric::counter(
    "sluice_port_missed_frames_total",
    &[],
    "Frames that the device dropped because the receive cores did not fetch them.",
);
pub(crate) const PORT_NO_MBUF: Metric =
    Metric::counter("sluice_port_no_mbuf_total", &[], "Times a receive queue found the mempool empty.");
pub(crate) const PORT_REFUSED: Metric = Metric::counter(
    "sluice_port_refused_total",
    &[],
    "Frames longer than the port's MTU that came in several mbufs and were freed; no core received them.",
);
pub(crate) const XSTAT: Metric = Metric::gauge(
    "sluice_port_xstat",
    &["name"],
    "The driver's own counters by its own names; on ENA also bw_in_allowance_exceeded, bw_out_allowance_exceeded, pps_allowance_exceeded, conntrack_allowance_exceeded and linklocal_allowance_exceeded.",
);
pub(crate) const QUEUE_XSTAT: Metric = Metric::gauge(
    "sluice_queue_xstat",
    &["direction", "queue", "name"],
    "The driver's counters of one queue. Receive queue n is polled by core rx n, transmit queue n filled by core tx n.",
);
pub(crate) const MEMPOOL_SIZE: Metric =
    Metric::gauge("sluice_mempool_mbufs", &[], "Mbufs in the packet pool.");
pub(crate) const MEMPOOL_FREE: Metric =
    Metric::gauge("sluice_mempool_free_mbufs", &[], "Mbufs of the packet pool that nobody uses.");
pub(crate) const EVENTS_WRITTEN: Metric =
    Metric::counter("sluice_events_written_total", &[], "Alerts and flow records written to the event log.");
pub(crate) const EVENTS_FAILED: Metric = Metric::counter(
    "sluice_events_failed_total",
    &[],
    "Alerts and flow records that the event log could not write.",
);

pub(crate) const ENDPOINT_FLOWS: Metric =
    Metric::gauge("sluice_endpoint_flows", &["endpoint"], "Flows of an endpoint that has limits.");
pub(crate) const ENDPOINT_SESSIONS: Metric = Metric::gauge(
    "sluice_endpoint_sessions",
    &["endpoint"],
    "Flows of an endpoint that has limits which are being looked into.",
);
pub(crate) const ENDPOINT_FLOWS_REFUSED: Metric = Metric::counter(
    "sluice_endpoint_flows_refused_total",
    &["endpoint"],
    "Packets dropped because they would have begun one flow more than their endpoint may have.",
);
pub(crate) const ENDPOINT_SESSIONS_REFUSED: Metric = Metric::counter(
    "sluice_endpoint_sessions_refused_total",
    &["endpoint"],
    "Times that a flow was not looked into because its endpoint has as many such as it may have.",
);

/// All but those of the cores' counters.
const TABLE: &[&Metric] = &[
    &BUILD_INFO,
    &UPTIME,
    &HEALTHY,
    &DRAINING,
    &LINK_UP,
    &POLICY_GENERATION,
    &POLICY_RELOADS,
    &ANOMALIES,
    &MARKS_EVICTED,
    &NAMES_EVICTED,
    &HEARTBEAT_AGE,
    &DROPPED,
    &IN_FLIGHT,
    &UNACCOUNTED,
    &LOCAL_ARP,
    &LOCAL_ECHO,
    &LOCAL_IGNORED,
    &LOCAL_UNSENT,
    &CHECKS,
    &CHECKS_OPENED,
    &CHECKS_TIMED_OUT,
    &CHECKS_EVICTED,
    &PORT_FRAMES,
    &PORT_BYTES,
    &PORT_ERRORS,
    &PORT_MISSED,
    &PORT_NO_MBUF,
    &PORT_REFUSED,
    &XSTAT,
    &QUEUE_XSTAT,
    &MEMPOOL_SIZE,
    &MEMPOOL_FREE,
    &ENDPOINT_FLOWS,
    &ENDPOINT_SESSIONS,
    &ENDPOINT_FLOWS_REFUSED,
    &ENDPOINT_SESSIONS_REFUSED,
    &EVENTS_WRITTEN,
    &EVENTS_FAILED,
];

fn about(counter: Counter) -> &'static str {
    match counter {
        Counter::Alerts => "Alerts raised.",
        Counter::AlertsLost => "Alerts that found no room in their packet's judgement.",
        Counter::BusyNanos => "Nanoseconds of turns in which packets moved.",
        Counter::BusyTurns => "Turns in which packets moved.",
        Counter::Bursts => {
            "Bursts that came from the source; received packets by bursts is how full they are."
        }
        Counter::CookiesChanged => "Times GWLB gave one direction of a known flow another cookie.",
        Counter::ElapsedNanos => {
            "Nanoseconds since the first turn; what is not busy is idle, or another role of the same thread."
        }
        Counter::EventsLostAlerts => "Alerts that found no room on their way to the log.",
        Counter::EventsLostAnomalies => "Anomalies that found no room on their way to the log.",
        Counter::EventsLostDrops => "Drops that found no room on their way to the log.",
        Counter::EventsLostFlows => "Ends of flows that found no room on their way to the log.",
        Counter::EventsLostPackets => "Tagged packets that found no room on their way to the log.",
        Counter::EventsLostTransactions => "Transactions that found no room on their way to the log.",
        Counter::Flows => "Flows in the table now.",
        Counter::FlowsBegun => "Flows begun.",
        Counter::FlowsClosed => "TCP flows ended after both sides had closed.",
        Counter::FlowsFlushed => "Flows ended because new rules let all flows begin anew.",
        Counter::FlowsIdle => "Flows ended because no packet came.",
        Counter::FlowsMidstream => "Flows begun amid a TCP connection.",
        Counter::FlowsReplaced => "Flows that another of the same key replaced under a new cookie.",
        Counter::FlowsReset => "TCP flows ended after a RST.",
        Counter::Fragments => "Parts of datagrams that came.",
        Counter::FragmentsExpired => "Datagrams in parts that did not become whole in their time.",
        Counter::FragmentsWhole => "Datagrams put together of parts.",
        Counter::HeadersLost => "Unusual GENEVE headers that were not kept for packets to be injected.",
        Counter::Heartbeat => "When the last turn ended.",
        Counter::Held => "Packets that the sink has not taken yet, and those that wait for a verdict.",
        Counter::HoldsAtBytes => "Times that a client's first flight was longer than may be held.",
        Counter::HoldsAtTime => "Times that a client's first flight was held for as long as may be.",
        Counter::HoldsAtTotal => "Times that there was no room to hold a packet.",
        Counter::HoldsDenied => {
            "Packets that were held and dropped because a rule or the default action said so."
        }
        Counter::HoldsNow => "Packets that are held until a name is judged.",
        Counter::HoldsReleased => "Packets that were held and released.",
        Counter::HoldsTaken => "Packets that were held until a name was judged.",
        Counter::IdleTurns => "Turns in which no packet moved.",
        Counter::Injected => {
            "Frames that did not come from the source: the control thread's, and what the core sends of its own accord."
        }
        Counter::InjectionsLost => {
            "Frames of our own that were not sent because there was no memory for them."
        }
        Counter::InjectionsWithheld => "Frames of our own that were not sent because of their rate.",
        Counter::Judgements => "Times the policy was asked.",
        Counter::PacketsCarried => "Packets inside customers' packets that were judged.",
        Counter::PacketsCarriedUnread => {
            "Packets inside customers' packets that were not judged: malformed, or in too many tunnels."
        }
        Counter::PacketsTagged => "Packets told because a rule's `tag` asked for them.",
        Counter::Passed => "Packets that the sink took, injected and uninspected ones included.",
        Counter::Punted => "Packets that went to the local lane.",
        Counter::Received => "Packets that came from the source.",
        Counter::Rejects => "Packets sent to tell the ends of rejected ones.",
        Counter::FragmentsUnfit => {
            "Parts of datagrams that were refused: they overlap, or are too many, or find no room."
        }
        Counter::RulesAsked => {
            "Rules that were asked, because a pattern of theirs was found or they have none."
        }
        Counter::RulesCutShort => "Packets that had more candidates than are asked.",
        Counter::RulesExhausted => "Tests of rules that were given up because their steps were used up.",
        Counter::RulesGroupsEvicted => {
            "Groups of flows that were forgotten for others; to meet one again costs time."
        }
        Counter::RulesUnscanned => "Texts in which patterns could not be looked for.",
        Counter::RulesWaitingLost => "Rules that could not wait for more of a stream, because too many did.",
        Counter::Sessions => "Flows that are being looked into now.",
        Counter::SessionsLost => {
            "Times that a flow was to be looked into and was not, because there was no room."
        }
        Counter::StreamsAtBound => "Segments for which there was no room.",
        Counter::StreamsBuffered => "Segments taken behind a hole.",
        Counter::StreamsBypassed => "Streams followed no further because there was no room.",
        Counter::StreamsBytes => "Bytes that streams hold now.",
        Counter::StreamsConflicts => "Segments whose bytes differed from those seen before.",
        Counter::StreamsDuplicates => "Segments that brought nothing new.",
        Counter::StreamsForgotten => "Bytes of streams forgotten before they were acknowledged.",
        Counter::StreamsGaps => "Holes given up: their bytes were never seen.",
        Counter::StreamsMidstream => "Streams begun amid a connection.",
        Counter::StreamsMisfits => "Segments refused, for whatever reason.",
        Counter::StreamsMissing => "Bytes of holes given up.",
        Counter::Uninspected => "Packets passed around a full inbox because the operator chose to fail open.",
    }
}
