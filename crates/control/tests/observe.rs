//! What an appliance tells of itself: metrics and events of real stages over real frames.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use config::{EventKind, EventOutput, EventSettings, Firewall, Rotation};
use control::{
    EventLog, Exporter, Health, HostCounts, Kind, LogCounts, LogThread, Metric, MetricsServer, PortReading,
};
use control::{Readings, Reloads, Vitals};
use engine::{
    Core, EventReceiver, Idle, Inspect, LocalPort, Pulled, Role, Sharing, Sink, Snapshot, Source, Stats,
    Steer, Turn, Wiring, run,
};
use flow::{FlowHasher, Moment};
use inspect::{Burst, Detector, DropReason, Event, Inspector, Share, Tenants};
use policy::{Loading, Policy, RuleFile};
use serde_json::Value;
use wire::testkit::{gwlb, tcp, udp};
use wire::{EndpointId, TcpFlags, TunnelEnd};

const RULES: &str = "alert tcp any any -> any 80 (msg:\"web \\\"here\\\"\"; sid:7; rev:3; \
                     classtype:web-application-activity; priority:2; metadata:team net, team web;)\n\
                     drop udp any any -> any 53 (msg:\"no names\"; sid:8;)\n";
const MILLISECOND: u64 = 1_000_000;

struct Frames(std::vec::IntoIter<Vec<u8>>);

impl Source<Vec<u8>> for Frames {
    fn pull(&mut self, burst: &mut Burst<Vec<u8>>) -> Pulled {
        match self.0.next() {
            Some(frame) => burst.extend([frame]),
            None => return Pulled::Closed,
        }
        Pulled::Some
    }
}

struct Nowhere;

impl Sink<Vec<u8>> for Nowhere {
    fn push(&mut self, burst: &mut Burst<Vec<u8>>) {
        burst.clear();
    }

    fn full(&self) -> DropReason {
        DropReason::TxFull
    }
}

fn policy() -> Arc<Policy> {
    let file = RuleFile { name: "test.rules".into(), text: RULES.into() };
    let rules = Loading::new(&[file], &policy::Settings::default()).strict().unwrap();
    Arc::new(Policy::new(5, Arc::new(rules)))
}

/// A connection to a web server that ends, a question to a name server that is dropped, and a frame that is no GENEVE.
fn frames() -> Vec<Vec<u8>> {
    let (client, server) = ("10.0.0.1:40000", "192.0.2.80:80");
    let packets = [
        tcp(client, server).flags(TcpFlags::SYN),
        tcp(server, client).flags(TcpFlags::SYN | TcpFlags::ACK),
        tcp(client, server).payload(b"GET / HTTP/1.0\r\n\r\n"),
        tcp(server, client).flags(TcpFlags::RST),
        udp("[2001:db8::1]:50000", "[2001:db8::53]:53").payload(b"?"),
    ];
    let mut frames: Vec<Vec<u8>> =
        packets.iter().map(|packet| gwlb().inner(&packet.build()).build()).collect();
    frames.push(vec![0; 60]);
    frames
}

/// Run these frames to completion on one core, a millisecond each, and wait until every flow has ended.
fn served(frames: Vec<Vec<u8>>) -> (Snapshot, EventReceiver<Event>) {
    let hasher = FlowHasher::new([1, 2, 3, 4]);
    let inspector = Inspector::new(
        &flow::Settings { flows: 64, ..Default::default() },
        hasher,
        Arc::new(Detector::new(policy())),
    );
    let (_policies, receiver) = engine::swap();
    let (sender, events) = engine::events(64);
    let mut stats = Stats::default();
    let steer = Steer { end: TunnelEnd::default(), hasher };
    let mut core = Core::from(Wiring {
        source: Frames(frames.into_iter()),
        stage: (
            steer,
            Inspect {
                inspector,
                detectors: receiver,
                events: sender,
                frames: |bytes: &[u8]| Some(bytes.to_vec()),
            },
        ),
        sink: Nowhere,
        bypass: None,
        local: LocalPort::none(),
        patience: Duration::ZERO,
        stats: stats.add(Role::Rtc(0)),
    });
    let mut now = Moment(1_000 * MILLISECOND);
    for turn in 0..40 {
        let turned = core.turn(now);
        now = Moment(now.0 + if turn < 10 { 1 } else { 100_000 } * MILLISECOND);
        core.spent(turned, now);
    }
    run(vec![Box::new(core)], Idle::new(Sharing::Shared), || now);
    (stats.snapshot(), events)
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn written(events: &mut EventReceiver<Event>) -> Vec<Value> {
    let page = Page::default();
    let mut log = EventLog::to(
        Box::new(page.clone()),
        EventSettings::default(),
        UNIX_EPOCH + Duration::from_secs(1_700_000_000),
    );
    log.know(policy());
    while let Some(event) = events.pull() {
        log.write(&event);
    }
    page.lines()
}

fn vitals() -> Vitals {
    Vitals {
        now: Moment(2_500 * MILLISECOND),
        link_up: true,
        heartbeats: vec![("rtc0".into(), Moment(2_000 * MILLISECOND))],
        generation: Some(5),
        draining: false,
    }
}

fn rendered(snapshot: &Snapshot) -> String {
    let vitals = vitals();
    let xstats = [("rx_q0_packets", 11), ("tx_q3bytes", 12), ("pps_allowance_exceeded", 13)];
    let port = PortReading {
        rx_frames: 21,
        xstats: xstats.map(|(name, value)| (name.to_string(), value)).into(),
        mbufs: 8191,
        free_mbufs: 8000,
        ..PortReading::default()
    };
    Exporter::default().render(&Readings {
        version: "0.1.0",
        uptime: Duration::from_millis(1500),
        snapshot,
        vitals: &vitals,
        health: &Health::of(&vitals),
        host: &HostCounts { healthy: 4, ..HostCounts::default() },
        log: &LogCounts { written: 3, failed: 0 },
        reloads: Reloads { taken: 2, refused: 1 },
        detector: &Detector::new(Arc::default()),
        tenants: &Tenants::new([(EndpointId(7), Share { flows: 9, sessions: 9 })]),
        port: &port,
    })
}

/// The names of all samples, and of all that have a line of help.
fn names(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let word = |line: &str| line.split(['{', ' ']).next().unwrap().to_string();
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(word);
    (samples.collect(), text.lines().filter_map(|line| line.strip_prefix("# HELP ")).map(word).collect())
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_set() {
    let (samples, helps) = names(&rendered(&served(frames()).0));
    let documented: BTreeSet<String> = Metric::all().iter().map(|metric| metric.name.to_string()).collect();
    assert_eq!(samples, documented);
    assert_eq!(helps, documented);
}

#[test]
fn names_follow_prometheus_habits() {
    for Metric { name, kind, labels, about } in Metric::all() {
        assert!(
            name.starts_with("sluice_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
        assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        assert!(about.ends_with('.') && about.len() > 10, "{name}: {about}");
        assert!(labels.iter().all(|label| label.bytes().all(|b| b.is_ascii_lowercase())), "{name}");
    }
}

#[test]
fn figures_are_those_of_the_cores_the_port_and_the_local_lane() {
    let text = rendered(&served(frames()).0);
    for line in [
        "sluice_core_received_packets_total{core=\"rtc0\"} 6",
        "sluice_core_passed_packets_total{core=\"rtc0\"} 4",
        "sluice_core_flows_begun_total{core=\"rtc0\"} 2",
        "sluice_core_flows_reset_total{core=\"rtc0\"} 1",
        "sluice_core_flows{core=\"rtc0\"} 0",
        "sluice_core_heartbeat_age_seconds{core=\"rtc0\"} 0.5",
        "sluice_dropped_packets_total{core=\"rtc0\",reason=\"not-ours\"} 1",
        "sluice_dropped_packets_total{core=\"rtc0\",reason=\"policy\"} 1",
        "sluice_unaccounted_packets 0",
        "sluice_healthy 1",
        "sluice_health_checks_total{answer=\"200\"} 4",
        "sluice_port_frames_total{direction=\"rx\"} 21",
        "sluice_port_xstat{name=\"pps_allowance_exceeded\"} 13",
        "sluice_queue_xstat{direction=\"rx\",queue=\"0\",name=\"packets\"} 11",
        "sluice_queue_xstat{direction=\"tx\",queue=\"3\",name=\"bytes\"} 12",
        "sluice_mempool_free_mbufs 8000",
        "sluice_endpoint_flows{endpoint=\"vpce-00000000000000007\"} 0",
        "sluice_build_info{version=\"0.1.0\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

fn scrape(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // The answer to a request that was not read to its end may be followed by a reset.
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn a_scrape_is_answered_with_what_was_published_last() {
    let server = MetricsServer::start(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    server.publish("a 1\n".into());
    server.publish("a 2\n".into());
    let answer = scrape(server.address(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.ends_with("\r\n\r\na 2\n"), "{answer}");
    assert!(scrape(server.address(), "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(scrape(server.address(), "PUT /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    assert!(scrape(server.address(), "\0\0\0\0\r\n\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn scrapers_that_say_nothing_do_not_stop_the_server_from_ending() {
    let server = MetricsServer::start(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    drop(server);
    drop(silent);
}

#[test]
fn an_alert_is_one_line_with_the_rule_the_flow_and_the_endpoint() {
    let lines = written(&mut served(frames()).1);
    let alerts: Vec<&Value> = lines.iter().filter(|line| line["event_type"] == "alert").collect();
    let web = alerts.iter().find(|line| line["alert"]["signature_id"] == 7).unwrap();
    assert_eq!(web["timestamp"], "2023-11-14T22:13:21.000000+0000");
    assert_eq!((&web["src_ip"], &web["src_port"]), (&"10.0.0.1".into(), &40000.into()));
    assert_eq!((&web["dest_ip"], &web["dest_port"]), (&"192.0.2.80".into(), &80.into()));
    assert_eq!((&web["proto"], &web["alert"]["action"]), (&"TCP".into(), &"allowed".into()));
    assert_eq!((&web["alert"]["rev"], &web["alert"]["signature"]), (&3.into(), &"web \"here\"".into()));
    assert_eq!(
        (&web["gwlb"]["endpoint"], &web["gwlb"]["generation"]),
        (&"vpce-00123456789abcdef".into(), &5.into())
    );
    assert_eq!(
        (&web["alert"]["category"], &web["alert"]["severity"]),
        (&"web application activity".into(), &2.into())
    );
    assert_eq!(web["alert"]["metadata"]["team"], serde_json::json!(["net", "web"]));
    let names = alerts.iter().find(|line| line["alert"]["signature_id"] == 8).unwrap();
    assert_eq!(
        (&names["src_ip"], &names["alert"]["action"]),
        (&"2001:0db8:0000:0000:0000:0000:0000:0001".into(), &"blocked".into())
    );
}

#[test]
fn an_alert_tells_its_flow_so_far_and_what_came_of_a_drop_is_told_beside_it() {
    let lines = written(&mut served(frames()).1);
    let web = lines.iter().find(|line| line["alert"]["signature_id"] == 7).unwrap();
    assert_eq!((&web["flow"]["pkts_toserver"], &web["flow"]["src_port"]), (&1.into(), &40000.into()));
    assert_eq!(
        (&web["direction"], &web["gwlb"]["attachment"]),
        (&"to_server".into(), &"0000000000000000".into())
    );
    assert_eq!(web["pcap_cnt"], Value::Null, "packets of a network have no numbers");
    let dropped: Vec<&Value> = lines.iter().filter(|line| line["event_type"] == "drop").collect();
    assert_eq!(dropped.len(), 1, "once for a flow and direction");
    assert_eq!(dropped[0]["drop"], serde_json::json!({ "len": 49, "reason": "rules" }));
    assert_eq!(dropped[0]["alert"]["signature_id"], 8);
}

/// The events of the frames, written as these settings want, and what was written.
fn told(settings: EventSettings) -> LogCounts {
    let mut log = EventLog::open(&settings, UNIX_EPOCH).unwrap();
    log.know(policy());
    let (snapshot, mut events) = served(frames());
    while let Some(event) = events.pull() {
        log.write(&event);
    }
    log.write_stats(Moment(7 * 1000 * MILLISECOND), &snapshot, Duration::from_secs(6));
    log.flush();
    log.counts()
}

fn settings(output: EventOutput) -> EventSettings {
    let mut settings = EventSettings::default();
    settings.output = output;
    settings
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_file_that_grows_too_large_is_set_aside_and_so_many_are_kept() {
    let folder = folder("rotation");
    let path = folder.join("eve.json");
    let mut settings = settings(EventOutput::File(path.clone()));
    settings.rotation = Rotation { bytes: 700, kept: 2 };
    for _ in 0..4 {
        told(settings.clone());
    }
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["eve.json", "eve.json.1", "eve.json.2"]);
    for name in names {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(text.ends_with('\n'), "{name:?}: lines stay whole");
        text.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
    }
}

#[test]
fn a_collector_that_listens_on_a_socket_gets_every_line_and_one_that_does_not_costs_a_count() {
    let path = folder("socket").join("eve.sock");
    assert_eq!(told(settings(EventOutput::Socket(path.clone()))).written, 0);
    let listener = UnixListener::bind(&path).unwrap();
    let counts = told(settings(EventOutput::Socket(path)));
    let mut text = String::new();
    listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
    assert_eq!((text.lines().count() as u64, counts.failed), (counts.written, 0));
}

#[test]
fn only_the_kinds_that_are_wanted_are_told_and_wrapped_as_a_firewall_s_if_asked() {
    let path = folder("wrapped").join("eve.json");
    let mut settings = settings(EventOutput::File(path.clone()));
    settings.kinds = vec![EventKind::Stats];
    settings.firewall = Some(Firewall { name: "edge".into(), zone: "eu-west-1a".into() });
    told(settings);
    let text = std::fs::read_to_string(path).unwrap();
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["firewall_name"], &line["availability_zone"]), (&"edge".into(), &"eu-west-1a".into()));
    assert_eq!((&line["event_timestamp"], &line["event"]["event_type"]), (&"7".into(), &"stats".into()));
    let stats = &line["event"]["stats"];
    assert_eq!((&stats["uptime"], &stats["decoder"]["pkts"]), (&6.into(), &6.into()));
    assert_eq!(stats["ips"]["drop_reason"]["policy"], 1);
}

#[test]
fn an_ended_flow_is_one_line_with_both_directions() {
    let lines = written(&mut served(frames()).1);
    let flows: Vec<&Value> = lines.iter().filter(|line| line["event_type"] == "flow").collect();
    assert_eq!(flows.len(), 2);
    let web = flows.iter().find(|line| line["proto"] == "TCP").unwrap();
    assert_eq!((&web["src_ip"], &web["dest_port"]), (&"10.0.0.1".into(), &80.into()));
    assert_eq!((&web["flow"]["pkts_toserver"], &web["flow"]["pkts_toclient"]), (&2.into(), &2.into()));
    assert_eq!((&web["flow"]["bytes_toserver"], &web["flow"]["bytes_toclient"]), (&98.into(), &80.into()));
    assert_eq!((&web["flow"]["state"], &web["flow"]["reason"]), (&"closed".into(), &"reset".into()));
    assert_eq!(web["flow"]["action"], "pass");
    let alert = lines.iter().find(|line| line["alert"]["signature_id"] == 7).unwrap();
    assert_eq!(web["flow_id"], alert["flow_id"], "an alert and its flow have one id");
    let names = flows.iter().find(|line| line["proto"] == "UDP").unwrap();
    assert_eq!((&names["flow"]["action"], &names["flow"]["reason"]), (&"drop".into(), &"idle".into()));
}

#[test]
fn an_alert_of_a_policy_that_is_not_known_has_its_numbers_at_least() {
    let mut events = served(frames()).1;
    let page = Page::default();
    let mut log = EventLog::to(Box::new(page.clone()), EventSettings::default(), UNIX_EPOCH);
    while let Some(event) = events.pull() {
        log.write(&event);
    }
    let lines = page.lines();
    let web = lines.iter().find(|line| line["alert"]["signature_id"] == 7).unwrap();
    assert_eq!((&web["alert"]["signature"], &web["alert"]["rev"]), (&"".into(), &Value::Null));
}

#[test]
fn what_cannot_be_written_is_counted() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let mut events = served(frames()).1;
    let mut log = EventLog::to(Box::new(Full), EventSettings::default(), UNIX_EPOCH);
    while let Some(event) = events.pull() {
        log.write(&event);
    }
    assert_eq!((log.counts().written, log.counts().failed), (0, 5));
}

#[test]
fn the_log_thread_writes_everything_and_ends_with_the_workers() {
    let page = Page::default();
    let log = EventLog::to(Box::new(page.clone()), EventSettings::default(), UNIX_EPOCH);
    let rings: Vec<EventReceiver<Event>> = (0..3).map(|_| served(frames()).1).collect();
    let thread = LogThread::start(log, rings).unwrap();
    assert_eq!(thread.join(Duration::from_secs(60)), Some(LogCounts { written: 15, failed: 0 }));
    assert_eq!(page.lines().len(), 15);
}
