//! An explanation: what was noted, in words, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;

use control::{app_name, flow_id};
use inspect::Detector;
use policy::{LoadedRule, Outcome, RuleIndex, RuleSet, Way};
use serde::Serialize;

use super::notes::{FlowNotes, Notes, Place, RuleNotes};
use super::words;

/// Flows that are told one by one; the others are counted by their reasons.
const FLOWS_TOLD: usize = 20;

/// Why rules matched or did not.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    /// What was asked after and is no rule that holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<String>,
    flows: Vec<Flow>,
    /// What the rule that was asked after came to in the other flows: how many, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    others: BTreeMap<String, u64>,
    /// Flows that found no room.
    unnoted: u64,
}

/// One flow.
#[derive(Debug, Serialize)]
struct Flow {
    flow_id: u64,
    proto: u8,
    src_ip: String,
    src_port: u16,
    dest_ip: String,
    dest_port: u16,
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_proto: Option<String>,
    first_packet: u64,
    last_packet: u64,
    looked_into: u64,
    misfits: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<Decided>,
    rules: Vec<Rule>,
    /// Rules that were never asked, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unasked: BTreeMap<String, u64>,
}

/// From when on it was clear what becomes of a flow.
#[derive(Debug, Serialize)]
struct Decided {
    packet: u64,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_id: Option<u32>,
}

/// One rule in one flow.
#[derive(Debug, Serialize)]
struct Rule {
    signature_id: u32,
    signature: String,
    result: Outcomes,
    asked: u64,
    matched: u64,
    /// Why it came no farther; of a rule that matched, what became of the first match.
    why: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    at: Option<At>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matches: Vec<Match>,
}

/// What a rule came to, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcomes {
    Matched,
    Failed,
    Unasked,
}

#[derive(Debug, Serialize)]
struct Match {
    #[serde(flatten)]
    at: At,
    what: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct At {
    packet: u64,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_id: Option<u32>,
}

impl Explanation {
    /// What was noted, in words.
    pub(crate) fn new(notes: &Notes, detector: &Detector) -> Self {
        let sids = notes.sids();
        let mut flows: Vec<Flow> =
            notes.flows().iter().map(|flow| Flow::new(flow, detector, sids.as_deref())).collect();
        if sids.is_some() {
            flows.sort_by_key(|flow| flow.rules.first().map(|rule| rule.result));
        }
        let mut others = BTreeMap::new();
        for rule in flows.drain(FLOWS_TOLD.min(flows.len())..).flat_map(|flow| flow.rules) {
            *others.entry(rule.why).or_default() += 1;
        }
        let unknown = sids.iter().flatten().filter_map(|sid| unknown(*sid, detector)).collect();
        Self { unknown, flows, others, unnoted: notes.unnoted }
    }
}

/// What to say of a rule that is not there, or cannot be judged.
fn unknown(sid: u32, detector: &Detector) -> Option<String> {
    if let Some(refused) = detector.uncompiled().iter().find(|refused| refused.sid == sid) {
        return Some(format!("sid {sid} is never asked: {}", refused.why));
    }
    let holds = |rules: &RuleSet| rules.iter().any(|rule| rule.rule.about.sid == sid);
    let known = detector.policy().sets().any(|rules| holds(rules));
    (!known).then(|| format!("sid {sid} is no rule that holds: it was not read, or refused"))
}

impl Flow {
    fn new(notes: &FlowNotes, detector: &Detector, sids: Option<&[u32]>) -> Self {
        let endpoint = notes.key.endpoint();
        let rules = detector.policy().rules(endpoint);
        let ways = [notes.initiator, notes.initiator.opposite()].map(|way| notes.key.tuple(way));
        let [tuple, _] = ways;
        let (mut told, mut unasked) = (Vec::new(), BTreeMap::<String, u64>::new());
        for (index, loaded) in (0..).map(RuleIndex).zip(rules.iter()) {
            let asked_after = sids.is_none_or(|sids| sids.contains(&loaded.rule.about.sid));
            match notes.rules.get(&index) {
                Some(noted) => told.push(Rule::asked(noted, loaded, notes, rules)),
                None if !asked_after => {}
                None => {
                    let (short, long) = words::unasked(detector, (endpoint, index, loaded), ways);
                    match sids {
                        Some(_) => told.push(Rule::unasked(loaded, &short, long)),
                        None => *unasked.entry(short).or_default() += 1,
                    }
                }
            }
        }
        told.sort_by_key(|rule| rule.result);
        let decided = notes.decided.map(|(packet, outcome, by)| Decided {
            packet,
            action: if outcome == Outcome::Drop { "drop" } else { "pass" },
            signature_id: by.and_then(|by| rules.get(by)).map(|by| by.rule.about.sid),
        });
        Self {
            flow_id: flow_id(&notes.key),
            proto: tuple.protocol,
            src_ip: tuple.source.to_ip(tuple.version).to_string(),
            src_port: tuple.source_port,
            dest_ip: tuple.destination.to_ip(tuple.version).to_string(),
            dest_port: tuple.destination_port,
            endpoint: endpoint.to_string(),
            app_proto: notes.app.map(|app| app_name(app).to_owned()),
            first_packet: notes.packets.0,
            last_packet: notes.packets.1,
            looked_into: notes.packets.2,
            misfits: notes.misfits,
            decided,
            rules: told,
            unasked,
        }
    }
}

impl Rule {
    fn asked(noted: &RuleNotes, loaded: &LoadedRule, flow: &FlowNotes, rules: &RuleSet) -> Self {
        let matches: Vec<Match> = noted
            .matches
            .iter()
            .map(|(place, fate)| Match { at: At::new(place), what: words::fate(*fate, rules) })
            .collect();
        let failed = noted.failed.map(|(place, failed)| (place, words::failed(loaded, failed, flow.app)));
        let (result, at, why) = match (matches.first(), failed) {
            (Some(first), _) => (Outcomes::Matched, Some(first.at), first.what.clone()),
            (None, Some((place, why))) => (Outcomes::Failed, Some(At::new(&place)), why),
            (None, None) => (Outcomes::Failed, None, String::new()),
        };
        Self { at, matches, ..Self::of(loaded, (result, why), (noted.asked, noted.matched)) }
    }

    fn unasked(loaded: &LoadedRule, short: &str, long: Option<String>) -> Self {
        let why = long.map_or_else(|| short.to_owned(), |long| format!("{short}: {long}"));
        Self::of(loaded, (Outcomes::Unasked, why), (0, 0))
    }

    fn of(loaded: &LoadedRule, (result, why): (Outcomes, String), (asked, matched): (u64, u64)) -> Self {
        let about = &loaded.rule.about;
        Self {
            signature_id: about.sid,
            signature: about.msg.clone().unwrap_or_default(),
            result,
            asked,
            matched,
            why,
            at: None,
            matches: Vec::new(),
        }
    }
}

impl At {
    fn new(place: &Place) -> Self {
        let direction = if place.way == Way::ToServer { "to_server" } else { "to_client" };
        Self { packet: place.packet, direction, tx_id: place.transaction }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unknown.iter().try_for_each(|words| writeln!(f, "\n{words}"))?;
        if self.flows.is_empty() {
            writeln!(f, "\nno such flow was looked into")?;
        }
        self.flows.iter().try_for_each(|flow| write!(f, "\n{flow}"))?;
        if !self.others.is_empty() {
            writeln!(f, "\nand in other flows:")?;
        }
        self.others.iter().try_for_each(|(why, count)| writeln!(f, "  {count:>8} {why}"))
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flow_id, proto, src_ip, src_port, dest_ip, dest_port, .. } = self;
        let (first, last, looked) = (self.first_packet, self.last_packet, self.looked_into);
        write!(f, "flow {flow_id}: protocol {proto}, {src_ip} {src_port} -> {dest_ip} {dest_port}")?;
        if let Some(app) = &self.app_proto {
            write!(f, ", {app}")?;
        }
        writeln!(f, "; looked into {looked} packets from {first} to {last}")?;
        if self.misfits > 0 {
            writeln!(f, "  {} packets did not fit their stream: no rule was asked about them", self.misfits)?;
        }
        self.rules.iter().try_for_each(|rule| write!(f, "{rule}"))?;
        if let Some(Decided { packet, action, signature_id }) = &self.decided {
            let by = signature_id
                .map_or_else(|| "no rule can match any more".to_owned(), |sid| format!("by sid {sid}"));
            writeln!(
                f,
                "  decided with packet {packet}: {action}, {by}; later packets were not looked into"
            )?;
        }
        self.unasked.iter().try_for_each(|(why, count)| writeln!(f, "  {count:>8} rules not asked: {why}"))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signature_id, signature, asked, matched, why, .. } = self;
        writeln!(f, "  sid {signature_id} \"{signature}\": asked {asked} times, matched {matched}")?;
        match self.at {
            _ if !self.matches.is_empty() => {
                self.matches.iter().try_for_each(|found| writeln!(f, "    {}{}", found.at, found.what))
            }
            Some(at) => writeln!(f, "    came farthest: {at}{why}"),
            None => writeln!(f, "    {why}"),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {} {}", self.packet, self.direction)?;
        self.tx_id.iter().try_for_each(|number| write!(f, ", transaction {number}"))?;
        f.write_str(": ")
    }
}
