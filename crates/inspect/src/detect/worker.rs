//! Detection on one worker: which rules does this packet complete?
//!
//! ```text
//! packet ─▶ payload ──────────────┐
//!    └─▶ stream bytes in order ───┼─ patterns ─▶ candidates ─▶ conditions, in the order of ranks ─▶ hits
//!             └─▶ transactions ───┘                                   └─▶ bits, numbers, marks on addresses
//! ```

mod of_stream;
mod of_transactions;

use super::asking::Asking;
use super::compiled::Compiled;
use super::failed::Failed;
use super::group::Group;
use super::groups::Groups;
use super::hit::{Hit, Scope};
use super::rule::{Kind, Rank, Ready};
use crate::matcher::Scratch;
use crate::payload::{Context, Program};
use crate::witness::{Asked, Witness};
pub(crate) use of_stream::Text;

/// Conditions of candidates that are looked at for one packet; the rest is left, and counted.
const STEPS_MAX: u32 = 4096;

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
    /// Rules about bodies whose pattern was found in the stream's bytes.
    in_bodies: Vec<Rank>,
    /// How many bytes, the stream's last, were looked through for what may be in bodies.
    looked_through: usize,
    /// The rules that the packet completed; cleared with each packet.
    pub(crate) hits: Vec<Hit>,
    steps: u32,
    pub(crate) tallies: Tallies,
    /// Who looks on, if somebody asked why.
    pub(crate) witness: Option<Box<dyn Witness>>,
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
            in_bodies: Vec::with_capacity(64),
            looked_through: 0,
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
        self.looked_through = 0;
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

/// Whether all tests of a program hold of a text.
fn text_holds(program: &Program, text: &[u8], context: &mut Context) -> Result<(), Failed> {
    match program.farthest(text, context) {
        Some(test) => Err(Failed::Test { option: program.option(), test }),
        None => Ok(()),
    }
}
