//! Rules about the stream's bytes.

use policy::Protocol;

use super::{Worker, headers_hold, payload_holds};
use crate::detect::asking::Asking;
use crate::detect::compiled::Compiled;
use crate::detect::failed::Failed;
use crate::detect::group::Group;
use crate::detect::rule::{Kind, Rank};
use crate::detect::session::WAITING_MAX;

/// Fresh bytes of a stream, and the tail before them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    /// The tail and the fresh bytes.
    pub(crate) bytes: &'a [u8],
    /// Where the fresh ones start.
    pub(crate) fresh_from: usize,
    /// Where in the stream the first of the bytes is.
    pub(crate) start: u64,
}

impl Worker {
    /// Rules about the stream's bytes.
    pub(crate) fn stream(
        &mut self,
        compiled: &Compiled,
        group: &Group,
        text: Text<'_>,
        waiting: &mut Vec<(u64, Rank)>,
        asking: &mut Asking<'_>,
    ) {
        self.candidates.clear();
        waiting.retain(|(end, _)| *end > text.start);
        let (filter, with_bodies) = group.patterns().of_stream(asking.speaks(Protocol::Http));
        let from = text.fresh_from.saturating_sub(filter.overlap());
        let mut lost = 0;
        let Self { scratch, tallies, in_stream, in_bodies, .. } = self;
        in_bodies.clear();
        let found = |rank: Rank, end: usize| {
            if from + end <= text.fresh_from {
                return;
            }
            if with_bodies && compiled.rule(rank).is_some_and(|rule| rule.kind == Kind::Transaction) {
                in_bodies.push(rank);
                return;
            }
            if group.has_of_packets(rank) {
                in_stream.push(rank);
            }
            if group.has_of_stream(rank) {
                let end = text.start + (from + end) as u64;
                match waiting.iter().position(|(_, other)| *other == rank) {
                    Some(nth) => waiting[nth].0 = end,
                    None if waiting.len() < WAITING_MAX => waiting.push((end, rank)),
                    None => lost += 1,
                }
            }
        };
        let scanned = filter.scan(text.bytes.get(from..).unwrap_or_default(), scratch, found);
        tallies.unscanned += u64::from(scanned.is_err());
        tallies.waiting_lost += lost;
        let (payload, fresh) = (asking.sight.payload, text.bytes.get(text.fresh_from..).unwrap_or_default());
        self.looked_through = if with_bodies && scanned.is_ok() { fresh.len() } else { 0 };
        self.is_scanned |= scanned.is_ok() && !payload.is_empty() && fresh.starts_with(payload);
        self.candidates.extend(waiting.iter().map(|(_, rank)| *rank));
        self.candidates.extend_from_slice(&group.stream);
        self.each_candidate(compiled, None, asking, |asking, rule, rank, context| {
            let eligible = rule.kind == Kind::Stream && rule.at_stream;
            eligible.then_some(()).ok_or(Failed::Elsewhere)?;
            asking.holds(rule, None)?;
            headers_hold(rule, asking, context)?;
            (text.start == 0 || !rule.is_placed).then_some(()).ok_or(Failed::Elsewhere)?;
            payload_holds(rule, text.bytes, context)?;
            waiting.retain(|(_, other)| *other != rank);
            Ok(())
        });
    }
}
