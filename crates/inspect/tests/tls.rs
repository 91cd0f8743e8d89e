//! Handshakes of real clients and servers, recorded, as whole flows: guessed, parsed, told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what the tests share may fail as the tests do")]

use inspect::app::tls::{MESSAGE_MAX, Summary};
use inspect::app::{Anomaly, App, Guess, Phase, Ports, Transaction, Wanted};
use policy::{Buffer, Protocol, SslState, SslVersion, Way};
use proptest::prelude::*;
use recorded::recorded;

mod recorded;

const PORTS: Ports = Ports { initiator: 50_000, responder: 443 };

fn read(flow: &[(Way, Vec<u8>)]) -> App {
    let mut app = App::new(PORTS);
    for (way, bytes) in flow {
        app.stream(*way, bytes, Wanted::ALL);
    }
    app
}

fn only(app: &App) -> &Transaction {
    let [transaction] = app.transactions().open() else { panic!("{:?}", app.transactions()) };
    transaction
}

fn text(bytes: Option<&[u8]>) -> &str {
    bytes.map_or("", |bytes| std::str::from_utf8(bytes).unwrap())
}

#[test]
fn a_handshake_of_tls_1_2_tells_name_certificate_and_version() {
    let app = read(&recorded("tls12.flow"));
    assert_eq!(app.protocol(Way::ToServer), Guess::Decided(Protocol::Tls));
    assert_eq!(app.protocol(Way::ToClient), Guess::Decided(Protocol::Tls));
    assert!(app.is_done());
    let transaction = only(&app);
    assert!(transaction.is_complete());
    assert!(transaction.anomalies.is_empty(), "{:?}", transaction.anomalies);
    let told = Summary::of(transaction).unwrap();
    assert_eq!(text(told.sni()), "www.example.org");
    assert_eq!(told.version(), "TLS 1.2");
    let subject = "C=DE, ST=Berlin, L=Berlin, O=Sluice Tests, Inc., OU=Handshakes, CN=www.example.org, Email=tests@example.org";
    assert_eq!(text(told.subject(Way::ToClient)), subject);
    assert_eq!(text(told.issuer(Way::ToClient)), subject);
    assert_eq!(text(told.serial(Way::ToClient)), "00:E7:F9:B6:DE:A6");
    assert_eq!(
        text(told.fingerprint(Way::ToClient)),
        "b2:f2:38:51:67:c5:1c:34:1f:52:bd:1a:18:af:4d:fd:63:27:4a:6d"
    );
    let names: Vec<&str> = told.alternative_names(Way::ToClient).map(|name| text(Some(name))).collect();
    let expected = [
        "www.example.org",
        "*.example.org",
        "192.0.2.7",
        "2001:db8::7",
        "tests@example.org",
        "https://example.org/",
    ];
    assert_eq!(names, expected);
    let offered: Vec<&str> = told.protocols(Way::ToServer).map(|name| text(Some(name))).collect();
    assert_eq!(offered, ["h2", "http/1.1"]);
    let validity = told.validity(Way::ToClient).unwrap();
    assert_eq!(validity.not_after - validity.not_before, 3650 * 86_400);
    assert!(!told.session_resumed());
    let chain: Vec<_> = transaction.values(Buffer::TlsCerts, Way::ToClient).collect();
    assert_eq!(chain.len(), 1);
    assert!(chain[0].starts_with(&[0x30, 0x82]));
}

#[test]
fn a_handshake_of_tls_1_3_tells_names_until_it_is_encrypted() {
    for (flow, name) in
        [("tls13.flow", "www.example.org"), ("curl.flow", "curl.example.org"), ("no-name.flow", "")]
    {
        let app = read(&recorded(flow));
        assert!(app.is_done(), "{flow}");
        let transaction = only(&app);
        assert!(transaction.anomalies.is_empty(), "{flow}: {:?}", transaction.anomalies);
        let told = Summary::of(transaction).unwrap();
        assert_eq!(text(told.sni()), name, "{flow}");
        assert_eq!(told.version(), "TLS 1.3", "{flow}");
        assert_eq!(told.subject(Way::ToClient), None, "{flow}");
        let ja4 = text(told.ja4());
        assert!(ja4.starts_with(if name.is_empty() { "t13i" } else { "t13d" }), "{flow}: {ja4}");
    }
}

#[test]
fn a_retry_asks_for_a_second_hello_and_the_handshake_goes_on() {
    let flow = recorded("tls13-retry.flow");
    let before_the_end = read(&flow[..3]);
    assert!(!before_the_end.is_done(), "a second server hello is to come");
    let app = read(&flow);
    assert!(app.is_done());
    let transaction = only(&app);
    assert_eq!(transaction.values(Buffer::TlsSni, Way::ToServer).count(), 1);
    assert_eq!(transaction.values(Buffer::Ja3sString, Way::ToClient).count(), 1);
    let inspect::app::Facts::Tls(handshake) = &transaction.facts else { panic!() };
    assert!(handshake.is_retried());
    assert_eq!(handshake.version(Way::ToClient), Some(SslVersion::Tls13));
}

#[test]
fn a_clients_certificate_is_told_by_its_way() {
    let app = read(&recorded("tls12-mutual.flow"));
    let told = Summary::of(only(&app)).unwrap();
    assert_eq!(told.subject(Way::ToServer), told.subject(Way::ToClient));
    assert!(told.subject(Way::ToServer).is_some());
}

#[test]
fn a_session_resumed_by_ticket_is_known_by_the_certificate_that_is_not_there() {
    let app = read(&recorded("tls12-resumed.flow"));
    assert!(Summary::of(only(&app)).unwrap().session_resumed());
}

#[test]
fn the_name_is_there_as_soon_as_the_hello_is_whole_and_the_state_says_so() {
    let flow = recorded("tls13.flow");
    let (_, hello) = &flow[0];
    let mut app = App::new(PORTS);
    app.stream(Way::ToServer, &hello[..hello.len() - 1], Wanted::ALL);
    assert_eq!(only(&app).reached(Way::ToServer), Phase::Begun);
    app.stream(Way::ToServer, &hello[hello.len() - 1..], Wanted::ALL);
    let transaction = only(&app);
    assert_eq!(transaction.reached(Way::ToServer), Phase::Head);
    assert_eq!(text(transaction.first(Buffer::TlsSni, Way::ToServer)), "www.example.org");
    let test = policy::AppTest::SslState { negated: false, states: vec![SslState::ClientHello] };
    assert!(transaction.facts.answers(&test, Way::ToServer));
    assert!(!transaction.facts.answers(&test, Way::ToClient));
}

#[test]
fn nothing_is_made_that_nobody_wants() {
    let mut app = App::new(PORTS);
    for (way, bytes) in recorded("tls12.flow") {
        app.stream(way, &bytes, Wanted::none().and(Buffer::TlsSni));
    }
    let buffers: Vec<_> = only(&app).pieces().iter().map(|piece| piece.buffer).collect();
    assert_eq!(buffers, [Buffer::TlsSni]);
}

#[test]
fn a_hello_with_a_record_for_each_byte_is_read() {
    let flow = recorded("curl.flow");
    let (_, hello) = &flow[0];
    let shredded: Vec<u8> = hello[5..].iter().flat_map(|byte| [0x16, 3, 1, 0, 1, *byte]).collect();
    let app = read(&[(Way::ToServer, shredded)]);
    assert_eq!(text(only(&app).first(Buffer::TlsSni, Way::ToServer)), "curl.example.org");
}

/// A client hello with extensions as given, in records as long as they may be.
fn hello(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (kind, content) in extensions {
        block.extend(kind.to_be_bytes());
        block.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        block.extend(content);
    }
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(u16::try_from(block.len()).unwrap().to_be_bytes());
    body.extend(block);
    let mut message = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    message[0] = 1;
    message.extend(body);
    records(&message)
}

fn records(message: &[u8]) -> Vec<u8> {
    let record = |part: &[u8]| {
        let [high, low] = u16::try_from(part.len()).unwrap().to_be_bytes();
        [&[0x16, 3, 1, high, low], part].concat()
    };
    message.chunks(16_384).flat_map(record).collect()
}

fn name(name: &[u8]) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap();
    let mut content = (length + 3).to_be_bytes().to_vec();
    content.push(0);
    content.extend(length.to_be_bytes());
    content.extend(name);
    content
}

#[test]
fn names_that_are_wrong_are_told_and_what_is_there_is_read() {
    type Offered = Vec<(u16, Vec<u8>)>;
    let cases: [(Offered, Anomaly, Option<&[u8]>); 6] = [
        (vec![(0, name(b"a.example")), (0, name(b"b.example"))], Anomaly::TlsSniMultiple, Some(b"a.example")),
        (vec![(0, name(&[b'a'; 300]))], Anomaly::TlsSniLength, Some(&[b'a'; 300])),
        (vec![(0, name(b""))], Anomaly::TlsSniLength, Some(b"")),
        (vec![(0, vec![0, 9, 0])], Anomaly::TlsSniLength, None),
        (vec![(0, vec![0, 4, 1, 0, 1, b'a'])], Anomaly::TlsSniKind, None),
        (vec![(0, vec![])], Anomaly::TlsSniLength, None),
    ];
    for (extensions, anomaly, expected) in cases {
        let app = read(&[(Way::ToServer, hello(&extensions))]);
        let transaction = only(&app);
        let found: Vec<_> = transaction.anomalies.iter().collect();
        assert_eq!(found, [anomaly], "{extensions:?}");
        assert_eq!(transaction.first(Buffer::TlsSni, Way::ToServer), expected, "{extensions:?}");
    }
}

#[test]
fn a_name_of_64_kb_is_an_anomaly_and_its_memory_is_bounded() {
    let mut app = App::new(PORTS);
    let stream = hello(&[(0, name(&vec![b'a'; 65_000]))]);
    let mut most = 0;
    for part in stream.chunks(1400) {
        app.stream(Way::ToServer, part, Wanted::ALL);
        most = most.max(app.memory());
    }
    assert!(only(&app).anomalies.has(Anomaly::TlsSniLength));
    assert!(most < 6 * MESSAGE_MAX, "{most}");
    let bomb = hello(&[(0, name(&vec![b'a'; 60_000])), (21, vec![0; 5_500])]);
    let app = read(&[(Way::ToServer, bomb)]);
    assert!(only(&app).anomalies.has(Anomaly::TlsHandshakeTooLong));
    assert!(app.memory() < 4096, "{}", app.memory());
}

#[test]
fn a_chain_of_certificates_without_end_is_an_anomaly_and_its_memory_is_bounded() {
    let server_hello = recorded("tls12.flow")[1].1[..5 + 0x41].to_vec();
    let mut message = vec![11, 0, 0xf0, 3, 0, 0xf0, 0];
    message.extend([0, 0, 1, 0x30].repeat(15_360));
    let mut app = App::new(PORTS);
    app.stream(Way::ToClient, &server_hello, Wanted::ALL);
    app.stream(Way::ToClient, &records(&message), Wanted::ALL);
    let transaction = only(&app);
    assert!(transaction.anomalies.has(Anomaly::TlsCertificatesTooMany));
    assert!(transaction.anomalies.has(Anomaly::TlsCertificateInvalid));
    assert!(app.memory() < 16_384, "{}", app.memory());
}

#[test]
fn a_flood_of_records_ends_the_parser() {
    let mut app = App::new(PORTS);
    app.stream(Way::ToServer, b"\x16\x03\x01\x00\x06\x01\x00\xff\xff\x03\x03", Wanted::ALL);
    for _ in 0..20_000 {
        app.stream(Way::ToServer, b"\x16\x03\x01\x00\x01\x00", Wanted::ALL);
    }
    assert!(app.is_done());
    assert!(only(&app).anomalies.has(Anomaly::TlsRecordFlood));
    assert_eq!(app.protocol(Way::ToServer), Guess::Decided(Protocol::Tls));
}

#[test]
fn what_turns_out_to_be_no_tls_ends_the_parser_and_the_protocol_stays() {
    let mut app = read(&[(Way::ToServer, b"\x16\x03\x01\x00\x01\x01HELLO".to_vec())]);
    assert!(app.is_done());
    assert_eq!(app.protocol(Way::ToServer), Guess::Decided(Protocol::Tls));
    assert!(only(&app).is_complete());
    app.stream(Way::ToServer, b"more", Wanted::ALL);
    assert_eq!(app.transactions_mut().retire(Transaction::is_complete).count(), 1);
}

#[test]
fn a_gap_within_the_handshake_ends_it_and_one_behind_it_does_not() {
    let flow = recorded("tls12.flow");
    let mut app = read(&flow[..1]);
    app.gap(Way::ToClient, 100);
    assert!(app.is_done());
    assert!(only(&app).anomalies.has(Anomaly::TlsGap));
}

#[test]
fn one_encrypted_record_in_many_pieces_is_one_to_a_flow_of_which_only_one_way_speaks() {
    let mut said: Vec<u8> =
        recorded("tls13.flow").into_iter().find(|(way, _)| *way == Way::ToServer).unwrap().1;
    said.extend_from_slice(b"\x14\x03\x03\0\x01\x01\x17\x03\x03\x01\x00");
    said.extend_from_slice(&[0xAA; 256]);
    said.extend_from_slice(b"\x99no record");
    let told = |step: usize| {
        let mut app = App::new(PORTS);
        said.chunks(step).for_each(|piece| app.stream(Way::ToServer, piece, Wanted::ALL));
        only(&app).anomalies
    };
    assert!(told(said.len()).has(Anomaly::TlsRecordKind));
    assert_eq!(told(1), told(said.len()));
}

#[test]
fn a_hello_of_ssl_2_is_recognised() {
    let mut old = vec![0x80, 9 + 6 + 16, 1, 0, 2, 0, 6, 0, 0, 0, 16];
    old.extend([7, 0, 0xc0, 1, 0, 0x80]);
    old.extend([9; 16]);
    for (minor, version) in [([0, 2], SslVersion::Ssl2), ([3, 1], SslVersion::Tls10)] {
        old[3..5].copy_from_slice(&minor);
        let app = read(&[(Way::ToServer, old.clone())]);
        let inspect::app::Facts::Tls(handshake) = &only(&app).facts else { panic!() };
        assert_eq!(handshake.version(Way::ToServer), Some(version));
        assert_eq!(only(&app).reached(Way::ToServer), Phase::Head);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_flow_tells_the_same_however_it_is_cut(
        which in prop::sample::select(vec!["tls12.flow", "tls13.flow", "tls13-retry.flow", "tls12-mutual.flow"]),
        cuts in prop::collection::vec(1_usize..200, 1..50),
    ) {
        let flow = recorded(which);
        let whole = read(&flow);
        let mut lengths = cuts.iter().cycle();
        let mut app = App::new(PORTS);
        for (way, bytes) in &flow {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at((*lengths.next().unwrap()).min(rest.len()));
                app.stream(*way, piece, Wanted::ALL);
                rest = behind;
            }
        }
        prop_assert_eq!(whole.transactions().open(), app.transactions().open());
        prop_assert_eq!(whole.is_done(), app.is_done());
    }

    #[test]
    fn changed_bytes_never_panic_and_memory_stays_bounded(
        which in prop::sample::select(vec!["tls12.flow", "tls13-retry.flow", "tls12-mutual.flow"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut flow = recorded(which);
        for (index, value) in changes {
            let message = index.index(flow.len());
            let place = index.index(flow[message].1.len());
            flow[message].1[place] = value;
        }
        let app = read(&flow);
        prop_assert!(app.memory() < 3 * MESSAGE_MAX);
    }
}
