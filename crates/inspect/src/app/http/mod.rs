//! HTTP/1 as clients and servers of all sorts speak it.
//!
//! ```text
//!              ┌──────────────────────────── pipelined ───────────────────────────┐
//! to server: head ─▶ body (length, chunks) ─▶ trailer ─┘     a request begins a transaction
//! to client: head ─▶ body (length, chunks, until the end) ─▶ …  the next response belongs to the oldest request without one
//!              └─ 1xx: another head follows          └─ 101, CONNECT: both ways are something else from here on
//! ```
//! The reader refuses nothing: whoever is inspected may be lenient, and what he takes for a request must be one here.
//! It notes what is odd instead. Heads are held until they are whole, within [`HttpLimits::head`]; bodies go through.
//!
//! What buffers hold the body: `http.request_body` is [`body`](super::Transaction::body) to the server, `http.response_body` that to
//! the client, `file.data` whichever goes the way that is asked for.

mod body;
mod buffers;
mod coding;
mod facts;
mod head;
mod limits;
mod line;
mod message;
mod record;
mod uri;

use std::collections::VecDeque;

use policy::Way;

use body::{Framing, Part};
use coding::Decoder;
pub use facts::{Became, HttpFacts};
use head::HeadEnd;
pub use limits::HttpLimits;
pub use record::HttpRecord;

use message::complete;

use super::{Anomalies, Anomaly, Facts, Phase, Transactions, Wanted};

/// Longest line that may begin a message after a gap.
const SOUGHT_MAX: usize = 8192;

/// The HTTP/1 of one flow.
#[derive(Debug)]
pub struct Http {
    limits: HttpLimits,
    wanted: Wanted,
    sides: [Side; 2],
    /// Requests that wait for their responses.
    unanswered: VecDeque<Request>,
    became: Option<Became>,
}

/// What must be known of a request to read its response.
#[derive(Clone, Copy, Debug)]
struct Request {
    number: u32,
    kind: Kind,
    /// What it offers to become.
    upgrade: Option<Became>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Head,
    Connect,
    Other,
}

/// One way.
#[derive(Debug, Default)]
struct Side {
    state: State,
    /// The beginning of what must be whole to be read.
    held: Vec<u8>,
    /// The transaction of the message that is under way.
    number: Option<u32>,
    /// How the body that is under way is coded.
    coding: Coding,
    /// What was odd before the message that comes next.
    noted: Anomalies,
}

#[derive(Debug, Default)]
enum Coding {
    /// Not at all.
    #[default]
    Plain,
    Coded(Decoder),
    /// Some of it is missing, so what comes cannot be decoded.
    Lost,
}

#[derive(Clone, Debug, Default)]
enum State {
    /// Between messages.
    #[default]
    Idle,
    /// In a head.
    Head(HeadEnd),
    Body(Framing),
    /// In the fields behind the chunks.
    Trailer(HeadEnd),
    /// Behind a CONNECT: what follows depends on its response.
    Waiting,
    /// After a gap: whatever is no first line is passed over.
    Seeking,
    /// What comes is no HTTP/1 any more.
    Rest,
    /// Nothing more can be read.
    Lost,
}

impl Http {
    /// For a flow of which nothing was seen.
    #[must_use]
    pub fn new(limits: HttpLimits) -> Self {
        Self {
            limits,
            wanted: Wanted::default(),
            sides: Default::default(),
            unanswered: VecDeque::new(),
            became: None,
        }
    }

    /// Read the next bytes of one way.
    pub fn feed(&mut self, way: Way, bytes: &[u8], wanted: Wanted, all: &mut Transactions) {
        self.wanted = wanted;
        if way == Way::ToClient && !bytes.is_empty() {
            self.finish_simple(all);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = rest.get(self.step(way, rest, all)..).unwrap_or_default();
        }
    }

    /// So many bytes of one way are missing.
    pub fn gap(&mut self, way: Way, missing: u64, all: &mut Transactions) {
        match &mut self.side(way).state {
            State::Rest | State::Lost => {}
            State::Body(framing) => {
                let goes_on = framing.skip(missing);
                let is_over = framing.is_over();
                let side = self.side(way);
                if matches!(side.coding, Coding::Coded(_)) {
                    side.coding = Coding::Lost;
                }
                self.note(way, Anomaly::HttpGap, all);
                self.facts(way, all, |facts| facts.is_cut[way as usize] = true);
                if is_over || !goes_on {
                    self.finish(way, all);
                }
                if !goes_on {
                    self.side(way).state = State::Seeking;
                }
            }
            State::Idle | State::Head(_) | State::Trailer(_) | State::Waiting | State::Seeking => {
                self.cut_head(way, all);
                self.note(way, Anomaly::HttpGap, all);
                self.finish(way, all);
                self.side(way).held.clear();
                self.side(way).state = State::Seeking;
            }
        }
    }

    /// Nothing more comes this way.
    pub fn end(&mut self, way: Way, all: &mut Transactions) {
        self.cut_head(way, all);
        self.finish(way, all);
        if self.became.is_none() {
            self.side(way).state = State::Lost;
        }
        if way == Way::ToClient {
            for request in std::mem::take(&mut self.unanswered) {
                complete(request.number, all);
            }
        }
    }

    /// Whether nothing more can be learnt here: the flow speaks something else, or cannot be read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.became.is_some() || self.sides.iter().all(|side| matches!(side.state, State::Lost))
    }

    /// What the connection has become, if it is no more HTTP/1.
    #[must_use]
    pub fn became(&self) -> Option<Became> {
        self.became
    }

    /// Take the bytes of one way that came but belong to what the connection has become.
    #[must_use]
    pub fn take_rest(&mut self, way: Way) -> Vec<u8> {
        match self.became {
            Some(_) => std::mem::take(&mut self.side(way).held),
            None => Vec::new(),
        }
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn memory(&self) -> usize {
        let of_side = |side: &Side| match &side.coding {
            Coding::Coded(decoder) => side.held.capacity() + decoder.memory(),
            Coding::Plain | Coding::Lost => side.held.capacity(),
        };
        let held: usize = self.sides.iter().map(of_side).sum();
        size_of::<Self>() + held + self.unanswered.capacity() * size_of::<Request>()
    }

    /// Read some bytes, and say how many.
    fn step(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) -> usize {
        match &mut self.side(way).state {
            State::Idle => self.idle(way, bytes),
            State::Head(_) | State::Trailer(_) => self.head(way, bytes, all),
            State::Body(framing) => {
                let mut anomalies = Anomalies::default();
                let part = framing.next(way, bytes, &mut anomalies);
                let is_over = framing.is_over();
                self.body(way, part, bytes, anomalies, all);
                if is_over {
                    self.finish(way, all);
                }
                match part {
                    Part::Content(length) | Part::Delimiter(length) | Part::Trailer(length) => length,
                    Part::Over => 0,
                }
            }
            State::Waiting | State::Rest => self.hold(way, bytes, all),
            State::Seeking => self.seek(way, bytes),
            State::Lost => bytes.len(),
        }
    }

    fn side(&mut self, way: Way) -> &mut Side {
        &mut self.sides[way as usize]
    }

    /// Between messages empty lines mean nothing (RFC 9112 §2.2).
    fn idle(&mut self, way: Way, bytes: &[u8]) -> usize {
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank < bytes.len() {
            self.side(way).state = State::Head(HeadEnd::default());
        }
        blank
    }

    /// In a head or a trailer: hold bytes until it is whole.
    fn head(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) -> usize {
        let limit = self.limits.head;
        let side = self.side(way);
        let is_response = way == Way::ToClient && matches!(side.state, State::Head(_));
        let (State::Head(end) | State::Trailer(end)) = &mut side.state else { return bytes.len() };
        let mut held = std::mem::take(&mut side.held);
        if is_response && !begins_as_response(&held, bytes) {
            self.begin_headless(all);
            self.content(way, &held, all);
            return 0;
        }
        let room = bytes.len().min(limit.saturating_sub(held.len()));
        if held.is_empty()
            && let Some(length) = end.find(&bytes[..room], way)
        {
            // The usual: whole in one piece.
            self.whole_head(way, &bytes[..length], all);
            return length;
        }
        held.extend_from_slice(&bytes[..room]);
        let Some(length) = end.find(&held, way) else {
            let is_full = held.len() >= limit;
            self.side(way).held = held;
            if is_full {
                self.note(way, Anomaly::HttpHeadTooLong, all);
                self.cut_head(way, all);
                self.lose(way, all);
            }
            return room;
        };
        self.whole_head(way, &held[..length], all);
        let rest = held.split_off(length);
        if rest.len() <= room {
            return room - rest.len();
        }
        // A line of HTTP/0.9 was held, and with it what showed that it was one: the next line.
        let blank = if matches!(self.side(way).state, State::Idle) { self.idle(way, &rest) } else { 0 };
        self.side(way).held.extend_from_slice(&rest[blank..]);
        room
    }

    /// Read a head without its end, if one is under way.
    fn cut_head(&mut self, way: Way, all: &mut Transactions) {
        let held = std::mem::take(&mut self.side(way).held);
        match self.side(way).state {
            State::Head(_) if !held.is_empty() => {
                self.whole_head(way, &held, all);
                self.facts(way, all, |facts| facts.is_head_cut[way as usize] = true);
            }
            State::Trailer(_) => self.whole_head(way, &held, all),
            _ => self.side(way).held = held,
        }
    }

    /// A request of HTTP/0.9 is over when it is answered.
    fn finish_simple(&mut self, all: &mut Transactions) {
        let side = self.side(Way::ToServer);
        if let State::Head(end) = side.state
            && end.is_simple()
        {
            let held = std::mem::take(&mut side.held);
            self.whole_head(Way::ToServer, &held, all);
        }
    }

    fn body(&mut self, way: Way, part: Part, bytes: &[u8], anomalies: Anomalies, all: &mut Transactions) {
        if !anomalies.is_empty()
            && let Some(open) = self.side(way).number.and_then(|number| all.find(number))
        {
            open.anomalies.add(anomalies);
        }
        match part {
            Part::Content(length) => self.content(way, &bytes[..length], all),
            Part::Delimiter(_) => {}
            Part::Trailer(_) => self.side(way).state = State::Trailer(HeadEnd::of_trailer()),
            Part::Over => self.finish(way, all),
        }
    }

    /// Content of the body that is under way.
    fn content(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) {
        let limit = self.limits.body;
        let side = self.side(way);
        let Some(open) = side.number.and_then(|number| all.find(number)) else { return };
        let before = open.body(way).len();
        let room = limit.saturating_sub(before);
        let mut noted = Anomalies::default();
        let (decoded, fits) = match &mut side.coding {
            Coding::Plain => {
                open.grow(way, &bytes[..bytes.len().min(room)]);
                (bytes.len(), bytes.len() <= room)
            }
            Coding::Coded(decoder) => {
                let fits = open.grow_with(way, |body| decoder.decode(bytes, body, room, &mut noted));
                (open.body(way).len() - before, fits)
            }
            Coding::Lost => (0, false),
        };
        open.anomalies.add(noted);
        if let Facts::Http(facts) = &mut open.facts {
            facts.sent[way as usize] += bytes.len() as u64;
            facts.decoded[way as usize] += decoded as u64;
            facts.is_cut[way as usize] |= !fits;
        }
    }

    /// Keep bytes whose meaning a response decides, or that belong to what follows.
    fn hold(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) -> usize {
        let limit = self.limits.head;
        let side = self.side(way);
        let room = bytes.len().min(limit.saturating_sub(side.held.len()));
        side.held.extend_from_slice(&bytes[..room]);
        if room < bytes.len() && matches!(side.state, State::Waiting) {
            self.lose(way, all);
        }
        bytes.len()
    }

    /// Pass over lines until one begins a message.
    fn seek(&mut self, way: Way, bytes: &[u8]) -> usize {
        let side = self.side(way);
        let length = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |feed| feed + 1);
        let room = length.min(SOUGHT_MAX.saturating_sub(side.held.len()));
        side.held.extend_from_slice(&bytes[..room]);
        if length < bytes.len() || bytes[length - 1] == b'\n' {
            if room == length && line::begins_message(&side.held, way) {
                side.state = State::Head(HeadEnd::default());
            } else {
                side.held.clear();
            }
        }
        length
    }

    /// The message that is under way is over.
    fn finish(&mut self, way: Way, all: &mut Transactions) {
        let limit = self.limits.body;
        let side = self.side(way);
        side.state = State::Idle;
        let coding = std::mem::take(&mut side.coding);
        let Some(open) = side.number.take().and_then(|number| all.find(number)) else { return };
        if let Coding::Coded(mut decoder) = coding {
            let (room, mut noted) = (limit.saturating_sub(open.body(way).len()), Anomalies::default());
            open.grow_with(way, |body| decoder.end(body, room, &mut noted));
            open.anomalies.add(noted);
        }
        open.reach(way, Phase::Complete);
    }

    /// Give up one way.
    fn lose(&mut self, way: Way, all: &mut Transactions) {
        self.note(way, Anomaly::HttpUnreadable, all);
        self.finish(way, all);
        *self.side(way) = Side { state: State::Lost, ..Side::default() };
    }

    /// Note an anomaly in the message that is under way, or in the next.
    fn note(&mut self, way: Way, anomaly: Anomaly, all: &mut Transactions) {
        let side = self.side(way);
        match side.number.and_then(|number| all.find(number)) {
            Some(open) => open.anomalies.note(anomaly),
            None => side.noted.note(anomaly),
        }
    }

    /// Change what is told of the message that is under way.
    fn facts(&mut self, way: Way, all: &mut Transactions, change: impl FnOnce(&mut HttpFacts)) {
        if let Some(open) = self.side(way).number.and_then(|number| all.find(number))
            && let Facts::Http(facts) = &mut open.facts
        {
            change(facts);
        }
    }
}

/// Whether a response's first bytes, of which some are held, may be those of a head.
fn begins_as_response(held: &[u8], bytes: &[u8]) -> bool {
    let first = held.iter().chain(bytes).zip(b"HTTP/");
    first.into_iter().all(|(byte, expected)| byte.eq_ignore_ascii_case(expected))
}
