//! Rules about transactions: their small buffers, and their bodies as they grow.

use policy::{Buffer, Way};

use super::{Worker, headers_hold, payload_holds};
use crate::app::{Phase, Transaction, Transactions};
use crate::detect::asking::Asking;
use crate::detect::compiled::Compiled;
use crate::detect::failed::Failed;
use crate::detect::group::Group;
use crate::detect::patterns::BufferFilter;
use crate::detect::rule::{Kind, Rank, Ready};
use crate::detect::session::Progress;
use crate::payload::Context;

impl Worker {
    /// Rules about transactions that have grown since they were looked at. `payloads`: the packet's, and the stream's text.
    pub(crate) fn transactions(
        &mut self,
        compiled: &Compiled,
        group: &Group,
        (all, known, looked_at): (&Transactions, &mut Vec<Progress>, &mut u32),
        payloads: [&[u8]; 2],
        asking: &mut Asking<'_>,
    ) {
        if std::mem::replace(looked_at, all.changes()) == all.changes() {
            return;
        }
        for open in all.open() {
            let nth = known.iter().position(|progress| progress.number == open.number).unwrap_or_else(|| {
                known.push(Progress { number: open.number, ..Progress::default() });
                known.len() - 1
            });
            if let Some(progress) = known.get_mut(nth) {
                self.transaction(compiled, group, (open, progress), payloads, asking);
            }
        }
    }

    fn transaction(
        &mut self,
        compiled: &Compiled,
        group: &Group,
        (open, progress): (&Transaction, &mut Progress),
        payloads: [&[u8]; 2],
        asking: &mut Asking<'_>,
    ) {
        let way = asking.sight.way;
        let at = way as usize;
        if progress.has_seen_of(open, way) {
            return;
        }
        let (body, reached) = (open.body(way), open.reached(way));
        let fresh = open.pieces().get(progress.pieces[at]..).unwrap_or_default();
        let grown = body.len() > progress.bodies[at];
        let [mine, other] = match &mut progress.candidates {
            [to_server, to_client] if way == Way::ToServer => [to_server, to_client],
            [to_server, to_client] => [to_client, to_server],
        };
        let Self { scratch, tallies, context, rooms, in_bodies, looked_through, .. } = self;
        let mut note = |rank: Rank| {
            if group.has(rank) && !mine.contains(&rank) {
                mine.push(rank);
                // The rest of an exchange may be the other way's.
                if compiled.rule(rank).is_some_and(|rule| rule.is_exchange) {
                    other.push(rank);
                }
            }
        };
        let mut scan = |filter: &BufferFilter, text: &[u8], note: &mut dyn FnMut(Rank)| {
            let text = filter.transforms.apply(text, rooms, &mut context.regexes);
            let scanned = filter.prefilter.scan(text, scratch, |rank, _| note(rank));
            tallies.unscanned += u64::from(scanned.is_err());
        };
        let patterns = group.patterns();
        for piece in fresh.iter().filter(|piece| piece.way == way) {
            patterns.of(piece.buffer).iter().for_each(|filter| scan(filter, open.bytes(piece), &mut note));
        }
        if grown {
            for filter in &patterns.bodies {
                let text = body.get(filter.from(progress.bodies[at])..).unwrap_or_default();
                let is_fresh = body.len() - progress.bodies[at] <= *looked_through;
                // A body that lies in the stream as it is was looked through with it.
                if filter.transforms.is_empty() && is_fresh && payloads[1].ends_with(text) {
                    in_bodies.iter().for_each(|rank| note(*rank));
                } else {
                    scan(filter, text, &mut note);
                }
            }
        }
        progress.pieces[at] = open.pieces().len();
        progress.bodies[at] = body.len();
        progress.reached[at] = reached;
        self.candidates.clear();
        self.candidates.extend_from_slice(mine);
        self.candidates.extend_from_slice(&group.transaction);
        // A listener's rules look at each way when a packet goes there: so does an exchange, which needs both.
        let both_seen = progress.has_begun(way.opposite());
        let met = &mut progress.met;
        self.each_candidate(compiled, Some(open.number), asking, |asking, rule, rank, context| {
            // What is matched by both ways at once is matched once.
            let met = &mut met[if rule.is_exchange { 0 } else { at }];
            if rule.kind != Kind::Transaction || (rule.is_exchange && !both_seen) {
                return Err(Failed::Elsewhere);
            }
            if met.contains(&rank) {
                return Err(Failed::Again);
            }
            asking.holds(rule, Some(open))?;
            headers_hold(rule, asking, context)?;
            buffers_hold(rule, (open, way), context)?;
            let [packet, stream] = payloads;
            payload_holds(rule, packet, context).or_else(|_| payload_holds(rule, stream, context))?;
            met.push(rank);
            Ok(())
        });
    }
}

/// Whether what the rule wants of a transaction's buffers holds: each of some value of its buffer.
fn buffers_hold(rule: &Ready, (open, way): (&Transaction, Way), context: &mut Context) -> Result<(), Failed> {
    rule.buffers.iter().try_for_each(|program| {
        let buffer = program.buffer();
        let way = program.way().filter(|_| rule.is_exchange).unwrap_or(way);
        let body = Some(open.body(way)).filter(|body| is_body(buffer, way) && !body.is_empty());
        let mut failed = None;
        for text in open.values(buffer, way).chain(body) {
            let Some(test) = program.farthest(text, context) else { return Ok(()) };
            failed = failed.max(Some(test));
        }
        match failed {
            Some(test) => Err(Failed::Test { option: program.option(), test }),
            None => {
                let last = if is_body(buffer, way) { Phase::Complete } else { Phase::Head };
                let holds = program.holds_if_absent() && open.reached(way) >= last;
                holds.then_some(()).ok_or(Failed::Absent(program.option()))
            }
        }
    })
}

/// Whether a buffer is what grows.
fn is_body(buffer: Buffer, way: Way) -> bool {
    match buffer {
        Buffer::FileData => true,
        Buffer::HttpRequestBody => way == Way::ToServer,
        Buffer::HttpResponseBody => way == Way::ToClient,
        _ => false,
    }
}
