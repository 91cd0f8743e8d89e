//! What the HTTP parser tells of requests and responses, whole, cut, odd and hostile.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use inspect::app::http::{Became, Http, HttpFacts, HttpLimits};
use inspect::app::{Anomaly, Facts, Transaction, Transactions, Wanted};
use policy::{Buffer, Way};
use proptest::prelude::*;

use Way::{ToClient, ToServer};

/// The bytes of a conversation, in the order in which they were sent.
type Talk<'a> = &'a [(Way, &'a [u8])];

struct Told {
    http: Http,
    all: Transactions,
}

impl Told {
    fn of(talk: Talk<'_>) -> Self {
        let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
        for (way, bytes) in talk {
            http.feed(*way, bytes, Wanted::ALL, &mut all);
        }
        Self { http, all }
    }

    fn only(&self) -> &Transaction {
        assert_eq!(self.all.open().len(), 1, "{:?}", self.all);
        &self.all.open()[0]
    }
}

fn facts(transaction: &Transaction) -> &HttpFacts {
    let Facts::Http(facts) = &transaction.facts else { unreachable!("{transaction:?}") };
    facts
}

fn text(transaction: &Transaction, buffer: Buffer, way: Way) -> Option<&str> {
    transaction.first(buffer, way).map(|bytes| str::from_utf8(bytes).unwrap())
}

const REQUEST: &[u8] = b"POST /a%20b/../c?d=%41+1 HTTP/1.1\r\nHost: Www.Example.COM:8080\r\n\
    User-Agent: curl/8\r\nCookie: k=v\r\nAccept: */*\r\nAccept-Language: de\r\nAccept-Encoding: gzip\r\n\
    Referer: http://r.example/\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
const RESPONSE: &[u8] = b"HTTP/1.1 302 Found\r\nServer: s/1\r\nLocation: /next\r\nSet-Cookie: a=b\r\n\
    Content-Type: text/html\r\nContent-Length: 3\r\n\r\nbye";

#[test]
fn every_buffer_of_a_request_is_told() {
    let told = Told::of(&[(ToServer, REQUEST)]);
    let expected = [
        (Buffer::HttpMethod, "POST"),
        (Buffer::HttpUri, "/c?d=A+1"),
        (Buffer::HttpUriRaw, "/a%20b/../c?d=%41+1"),
        (Buffer::HttpProtocol, "HTTP/1.1"),
        (Buffer::HttpRequestLine, "POST /a%20b/../c?d=%41+1 HTTP/1.1"),
        (Buffer::HttpHost, "www.example.com"),
        (Buffer::HttpHostRaw, "Www.Example.COM:8080"),
        (Buffer::HttpUserAgent, "curl/8"),
        (Buffer::HttpCookie, "k=v"),
        (Buffer::HttpReferer, "http://r.example/"),
        (Buffer::HttpContentType, "text/plain"),
        (Buffer::HttpContentLen, "5"),
        (Buffer::HttpAccept, "*/*"),
        (Buffer::HttpAcceptLang, "de"),
        (Buffer::HttpAcceptEnc, "gzip"),
        (Buffer::HttpConnection, "close"),
        (Buffer::HttpRequestHeader, "Host: Www.Example.COM:8080"),
        (
            Buffer::HttpHeader,
            "Host: Www.Example.COM:8080\r\nUser-Agent: curl/8\r\nAccept: */*\r\nAccept-Language: de\r\n\
             Accept-Encoding: gzip\r\nReferer: http://r.example/\r\nConnection: close\r\n\
             Content-Type: text/plain\r\nContent-Length: 5\r\n",
        ),
        (
            Buffer::HttpHeaderNames,
            "\r\nHost\r\nUser-Agent\r\nCookie\r\nAccept\r\nAccept-Language\r\nAccept-Encoding\r\nReferer\r\n\
             Connection\r\nContent-Type\r\nContent-Length\r\n\r\n",
        ),
    ];
    for (buffer, value) in expected {
        assert_eq!(text(told.only(), buffer, ToServer), Some(value), "{buffer}");
    }
    let start = text(told.only(), Buffer::HttpStart, ToServer).unwrap();
    assert_eq!(start.as_bytes(), REQUEST.strip_suffix(b"hello").unwrap());
    let raw = text(told.only(), Buffer::HttpHeaderRaw, ToServer).unwrap();
    assert!(raw.starts_with("Host: ") && raw.contains("Cookie: ") && raw.ends_with("5\r\n\r\n"));
    assert_eq!(told.only().values(Buffer::HttpRequestHeader, ToServer).count(), 10);
    assert_eq!(told.only().body(ToServer), b"hello");
    assert_eq!(facts(told.only()).host_port, Some(8080));
    assert!(told.only().anomalies.is_empty(), "{:?}", told.only());
}

#[test]
fn every_buffer_of_a_response_is_told() {
    let told = Told::of(&[(ToServer, REQUEST), (ToClient, RESPONSE)]);
    let expected = [
        (Buffer::HttpProtocol, "HTTP/1.1"),
        (Buffer::HttpStatCode, "302"),
        (Buffer::HttpStatMsg, "Found"),
        (Buffer::HttpResponseLine, "HTTP/1.1 302 Found"),
        (Buffer::HttpLocation, "/next"),
        (Buffer::HttpServer, "s/1"),
        (Buffer::HttpCookie, "a=b"),
        (Buffer::HttpContentType, "text/html"),
        (Buffer::HttpContentLen, "3"),
        (Buffer::HttpResponseHeader, "Server: s/1"),
        (
            Buffer::HttpHeader,
            "Server: s/1\r\nLocation: /next\r\nContent-Type: text/html\r\nContent-Length: 3\r\n",
        ),
    ];
    for (buffer, value) in expected {
        assert_eq!(text(told.only(), buffer, ToClient), Some(value), "{buffer}");
    }
    assert_eq!(told.only().body(ToClient), b"bye");
    assert_eq!(facts(told.only()).status, Some(302));
    assert!(told.only().is_complete() && told.only().anomalies.is_empty());
}

#[test]
fn only_what_is_wanted_or_logged_is_made() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    http.feed(ToServer, REQUEST, Wanted::default().and(Buffer::HttpCookie), &mut all);
    let made: Vec<Buffer> = all.open()[0].pieces().iter().map(|piece| piece.buffer).collect();
    let expected = [
        Buffer::HttpMethod,
        Buffer::HttpUriRaw,
        Buffer::HttpProtocol,
        Buffer::HttpHost,
        Buffer::HttpUserAgent,
        Buffer::HttpCookie,
        Buffer::HttpReferer,
        Buffer::HttpContentType,
    ];
    assert_eq!(made, expected);
}

#[test]
fn responses_belong_to_pipelined_requests_in_turn() {
    let told = Told::of(&[
        (ToServer, b"HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (ToServer, b"\r\nPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"),
        (ToClient, b"HTTP/1.1 200 A\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 B\r\nContent-Length: 9\r\n\r\n"),
        (ToClient, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 C\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (ToClient, b"5;ext\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"),
    ]);
    let messages: Vec<_> =
        told.all.open().iter().map(|open| text(open, Buffer::HttpStatMsg, ToClient)).collect();
    assert_eq!(messages, [Some("A"), Some("B"), Some("C")]);
    assert!(told.all.open().iter().all(Transaction::is_complete), "{:?}", told.all);
    let last = &told.all.open()[2];
    assert_eq!((last.body(ToServer), last.body(ToClient)), (&b"abc"[..], &b"hello!"[..]));
    assert_eq!(last.values(Buffer::HttpHeader, ToServer).last(), Some(&b"T: x\r\n"[..]));
    assert_eq!(last.anomalies.iter().collect::<Vec<_>>(), [Anomaly::HttpChunkExtension]);
}

#[test]
fn a_body_without_length_goes_on_until_the_end() {
    let mut told = Told::of(&[
        (ToServer, b"GET / HTTP/1.0\r\n\r\n"),
        (ToClient, b"HTTP/1.0 200 OK\r\n\r\nsome"),
        (ToClient, b" more"),
    ]);
    assert_eq!(told.only().body(ToClient), b"some more");
    assert!(!told.only().is_complete());
    told.http.end(ToClient, &mut told.all);
    assert!(told.only().is_complete());
}

#[test]
fn what_a_connection_becomes_is_told_and_its_bytes_handed_on() {
    let socket = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let connect = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
    let rows: [(&[u8], &[u8], Became); 3] = [
        (socket, b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", Became::WebSocket),
        (socket, b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", Became::WebSocket),
        (connect, b"HTTP/1.1 200 Established\r\n\r\n", Became::Tunnel),
    ];
    for (request, response, became) in rows {
        let server = [response, b"server's"].concat();
        let mut told = Told::of(&[(ToServer, request), (ToClient, &server), (ToServer, b"client's")]);
        assert_eq!(told.http.became(), Some(became));
        assert!(told.http.is_done() && told.only().is_complete());
        assert_eq!(told.http.take_rest(ToClient), b"server's");
        assert_eq!(told.http.take_rest(ToServer), b"client's");
    }
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut told = Told::of(&[(ToServer, preface)]);
    assert_eq!(told.http.became(), Some(Became::Http2));
    assert_eq!(told.http.take_rest(ToServer), preface);
}

#[test]
fn what_follows_a_refused_connect_is_the_next_request() {
    let told = Told::of(&[
        (ToServer, b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\nGET /held HTTP/1.1\r\n"),
        (ToServer, b"Host: b\r\n\r\n"),
        (ToClient, b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
    ]);
    assert_eq!(told.all.open().len(), 2);
    assert_eq!(text(&told.all.open()[0], Buffer::HttpHost, ToServer), Some("a.example"));
    assert_eq!(text(&told.all.open()[1], Buffer::HttpUri, ToServer), Some("/held"));
}

/// A conversation with everything that may be cut apart.
const LONG: [&[u8]; 2] = [
    b"GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n\r\nPOST /b HTTP/1.1\nHost: b\nContent-Length: 7\n\n1234567\
      POST /c HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n4;x\r\nabcd\r\n  2\r\nef\r\n0\r\nT: t\r\n\r\n\
      GET /simple\r\nGET /d e HTTP/1.1\r\nHost: d\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 204 No\r\n\r\n\
      HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil the end",
];

/// Feed both ways, cut at the places given.
fn told_of(cuts: [&[usize]; 2]) -> Vec<Transaction> {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    for (way, cuts) in [ToServer, ToClient].into_iter().zip(cuts) {
        let bytes = LONG[way as usize];
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for ends in cuts.windows(2) {
            http.feed(way, &bytes[ends[0]..ends[1]], Wanted::ALL, &mut all);
        }
        http.end(way, &mut all);
    }
    all.open().to_vec()
}

#[test]
fn byte_by_byte_is_told_the_same_as_whole() {
    let every: Vec<usize> = (0..500).collect();
    let told = told_of([&[], &[]]);
    assert_eq!(told.len(), 5);
    assert_eq!(told_of([&every, &every]), told);
}

proptest! {
    #[test]
    fn a_stream_says_the_same_however_it_is_cut(
        there in prop::collection::vec(0..500_usize, 0..30),
        back in prop::collection::vec(0..500_usize, 0..30),
    ) {
        prop_assert_eq!(told_of([&there, &back]), told_of([&[], &[]]));
    }
}
