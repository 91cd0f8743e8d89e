//! What the HTTP parser tells of coded bodies, hostile ones among them.

// What the tests share fails as the tests do.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use inspect::app::http::{Http, HttpLimits, HttpRecord};
use inspect::app::{Anomaly, Transaction, Transactions, Wanted};
use policy::{Buffer, Way};
use proptest::prelude::*;

const LIMIT: usize = 100 * 1024;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut coder = GzEncoder::new(Vec::new(), Compression::default());
    coder.write_all(content).unwrap();
    coder.finish().unwrap()
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut coder = ZlibEncoder::new(Vec::new(), Compression::default());
    coder.write_all(content).unwrap();
    coder.finish().unwrap()
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut coder = DeflateEncoder::new(Vec::new(), Compression::default());
    coder.write_all(content).unwrap();
    coder.finish().unwrap()
}

fn brotli(content: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    brotli::CompressorWriter::new(&mut coded, 4096, 5, 22).write_all(content).unwrap();
    coded
}

/// The transaction of a response with such a body, which comes in pieces of so many bytes.
fn told(coding: &str, body: &[u8], step: usize) -> (Http, Transaction) {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    http.feed(Way::ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Wanted::ALL, &mut all);
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n");
    http.feed(Way::ToClient, head.as_bytes(), Wanted::ALL, &mut all);
    for piece in body.chunks(step) {
        http.feed(Way::ToClient, piece, Wanted::ALL, &mut all);
        assert!(http.memory() < 8 << 20);
    }
    let told = all.open()[0].clone();
    (http, told)
}

fn content() -> Vec<u8> {
    let words = (0..5000_u32).map(|word| format!("{} ", word.wrapping_mul(2_654_435_761)));
    words.collect::<String>().into_bytes()
}

#[test]
fn every_coding_is_undone_however_the_bytes_come() {
    let content = content();
    let twice = brotli(&gzip(&content));
    let members = [gzip(&content[..999]), gzip(&content[999..])].concat();
    let rows = [
        ("gzip", gzip(&content)),
        ("X-GZip", [gzip(&content), b"trailing".to_vec()].concat()),
        ("gzip", members),
        ("deflate", zlib(&content)),
        ("deflate", deflate(&content)),
        ("br", brotli(&content)),
        ("gzip, br", twice),
        ("identity", content.clone()),
    ];
    for (coding, body) in rows {
        for step in [1, 7, 1000, body.len()] {
            let (_, told) = told(coding, &body, step);
            assert!(told.body(Way::ToClient) == content, "{coding} by {step}");
            assert!(told.is_complete() && told.anomalies.is_empty(), "{coding}: {:?}", told.anomalies);
            assert_eq!(HttpRecord::of(&told).unwrap().length(), content.len() as u64);
        }
    }
}

#[test]
fn what_is_not_coded_goes_through_as_it_is() {
    let html = b"<html>not coded at all, whatever the head says</html>".repeat(50);
    for (coding, body) in [("gzip", &html[..]), ("deflate", &html), ("gzip", b"\x1f"), ("gzip, gzip", &html)]
    {
        for step in [1, 5, body.len()] {
            let (_, told) = told(coding, body, step);
            assert!(told.body(Way::ToClient) == body, "{coding} by {step}");
            assert!(told.anomalies.has(Anomaly::HttpDecodingFailed));
        }
    }
}

#[test]
fn a_body_that_breaks_off_is_decoded_as_far_as_it_goes() {
    let content = content();
    let mut body = gzip(&content);
    body.truncate(body.len() / 2);
    body.extend([0xFF; 2000]);
    let (_, told) = told("gzip", &body, 100);
    let decoded = told.body(Way::ToClient);
    assert!(decoded.len() > 1000 && content.starts_with(&decoded[..1000]));
}

#[test]
fn a_bomb_costs_no_more_than_any_body_and_is_noted() {
    let zeros = vec![0; 8 << 20];
    let once = gzip(&zeros);
    for (coding, body) in [("gzip", once.clone()), ("br", brotli(&zeros)), ("gzip, gzip", gzip(&once))] {
        let (http, told) = told(coding, &body, 1400);
        assert_eq!(told.body(Way::ToClient).len(), LIMIT);
        assert!(told.anomalies.has(Anomaly::HttpDecompressionBomb), "{coding}");
        assert!(told.memory() < 3 * LIMIT && http.memory() < 64 * 1024);
    }
}

#[test]
fn too_many_and_unknown_codings_are_noted() {
    let (_, deep) = told("gzip, gzip, gzip", &gzip(&gzip(&gzip(b"deep"))), 10);
    assert!(deep.anomalies.has(Anomaly::HttpTooManyCodings));
    assert_eq!(deep.body(Way::ToClient), gzip(b"deep"));
    let (_, strange) = told("zstd", b"bytes", 10);
    assert!(strange.anomalies.has(Anomaly::HttpUnknownCoding));
    assert_eq!(strange.body(Way::ToClient), b"bytes");
}

#[test]
fn a_body_is_kept_up_to_its_bound_and_counted_beyond() {
    let (_, told) = told("identity", &vec![b'x'; 3 * LIMIT], 1400);
    assert_eq!(told.body(Way::ToClient).len(), LIMIT);
    assert_eq!(HttpRecord::of(&told).unwrap().length(), 3 * LIMIT as u64);
}

#[test]
fn a_file_is_called_by_its_field_its_part_of_a_form_or_the_uri() {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    let form =
        b"--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"up.exe\"\r\n\r\nMZ\r\n--b--\r\n";
    let head = "POST /in/to.php?x HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n", form.len());
    http.feed(Way::ToServer, request.as_bytes(), Wanted::ALL, &mut all);
    http.feed(Way::ToServer, form, Wanted::ALL, &mut all);
    let response = b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"d n.pdf\"\r\nContent-Length: 1\r\n\r\n!";
    http.feed(Way::ToClient, response, Wanted::ALL, &mut all);
    let names = |way| all.open()[0].values(Buffer::FileName, way).collect::<Vec<_>>();
    assert_eq!(names(Way::ToServer), [&b"to.php"[..], b"up.exe"]);
    assert_eq!(names(Way::ToClient), [b"d n.pdf"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn coded_noise_never_panics_and_says_the_same_however_it_is_cut(
        mut body in prop::collection::vec(any::<u8>(), 0..3000),
        prefix in 0..4_usize,
        step in 1..200_usize,
    ) {
        let begin = [&b""[..], b"\x1f\x8b\x08\x00\0\0\0\0\0\0", b"\x78\x9c", b"\x1f\x8b\x08\x1f\0\0\0\0\0\0"][prefix];
        body.splice(0..0, begin.iter().copied());
        for coding in ["gzip", "deflate", "deflate, gzip"] {
            prop_assert_eq!(told(coding, &body, step).1, told(coding, &body, body.len().max(1)).1);
        }
        told("br", &body, step);
    }

    #[test]
    fn changed_bodies_never_panic_and_stay_bounded(at in 0..20_000_usize, byte: u8, step in 1..3000_usize) {
        let content = content();
        for (coding, mut body) in [("gzip", gzip(&content)), ("deflate", zlib(&content)), ("br", brotli(&content))] {
            let at = at % body.len();
            body[at] = byte;
            prop_assert!(told(coding, &body, step).1.body(Way::ToClient).len() <= LIMIT);
        }
    }
}
