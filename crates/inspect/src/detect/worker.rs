//! Detection on one worker: which rules does this packet complete?
//!
//! ```text
//! packet ─▶ payload ──────────────┐
//!    └─▶ stream bytes in order ───┼─ patterns ─▶ candidates ─▶ conditions, in the order of ranks ─▶ hits
//!             └─▶ transactions ───┘                                   └─▶ bits, numbers, marks on addresses
//! ```

use flow::Direction;
use policy::{Buffer, RuleIndex, Way};

use super::asking::Asking;
use super::compiled::Compiled;
use super::failed::Failed;
use super::group::Group;
use super::groups::Groups;
use super::patterns::BufferFilter;
use super::rule::{Kind, Rank, Ready};
use super::session::{Progress, WAITING_MAX};
use crate::app::{Phase, Transaction, Transactions};
use crate::matcher::Scratch;
use crate::payload::{Context, Program};
use crate::witness::{Asked, Witness};

/// Conditions of candidates that are looked at for one packet; the rest is left, and counted.
const STEPS_MAX: u32 = 4096;

/// A rule that matched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    /// Where it stands in the order of verdicts.
    pub(crate) index: RuleIndex,
    pub(crate) rank: Rank,
    /// What it decides about, if it decides.
    pub(crate) scope: Scope,
    /// The transaction that met it.
    pub(crate) transaction: Option<u32>,
    /// Whether it is told.
    pub(crate) told: bool,
    /// Which way what met it goes: a packet may make bytes of the other way ready.
    pub(crate) direction: Direction,
}

/// What a rule decides about that passes or drops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    /// The packet that it matched.
    Packet,
    /// All that follows of the flow.
    Flow,
}

/// What detection has counted since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tallies {
    /// Rules asked.
    pub(crate) asked: u64,
    /// Packets that had more candidates than are asked.
    pub(crate) cut_short: u64,
    /// Rules that could not wait for more of a stream, because too many did.
    pub(crate) waiting_lost: u64,
    /// Texts that the matcher could not scan.
    pub(crate) unscanned: u64,
}

/// One worker's tools.
#[derive(Debug)]
pub(crate) struct Worker {
    scratch: Scratch,
    context: Context,
    rooms: [Vec<u8>; 2],
    pub(crate) groups: Groups,
    candidates: Vec<Rank>,
    /// Rules about packets whose pattern was found in the stream's bytes that the packet brought.
    in_stream: Vec<Rank>,
    /// Whether the packet's payload was looked through as bytes of the stream.
    is_scanned: bool,
    /// The rules that the packet completed; cleared with each packet.
    pub(crate) hits: Vec<Hit>,
    steps: u32,
    pub(crate) tallies: Tallies,
    /// Who looks on, if somebody asked why.
    pub(crate) witness: Option<Box<dyn Witness>>,
}

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

impl Default for Worker {
    fn default() -> Self {
        Self {
            scratch: Scratch::default(),
            context: Context::default(),
            rooms: Default::default(),
            groups: Groups::default(),
            candidates: Vec::with_capacity(256),
            in_stream: Vec::with_capacity(64),
            is_scanned: false,
            hits: Vec::with_capacity(64),
            steps: 0,
            tallies: Tallies::default(),
            witness: None,
        }
    }
}

impl Worker {
    /// Programs and searches that were given up.
    pub(crate) fn exhausted(&self) -> u64 {
        self.context.exhausted + self.context.regexes.exhausted
    }

    /// A packet begins.
    pub(crate) fn begin(&mut self) {
        self.hits.clear();
        self.in_stream.clear();
        self.is_scanned = false;
        self.steps = 0;
    }

    /// Other rules: gives back what is of no use with them.
    pub(crate) fn swap(&mut self, groups: Groups, scratch: Scratch) -> (Groups, Scratch) {
        let groups = groups.after(&self.groups);
        (std::mem::replace(&mut self.groups, groups), std::mem::replace(&mut self.scratch, scratch))
    }

    /// Rules that the header alone decides.
    pub(crate) fn headers(
        &mut self,
        compiled: &Compiled,
        ranks: impl Iterator<Item = Rank>,
        asking: &mut Asking<'_>,
    ) {
        for rank in ranks {
            let Some(rule) = compiled.rule(rank) else { continue };
            self.ask(rule, (rank, None), asking, |asking, _| asking.holds(rule, None));
        }
    }

    /// Rules about packets. `loose`: the packet belongs to no stream, so rules about streams look at it too.
    pub(crate) fn packet(
        &mut self,
        compiled: &Compiled,
        group: &Group,
        loose: bool,
        asking: &mut Asking<'_>,
    ) {
        let payload = asking.sight.payload;
        self.candidates.clear();
        if self.is_scanned && !loose {
            self.candidates.extend_from_slice(&self.in_stream);
        } else if (group.at_packets || (loose && group.at_stream)) && !payload.is_empty() {
            let Self { scratch, candidates, tallies, .. } = self;
            let found = |rank, _| {
                if group.has_of_packets(rank) || (loose && group.has(rank)) {
                    candidates.push(rank);
                }
            };
            let scanned = group.patterns().payload.scan(payload, scratch, found);
            tallies.unscanned += u64::from(scanned.is_err());
        }
        self.candidates.extend_from_slice(&group.packet);
        if loose {
            self.candidates.extend_from_slice(&group.stream);
        }
        let before = self.hits.len();
        self.each_candidate(compiled, None, asking, |asking, rule, _, context| {
            let eligible = match rule.kind {
                Kind::Packet => true,
                Kind::Stream => rule.at_packets || (loose && rule.at_loose),
                _ => false,
            };
            eligible.then_some(()).ok_or(Failed::Elsewhere)?;
            asking.holds(rule, None)?;
            headers_hold(rule, asking, context)?;
            payload_holds(rule, payload, context)
        });
        // What matched a packet by itself decides about that one alone.
        self.hits.iter_mut().skip(before).for_each(|hit| hit.scope = Scope::Packet);
    }

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
        let filter = &group.patterns().payload;
        let from = text.fresh_from.saturating_sub(filter.overlap());
        let mut lost = 0;
        let Self { scratch, tallies, in_stream, .. } = self;
        let found = |rank: Rank, end: usize| {
            if from + end <= text.fresh_from {
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

    /// Rules about the protocol alone.
    pub(crate) fn protocol(
        &mut self,
        compiled: &Compiled,
        group: &Group,
        met: &mut Vec<Rank>,
        asking: &mut Asking<'_>,
    ) {
        self.candidates.clear();
        self.candidates.extend_from_slice(&group.protocol);
        self.each_candidate(compiled, None, asking, |asking, rule, rank, _| {
            if rule.once && met.contains(&rank) {
                return Err(Failed::Again);
            }
            asking.holds(rule, None)?;
            if rule.once {
                met.push(rank);
            }
            Ok(())
        });
    }

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
        let Self { scratch, tallies, context, rooms, .. } = self;
        let mut scan = |filter: &BufferFilter, text: &[u8]| {
            let text = filter.transforms.apply(text, rooms, &mut context.regexes);
            let note = |rank, _| {
                if group.has(rank) && !mine.contains(&rank) {
                    mine.push(rank);
                    // The rest of an exchange may be the other way's.
                    if compiled.rule(rank).is_some_and(|rule| rule.is_exchange) {
                        other.push(rank);
                    }
                }
            };
            tallies.unscanned += u64::from(filter.prefilter.scan(text, scratch, note).is_err());
        };
        let patterns = group.patterns();
        for piece in fresh.iter().filter(|piece| piece.way == way) {
            patterns.of(piece.buffer).iter().for_each(|filter| scan(filter, open.bytes(piece)));
        }
        if grown {
            for filter in &patterns.bodies {
                scan(filter, body.get(filter.from(progress.bodies[at])..).unwrap_or_default());
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

    /// Asks the candidates one after the other, in the order of ranks, within the packet's bound.
    fn each_candidate(
        &mut self,
        compiled: &Compiled,
        transaction: Option<u32>,
        asking: &mut Asking<'_>,
        mut holds: impl FnMut(&Asking<'_>, &Ready, Rank, &mut Context) -> Result<(), Failed>,
    ) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_unstable();
        candidates.dedup();
        for rank in &candidates {
            let Some(rule) = compiled.rule(*rank) else { continue };
            if self.steps == STEPS_MAX {
                self.tallies.cut_short += 1;
                break;
            }
            self.steps += 1;
            self.tallies.asked += 1;
            self.ask(rule, (*rank, transaction), asking, |asking, context| {
                holds(asking, rule, *rank, context)
            });
        }
        self.candidates = candidates;
    }

    /// Asks one rule, and notes it if it matches.
    #[inline]
    fn ask(
        &mut self,
        rule: &Ready,
        (rank, transaction): (Rank, Option<u32>),
        asking: &mut Asking<'_>,
        holds: impl FnOnce(&Asking<'_>, &mut Context) -> Result<(), Failed>,
    ) {
        if let Some(witness) = &mut self.witness {
            witness.asks();
        }
        let mut said = holds(asking, &mut self.context);
        if said.is_ok() {
            said = self.hit(rule, (rank, transaction), asking);
        }
        if let Some(witness) = &mut self.witness {
            let (way, app) = (asking.sight.way, asking.spoken.flow.protocol());
            witness.asked(&Asked { rule: rule.index, way, transaction, app, said });
        }
    }

    fn hit(
        &mut self,
        rule: &Ready,
        (rank, transaction): (Rank, Option<u32>),
        asking: &mut Asking<'_>,
    ) -> Result<(), Failed> {
        if !asking.is_frequent(rule) {
            return Err(Failed::Filter);
        }
        asking.leave(rule);
        let told = asking.is_told(rule);
        let direction = asking.sight.direction;
        self.hits.push(Hit { index: rule.index, rank, scope: Scope::Flow, transaction, told, direction });
        Ok(())
    }
}

/// Whether what the rule wants of the payload holds.
fn payload_holds(rule: &Ready, text: &[u8], context: &mut Context) -> Result<(), Failed> {
    rule.payload.iter().try_for_each(|program| text_holds(program, text, context))
}

/// Whether what the rule wants of the packet's headers holds.
fn headers_hold(rule: &Ready, asking: &Asking<'_>, context: &mut Context) -> Result<(), Failed> {
    rule.headers.iter().try_for_each(|program| match asking.sight.header(program.buffer()) {
        Some(bytes) => text_holds(program, bytes, context),
        None if program.holds_if_absent() => Ok(()),
        None => Err(Failed::Absent(program.option())),
    })
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

/// Whether all tests of a program hold of a text.
fn text_holds(program: &Program, text: &[u8], context: &mut Context) -> Result<(), Failed> {
    match program.farthest(text, context) {
        Some(test) => Err(Failed::Test { option: program.option(), test }),
        None => Ok(()),
    }
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
