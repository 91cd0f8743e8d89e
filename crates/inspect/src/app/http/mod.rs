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
mod file;
mod head;
mod hold;
mod limits;
mod line;
mod message;
mod record;
mod uri;

use std::collections::VecDeque;

use policy::{Buffer, Way};

use body::{Framing, Part};
use coding::Decoder;
pub use facts::{Became, HttpFacts};
use head::HeadEnd;
pub use limits::HttpLimits;
pub use record::HttpRecord;

use message::complete;

use super::{Anomalies, Anomaly, Facts, Phase, Transactions, Wanted};

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
    /// What is to be read once more.
    again: Vec<u8>,
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
        self.read(way, bytes, all);
        let again = std::mem::take(&mut self.side(way).again);
        self.read(way, &again, all);
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

    /// Reads a word of each of its cache lines, so that they are there when they are needed.
    #[inline]
    pub(in crate::app) fn touch(&self) -> u64 {
        let [to_server, to_client] = &self.sides;
        (to_server.held.len() ^ to_client.held.len() ^ to_server.again.len() ^ to_client.again.len()) as u64
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

    fn read(&mut self, way: Way, mut bytes: &[u8], all: &mut Transactions) {
        while !bytes.is_empty() {
            bytes = bytes.get(self.step(way, bytes, all)..).unwrap_or_default();
        }
    }

    /// Read some bytes, and say how many.
    fn step(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) -> usize {
        if way == Way::ToClient {
            self.finish_simple(all);
        }
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
        let limits = self.limits;
        let room_of_all = limits.bodies.saturating_sub(all.body_bytes());
        let side = self.side(way);
        let Some(open) = side.number.and_then(|number| all.find(number)) else { return };
        let before = open.body(way).len();
        let room = limits.body.saturating_sub(before).min(room_of_all);
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

    /// The message that is under way is over.
    fn finish(&mut self, way: Way, all: &mut Transactions) {
        let (limit, wanted) = (self.limits.body, self.wanted);
        let side = self.side(way);
        side.state = State::Idle;
        let coding = std::mem::take(&mut side.coding);
        let Some(open) = side.number.take().and_then(|number| all.find(number)) else { return };
        if let Coding::Coded(mut decoder) = coding {
            let (room, mut noted) = (limit.saturating_sub(open.body(way).len()), Anomalies::default());
            open.grow_with(way, |body| decoder.end(body, room, &mut noted));
            open.anomalies.add(noted);
        }
        if way == Way::ToServer && wanted.has(Buffer::FileName) {
            file::names_of_form(open);
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
