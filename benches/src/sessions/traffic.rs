//! Millions of frames in memory: conversations interleaved at random.

use engine::{Pulled, Source};
use inspect::Burst;

use super::session::Session;
use super::text::Text;
use crate::capture::Random;

/// Frames, in the order in which they come.
pub(crate) struct Traffic {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Conversations that have begun.
    pub(crate) flows: u64,
    /// Of them, those that hold the marker.
    pub(crate) marked: u64,
}

impl Traffic {
    /// So many packets of `active` conversations at once; a new one begins where one ends.
    pub(crate) fn new(packets: usize, active: usize, marked: u64) -> Self {
        let mut random = Random::new(3);
        let text = Text::new(&mut random);
        let (mut number, mut began) = (0, Vec::new());
        let mut begin = |random: &mut Random| {
            number += 1;
            let session = Session::new(number, marked, &text, random);
            began.push(session.marked);
            session
        };
        let mut sessions: Vec<Session> = (0..active).map(|_| begin(&mut random)).collect();
        let mut bytes = Vec::with_capacity(packets * 900);
        let mut ends = Vec::with_capacity(packets);
        while ends.len() < packets {
            let at = (random.next() % active as u64) as usize;
            match sessions[at].next() {
                Some(frame) => {
                    bytes.extend_from_slice(&frame);
                    ends.push(bytes.len());
                }
                None => sessions[at] = begin(&mut random),
            }
        }
        let unsaid = sessions.iter().filter(|session| session.is_fresh());
        let (unsaid, unsaid_marks) =
            unsaid.fold((0, 0), |(flows, marks), session| (flows + 1, marks + u64::from(session.marked)));
        let marked = began.iter().filter(|marked| **marked).count() as u64 - unsaid_marks;
        Self { bytes, ends, flows: began.len() as u64 - unsaid, marked }
    }

    /// Bits of all frames.
    pub(crate) fn bits(&self) -> f64 {
        self.bytes.len() as f64 * 8.0
    }
}

/// A source that gives each frame once.
pub(crate) struct Replay {
    rest: &'static mut [u8],
    lengths: std::vec::IntoIter<usize>,
}

impl Replay {
    /// All of it, from the first frame on. Its memory is never freed: the process is about to end.
    pub(crate) fn new(traffic: Traffic) -> Self {
        let starts = std::iter::once(0).chain(traffic.ends.iter().copied());
        let lengths: Vec<usize> = starts.zip(&traffic.ends).map(|(start, end)| end - start).collect();
        Self { rest: traffic.bytes.leak(), lengths: lengths.into_iter() }
    }
}

impl Source<&'static mut [u8]> for Replay {
    fn pull(&mut self, burst: &mut Burst<&'static mut [u8]>) -> Pulled {
        let room = burst.room();
        let Self { rest, lengths } = self;
        burst.extend(lengths.take(room).map(|length| {
            let (frame, behind) = std::mem::take(rest).split_at_mut(length);
            *rest = behind;
            frame
        }));
        if burst.is_empty() { Pulled::Closed } else { Pulled::Some }
    }
}
