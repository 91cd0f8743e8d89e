//! What is noted while rules are asked, for whoever will ask why.

use std::collections::HashMap;

use flow::{Direction, FlowKey};
use inspect::witness::{Asked, Failed, Fate, Looked};
use policy::{Outcome, Policy, Protocol, RuleIndex, Way};
use std::sync::Arc;

use super::subject::Subject;

/// Flows that are noted; of the others only how many came is known.
const FLOWS_MAX: usize = 1 << 18;
/// Matches of one rule in one flow that are noted one by one.
const MATCHES_MAX: usize = 16;

/// What was noted.
#[derive(Debug)]
pub(crate) struct Notes {
    subjects: Vec<Subject>,
    policy: Arc<Policy>,
    flows: Vec<FlowNotes>,
    places: HashMap<FlowKey, Option<usize>>,
    /// The flow of the packet that is looked into, if it is noted.
    current: Option<usize>,
    packet: u64,
    /// Flows that found no room.
    pub(crate) unnoted: u64,
}

/// What was noted of one flow.
#[derive(Debug)]
pub(crate) struct FlowNotes {
    pub(crate) key: FlowKey,
    pub(crate) initiator: Direction,
    /// The first packet that was looked into, the last, and how many.
    pub(crate) packets: (u64, u64, u64),
    /// Packets that did not fit their stream.
    pub(crate) misfits: u64,
    /// What it speaks.
    pub(crate) app: Option<Protocol>,
    /// From when on it was clear what becomes of it, and by which rule.
    pub(crate) decided: Option<(u64, Outcome, Option<RuleIndex>)>,
    pub(crate) rules: HashMap<RuleIndex, RuleNotes>,
}

/// What was noted of one rule in one flow.
#[derive(Debug, Default)]
pub(crate) struct RuleNotes {
    /// How often it was asked.
    pub(crate) asked: u64,
    /// How often it matched.
    pub(crate) matched: u64,
    /// The first of its matches.
    pub(crate) matches: Vec<(Place, Fate)>,
    /// The farthest that it came and failed.
    pub(crate) failed: Option<(Place, Failed)>,
}

/// Where a rule was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) packet: u64,
    pub(crate) way: Way,
    pub(crate) transaction: Option<u32>,
}

impl Notes {
    /// Nothing is noted yet; what will be is about these.
    pub(crate) fn new(subjects: Vec<Subject>, policy: Arc<Policy>) -> Self {
        Self {
            subjects,
            policy,
            flows: Vec::new(),
            places: HashMap::new(),
            current: None,
            packet: 0,
            unnoted: 0,
        }
    }

    /// The flows, as they came.
    pub(crate) fn flows(&self) -> &[FlowNotes] {
        &self.flows
    }

    /// The rules that are asked after; none if all are.
    pub(crate) fn sids(&self) -> Option<Vec<u32>> {
        let sids = self.subjects.iter().filter_map(|subject| match subject {
            Subject::Rule(sid) => Some(*sid),
            _ => None,
        });
        Some(sids.collect()).filter(|sids: &Vec<u32>| !sids.is_empty())
    }

    pub(crate) fn looks(&mut self, packet: &Looked<'_>) {
        self.packet = packet.packet;
        self.current = match self.places.get(packet.key) {
            Some(known) => *known,
            None => self.begin(packet),
        };
        if let Some(flow) = self.current.and_then(|at| self.flows.get_mut(at)) {
            let (first, last, looked) = flow.packets;
            // What is read at a flow's end came with no packet.
            if packet.packet > 0 {
                flow.packets = (first, last.max(packet.packet), looked + 1);
            }
        }
    }

    pub(crate) fn asked(&mut self, asked: &Asked) {
        let packet = self.packet;
        let Some(notes) = self.rule(asked.rule, asked.app) else { return };
        notes.asked += 1;
        if let Err(failed) = asked.said
            && notes.failed.is_none_or(|(_, before)| depth(before) < depth(failed))
        {
            notes.failed = Some((Place { packet, way: asked.way, transaction: asked.transaction }, failed));
        }
        if asked.said.is_ok() {
            notes.matched += 1;
            let place = Place { packet, way: asked.way, transaction: asked.transaction };
            if notes.matches.len() < MATCHES_MAX {
                notes.matches.push((place, Fate::Silent));
            }
        }
    }

    pub(crate) fn settled(&mut self, rule: RuleIndex, transaction: Option<u32>, fate: Fate) {
        let packet = self.packet;
        let Some(notes) = self.rule(rule, None) else { return };
        let is_it = |place: &Place| place.packet == packet && place.transaction == transaction;
        for (_, noted) in notes.matches.iter_mut().filter(|(place, _)| is_it(place)) {
            *noted = fate;
        }
    }

    pub(crate) fn decided(&mut self, outcome: Outcome, by: Option<RuleIndex>) {
        let packet = self.packet;
        if let Some(flow) = self.current.and_then(|at| self.flows.get_mut(at)) {
            flow.decided.get_or_insert((packet, outcome, by));
        }
    }

    pub(crate) fn misfit(&mut self) {
        if let Some(flow) = self.current.and_then(|at| self.flows.get_mut(at)) {
            flow.misfits += 1;
        }
    }

    /// A flow's first packet; its place, if it is asked after.
    fn begin(&mut self, packet: &Looked<'_>) -> Option<usize> {
        let mut flows =
            self.subjects.iter().filter(|subject| !matches!(subject, Subject::Rule(_))).peekable();
        let wanted = flows.peek().is_none() || flows.any(|subject| subject.is_flow(packet.key));
        if wanted && self.flows.len() == FLOWS_MAX {
            self.unnoted += 1;
            return None;
        }
        let place = wanted.then_some(self.flows.len());
        self.places.insert(*packet.key, place);
        if wanted {
            self.flows.push(FlowNotes {
                key: *packet.key,
                initiator: packet.initiator,
                packets: (packet.packet, packet.packet, 0),
                misfits: 0,
                app: None,
                decided: None,
                rules: HashMap::new(),
            });
        }
        place
    }

    /// Where what is noted of a rule stands, if the rule and the flow are asked after.
    fn rule(&mut self, rule: RuleIndex, app: Option<Protocol>) -> Option<&mut RuleNotes> {
        let sids = self.sids();
        let flow = self.flows.get_mut(self.current?)?;
        flow.app = flow.app.or(app);
        if let Some(sids) = sids {
            let sid = self.policy.rules(flow.key.endpoint()).get(rule)?.rule.about.sid;
            sids.contains(&sid).then_some(())?;
        }
        Some(flow.rules.entry(rule).or_default())
    }
}

/// How far a rule came that failed so: conditions are asked in this order.
fn depth(failed: Failed) -> (u8, usize, usize) {
    match failed {
        Failed::Again => (0, 0, 0),
        Failed::Elsewhere => (1, 0, 0),
        Failed::Protocol => (2, 0, 0),
        Failed::Flow => (3, 0, 0),
        Failed::Option(option) => (4, option, 0),
        Failed::Absent(option) => (5, option, 0),
        Failed::Test { option, test } => (5, option, test + 1),
        Failed::Filter => (6, 0, 0),
    }
}
