//! What becomes of a packet and its flow, by what the rules say and by what they do not.

use flow::FlowState;
use policy::{Buffer, DefaultAction, Outcome, RejectTo, RuleSet};

use crate::app::{Wanted, quic, tls};
use crate::detect::{Awaited, Decided, Session, Settled};
use crate::{Detector, DropReason, Judged, Mode, Verdict};

/// What came of looking into a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Insight {
    /// Why it must not go on, if its stream says so.
    pub(super) refused: Option<DropReason>,
    /// How far its flow has come.
    pub(super) state: FlowState,
    /// Whether no rule can match what may yet come.
    pub(super) leaves: bool,
}

/// The buffers that are wanted besides those that rules look into: by the log, and by who doubts names.
pub(super) fn wanted(detector: &Detector, rules: &RuleSet) -> Wanted {
    let told = match detector.tells() {
        true => tls::Summary::WANTED.or(quic::Summary::WANTED),
        false => Wanted::none(),
    };
    if rules.suspicions().names() { told.and(Buffer::TlsSni) } else { told }
}

/// What is awaited before a client's first flight goes on, besides what rules await: a name that may end the flow.
pub(super) fn awaited(rules: &RuleSet) -> Awaited {
    if rules.suspicions().refuses_names() { Awaited::of(Buffer::TlsSni) } else { Awaited::default() }
}

/// What becomes of a packet that no rule decides.
pub(super) fn default(rules: &RuleSet, session: Option<&Session>, state: FlowState) -> Outcome {
    if session.is_some_and(|session| session.passed) {
        return Outcome::Forward;
    }
    let drops = match rules.default_action() {
        DefaultAction::Forward => false,
        DefaultAction::Drop => true,
        DefaultAction::DropEstablished => state.is_established(),
        DefaultAction::DropEstablishedApp => {
            state.is_established() && session.is_none_or(Session::has_spoken)
        }
    };
    if drops { Outcome::Drop } else { Outcome::Forward }
}

pub(super) fn verdict(outcome: Outcome, by: Option<Decided>, mode: Mode) -> (Verdict, Option<RejectTo>) {
    match outcome {
        Outcome::Drop if !mode.passive => (DropReason::Policy.into(), by.and_then(|by| by.reject)),
        _ => (Verdict::Forward, None),
    }
}

/// Notes what becomes of a flow, and whom to tell.
pub(super) fn decide_both(judged: &mut Judged, by: Option<Decided>, outcome: Outcome) {
    match by.and_then(|by| by.reject) {
        Some(to) if outcome == Outcome::Drop => judged.reject_both(to),
        _ => judged.decide_both(outcome),
    }
}

/// What becomes of all that follows, if that is certain.
pub(super) fn over(
    rules: &RuleSet,
    session: &Session,
    settled: &Settled,
    (state, leaves): (FlowState, bool),
) -> Option<Outcome> {
    match settled.by {
        Some(Decided { flow: true, outcome, .. }) => Some(outcome),
        _ => leaves.then(|| default(rules, Some(session), state)),
    }
}
