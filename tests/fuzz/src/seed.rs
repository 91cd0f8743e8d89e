//! Puts the table of fates into the corpora, so that fuzzing starts from frames that go every way; beside them the
//! example configuration, whole and table by table, and a health check.

use std::net::Ipv4Addr;
use std::path::Path;
use std::{fs, io};

use wire::testkit::{OUR_ADDRESS, arp, fates};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for case in fates() {
        let name = case.name.replace(' ', "-");
        let parts = [("frame", 0), ("options", 42), ("inner", 82)];
        for (target, from) in parts {
            let directory = corpus.join(target);
            fs::create_dir_all(&directory)?;
            fs::write(directory.join(&name), case.frame.get(from..).unwrap_or_default())?;
        }
    }
    seed_configuration(&corpus.join("configuration"))?;
    seed_local_lane(&corpus.join("local_lane"))?;
    seed_rules(&corpus.join("rule"))?;
    seed_http(&corpus.join("http"))?;
    seed_dns(&corpus.join("dns"))?;
    seed_flows(&corpus)?;
    seed_stream(&corpus.join("stream"))?;
    seed_fragments(&corpus.join("fragments"))
}

/// A handshake, data out of order, an acknowledgment past a hole, the ends; for every way to follow them.
fn seed_stream(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let segments: [[u8; 8]; 8] = [
        [0x42, 0, 0, 0, 0, 255, 0, 0],
        [0xd2, 0, 0, 1, 0, 255, 0, 0],
        [0x10, 1, 0, 1, 0, 255, 4, b'a'],
        [0x10, 33, 0, 1, 0, 255, 4, b'c'],
        [0x10, 17, 0, 1, 0, 255, 4, b'b'],
        [0x90, 1, 0, 90, 0, 255, 8, b'x'],
        [0x11, 49, 0, 33, 0, 255, 0, 0],
        [0x91, 33, 0, 50, 0, 255, 0, 0],
    ];
    (0..24_u8).try_for_each(|how| {
        fs::write(directory.join(format!("how-{how}")), [&[how][..], segments.as_flattened()].concat())
    })
}

/// Both parts of a datagram, as the table of fates has them.
fn seed_fragments(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let parts = fates().into_iter().filter(|case| case.name.contains("fragment"));
    let mut all = Vec::new();
    for part in parts {
        let packet = part.frame.get(82..).unwrap_or_default();
        let padded = packet.len().next_multiple_of(4);
        all.extend([u8::try_from(padded / 4).unwrap_or(u8::MAX), 1]);
        all.extend_from_slice(packet);
        all.resize(all.len() + padded - packet.len(), 0);
    }
    fs::write(directory.join("parts"), all)
}

fn seed_configuration(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let example = include_str!("../../../dpdk-config/sluice.example.toml");
    fs::write(directory.join("example"), example)?;
    // Every default written out, a table at a time: the fuzzer's inputs are short.
    let written_out: String = example
        .lines()
        .map(|line| {
            line.strip_prefix('#').filter(|key| !key.starts_with(' ')).unwrap_or(line).to_owned() + "\n"
        })
        .filter(|line| !line.starts_with('#'))
        .collect();
    let port = written_out.split("[eal]").next().unwrap_or_default();
    for (nth, table) in written_out.split("\n[").enumerate() {
        fs::write(directory.join(format!("table-{nth}")), format!("{port}\n[{table}"))?;
    }
    Ok(())
}

fn seed_local_lane(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    // A client's SYN, ACK, request and FIN, as the target reads them: kind, flags, length, data.
    let request = b"GET / HTTP/1.1\r\n\r\n";
    let mut check = vec![1, 2, 0, 1, 16, 0, 1, 24, 18];
    check.extend(request);
    check.extend([1, 17, 0, 1, 16, 0]);
    fs::write(directory.join("check"), check)?;
    let asked = arp(1, Ipv4Addr::new(10, 100, 1, 1), OUR_ADDRESS);
    let mut question = vec![0, 0, 42];
    question.extend(asked);
    fs::write(directory.join("arp"), question)
}

fn seed_rules(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for (index, rule) in RULES.iter().enumerate() {
        fs::write(directory.join(index.to_string()), rule)?;
    }
    Ok(())
}

/// What clients and servers say, as the target reads it: flags, length, bytes.
fn seed_http(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let gzip: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 23\r\n\r\n\
        \x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbH\x04\x00\xacB\x8e\xde\x02\x00\x00\x00";
    let talks: [&[&[u8]]; 5] = [
        &[b"GET /a/../b?c=%41 HTTP/1.1\r\nHost: A.example:80\r\nCookie: d\r\n\r\n", gzip],
        &[
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;e\r\nabc\r\n0\r\nT: t\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        ],
        &[b"CONNECT a:443 HTTP/1.1\r\n\r\nheld", b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"],
        &[b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"HTTP/1.1 101 S\r\n\r\nrest"],
        &[b"GET /simple\r\nGET /odd b\tHTTP/1.0\n fold\nno colon\n\n", b"<html>"],
    ];
    for (index, talk) in talks.iter().enumerate() {
        let mut bytes = vec![7];
        for (way, piece) in (0..).zip(*talk) {
            bytes.extend([way, u8::try_from(piece.len()).unwrap_or(u8::MAX)]);
            bytes.extend_from_slice(piece);
        }
        fs::write(directory.join(index.to_string()), bytes)?;
    }
    Ok(())
}

/// A query and its answer, in datagrams and in a stream.
fn seed_dns(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let query: &[u8] = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";
    let answer: &[u8] = b"\0\x01\x81\x80\0\x01\0\x02\0\0\0\0\x01a\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\0<\0\x04\x01b\xc0\x0e\xc0\x27\0\x01\0\x01\0\0\0<\0\x04\xc0\0\x02\x07";
    fs::write(directory.join("query"), [&[1], query].concat())?;
    fs::write(directory.join("answer"), [&[0], answer].concat())?;
    let framed = |message: &[u8]| [&[0, u8::try_from(message.len()).unwrap_or(u8::MAX)], message].concat();
    fs::write(directory.join("stream"), [vec![6], framed(query), framed(answer)].concat())
}

/// The recorded flows, in the pieces that the targets `application` and `quic` read.
fn seed_flows(corpus: &Path) -> io::Result<()> {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/inspect/tests/flows");
    for entry in fs::read_dir(recorded)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let name = path.file_name().unwrap_or_default();
        let is_quic = name.to_string_lossy().starts_with("rfc9");
        let mut seed = if is_quic { Vec::new() } else { vec![0] };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (way, hex) = line.split_at(2);
            let way = u8::from(way.starts_with('<'));
            let digits: Vec<u8> =
                hex.bytes().map(|digit| if digit > b'9' { digit - b'W' } else { digit - b'0' }).collect();
            let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            let longest = if is_quic { 2047 } else { 255 };
            for piece in bytes.chunks(longest) {
                let [high, low] = u16::try_from(piece.len()).unwrap_or_default().to_be_bytes();
                seed.push(way);
                if is_quic {
                    seed.push(high);
                }
                seed.push(low);
                seed.extend(piece);
            }
        }
        let directory = corpus.join(if is_quic { "quic" } else { "application" });
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(name), seed)?;
    }
    Ok(())
}

/// Rules that go every way through the reader.
const RULES: &[&str] = &[
    "drop tcp [10.0.0.0/8,!10.1.0.0-10.1.0.9] any <> ![$HOME_NET,2001:db8::/32] [1:5,!3,1024:] (msg:\"a\\;b\"; sid:1; rev:2;)",
    "alert http $HOME_NET any -> any any (content:\"a|0d 0a|b\"; http_uri; nocase; fast_pattern:0,2; pcre:\"/^a[b;]/RU\"; sid:2;)",
    "alert tls any any -> any any (flow:established,to_server; tls.sni; dotprefix; content:\".a.com\"; endswith; bsize:<20; sid:3;)",
    "alert tcp any any -> any any (byte_extract:1,0,len,relative; content:!\"a\"; within:len; byte_test:4,!&,0x80,-6,relative,little; byte_jump:2,0,align; isdataat:!1,relative; byte_math:bytes 1, offset 1, oper *, rvalue len, result two; sid:4;)",
    "alert ip any any -> any any (flowbits:isset,a|b; flowint:n,+,1; xbits:set,x,track ip_pair,expire 5; threshold:type limit,track by_src,count 1,seconds 60; flags:S,12; ip_proto:!TCP; ttl:>5; geoip:dst,!DE; sid:5; metadata:a b, c;)",
    "# off\nalert udp any any -> any 53 \\\n (http.uri; url_decode; xor:\"0d\"; from_base64:bytes 4, mode strict; content:\"b\"; dataset:isset,s,type md5; app-layer-protocol:!tls; ssl_version:!sslv3,tls1.2; dns.opcode:!0; sid:6;)\r\n",
];
