//! What a whole head means: a transaction begins or is answered, a body follows or does not, the connection becomes
//! something else.

use policy::{Buffer, Way};

use super::body::{self, Framing};
use super::coding::Decoder;
use super::head::Head;
use super::line::{RequestLine, StatusLine};

use super::{Became, Coding, Http, Kind, Request, State, buffers, file};
use crate::app::{Anomalies, Anomaly, Facts, Phase, Transactions};

impl Http {
    /// Read a head, or what has come of it. The way is between messages or in a body afterwards. Gives the number of the
    /// transaction that it belongs to, if to any.
    pub(super) fn whole_head(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) -> Option<u32> {
        let mut anomalies = std::mem::take(&mut self.side(way).noted);
        if matches!(self.side(way).state, State::Trailer(_)) {
            let trailer = Head::trailer(bytes, way, self.limits.fields, &mut anomalies);
            if let Some(open) = self.side(way).number.and_then(|number| all.find(number)) {
                buffers::trailer(open, way, &trailer, self.wanted);
                open.anomalies.add(anomalies);
            }
            let number = self.side(way).number;
            self.finish(way, all);
            return number;
        }
        let head = Head::read(bytes, way, self.limits.fields, &mut anomalies);
        match way {
            Way::ToServer => self.request(&head, anomalies, bytes, all),
            Way::ToClient => self.response(&head, anomalies, all),
        }
    }

    /// A response without a head: HTTP/0.9 or something else, until the connection ends.
    pub(super) fn begin_headless(&mut self, all: &mut Transactions) {
        let mut anomalies = std::mem::take(&mut self.side(Way::ToClient).noted);
        anomalies.note(Anomaly::HttpResponseProtocol);
        let (_, number) = self.answered(&mut anomalies, all);
        if let Some(open) = all.find(number) {
            open.anomalies.add(anomalies);
            open.reach(Way::ToClient, Phase::Head);
        }
        let side = self.side(Way::ToClient);
        side.number = Some(number);
        side.state = State::Body(Framing::Close);
    }

    fn request(
        &mut self,
        head: &Head<'_>,
        mut anomalies: Anomalies,
        bytes: &[u8],
        all: &mut Transactions,
    ) -> Option<u32> {
        let line = RequestLine::read(head.line, &mut anomalies);
        // The connection preface of HTTP/2 (RFC 9113 §3.4), which looks like a request so that HTTP/1 stumbles.
        if line.method == b"PRI" && line.uri == b"*" && line.protocol == b"HTTP/2.0" {
            self.side(Way::ToServer).held = bytes.to_vec();
            self.become_other(Became::Http2, all);
            return None;
        }
        let number = all.begin(Facts::Http(Box::default()));
        let framing = body::framing(head, Way::ToServer, is_old(line.protocol), &mut anomalies);
        if let Some(open) = all.find(number) {
            buffers::request(open, head, &line, self.wanted, &mut anomalies);
            open.anomalies.add(anomalies);
            open.reach(Way::ToServer, Phase::Head);
        }
        let kind = match line.method {
            b"HEAD" => Kind::Head,
            b"CONNECT" => Kind::Connect,
            _ => Kind::Other,
        };
        self.await_response(Request { number, kind, upgrade: head.value("upgrade").map(upgrade) }, all);
        self.side(Way::ToServer).number = Some(number);
        if framing.is_over() || kind == Kind::Connect {
            self.finish(Way::ToServer, all);
        } else {
            self.begin_body(Way::ToServer, framing, head, all);
        }
        if kind == Kind::Connect {
            self.side(Way::ToServer).state = State::Waiting;
        }
        Some(number)
    }

    fn response(&mut self, head: &Head<'_>, mut anomalies: Anomalies, all: &mut Transactions) -> Option<u32> {
        let line = StatusLine::read(head.line, &mut anomalies);
        if matches!(line.status, Some(100 | 102..=199)) {
            // Another head follows, which is the response (RFC 9110 §15.2).
            let side = self.side(Way::ToClient);
            (side.state, side.noted) = (State::Idle, anomalies);
            return None;
        }
        let (request, number) = self.answered(&mut anomalies, all);
        let framing = body::framing(head, Way::ToClient, is_old(line.protocol), &mut anomalies);
        if let Some(open) = all.find(number) {
            buffers::response(open, head, &line, self.wanted);
            open.anomalies.add(anomalies);
            open.reach(Way::ToClient, Phase::Head);
        }
        self.side(Way::ToClient).number = Some(number);
        let kind = request.map_or(Kind::Other, |request| request.kind);
        match (line.status, kind) {
            (Some(101), _) => {
                let became = request.and_then(|request| request.upgrade);
                self.become_other(
                    became.or(head.value("upgrade").map(upgrade)).unwrap_or(Became::Other),
                    all,
                );
            }
            (Some(200..=299), Kind::Connect) => self.become_other(Became::Tunnel, all),
            (Some(204 | 304), _) | (_, Kind::Head) => self.finish(Way::ToClient, all),
            _ if framing.is_over() => self.finish(Way::ToClient, all),
            _ => self.begin_body(Way::ToClient, framing, head, all),
        }
        if kind == Kind::Connect && self.became.is_none() {
            // No tunnel, so what was held is the next request.
            let side = self.side(Way::ToServer);
            if matches!(side.state, State::Waiting) {
                side.state = State::Idle;
                let held = std::mem::take(&mut side.held);
                self.feed(Way::ToServer, &held, self.wanted, all);
            }
        }
        Some(number)
    }

    fn begin_body(&mut self, way: Way, framing: Framing, head: &Head<'_>, all: &mut Transactions) {
        let mut noted = Anomalies::default();
        let decoder = body::codings(head).and_then(|names| Decoder::new(&names, &mut noted));
        let wants_name = self.wanted.has(Buffer::FileName);
        let side = self.side(way);
        side.coding = decoder.map_or(Coding::Plain, Coding::Coded);
        side.state = State::Body(framing);
        if let Some(open) = side.number.and_then(|number| all.find(number)) {
            open.anomalies.add(noted);
            if wants_name {
                file::name(open, way, head);
            }
        }
    }

    /// The transaction that a response belongs to: that of the oldest request without one, or a new one.
    fn answered(&mut self, anomalies: &mut Anomalies, all: &mut Transactions) -> (Option<Request>, u32) {
        let request = self.unanswered.pop_front();
        let number = request.map(|request| request.number).unwrap_or_else(|| {
            anomalies.note(Anomaly::HttpUnsolicited);
            let number = all.begin(Facts::Http(Box::default()));
            if let Some(open) = all.find(number) {
                open.reach(Way::ToServer, Phase::Complete);
            }
            number
        });
        (request, number)
    }

    fn await_response(&mut self, request: Request, all: &mut Transactions) {
        if self.unanswered.len() >= self.limits.unanswered
            && let Some(oldest) = self.unanswered.pop_front()
        {
            complete(oldest.number, all);
        }
        self.unanswered.push_back(request);
    }

    /// Both ways speak something else from here on.
    fn become_other(&mut self, became: Became, all: &mut Transactions) {
        self.became = Some(became);
        for way in [Way::ToServer, Way::ToClient] {
            if let Some(number) = self.side(way).number {
                complete(number, all);
            }
            self.finish(way, all);
            self.side(way).state = State::Rest;
        }
        for request in std::mem::take(&mut self.unanswered) {
            complete(request.number, all);
        }
    }
}

/// Whether a protocol is older than chunks.
fn is_old(protocol: &[u8]) -> bool {
    protocol.is_empty() || protocol.ends_with(b"/1.0") || protocol.ends_with(b"/0.9")
}

/// What an Upgrade field offers.
fn upgrade(value: &[u8]) -> Became {
    let first = value.split(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
    match first.to_ascii_lowercase().as_slice() {
        b"websocket" => Became::WebSocket,
        b"h2c" => Became::Http2,
        _ => Became::Other,
    }
}

/// Neither way of a transaction goes on.
pub(super) fn complete(number: u32, all: &mut Transactions) {
    if let Some(open) = all.find(number) {
        open.reach(Way::ToServer, Phase::Complete);
        open.reach(Way::ToClient, Phase::Complete);
    }
}
