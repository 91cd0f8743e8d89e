//! What is held: heads until they are whole, bytes whose meaning a response decides, lines that may begin a message.

use policy::Way;

use super::head::HeadEnd;
use super::{Http, State, line};
use crate::app::{Anomaly, Facts, Transactions};

/// Longest line that may begin a message after a gap.
const SOUGHT_MAX: usize = 8192;

impl Http {
    /// In a head or a trailer: hold bytes until it is whole.
    pub(super) fn head(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) -> usize {
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
        let mut rest = held.split_off(length);
        if rest.len() <= room {
            return room - rest.len();
        }
        // A line of HTTP/0.9 was held, and with it the line that showed that it was one, which is read again.
        rest.extend_from_slice(&bytes[room..]);
        self.side(way).again = rest;
        bytes.len()
    }

    /// Read a head without its end, if one is under way.
    pub(super) fn cut_head(&mut self, way: Way, all: &mut Transactions) {
        let held = std::mem::take(&mut self.side(way).held);
        match self.side(way).state {
            State::Head(_) if !held.is_empty() => {
                let number = self.whole_head(way, &held, all);
                if let Some(open) = number.and_then(|number| all.find(number))
                    && let Facts::Http(facts) = &mut open.facts
                {
                    facts.is_head_cut[way as usize] = true;
                }
            }
            State::Trailer(_) => {
                self.whole_head(way, &held, all);
            }
            _ => self.side(way).held = held,
        }
    }

    /// A request of HTTP/0.9 is over when it is answered.
    pub(super) fn finish_simple(&mut self, all: &mut Transactions) {
        let side = self.side(Way::ToServer);
        if let State::Head(end) = side.state
            && end.is_simple()
        {
            let held = std::mem::take(&mut side.held);
            self.whole_head(Way::ToServer, &held, all);
        }
    }

    /// Keep bytes whose meaning a response decides, or that belong to what follows.
    pub(super) fn hold(&mut self, way: Way, bytes: &[u8], all: &mut Transactions) -> usize {
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
    pub(super) fn seek(&mut self, way: Way, bytes: &[u8]) -> usize {
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
}

/// Whether a response's first bytes, of which some are held, may be those of a head.
fn begins_as_response(held: &[u8], bytes: &[u8]) -> bool {
    let first = held.iter().chain(bytes).zip(b"HTTP/");
    first.into_iter().all(|(byte, expected)| byte.eq_ignore_ascii_case(expected))
}
