//! What conversations say: HTTP text, TLS messages, DNS messages. Real enough for every parser, never the same twice.

use crate::capture::Random;

/// The words that pages are made of: what rules look for is not among them.
const WORDS: [&str; 16] = [
    "<div class=\"entry\">",
    "</div>\n",
    "<a href=\"/articles/",
    "\">more</a> ",
    "gateway ",
    "balances ",
    "packets ",
    "of many ",
    "customers, ",
    "quietly. ",
    "let total = ",
    "return value; ",
    "{ margin: 0 auto } ",
    "<img src=\"/media/",
    ".webp\" alt=\"\"> ",
    "an appliance ",
];

/// What marked requests hold, and no other.
pub(crate) const MARKER: &str = "marker-4f1d-of-the-bench";

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "curl/8.5.0",
];

/// A megabyte of page text, of which responses take pieces.
pub(crate) struct Text(Vec<u8>);

impl Text {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut text = Vec::new();
        while text.len() < 1 << 20 {
            text.extend_from_slice(WORDS[(random.next() % WORDS.len() as u64) as usize].as_bytes());
        }
        Self(text)
    }

    /// So many bytes of it.
    pub(crate) fn piece(&self, len: usize, random: &mut Random) -> &[u8] {
        let from = (random.next() as usize) % (self.0.len() - len);
        &self.0[from..from + len]
    }
}

pub(crate) fn http_request(number: u32, marked: bool, random: &mut Random) -> Vec<u8> {
    let folder = if marked { MARKER } else { "pages" };
    let kind = if number.is_multiple_of(2) { "html" } else { "php" };
    format!(
        "GET /{folder}/{}/view.{kind}?number={number} HTTP/1.1\r\nHost: site{}.example.com\r\nUser-Agent: {}\r\n\
         Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: en;q=0.7\r\n\
         Cookie: session={:016x}\r\nConnection: keep-alive\r\n\r\n",
        number % 977,
        number % 1000,
        AGENTS[(number % 3) as usize],
        random.next(),
    )
    .into_bytes()
}

pub(crate) fn http_response(body: &[u8], random: &mut Random) -> Vec<u8> {
    let mut response = format!(
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html; charset=utf-8\r\nX-Request: {:08x}\r\n\
         Connection: keep-alive\r\nContent-Length: {}\r\n\r\n",
        random.next(),
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(body);
    response
}

/// A TLS record (RFC 8446, section 5.1).
pub(crate) fn record(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    record.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    record.extend_from_slice(bytes);
    record
}

/// Bytes behind their length in two bytes.
fn counted(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(body)].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    [&[kind][..], &length, body].concat()
}

/// A ClientHello of TLS 1.3 as browsers send it (RFC 8446, section 4.1.2), with a server name of its own.
pub(crate) fn client_hello(number: u32, random: &mut Random) -> Vec<u8> {
    let name = format!("api{}.service{}.example.net", number % 500, number % 97);
    let server_name = [&[0][..], &counted(name.as_bytes())].concat();
    let key_share = [&[0, 29][..], &counted(&random.bytes(32))].concat();
    let extensions = [
        extension(0, &counted(&server_name)),
        extension(10, &counted(&[0, 29, 0, 23, 0, 24])),
        extension(11, &[1, 0]),
        extension(13, &counted(&[4, 3, 8, 4, 4, 1, 5, 3])),
        extension(16, &counted(b"\x02h2\x08http/1.1")),
        extension(23, &[]),
        extension(35, &[]),
        extension(43, &[4, 3, 4, 3, 3]),
        extension(51, &counted(&key_share)),
        extension(21, &[0; 180]),
    ]
    .concat();
    let suites = [0x1301_u16, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x9c, 0x2f];
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let body = [
        &[3, 3][..],
        &random.bytes(32),
        &[32],
        &random.bytes(32),
        &counted(&suites),
        &[1, 0],
        &counted(&extensions),
    ]
    .concat();
    record(0x16, &handshake(1, &body))
}

/// What a server of TLS 1.3 sends: its hello, the change of ciphers, then so many bytes that nobody can read.
pub(crate) fn server_flight(bytes: usize, random: &mut Random) -> Vec<u8> {
    let key_share = [&[0, 29][..], &counted(&random.bytes(32))].concat();
    let extensions = [extension(43, &[3, 4]), extension(51, &key_share)].concat();
    let body = [
        &[3, 3][..],
        &random.bytes(32),
        &[32],
        &random.bytes(32),
        &[0x13, 0x01],
        &[0],
        &counted(&extensions),
    ]
    .concat();
    let mut flight = record(0x16, &handshake(2, &body));
    flight.extend(record(0x14, &[1]));
    while flight.len() < bytes {
        let len = (bytes - flight.len()).clamp(64, 8192);
        flight.extend(record(0x17, &random.bytes(len)));
    }
    flight
}

/// A question and its answer (RFC 1035, section 4).
pub(crate) fn dns(number: u32, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let label = format!("h{}", number % 5000);
    let name = [&[label.len() as u8], label.as_bytes(), b"\x07example\x03com\x00"].concat();
    let id = (number as u16).to_be_bytes();
    let question = [&name[..], &[0, 1, 0, 1]].concat();
    let query = [&id[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &question].concat();
    let answer = [&[0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4][..], &random.bytes(4)].concat();
    let response = [&id[..], &[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], &question, &answer].concat();
    (query, response)
}
