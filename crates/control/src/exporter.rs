//! Readings to the text that Prometheus scrapes.
//!
//! Once a second the control thread hands over what it read; nothing here is on a packet's way. The recorder is our own
//! and not the process's, so that two exporters (tests, benches) never meet.

use std::time::Duration;

use engine::{Counter, Snapshot};
use inspect::{Detector, DropReason, TenantCounts, Tenants};
use metrics::{Label, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::events::LogCounts;
use crate::health::{Health, Vitals};
use crate::host::HostCounts;
use crate::metric::{self, Kind, Metric};

/// Everything that is exported, as read at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Readings<'a> {
    /// The appliance's version.
    pub version: &'static str,
    /// Time since the start.
    pub uptime: Duration,
    /// What the cores counted.
    pub snapshot: &'a Snapshot,
    /// What the health check rests on.
    pub vitals: &'a Vitals,
    /// What the health check is told.
    pub health: &'a Health,
    /// What the local lane did.
    pub host: &'a HostCounts,
    /// What the event log did.
    pub log: &'a LogCounts,
    /// How reloads of the rules went.
    pub reloads: Reloads,
    /// What judges, for what all workers count together.
    pub detector: &'a Detector,
    /// What endpoints with limits have.
    pub tenants: &'a Tenants,
    /// What the port counted.
    pub port: &'a PortReading,
}

/// How reloads of the rules went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reloads {
    /// New rules were taken.
    pub taken: u64,
    /// They could not be used, and the old ones stayed.
    pub refused: u64,
}

/// The port's figures and its pool's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PortReading {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames the device dropped because nobody fetched them.
    pub rx_missed: u64,
    /// Frames received in error.
    pub rx_errors: u64,
    /// Times a receive queue found no mbuf.
    pub rx_no_mbuf: u64,
    /// Frames in several mbufs, which were freed.
    pub rx_refused: u64,
    /// Frames sent.
    pub tx_frames: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames that failed to be sent.
    pub tx_errors: u64,
    /// The driver's own counters, by name.
    pub xstats: Vec<(String, u64)>,
    /// Mbufs in the packet pool.
    pub mbufs: u32,
    /// Mbufs that nobody uses.
    pub free_mbufs: u32,
}

/// The metrics of one appliance.
pub struct Exporter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Each core counter's metric, made once.
    cores: Vec<(Counter, Metric)>,
}

impl Default for Exporter {
    fn default() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let metric = |counter| Metric::of_core(counter).map(|metric| (counter, metric));
        let exporter =
            Self { recorder, handle, cores: Counter::ALL.into_iter().filter_map(metric).collect() };
        with_local_recorder(&exporter.recorder, || Metric::all().iter().for_each(describe));
        exporter
    }
}

impl Exporter {
    /// The text of these readings, in Prometheus' exposition format.
    #[must_use]
    pub fn render(&mut self, readings: &Readings<'_>) -> String {
        with_local_recorder(&self.recorder, || {
            set_state(readings);
            self.set_cores(readings);
            set_local(readings.host, readings.log);
            set_tenants(readings.tenants);
            set_port(readings.port);
        });
        self.handle.render()
    }

    fn set_cores(&self, readings: &Readings<'_>) {
        for (role, counts) in &readings.snapshot.roles {
            let core = role.to_string();
            for (counter, metric) in &self.cores {
                set(metric, &[&core], counts.of(*counter));
            }
            for reason in DropReason::ALL {
                set(&metric::DROPPED, &[&core, reason.name()], counts.dropped(reason));
            }
        }
        for (core, heartbeat) in &readings.vitals.heartbeats {
            let age = readings.vitals.now.since(*heartbeat).as_secs_f64();
            gauge(&metric::HEARTBEAT_AGE, &[core], age);
        }
    }
}

fn set_state(readings: &Readings<'_>) {
    let Readings { vitals, snapshot, .. } = readings;
    set(&metric::BUILD_INFO, &[readings.version], 1);
    gauge(&metric::UPTIME, &[], readings.uptime.as_secs_f64());
    set(&metric::HEALTHY, &[], readings.health.is_healthy().into());
    set(&metric::DRAINING, &[], vitals.draining.into());
    set(&metric::LINK_UP, &[], vitals.link_up.into());
    set(&metric::POLICY_GENERATION, &[], vitals.generation.unwrap_or(0));
    set(&metric::POLICY_RELOADS, &["taken"], readings.reloads.taken);
    set(&metric::POLICY_RELOADS, &["refused"], readings.reloads.refused);
    for (anomaly, count) in readings.detector.anomalies() {
        set(&metric::ANOMALIES, &[anomaly.name()], count);
    }
    set(&metric::MARKS_EVICTED, &[], readings.detector.marks_evicted());
    set(&metric::NAMES_EVICTED, &[], readings.detector.names_evicted());
    let came = snapshot.received() + snapshot.injected();
    let went = snapshot.transmitted() + snapshot.dropped_in_all() + snapshot.punted() + snapshot.held();
    set(&metric::IN_FLIGHT, &[], snapshot.held());
    set(&metric::UNACCOUNTED, &[], came.abs_diff(went));
}

fn set_local(host: &HostCounts, log: &LogCounts) {
    set(&metric::LOCAL_ARP, &[], host.arp);
    set(&metric::LOCAL_ECHO, &[], host.echo);
    set(&metric::LOCAL_IGNORED, &[], host.ignored);
    set(&metric::LOCAL_UNSENT, &[], host.unsent);
    set(&metric::CHECKS, &["200"], host.healthy);
    set(&metric::CHECKS, &["503"], host.unhealthy);
    set(&metric::CHECKS, &["4xx"], host.refused);
    set(&metric::CHECKS_OPENED, &[], host.opened);
    set(&metric::CHECKS_TIMED_OUT, &[], host.timed_out);
    set(&metric::CHECKS_EVICTED, &[], host.evicted);
    set(&metric::EVENTS_WRITTEN, &[], log.written);
    set(&metric::EVENTS_FAILED, &[], log.failed);
}

fn set_port(port: &PortReading) {
    set(&metric::PORT_FRAMES, &["rx"], port.rx_frames);
    set(&metric::PORT_FRAMES, &["tx"], port.tx_frames);
    set(&metric::PORT_BYTES, &["rx"], port.rx_bytes);
    set(&metric::PORT_BYTES, &["tx"], port.tx_bytes);
    set(&metric::PORT_ERRORS, &["rx"], port.rx_errors);
    set(&metric::PORT_ERRORS, &["tx"], port.tx_errors);
    set(&metric::PORT_MISSED, &[], port.rx_missed);
    set(&metric::PORT_NO_MBUF, &[], port.rx_no_mbuf);
    set(&metric::PORT_REFUSED, &[], port.rx_refused);
    set(&metric::MEMPOOL_SIZE, &[], port.mbufs.into());
    set(&metric::MEMPOOL_FREE, &[], port.free_mbufs.into());
    for (name, value) in &port.xstats {
        match of_queue(name) {
            Some((direction, queue, name)) => set(&metric::QUEUE_XSTAT, &[direction, queue, name], *value),
            None => set(&metric::XSTAT, &[name], *value),
        }
    }
}

/// `rx_q3_packets`, `rx_q3packets`: a queue's counter, as drivers name them.
fn of_queue(name: &str) -> Option<(&'static str, &str, &str)> {
    let (direction, rest) = match (name.strip_prefix("rx_q"), name.strip_prefix("tx_q")) {
        (Some(rest), _) => ("rx", rest),
        (_, Some(rest)) => ("tx", rest),
        _ => return None,
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (queue, rest) = rest.split_at_checked(digits).filter(|(queue, _)| !queue.is_empty())?;
    Some((direction, queue, rest.trim_start_matches('_')))
}

fn set_tenants(tenants: &Tenants) {
    for (endpoint, counts) in tenants.counts() {
        let TenantCounts { flows, sessions, flows_refused, sessions_refused } = counts;
        let endpoint = endpoint.to_string();
        set(&metric::ENDPOINT_FLOWS, &[&endpoint], flows);
        set(&metric::ENDPOINT_SESSIONS, &[&endpoint], sessions);
        set(&metric::ENDPOINT_FLOWS_REFUSED, &[&endpoint], flows_refused);
        set(&metric::ENDPOINT_SESSIONS_REFUSED, &[&endpoint], sessions_refused);
    }
}

fn describe(metric: &Metric) {
    match metric.kind {
        Kind::Counter => metrics::describe_counter!(metric.name.clone(), metric.about),
        Kind::Gauge => metrics::describe_gauge!(metric.name.clone(), metric.about),
    }
}

fn set(metric: &Metric, labels: &[&str], value: u64) {
    match metric.kind {
        Kind::Counter => metrics::counter!(metric.name.clone(), named(metric, labels)).absolute(value),
        // A gauge is a float for Prometheus: exact up to 2^53.
        Kind::Gauge => gauge(metric, labels, value as f64),
    }
}

fn gauge(metric: &Metric, labels: &[&str], value: f64) {
    metrics::gauge!(metric.name.clone(), named(metric, labels)).set(value);
}

fn named(metric: &Metric, values: &[&str]) -> Vec<Label> {
    metric.labels.iter().zip(values).map(|(name, value)| Label::new(*name, (*value).to_owned())).collect()
}
