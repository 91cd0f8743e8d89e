//! What is learnt of some traffic lets that traffic pass, and nothing else.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::Arc;

use control::{EventLog, Learner};
use flow::{FlowHasher, Moment};
use inspect::{Detector, Inspector, Packet, Verdict, learn};
use policy::{DefaultAction, DomainList, ListAction, ListKind, Listing, Lists, Loading, NamePlace, Policy};
use wire::testkit::{gwlb, tcp, udp};
use wire::{TcpFlags, TunnelEnd};

/// The packets of a question to a name server and of a request to a web server, with their answers.
fn asking(name: &str, port: u16) -> Vec<Vec<u8>> {
    let labels: Vec<u8> = name
        .split('.')
        .flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat())
        .collect();
    let query = [b"\0\x01\x01\0\0\x01\0\0\0\0\0\0", &labels[..], b"\0\0\x01\0\x01"].concat();
    let mut answer = query.clone();
    (answer[2], answer[3]) = (0x81, 0x80);
    let (client, server) = (format!("10.0.0.1:{port}"), "192.0.2.80:80");
    let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n");
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let after = |bytes: &[u8], start: u32| start + u32::try_from(bytes.len()).unwrap();
    let ack = TcpFlags::ACK;
    let packets = [
        udp(&client, "10.0.0.2:53").payload(&query).build(),
        udp("10.0.0.2:53", &client).payload(&answer).build(),
        tcp(&client, server).flags(TcpFlags::SYN).sequence(99).build(),
        tcp(server, &client).flags(TcpFlags::SYN | ack).sequence(199).acknowledgment(100).build(),
        tcp(&client, server).flags(ack).sequence(100).acknowledgment(200).build(),
        tcp(&client, server).flags(ack).sequence(100).acknowledgment(200).payload(request.as_bytes()).build(),
        tcp(server, &client)
            .flags(ack)
            .sequence(200)
            .acknowledgment(after(request.as_bytes(), 100))
            .payload(response)
            .build(),
    ];
    packets.iter().map(|inner| gwlb().inner(inner).build()).collect()
}

/// What becomes of frames, one after the other; the log is told.
fn judged(detector: Detector, frames: &[Vec<u8>], log: &mut EventLog) -> Vec<Verdict> {
    let hasher = FlowHasher::new([1, 2, 3, 4]);
    let mut inspector = Inspector::new(&flow::Settings::default(), hasher, Arc::new(detector));
    let judge = |frame: &Vec<u8>| {
        let mut packets = [Packet::UNREAD];
        learn(frame, &TunnelEnd::default(), &hasher, &mut packets[0]);
        inspector.judge(Moment(1), std::slice::from_ref(frame), &mut packets);
        inspector.events().for_each(|event| log.write(&event));
        packets[0].verdict
    };
    frames.iter().map(judge).collect()
}

/// A detector that lets pass what a list allows.
fn allowing(list: &[u8]) -> Detector {
    let mut lists = Lists::default();
    lists.add("learnt", Arc::new(DomainList::read(list).domains));
    let kind = ListKind::Domains(NamePlace::ALL.map(|(_, place)| place).to_vec());
    let listing = Listing { name: "learnt".into(), action: ListAction::Allow, kind };
    let default_action = DefaultAction::Drop;
    let settings = policy::Settings { default_action, ..policy::Settings::default() };
    let loading = Loading::knowing(&[Listing::rules(&[listing], default_action)], lists, &settings);
    Detector::new(Arc::new(Policy::new(1, Arc::new(loading.rules))))
}

#[test]
fn what_was_learnt_of_some_traffic_lets_it_pass_and_drops_another_name() {
    let names = ["www.example.org", "a.cdn.example.com", "b.cdn.example.com", "c.cdn.example.com"];
    let taught: Vec<Vec<u8>> = names.iter().zip(4000..).flat_map(|(name, port)| asking(name, port)).collect();
    let file = std::env::temp_dir().join(format!("sluice-learning-{}", std::process::id()));
    let mut log = EventLog::off().learning(Learner::new(file.clone()));
    judged(Detector::new(Arc::default()).telling(), &taught, &mut log);
    assert_eq!(log.end_learning().unwrap(), std::slice::from_ref(&file));
    assert!(log.end_learning().unwrap().is_empty(), "it is written once");
    let list = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let text = String::from_utf8(list.clone()).unwrap();
    let entries: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(entries, [".cdn.example.com", "www.example.org"], "{text}");

    let verdicts = judged(allowing(&list), &taught, &mut EventLog::off());
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Forward), "{verdicts:?}");
    let verdicts = judged(allowing(&list), &asking("www.example.net", 5000), &mut EventLog::off());
    let passed: Vec<bool> = verdicts.iter().map(|verdict| *verdict == Verdict::Forward).collect();
    assert_eq!(passed, [false, false, true, true, true, false, false], "the handshake and no more");
}
