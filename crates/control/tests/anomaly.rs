//! How the log tells what is odd in itself.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use config::EventSettings;
use control::EventLog;
use flow::{FlowHasher, Moment};
use inspect::{Detector, Inspector, Packet, learn};
use policy::{Loading, Policy, Reaction, Suspicion, Suspicions};
use serde_json::Value;
use wire::testkit::{gwlb, tcp};
use wire::{TcpFlags, TunnelEnd};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection whose client sends this.
fn frames(request: &[u8]) -> Vec<Vec<u8>> {
    let (client, server) = ("10.0.0.1:40000", "192.0.2.80:80");
    let inner = [
        tcp(client, server).flags(TcpFlags::SYN).sequence(0),
        tcp(server, client).flags(TcpFlags::SYN | TcpFlags::ACK).sequence(0).acknowledgment(1),
        tcp(client, server).flags(TcpFlags::ACK).sequence(1).acknowledgment(1).payload(request),
    ];
    inner.into_iter().map(|packet| gwlb().inner(&packet.build()).build()).collect()
}

/// The records of a connection where what can be read in two ways is met so.
fn told(reaction: Reaction, request: &[u8]) -> Vec<Value> {
    let suspicions = Suspicions::default().with(Suspicion::Smuggling, Some(reaction));
    let settings = policy::Settings { suspicions, ..policy::Settings::default() };
    let policy = Arc::new(Policy::new(1, Arc::new(Loading::new(&[], &settings).rules)));
    let (hasher, end) = (FlowHasher::random(), TunnelEnd::default());
    let flows = flow::Settings { flows: 10, ..flow::Settings::default() };
    let mut inspector = Inspector::new(&flows, hasher, Arc::new(Detector::new(policy)));
    let page = Page::default();
    let mut log = EventLog::to(Box::new(page.clone()), EventSettings::default(), UNIX_EPOCH);
    for frame in frames(request) {
        let mut packet = [Packet::UNREAD];
        learn(&frame, &end, &hasher, &mut packet[0]);
        inspector.judge(Moment(1 << 60), &[frame], &mut packet);
        inspector.events().for_each(|event| log.write(&event));
    }
    let bytes = page.0.lock().unwrap().clone();
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[test]
fn an_oddity_is_an_anomaly_and_if_it_is_grave_an_alert_with_a_signature_id_of_our_own() {
    let request = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
    for (reaction, alerts, dropped) in
        [(Reaction::Alert, 1, false), (Reaction::Drop, 1, true), (Reaction::Reject, 1, true)]
    {
        let lines = told(reaction, request);
        let of =
            |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["event_type"] == kind).collect() };
        let differ = |line: &&&Value| line["anomaly"]["event"] == "lengths_differ";
        assert_eq!(of("anomaly").iter().filter(differ).count(), 1, "{lines:?}");
        let ours = |line: &&&Value| line["alert"]["signature"] == "SLUICE http.lengths_differ";
        let alert = of("alert").into_iter().find(|line| ours(&line)).unwrap();
        assert_eq!(of("alert").iter().filter(ours).count(), alerts);
        assert!(alert["alert"]["signature_id"].as_u64().unwrap() >= 4_200_000_000);
        assert_eq!(alert["alert"]["action"], if dropped { "blocked" } else { "allowed" });
        assert_eq!((&alert["app_proto"], &alert["http"]["hostname"]), (&"http".into(), &"a.example".into()));
        let drops = of("drop");
        assert_eq!(drops.len(), usize::from(dropped));
        assert!(drops.iter().all(|line| line["drop"]["reason"] == "anomaly"));
    }
}
