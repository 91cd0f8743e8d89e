//! What a flow speaks, as a whole: guessed, parsed, changed, given up.

use inspect::app::{Anomaly, App, GUESS_BYTES, Guess, Ports, Wanted};
use policy::{Buffer, Protocol, Way};

use Way::{ToClient, ToServer};

/// An application behind a port, and what went through it.
fn app(responder: u16, talk: &[(Way, &[u8])]) -> App {
    let mut app = App::new(Ports { initiator: 50_000, responder });
    for (way, bytes) in talk {
        app.stream(*way, bytes, Wanted::ALL);
    }
    app
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

#[test]
fn both_ways_speak_what_one_of_them_says() {
    let whole = app(8080, &[(ToServer, GET), (ToClient, b"HTTP/1.1 204 No Content\r\n\r\n")]);
    assert_eq!(whole.protocol(ToServer), Guess::Decided(Protocol::Http1));
    assert_eq!(whole.protocol(ToClient), Guess::Decided(Protocol::Http1));
    assert!(whole.anomalies().is_empty());
    let open = &whole.transactions().open()[0];
    assert_eq!(open.first(Buffer::HttpStatCode, ToClient), Some(&b"204"[..]));
}

#[test]
fn a_way_that_says_nothing_known_speaks_what_the_other_says() {
    let greeted = app(25, &[(ToClient, b"220 mail.example ESMTP\r\n"), (ToServer, b"QUIT\r\n")]);
    assert_eq!(greeted.protocol(ToServer), Guess::Decided(Protocol::Smtp));
    assert!(greeted.is_done(), "it is recognised and not read");
}

#[test]
fn ways_that_speak_different_protocols_are_an_anomaly() {
    let mixed = app(80, &[(ToServer, GET), (ToClient, b"SSH-2.0-OpenSSH_9.6\r\n")]);
    assert!(mixed.anomalies().has(Anomaly::ProtocolMismatch));
    assert_eq!(mixed.flow_protocol(), Guess::Decided(Protocol::Http1));
    assert_eq!(mixed.protocol(ToClient), Guess::Decided(Protocol::Ssh));
}

#[test]
fn ways_that_differ_are_an_anomaly_even_byte_by_byte() {
    let mut mixed = app(80, &[(ToServer, GET)]);
    for byte in b"SSH-" {
        assert_eq!(mixed.protocol(ToClient), Guess::Undecided);
        mixed.stream(ToClient, &[*byte], Wanted::ALL);
    }
    assert!(mixed.anomalies().has(Anomaly::ProtocolMismatch));
    assert_eq!(mixed.protocol(ToClient), Guess::Decided(Protocol::Ssh));
}

#[test]
fn what_was_kept_while_undecided_reaches_the_parser() {
    let mut slow = App::new(Ports { initiator: 50_000, responder: 80 });
    for byte in GET {
        slow.stream(ToServer, &[*byte], Wanted::ALL);
    }
    let open = &slow.transactions().open()[0];
    assert_eq!(open.first(Buffer::HttpHost, ToServer), Some(&b"a.example"[..]));
}

#[test]
fn what_cannot_be_told_is_given_up_within_bounds() {
    let mut noise = app(4444, &[(ToServer, &[0xee; 100])]);
    assert_eq!(noise.protocol(ToServer), Guess::Failed);
    assert_eq!(noise.flow_protocol(), Guess::Undecided, "the other way may tell");
    let mut most = 0;
    for _ in 0..100 {
        noise.stream(ToServer, &[0xee; 1400], Wanted::ALL);
        most = most.max(noise.memory());
    }
    assert!(most < 3 * GUESS_BYTES, "{most}");
    assert_eq!(noise.flow_protocol(), Guess::Failed);
    assert!(noise.is_done());
}

#[test]
fn silence_is_given_up_at_its_end() {
    let mut silent = app(80, &[(ToServer, b"GE")]);
    silent.end(ToServer);
    assert_eq!(silent.protocol(ToServer), Guess::Failed);
    silent.end(ToClient);
    assert_eq!(silent.flow_protocol(), Guess::Failed);
}

#[test]
fn a_tunnel_is_guessed_again_and_read() {
    let hello = b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03";
    let mut rest = [7; 60].to_vec();
    rest[32..37].copy_from_slice(&[0, 0, 2, 0x13, 1]);
    rest[37..41].copy_from_slice(&[1, 0, 0, 17]);
    rest[41..58].copy_from_slice(b"\0\0\0\x0d\0\x0b\0\0\x08b.exampl");
    rest.truncate(58);
    let hello = [&hello[..], &rest].concat();
    let tunnel = app(
        3128,
        &[
            (ToServer, b"CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n"),
            (ToClient, b"HTTP/1.1 200 OK\r\n\r\n"),
            (ToServer, &hello),
        ],
    );
    assert_eq!(tunnel.flow_protocol(), Guess::Decided(Protocol::Tls));
    assert_eq!(tunnel.original_protocol(), Some(Protocol::Http1));
    let names = tunnel.transactions().open().iter().filter_map(|open| open.first(Buffer::TlsSni, ToServer));
    assert_eq!(names.collect::<Vec<_>>(), [b"b.exampl"]);
}

#[test]
fn an_upgrade_is_known_by_what_was_agreed_on() {
    let upgraded = app(
        80,
        &[
            (
                ToServer,
                b"GET /c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            ),
            (
                ToClient,
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\0",
            ),
        ],
    );
    assert_eq!(upgraded.flow_protocol(), Guess::Decided(Protocol::Websocket));
    assert_eq!(upgraded.original_protocol(), Some(Protocol::Http1));
    assert!(upgraded.is_done());
}
