//! HTTP that lies, floods, breaks off or was never HTTP.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use inspect::app::http::{Http, HttpLimits};
use inspect::app::{Anomaly, Facts, Transaction, Transactions, Wanted};
use policy::{Buffer, Way};
use proptest::prelude::*;

use Way::{ToClient, ToServer};

/// What one flow may hold: two heads, the bodies, and what is made of heads.
const MEMORY_MAX: usize = 4 << 20;

/// What is told of what the client sends.
fn told(requests: &[u8]) -> Vec<Transaction> {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    http.feed(ToServer, requests, Wanted::ALL, &mut all);
    all.open().to_vec()
}

#[test]
fn shapes_of_smuggling_are_noted() {
    let rows: [(&[u8], Anomaly); 8] = [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Anomaly::HttpLengthAndEncoding),
        (b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", Anomaly::HttpLengthsDiffer),
        (b"Content-Length: +4\r\n\r\n", Anomaly::HttpRequestLengthInvalid),
        (b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", Anomaly::HttpFolded),
        (b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Anomaly::HttpRequestTransferEncoding),
        (b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", Anomaly::HttpRequestFieldInvalid),
        (b"Transfer-Encoding: chunked\r\n\r\nz\r\n", Anomaly::HttpRequestChunkLength),
        (b"Host: other\r\n\r\n", Anomaly::HttpHostAmbiguous),
    ];
    for (rest, anomaly) in rows {
        let request = [&b"POST / HTTP/1.1\r\nHost: a\r\n"[..], rest].concat();
        assert!(told(&request)[0].anomalies.has(anomaly), "{anomaly}");
    }
}

#[test]
fn odd_requests_are_read_and_noted() {
    let rows: [(&[u8], Anomaly, &str); 7] = [
        (b" GET /x HTTP/1.1\r\nHost: a\r\n\r\n", Anomaly::HttpLeadingWhitespace, "/x"),
        (b"GET\t/x HTTP/1.1\nHost: a\n\n", Anomaly::HttpMethodDelimiter, "/x"),
        (b"GET /x y HTTP/1.1\r\nHost: a\r\n\r\n", Anomaly::HttpUriDelimiter, "/x y"),
        (b"GET /x HTTP/1.1\r\n\r\n", Anomaly::HttpHostMissing, "/x"),
        (b"GET /x HTTP/1.1\r\nHost: a_/b\r\n\r\n", Anomaly::HttpHostInvalid, "/x"),
        (b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", Anomaly::HttpHostAmbiguous, "/x"),
        (b"GET /x HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", Anomaly::HttpRequestFieldMissingColon, "/x"),
    ];
    for (request, anomaly, uri) in rows {
        let told = told(request);
        assert!(told[0].anomalies.has(anomaly), "{anomaly}: {:?}", told[0].anomalies);
        assert_eq!(told[0].first(Buffer::HttpUri, ToServer), Some(uri.as_bytes()));
    }
}

#[test]
fn a_response_that_is_none_is_a_body_and_noted() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    http.feed(ToServer, b"GET /x\r\n", Wanted::ALL, &mut all);
    http.feed(ToClient, b"<html>", Wanted::ALL, &mut all);
    assert_eq!(all.open().len(), 1);
    assert_eq!(all.open()[0].body(ToClient), b"<html>");
    assert_eq!(all.open()[0].first(Buffer::HttpUri, ToServer), Some(&b"/x"[..]));
    assert!(all.open()[0].anomalies.has(Anomaly::HttpResponseProtocol));
}

#[test]
fn a_gap_within_a_body_is_passed_over_and_counted() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    let head = b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";
    http.feed(ToServer, head, Wanted::ALL, &mut all);
    http.gap(ToServer, 5, &mut all);
    http.feed(ToServer, b"ijGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", Wanted::ALL, &mut all);
    let [first, second] = all.open() else { unreachable!("{all:?}") };
    assert_eq!(first.body(ToServer), b"abcij");
    assert!(first.anomalies.has(Anomaly::HttpGap));
    assert!(matches!(&first.facts, Facts::Http(facts) if facts.is_cut[0]));
    assert_eq!(second.first(Buffer::HttpUri, ToServer), Some(&b"/2"[..]));
    assert!(second.anomalies.is_empty());
}

#[test]
fn after_a_gap_the_next_message_is_found() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    http.feed(ToServer, b"GET /cut HTTP/1.1\r\nHost: a\r\nX", Wanted::ALL, &mut all);
    http.gap(ToServer, 500, &mut all);
    for piece in [&b"est of a head: a\r\n\r\nGE"[..], b"T /next HTTP/1.1\r\nHo", b"st: b\r\n\r\n"] {
        http.feed(ToServer, piece, Wanted::ALL, &mut all);
    }
    http.gap(ToClient, 100, &mut all);
    http.feed(ToClient, b"...\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Wanted::ALL, &mut all);
    let uris: Vec<_> = all.open().iter().map(|open| open.first(Buffer::HttpUri, ToServer).unwrap()).collect();
    assert_eq!(uris, [&b"/cut"[..], b"/next"]);
    assert!(
        matches!(&all.open()[0].facts, Facts::Http(facts) if facts.is_head_cut[0] && facts.status == Some(404))
    );
    assert!(all.open().iter().any(|open| open.anomalies.has(Anomaly::HttpGap)));
}

#[test]
fn a_line_that_a_refused_tunnel_held_back_is_answered_by_what_follows_however_it_is_cut() {
    let refusal = b"HTTP/gth:$0\r\x07\x001GET /sim\n\r\nple\r\n";
    let told = |step: usize| {
        let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
        http.feed(ToServer, b"CONNECT a:443 HT\n\xaa\xaa\r\nheld", Wanted::ALL, &mut all);
        refusal.chunks(step).for_each(|piece| http.feed(ToClient, piece, Wanted::ALL, &mut all));
        all.open().to_vec()
    };
    assert_eq!(told(refusal.len()).len(), 2);
    (1..refusal.len()).for_each(|step| assert_eq!(told(step), told(refusal.len()), "{step}"));
}

#[test]
fn a_head_that_breaks_off_is_told_as_far_as_it_came() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    http.feed(ToServer, b"GET /cut HTTP/1.1\r\nUser-Agent: half", Wanted::ALL, &mut all);
    assert!(all.open().is_empty());
    http.end(ToServer, &mut all);
    http.end(ToClient, &mut all);
    assert_eq!(all.open()[0].first(Buffer::HttpUserAgent, ToServer), Some(&b"half"[..]));
    assert!(all.open()[0].is_complete() && http.is_done());
}

#[test]
fn a_head_without_end_is_given_up_at_its_bound() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    http.feed(ToServer, b"GET /long HTTP/1.1\r\n", Wanted::ALL, &mut all);
    for _ in 0..10_000 {
        http.feed(ToServer, b"X: 0123456789012345678901234567890123456789\r\n", Wanted::ALL, &mut all);
    }
    assert_eq!(all.open().len(), 1);
    let only = &all.open()[0];
    assert!(only.anomalies.has(Anomaly::HttpHeadTooLong));
    assert_eq!(only.first(Buffer::HttpUri, ToServer), Some(&b"/long"[..]));
    assert!(all.memory() + http.memory() < MEMORY_MAX);
}

#[test]
fn a_flood_of_fields_is_cut_at_its_bound() {
    let fields: String = (0..5000).map(|field| format!("a{field}:\n")).collect();
    let told = told(format!("GET / HTTP/1.1\nHost: a\n{fields}\n").as_bytes());
    assert!(told[0].anomalies.has(Anomaly::HttpTooManyFields));
    assert_eq!(told[0].values(Buffer::HttpRequestHeader, ToServer).count(), 1024);
}

/// Bodies of requests that nobody answers.
#[test]
fn a_flood_of_requests_is_bounded() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    let body = vec![b'x'; 100_000];
    for _ in 0..300 {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
        http.feed(ToServer, head, Wanted::ALL, &mut all);
        http.feed(ToServer, &body, Wanted::ALL, &mut all);
        let _ = all.retire(Transaction::is_complete).count();
        assert!(all.open().len() <= 100);
        assert!(all.memory() + http.memory() < MEMORY_MAX);
    }
}

fn any_piece() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 16] = [
        b"GET ",
        b"POST / HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b": ",
        b"Host: a",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"Upgrade: x\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 101 S\r\n\r\n",
        b"Content-Encoding: gzip\r\n",
    ];
    prop_oneof![
        3 => prop::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

/// Feed what each way says at the given step, the server's last: what it tells must not hang on how bytes were cut.
fn both(there: &[u8], back: &[u8], step: usize, gap: bool) -> Vec<Transaction> {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    for (way, bytes) in [(ToServer, there), (ToClient, back)] {
        let (before, after) = bytes.split_at(bytes.len() / 2);
        before.chunks(step).for_each(|part| http.feed(way, part, Wanted::ALL, &mut all));
        if gap {
            http.gap(way, 3, &mut all);
        }
        after.chunks(step).for_each(|part| http.feed(way, part, Wanted::ALL, &mut all));
        http.end(way, &mut all);
    }
    assert!(all.memory() + http.memory() < MEMORY_MAX);
    all.open().to_vec()
}

proptest! {
    #[test]
    fn noise_never_panics_and_says_the_same_however_it_is_cut(
        there in prop::collection::vec(any_piece(), 0..40),
        back in prop::collection::vec(any_piece(), 0..40),
        step in 1..50_usize,
        gap: bool,
    ) {
        let (there, back) = (there.concat(), back.concat());
        let whole = both(&there, &back, usize::MAX, gap);
        prop_assert_eq!(both(&there, &back, step, gap), whole.clone());
        prop_assert_eq!(both(&there, &back, 1, gap), whole);
    }

    #[test]
    fn the_server_heard_first_is_told_without_panic(
        there in prop::collection::vec(any_piece(), 0..20),
        back in prop::collection::vec(any_piece(), 0..20),
    ) {
        let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
        for (way, pieces) in [(ToClient, back), (ToServer, there)] {
            for piece in pieces {
                http.feed(way, &piece, Wanted::ALL, &mut all);
            }
            http.end(way, &mut all);
        }
    }
}
