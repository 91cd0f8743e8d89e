//! A log that nobody reads: what is lost, what is not, and that nobody waits.
#![allow(clippy::unwrap_used, reason = "what the tests share may fail as the tests do")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use config::{EventOutput, EventSettings};
use control::{EventLog, LogThread};
use flow::{FlowHasher, Moment};
use inspect::{Detector, Event, EventKind, Inspector, Packet, learn};
use policy::{Loading, Policy, RuleFile};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use wire::TunnelEnd;
use wire::testkit::{gwlb, udp};

/// An alert, and the end of its flow.
fn events() -> [Event; 2] {
    let file =
        RuleFile { name: "test.rules".into(), text: b"alert udp any any -> any any (sid:7;)".to_vec() };
    let rules = Loading::new(&[file], &policy::Settings::default()).strict().unwrap();
    let hasher = FlowHasher::new([1 << 60 | 3, 1 << 59 | 5, 1 << 58 | 7, 1 << 57 | 9]);
    let flows = flow::Settings { flows: 16, ..flow::Settings::default() };
    let detector = Arc::new(Detector::new(Arc::new(Policy::new(1, Arc::new(rules)))));
    let mut inspector = Inspector::new(&flows, hasher, detector);
    let frame = gwlb().inner(&udp("10.0.0.1:1000", "192.0.2.1:53").build()).build();
    let mut packet = Packet::UNREAD;
    learn(&frame, &TunnelEnd::default(), &hasher, &mut packet);
    inspector.judge(Moment(1 << 40), &[frame], &mut [packet]);
    inspector.tick(Moment(1 << 42));
    <[Event; 2]>::try_from(inspector.events().collect::<Vec<_>>()).unwrap()
}

fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn log(output: EventOutput) -> EventLog {
    let mut settings = EventSettings::default();
    settings.output = output;
    EventLog::open(&settings, UNIX_EPOCH).unwrap()
}

fn sids(lines: impl Iterator<Item = String>) -> Vec<Option<u64>> {
    lines
        .map(|line| serde_json::from_str::<Value>(&line).unwrap()["alert"]["signature_id"].as_u64())
        .collect()
}

#[test]
fn a_pipe_that_nobody_reads_costs_ends_of_flows_and_no_alert_and_nobody_waits_for_it() {
    let path = path("eve.pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let (mut sender, receiver) = engine::events(1024);
    let thread = LogThread::start(log(EventOutput::File(path.clone())), vec![receiver]).unwrap();
    let [alert, flow] = events();
    let mut sent = 0;
    while sender.losses().of(EventKind::Flow) < 10_000 {
        sender.send([flow.clone()], Event::kind);
        sent += 1;
    }
    sender.send(std::iter::repeat_n(alert, 256), Event::kind);
    assert_eq!(sender.losses().of(EventKind::Alert), 0, "a quarter of the ring is theirs");
    let told = sent - sender.losses().of(EventKind::Flow) + 256;
    drop(sender);
    assert!(thread.join(Duration::from_millis(1)).is_none(), "a pipe holds less than that");

    let lines = BufReader::new(File::open(&path).unwrap()).lines().map(Result::unwrap);
    let alerts = sids(lines);
    assert_eq!(alerts.len() as u64, told, "what found room is written once somebody reads, whole");
    assert_eq!(alerts.iter().filter(|sid| **sid == Some(7)).count(), 256);
}

#[test]
fn a_socket_whose_listener_accepts_nobody_costs_lines_and_bounded_time_and_lines_stay_whole() {
    let path = path("stalled.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let mut log = log(EventOutput::Socket(path));
    let [alert, _] = events();
    let began = Instant::now();
    while log.counts().failed == 0 {
        log.write(&alert);
    }
    assert!(began.elapsed() < Duration::from_secs(60));
    let (written, mut text) = (log.counts().written, String::new());
    log.write(&alert);
    assert_eq!(log.counts().written, written + 1, "another connection has room");
    listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
    let whole = text.rsplit_once('\n').unwrap().0;
    assert!(sids(whole.lines().map(str::to_owned)).len() as u64 <= written);
}
