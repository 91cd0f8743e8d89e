//! Initial packets of QUIC: those that the standards print, and some that only a hostile client sends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what the tests share may fail as the tests do")]

use inspect::app::quic::{DATAGRAMS_MAX, Summary};
use inspect::app::{Anomaly, App, Facts, Guess, Ports, Transaction, Wanted};
use policy::{Buffer, Protocol, Way};
use proptest::prelude::*;
use recorded::recorded;
use sealed::{Frame, client, server};

mod recorded;
mod sealed;

use Way::{ToClient, ToServer};

const PORTS: Ports = Ports { initiator: 50_000, responder: 443 };
const ID: &[u8] = b"firstid8";

fn read(flow: &[(Way, Vec<u8>)]) -> App {
    let mut app = App::new(PORTS);
    for (way, bytes) in flow {
        app.datagram(*way, bytes, Wanted::ALL);
    }
    app
}

fn only(app: &App) -> &Transaction {
    let [transaction] = app.transactions().open() else { panic!("{:?}", app.transactions()) };
    transaction
}

fn name(transaction: &Transaction) -> Option<&[u8]> {
    transaction.first(Buffer::QuicSni, ToServer)
}

fn facts(transaction: &Transaction) -> &inspect::app::quic::QuicFacts {
    let Facts::Quic(facts) = &transaction.facts else { panic!("{:?}", transaction.facts) };
    facts
}

/// A client hello with a name and a key share of that many bytes.
fn hello(name: &[u8], share: usize) -> Vec<u8> {
    let sized = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let extension = |kind: u16, content: &[u8]| [&kind.to_be_bytes()[..], &sized(content)].concat();
    let list = sized(&[&[0], &sized(name)[..]].concat());
    let block =
        [extension(0, &list), extension(16, b"\0\x03\x02h3"), extension(51, &vec![7; share])].concat();
    let body = [&[3, 3][..], &[9; 32], &[0, 0, 2, 0x13, 1, 1, 0], &sized(&block)].concat();
    let mut message = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    message[0] = 1;
    [message, body].concat()
}

#[test]
fn the_packets_that_the_standards_print_are_opened() {
    let cases = [("rfc9001.flow", "1", 1_u32), ("rfc9369.flow", "2", 0x6b33_43cf)];
    for (flow, version, number) in cases {
        let app = read(&recorded(flow));
        assert_eq!(app.flow_protocol(), Guess::Decided(Protocol::Quic), "{flow}");
        assert!(app.is_done(), "{flow}");
        let transaction = only(&app);
        assert!(transaction.is_complete(), "{flow}");
        assert!(transaction.anomalies.is_empty(), "{flow}: {:?}", transaction.anomalies);
        let told = Summary::of(transaction).unwrap();
        assert_eq!(told.sni(), Some(&b"example.com"[..]), "{flow}");
        assert_eq!(told.version(), version, "{flow}");
        let expected = Some(&number.to_be_bytes()[..]);
        assert_eq!(transaction.first(Buffer::QuicVersion, ToServer), expected, "{flow}");
        assert_eq!(transaction.first(Buffer::QuicVersion, ToClient), expected, "{flow}");
        let protocols: Vec<_> = told.protocols(ToServer).collect();
        assert_eq!(protocols, [b"alpn"], "{flow}");
        let (_, string) = told.ja3s().unwrap();
        assert_eq!(string, b"771,4865,51-43", "{flow}");
        assert!(told.ja4().unwrap().starts_with(b"q13d0211an_"), "{flow}");
    }
}

#[test]
fn a_hello_over_several_datagrams_is_read_in_any_order() {
    let hello = hello(b"quantum.example", 1800);
    let (first, second) = hello.split_at(1000);
    let datagrams = [
        client(1, ID, 0, &[Frame::Crypto(0, first), Frame::Padding(100)]),
        client(1, ID, 1, &[Frame::Ping, Frame::Crypto(1000, second)]),
    ];
    for order in [[0, 1], [1, 0]] {
        let app = read(&order.map(|nth: usize| (ToServer, datagrams[nth].clone())));
        assert_eq!(name(only(&app)), Some(&b"quantum.example"[..]), "{order:?}");
        assert!(only(&app).anomalies.is_empty(), "{order:?}");
    }
}

#[test]
fn packets_behind_each_other_in_one_datagram_are_read() {
    let hello = hello(b"coalesced.example", 100);
    let (first, second) = hello.split_at(40);
    let together = [
        client(1, ID, 0, &[Frame::Crypto(40, second)]),
        client(1, ID, 1, &[Frame::Crypto(0, first)]),
        vec![0; 200],
    ];
    let app = read(&[(ToServer, together.concat())]);
    assert_eq!(name(only(&app)), Some(&b"coalesced.example"[..]));
    assert!(only(&app).anomalies.is_empty());
}

#[test]
fn after_a_retry_the_client_begins_anew_with_the_id_it_was_given() {
    let hello = hello(b"retry.example", 1800);
    let (first, second) = hello.split_at(1000);
    let retry = [&[0xf0, 0, 0, 0, 1, 0, 8][..], b"secondid", b"token and integrity tag"].concat();
    let app = read(&[
        (ToServer, client(1, ID, 0, &[Frame::Crypto(0, first)])),
        (ToClient, retry),
        (ToServer, client(1, b"secondid", 1, &[Frame::Crypto(0, first)])),
        (ToServer, client(1, b"secondid", 2, &[Frame::Crypto(1000, second)])),
    ]);
    let transaction = only(&app);
    assert_eq!(name(transaction), Some(&b"retry.example"[..]));
    assert!(facts(transaction).is_retried);
    assert!(transaction.anomalies.is_empty(), "{:?}", transaction.anomalies);
}

#[test]
fn after_a_version_negotiation_the_client_begins_anew_with_another_version() {
    let hello = hello(b"negotiated.example", 100);
    let unknown = [&[0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8][..], ID, &[0; 1200]].concat();
    let versions = [&[0x80, 0, 0, 0, 0, 0, 8][..], ID, &[0, 0, 0, 1]].concat();
    let app = read(&[
        (ToServer, unknown),
        (ToClient, versions),
        (ToServer, client(1, b"another8", 0, &[Frame::Crypto(0, &hello)])),
    ]);
    let transaction = only(&app);
    assert_eq!(name(transaction), Some(&b"negotiated.example"[..]));
    assert!(facts(transaction).is_negotiated);
    assert_eq!(facts(transaction).version(ToServer), 1);
}

#[test]
fn draft_29_is_opened_with_its_own_salt() {
    let hello = hello(b"draft.example", 100);
    let app = read(&[(ToServer, client(0xff00_001d, ID, 0, &[Frame::Crypto(0, &hello)]))]);
    assert_eq!(name(only(&app)), Some(&b"draft.example"[..]));
}

#[test]
fn a_packet_changed_by_one_bit_is_not_opened() {
    let mut packet = client(1, ID, 0, &[Frame::Crypto(0, &hello(b"a.example", 100))]);
    *packet.last_mut().unwrap() ^= 1;
    let app = read(&[(ToServer, packet)]);
    assert_eq!(name(only(&app)), None);
    assert!(only(&app).anomalies.has(Anomaly::QuicUndecryptable));
}

#[test]
fn frames_that_may_not_be_there_are_an_anomaly() {
    let app = read(&[(ToServer, client(1, ID, 0, &[Frame::Raw(&[0x1e]), Frame::Padding(40)]))]);
    assert!(only(&app).anomalies.has(Anomaly::QuicFrameInvalid));
}

#[test]
fn a_handshake_that_never_ends_is_given_up_and_its_memory_is_bounded() {
    let mut app = App::new(PORTS);
    let mut most = 0;
    for nth in 0..=DATAGRAMS_MAX {
        let scattered: Vec<Frame<'_>> =
            (0..200).map(|part| Frame::Crypto(u64::from(nth) * 4000 + part * 20 + 1, b"scattered")).collect();
        app.datagram(ToServer, &client(1, ID, u64::from(nth), &scattered), Wanted::ALL);
        most = most.max(app.memory());
    }
    assert!(app.is_done());
    assert!(only(&app).anomalies.has(Anomaly::QuicCryptoTooScattered));
    assert!(only(&app).anomalies.has(Anomaly::QuicDatagramFlood));
    assert!(most < 32_768, "{most}");
}

#[test]
fn googles_own_versions_are_recognised_and_not_read() {
    let early = [&[0x0d][..], b"12345678", b"Q043", &[1; 1200]].concat();
    let late = [&[0xc3][..], b"Q050", &[8], ID, &[0, 0], &[1; 1200]].concat();
    for (datagram, version) in [(early, "Q043"), (late, "Q050")] {
        let app = read(&[(ToServer, datagram)]);
        assert_eq!(app.flow_protocol(), Guess::Decided(Protocol::Quic), "{version}");
        assert!(app.is_done(), "{version}");
        assert_eq!(Summary::of(only(&app)).unwrap().version(), version);
    }
}

#[test]
fn a_servers_hello_completes_the_handshake() {
    let shello = [&[2, 0, 0, 46, 3, 3][..], &[5; 32], &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
    let app = read(&[
        (ToServer, client(1, ID, 0, &[Frame::Crypto(0, &hello(b"a.example", 100))])),
        (ToClient, server(1, ID, 0, &[Frame::Crypto(0, &shello)])),
    ]);
    assert!(app.is_done());
    assert!(only(&app).is_complete());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_hello_is_the_same_in_any_pieces_and_any_order(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        order in any::<[u8; 16]>(),
        packets in 1_usize..5,
    ) {
        let hello = hello(b"pieces.example", 1500);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(hello.len())).collect();
        ends.extend([0, hello.len()]);
        ends.sort_unstable();
        let mut pieces: Vec<(usize, usize)> = ends.windows(2).map(|pair| (pair[0], pair[1])).collect();
        pieces.sort_by_key(|(start, end)| order[(start + 3 * end) % 16]);
        let mut app = App::new(PORTS);
        for (nth, some) in pieces.chunks(packets).enumerate() {
            let frames: Vec<Frame<'_>> =
                some.iter().map(|(start, end)| Frame::Crypto(*start as u64, &hello[*start..*end])).collect();
            app.datagram(ToServer, &client(1, ID, nth as u64, &frames), Wanted::ALL);
        }
        let whole = read(&[(ToServer, client(1, ID, 0, &[Frame::Crypto(0, &hello)]))]);
        prop_assert_eq!(app.transactions().open(), whole.transactions().open());
    }

    #[test]
    fn changed_bytes_never_panic(
        flow in prop::sample::select(vec!["rfc9001.flow", "rfc9369.flow"]),
        changes in prop::collection::vec((0_usize..60, any::<u8>()), 1..6),
        length in 0_usize..1300,
    ) {
        let mut flow = recorded(flow);
        for (place, value) in changes {
            flow[0].1[place] = value;
        }
        flow[0].1.truncate(length);
        let app = read(&flow);
        prop_assert!(app.memory() < 16_384);
    }
}
