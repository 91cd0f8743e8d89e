//! One conversation of a customer with a server, packet by packet: what inspection of contents has to follow.
//!
//! The mix, by share of the conversations: HTTP 35 %, TLS 45 %, DNS 12 %, bulk UDP 8 %. No two are alike, and none comes
//! twice: on packets that repeat, an inspector meets flows that it has already decided.

use std::collections::VecDeque;

use wire::TcpFlags;
use wire::testkit::{gwlb, tcp, udp};

use super::text::{Text, client_hello, dns, http_request, http_response, server_flight};
use crate::capture::Random;

/// Bytes of TCP payload in a full segment.
const SEGMENT: usize = 1380;

/// What a conversation speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Http,
    Tls,
    Dns,
    Bulk,
}

impl Kind {
    fn of(random: u64) -> Self {
        match random % 100 {
            0..35 => Self::Http,
            35..80 => Self::Tls,
            80..92 => Self::Dns,
            _ => Self::Bulk,
        }
    }

    fn server_port(self, random: u64) -> u16 {
        match self {
            Self::Http => 80,
            Self::Tls => 443,
            Self::Dns => 53,
            Self::Bulk => [5001, 5002, 5003, 5004][(random % 4) as usize],
        }
    }
}

/// A packet to come.
struct Step {
    to_server: bool,
    flags: TcpFlags,
    payload: Vec<u8>,
}

/// One conversation, as far as it has not been held yet.
pub(crate) struct Session {
    pub(crate) kind: Kind,
    /// Whether its request holds the marker.
    pub(crate) marked: bool,
    client: String,
    server: String,
    cookie: u32,
    udp_source_port: u16,
    /// The next sequence number to the server and to the client.
    sequence: [u32; 2],
    steps: VecDeque<Step>,
    /// Packets of all of it.
    script: usize,
}

impl Session {
    /// The `number`th conversation; of a million that speak HTTP `marked` hold the marker.
    pub(crate) fn new(number: u32, marked: u64, text: &Text, random: &mut Random) -> Self {
        let kind = Kind::of(random.next());
        let marked = kind == Kind::Http && random.next() % 1_000_000 < marked;
        let (host, port) = (random.next() % 60_000, 1024 + random.next() % 64_000);
        let server = random.next() % 4000;
        let mut session = Self {
            kind,
            marked,
            client: format!("10.1.{}.{}:{port}", host >> 8, host & 255),
            server: format!("172.16.{}.{}:{}", server >> 8, server & 255, kind.server_port(random.next())),
            cookie: 0x2000_0000 + number,
            udp_source_port: (32_768 + random.next() % 28_000) as u16,
            sequence: [random.next() as u32, random.next() as u32],
            steps: VecDeque::new(),
            script: 0,
        };
        match kind {
            Kind::Http => session.http(number, text, random),
            Kind::Tls => session.tls(number, random),
            Kind::Dns => {
                let (query, answer) = dns(number, random);
                session.say(true, TcpFlags::default(), query);
                session.say(false, TcpFlags::default(), answer);
            }
            Kind::Bulk => {
                for _ in 0..10 + random.next() % 60 {
                    let to_server = random.next().is_multiple_of(3);
                    let len = if to_server { 80 + random.next() % 200 } else { 1200 };
                    let mut payload = random.bytes(len as usize);
                    payload[0] = 0x17; // no DNS, no QUIC
                    session.say(to_server, TcpFlags::default(), payload);
                }
            }
        }
        session.script = session.steps.len();
        session
    }

    /// Whether nothing of it was sent.
    pub(crate) fn is_fresh(&self) -> bool {
        self.steps.len() == self.script
    }

    /// The next frame, if it goes on.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let Step { to_server, flags, payload } = self.steps.pop_front()?;
        let (from, to) = if to_server { (&self.client, &self.server) } else { (&self.server, &self.client) };
        let inner = if matches!(self.kind, Kind::Http | Kind::Tls) {
            let [own, other] = if to_server { [0, 1] } else { [1, 0] };
            let begins = flags.contains(TcpFlags::SYN);
            let acknowledges = if flags.contains(TcpFlags::ACK) { self.sequence[other] } else { 0 };
            let packet = tcp(from, to).flags(flags).sequence(self.sequence[own]).acknowledgment(acknowledges);
            let packet = if begins { packet.options(&[2, 4, 0x05, 0x64]) } else { packet };
            let counted = payload.len() as u32 + u32::from(begins || flags.contains(TcpFlags::FIN));
            self.sequence[own] = self.sequence[own].wrapping_add(counted);
            packet.payload(&payload).build()
        } else {
            udp(from, to).payload(&payload).build()
        };
        Some(gwlb().cookie(self.cookie).udp_ports(self.udp_source_port, 6081).inner(&inner).build())
    }

    fn http(&mut self, number: u32, text: &Text, random: &mut Random) {
        let request = http_request(number, self.marked, random);
        let body = SEGMENT * (1 + random.next() % 24) as usize + 200 + (random.next() % 900) as usize;
        let response = http_response(text.piece(body, random), random);
        self.connection(request, &response, |_| None);
    }

    fn tls(&mut self, number: u32, random: &mut Random) {
        let hello = client_hello(number, random);
        let segments = 4 + random.next() % 36;
        let flight = server_flight((segments as usize) * SEGMENT, random);
        self.connection(hello, &flight, |at| {
            let wants = at > 0 && random.next().is_multiple_of(6);
            let len = 100 + (random.next() % 300) as usize;
            wants.then(|| application_data(&random.bytes(len)))
        });
    }

    /// A TCP connection: one request, one response in segments, each second of them acknowledged; `between` says what
    /// the client sends amid them.
    fn connection(
        &mut self,
        request: Vec<u8>,
        response: &[u8],
        mut between: impl FnMut(usize) -> Option<Vec<u8>>,
    ) {
        let (ack, push) = (TcpFlags::ACK, TcpFlags::ACK | TcpFlags::PSH);
        self.say(true, TcpFlags::SYN, Vec::new());
        self.say(false, TcpFlags::SYN | ack, Vec::new());
        self.say(true, ack, Vec::new());
        self.say(true, push, request);
        self.say(false, ack, Vec::new());
        for (nth, segment) in response.chunks(SEGMENT).enumerate() {
            if let Some(more) = between(nth) {
                self.say(true, push, more);
            }
            self.say(false, push, segment.to_vec());
            if nth % 2 == 1 {
                self.say(true, ack, Vec::new());
            }
        }
        self.say(true, ack | TcpFlags::FIN, Vec::new());
        self.say(false, ack | TcpFlags::FIN, Vec::new());
        self.say(true, ack, Vec::new());
    }

    fn say(&mut self, to_server: bool, flags: TcpFlags, payload: Vec<u8>) {
        self.steps.push_back(Step { to_server, flags, payload });
    }
}

/// A TLS record of application data.
fn application_data(bytes: &[u8]) -> Vec<u8> {
    super::text::record(0x17, bytes)
}
