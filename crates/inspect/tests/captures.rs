//! The parsers of HTTP and DNS over real captures, where they stand beside the project.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use inspect::app::dns::{Dns, DnsCarrier, DnsFacts, DnsSide};
use inspect::app::http::{Http, HttpLimits, HttpRecord};
use inspect::app::{Facts, Transaction, Transactions, Wanted};
use pcap_parser::{Linktype, PcapBlockOwned, PcapError};
use policy::{Buffer, Way};

/// Both ends of a flow, the lesser first.
type Ends = [(IpAddr, u16); 2];

/// What one flow carried, in the order of arrival.
#[derive(Default)]
struct Flow {
    client: Option<(IpAddr, u16)>,
    is_tcp: bool,
    /// What each way must send next.
    next: [Option<u32>; 2],
    talk: Vec<(Way, Vec<u8>)>,
}

impl Flow {
    fn add(&mut self, from: (IpAddr, u16), sequence: Option<u32>, is_syn: bool, bytes: &[u8]) {
        let client = *self.client.get_or_insert(from);
        let way = if from == client { Way::ToServer } else { Way::ToClient };
        let mut fresh = bytes;
        if let Some(sequence) = sequence {
            let next = self.next[way as usize].get_or_insert(sequence);
            if is_syn {
                *next = sequence.wrapping_add(1);
            }
            // What was seen is left out, what is missing is passed over: an inspected stream would do better.
            let seen = next.wrapping_sub(sequence);
            if seen < 1 << 31 {
                fresh = bytes.get(seen as usize..).unwrap_or_default();
            }
            let end = sequence.wrapping_add(u32::try_from(bytes.len()).unwrap());
            if end.wrapping_sub(*next) < 1 << 31 && !is_syn {
                *next = end;
            }
        }
        if !fresh.is_empty() {
            self.talk.push((way, fresh.to_vec()));
        }
    }

    fn is_http(&self) -> bool {
        let starts = [&b"GET "[..], b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"CONNECT ", b"HTTP/1."];
        self.is_tcp
            && self.talk.first().is_some_and(|(_, first)| starts.iter().any(|start| first.starts_with(start)))
    }
}

fn packet<'a>(link: Linktype, frame: &'a [u8]) -> Option<SlicedPacket<'a>> {
    match link {
        Linktype::ETHERNET => SlicedPacket::from_ethernet(frame).ok(),
        Linktype::LINUX_SLL => SlicedPacket::from_linux_sll(frame).ok(),
        Linktype::NULL => SlicedPacket::from_ip(frame.get(4..)?).ok(),
        Linktype::RAW | Linktype::IPV4 | Linktype(12) => SlicedPacket::from_ip(frame).ok(),
        _ => None,
    }
}

fn flows_of(path: &Path) -> BTreeMap<Ends, Flow> {
    let mut flows = BTreeMap::new();
    let Ok(mut reader) = pcap_parser::create_reader(1 << 20, std::fs::File::open(path).unwrap()) else {
        return flows;
    };
    let mut link = Linktype::ETHERNET;
    while !reader.reader_exhausted() || !reader.data().is_empty() {
        match reader.next() {
            Ok((length, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => link = header.network,
                    PcapBlockOwned::Legacy(block) => add(&mut flows, link, block.data),
                    PcapBlockOwned::NG(pcap_parser::Block::InterfaceDescription(block)) => {
                        link = block.linktype
                    }
                    PcapBlockOwned::NG(pcap_parser::Block::EnhancedPacket(block)) => {
                        add(&mut flows, link, block.data);
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(length);
            }
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(_) => break,
        }
    }
    flows
}

fn add(flows: &mut BTreeMap<Ends, Flow>, link: Linktype, frame: &[u8]) {
    let Some(packet) = packet(link, frame) else { return };
    let (from, to): (IpAddr, IpAddr) = match &packet.net {
        Some(NetSlice::Ipv4(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        Some(NetSlice::Ipv6(ip)) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        _ => return,
    };
    let ends = |source: u16, destination: u16| {
        let mut ends = [(from, source), (to, destination)];
        ends.sort_unstable();
        ends
    };
    match packet.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            let flow = flows.entry(ends(tcp.source_port(), tcp.destination_port())).or_default();
            flow.is_tcp = true;
            if tcp.syn() && tcp.ack() {
                flow.client = Some((to, tcp.destination_port()));
            }
            flow.add((from, tcp.source_port()), Some(tcp.sequence_number()), tcp.syn(), tcp.payload());
        }
        Some(TransportSlice::Udp(udp)) => {
            let flow = flows.entry(ends(udp.source_port(), udp.destination_port())).or_default();
            flow.add((from, udp.source_port()), None, false, udp.payload());
        }
        _ => {}
    }
}

fn captures() -> Vec<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("SLUICE_SHARED").map_or(beside, PathBuf::from).join("verify");
    let files =
        |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let cases = files(root.join("cases")).flat_map(files);
    let mut found: Vec<PathBuf> = cases.chain(files(root.join("et"))).collect();
    found.retain(|path| path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng"));
    found.sort_unstable();
    found
}

/// What HTTP tells of a flow, each piece cut into parts of so many bytes.
fn http(flow: &Flow, step: usize) -> Vec<Transaction> {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    // Midstream, the server may be heard first.
    let is_turned = flow.talk[0].0 == Way::ToServer && flow.talk[0].1.starts_with(b"HTTP/1.");
    for (way, bytes) in &flow.talk {
        let way = if is_turned { way.opposite() } else { *way };
        for part in bytes.chunks(step) {
            http.feed(way, part, Wanted::ALL, &mut all);
        }
    }
    http.end(Way::ToServer, &mut all);
    http.end(Way::ToClient, &mut all);
    all.open().to_vec()
}

fn dns(flow: &Flow) -> Vec<Transaction> {
    let carrier = if flow.is_tcp { DnsCarrier::Stream } else { DnsCarrier::Datagram };
    let (mut dns, mut all) = (Dns::new(carrier), Transactions::default());
    for (way, bytes) in &flow.talk {
        dns.feed(*way, bytes, Wanted::ALL, &mut all);
    }
    all.open().to_vec()
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or("-".to_owned(), |bytes| bytes.escape_ascii().to_string())
}

/// One line for a reader's eyes: `cargo test -p inspect --test captures -- --nocapture`.
fn print_http(told: &Transaction) {
    let record = HttpRecord::of(told).unwrap();
    let uri = text(told.first(Buffer::HttpUri, Way::ToServer));
    let line = [
        text(record.http_method()),
        text(record.hostname()),
        text(record.url()),
        text(record.http_user_agent()),
    ];
    let answer = [text(record.http_content_type()), text(record.redirect())];
    let noted: Vec<_> = told.anomalies.iter().collect();
    println!(
        "  {} uri={} {} → {:?} {} {}+{} bytes {noted:?}",
        told.number,
        uri.get(..80).unwrap_or(&uri),
        line.join(" "),
        record.status(),
        answer.join(" "),
        record.request_length(),
        record.length()
    );
}

fn print_dns(told: &Transaction) {
    let Facts::Dns(facts) = &told.facts else { unreachable!() };
    let side = |side: &DnsSide| {
        let asked =
            side.questions.iter().map(|question| (text(Some(side.question_name(question))), question.kind));
        let answered = side.answers.iter().map(|record| format!("{:?}", side.record_data(record)));
        format!("{:x} {:?} {:?}", side.flags, asked.collect::<Vec<_>>(), answered.collect::<Vec<_>>())
    };
    let DnsFacts { query, answer, .. } = facts.as_ref();
    let noted: Vec<_> = told.anomalies.iter().collect();
    println!("  {} {:?} → {:?} {noted:?}", told.number, query.as_ref().map(side), answer.as_ref().map(side));
}

#[test]
fn real_http_says_the_same_however_it_is_cut_where_captures_are_at_hand() {
    let captures = captures();
    if captures.is_empty() {
        eprintln!("no captures beside the project: not tried");
        return;
    }
    let mut transactions = 0;
    for path in captures {
        for (ends, flow) in flows_of(&path).iter().filter(|(_, flow)| flow.is_http()) {
            println!("{} {ends:?}", path.display());
            let told = http(flow, usize::MAX);
            told.iter().for_each(print_http);
            transactions += told.len();
            // Byte by byte takes its time in a debug build.
            let length: usize = flow.talk.iter().map(|(_, bytes)| bytes.len()).sum();
            for step in if length < 20_000 { [1, 7, 100] } else { [100, 999, 1000] } {
                assert!(http(flow, step) == told, "{} by {step}", path.display());
            }
        }
    }
    assert!(transactions > 100, "{transactions}");
}

#[test]
fn real_dns_is_read_where_captures_are_at_hand() {
    let captures = captures();
    if captures.is_empty() {
        eprintln!("no captures beside the project: not tried");
        return;
    }
    let mut transactions = 0;
    for path in captures {
        let is_dns = |ends: &Ends| ends.iter().any(|(_, number)| *number == 53);
        for (ends, flow) in flows_of(&path).iter().filter(|(ends, _)| is_dns(ends)) {
            println!("{} {ends:?}", path.display());
            let told = dns(flow);
            told.iter().for_each(print_dns);
            transactions += told.len();
        }
    }
    assert!(transactions > 50, "{transactions}");
}
