//! An alert of a list says which list, and which of its entries.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use config::EventSettings;
use control::EventLog;
use flow::{FlowHasher, Moment};
use inspect::{Detector, Inspector, Packet, learn};
use policy::{DefaultAction, DomainList, ListAction, ListKind, Listing, Lists, Loading, NamePlace, Policy};
use serde_json::Value;
use wire::TunnelEnd;
use wire::testkit::{gwlb, udp};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_alert_of_a_list_names_the_list_and_the_entry() {
    let mut lists = Lists::default();
    lists.add("trackers", Arc::new(DomainList::read(b"x.example\n.tracker.example\n").domains));
    let kind = ListKind::Domains(vec![NamePlace::Dns]);
    let listing = Listing { name: "trackers".into(), action: ListAction::Deny, kind };
    let file = Listing::rules(&[listing], DefaultAction::Forward);
    let rules = Loading::knowing(&[file], lists, &policy::Settings::default()).rules;
    let policy = Arc::new(Policy::new(1, Arc::new(rules)));

    let hasher = FlowHasher::new([1, 2, 3, 4]);
    let detector = Arc::new(Detector::new(policy.clone()));
    let mut inspector = Inspector::new(&flow::Settings::default(), hasher, detector);
    let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\x07Tracker\x07example\0\0\x01\0\x01";
    let frame = gwlb().inner(&udp("10.0.0.1:4000", "10.0.0.2:53").payload(query).build()).build();
    let mut packets = [Packet::UNREAD];
    learn(&frame, &TunnelEnd::default(), &hasher, &mut packets[0]);
    inspector.judge(Moment(1), &[frame], &mut packets);

    let kept = Kept::default();
    let mut log = EventLog::to(Box::new(kept.clone()), EventSettings::default(), UNIX_EPOCH);
    log.know(policy);
    inspector.events().for_each(|event| log.write(&event));
    log.flush();
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let alert: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(alert["event_type"], "alert");
    assert_eq!(alert["alert"]["signature"], "dns name on list trackers");
    assert_eq!(alert["list"], serde_json::json!({ "name": "trackers", "entry": ".tracker.example" }));
}
