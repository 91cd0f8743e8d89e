//! The captures of the reference's cases, read as flows, tell what its rules say of them. They stand beside the project,
//! or where `SLUICE_SHARED` says.

#![allow(clippy::unwrap_used, reason = "what the tests share may fail as the tests do")]

use std::fs;
use std::path::PathBuf;

use inspect::app::tls::Summary;
use inspect::app::{App, Ports, Wanted};
use policy::{Buffer, Way};
use wire::{FiveTuple, Inner, ProtocolType, Transport};

use Way::{ToClient, ToServer};

/// One flow of a capture: its ends, the sequence numbers that are due, and what it speaks.
struct Flow {
    tuple: FiveTuple,
    due: [Option<u32>; 2],
    app: App,
}

/// The flows of a capture, or `None` where it is not at hand.
fn flows(case: &str) -> Option<Vec<Flow>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("SLUICE_SHARED").map_or(beside, PathBuf::from);
    let Ok(file) = fs::read(root.join("verify/cases").join(case).join("input.pcap")) else {
        eprintln!("verify/cases/{case} is not beside the project: not tried");
        return None;
    };
    let mut flows = Vec::new();
    packets(&file, &mut flows);
    Some(flows)
}

/// A capture of libpcap in the byte order of most machines: Ethernet, or the loopback's four bytes.
fn packets(file: &[u8], flows: &mut Vec<Flow>) {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let link = if number(20) == 0 { 4 } else { 14 };
    let mut at = 24;
    while at + 16 <= file.len() {
        let end = at + 16 + number(at + 8);
        let frame = &file[at + 16..end];
        at = end;
        let Some(packet) = frame.get(link..) else { continue };
        let kind = if packet.first().is_some_and(|first| first >> 4 == 6) {
            ProtocolType::Ipv6
        } else {
            ProtocolType::Ipv4
        };
        if let Ok(inner) = Inner::parse(packet, kind) {
            take(&inner, flows);
        }
    }
}

fn take(inner: &Inner<'_>, flows: &mut Vec<Flow>) {
    let tuple = inner.tuple;
    let ends =
        |tuple: &FiveTuple| [(tuple.source, tuple.source_port), (tuple.destination, tuple.destination_port)];
    let place = flows.iter().position(|flow| {
        let [one, other] = ends(&flow.tuple);
        flow.tuple.protocol == tuple.protocol
            && (ends(&tuple) == [one, other] || ends(&tuple) == [other, one])
    });
    let place = place.unwrap_or_else(|| {
        let ports = Ports { initiator: tuple.source_port, responder: tuple.destination_port };
        flows.push(Flow { tuple, due: [None; 2], app: App::new(ports) });
        flows.len() - 1
    });
    let flow = &mut flows[place];
    let way = if ends(&flow.tuple) == ends(&tuple) { ToServer } else { ToClient };
    match inner.transport {
        Transport::Tcp(tcp) if !tcp.payload.is_empty() => {
            let due = flow.due[way as usize].get_or_insert(tcp.sequence);
            let known = due.wrapping_sub(tcp.sequence) as usize;
            if let Some(fresh) = tcp.payload.get(known..) {
                *due = due.wrapping_add(u32::try_from(fresh.len()).unwrap());
                flow.app.stream(way, fresh, Wanted::ALL);
            }
        }
        Transport::Udp(_) => flow.app.datagram(way, inner.payload(), Wanted::ALL),
        _ => {}
    }
}

/// All values of a buffer in a capture.
fn values(flows: &[Flow], buffer: Buffer, way: Way) -> Vec<String> {
    let open = flows.iter().flat_map(|flow| flow.app.transactions().open());
    open.flat_map(|open| open.values(buffer, way))
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

#[test]
fn fingerprints_are_those_of_the_references_rules_where_its_cases_are_at_hand() {
    let has = |case: &str, buffer, way, expected: &str| {
        let Some(flows) = flows(case) else { return };
        let found = values(&flows, buffer, way);
        assert!(found.iter().any(|value| value.contains(expected)), "{case}: {found:?}");
    };
    let ja4 = "ja4-rules-7.0.x-01";
    has(ja4, Buffer::Ja4Hash, ToServer, "q13d0310h3_55b375c5d22e_cd85d2d88918");
    has(ja4, Buffer::Ja4Hash, ToServer, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    let hashes = "bug-8336-01-default-track-only";
    has(hashes, Buffer::Ja3Hash, ToServer, "fae0e5d973c96ae1888b99538efa0363");
    has(hashes, Buffer::Ja3sHash, ToClient, "907bf3ecef1c987c889946b737b43de8");
    has("detect-bidir-ja3", Buffer::Ja3sHash, ToClient, "5d79edf64e03689ff559a54e9d9487bc");
    has("detect-bidir-ja3", Buffer::Ja3String, ToServer, "771,49196-49200");
    let quic = "771,4865-4866-4867,5-10-11-13-65281-23-16-18-43-51-57,29-23-24-25,0";
    has("quic-v2-ja3", Buffer::Ja3String, ToServer, quic);
    has("quic-ietf", Buffer::QuicSni, ToServer, "msquic.net");
}

#[test]
fn issuers_and_versions_are_those_of_the_references_rules_where_its_cases_are_at_hand() {
    if let Some(flows) = flows("exception-policy-simulated-flow-memcap") {
        let issuers = values(&flows, Buffer::TlsCertIssuer, ToClient);
        let told = issuers.iter().filter(|issuer| issuer.contains("O=Stamus")).count();
        assert_eq!(told, 4, "{issuers:?}");
    }
    if let Some(flows) = flows("ssl_version_negated") {
        let told = flows.iter().flat_map(|flow| flow.app.transactions().open()).filter_map(Summary::of);
        let versions: Vec<_> = told.map(|told| told.version()).collect();
        assert!(!versions.is_empty() && versions.iter().all(|version| *version == "TLSv1"), "{versions:?}");
    }
}

#[test]
fn a_second_hello_of_one_flow_tells_nothing_where_the_case_is_at_hand() {
    let Some(flows) = flows("tls-duplicate-hello") else { return };
    assert_eq!(values(&flows, Buffer::Ja3String, ToServer).len(), 1);
}
