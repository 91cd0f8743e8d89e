//! What is odd about a flow, and what the operator wants done about it, though no rule says so.
//!
//! Asked beside the rules, and stronger than they: a rule that lets a name pass believes it.

use flow::Moment;
use policy::{Buffer, Outcome, Protocol, Reaction, RejectTo, RuleSet, Suspicion, Suspicions, Way};
use wire::EndpointId;

use super::Seen;
use crate::app::{Anomalies, Anomaly, App, Facts, Guess, Transaction};
use crate::detect::{Decided, Session};
use crate::event::{Event, FlowSoFar, Noticed, Outbox};
use crate::inspector::Counts;
use crate::truth::{Hello, Memory, is_young, oddities};
use crate::{Cause, Detector};

/// Something odd that a packet made known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspected {
    anomaly: Anomaly,
    reaction: Reaction,
    /// The transaction's number; `None`: it is the flow's.
    transaction: Option<u32>,
}

/// What is odd about the flow and was not before this packet. Counts it, and remembers what DNS said.
pub(super) fn suspect(
    (detector, rules): (&Detector, &RuleSet),
    session: &mut Session,
    seen: &Seen<'_>,
) -> Vec<Suspected> {
    let wanted = rules.suspicions();
    let memory = detector.shared().names().filter(|_| wanted.names());
    if let Some(memory) = memory {
        look_at_names((memory, wanted), session, seen);
    }
    let Some(app) = &mut session.app else { return Vec::new() };
    let of_flow = app.anomalies().without(session.told);
    session.told = app.anomalies();
    let open = app.transactions_mut().open_mut().iter_mut();
    let of_transactions = open.map(|open| (Some(open.number), open.fresh_anomalies()));
    let fresh = std::iter::once((None, of_flow)).chain(of_transactions).filter(|(_, odd)| !odd.is_empty());
    let suspected =
        fresh.flat_map(|(transaction, odd)| odd.iter().map(move |anomaly| (transaction, anomaly)));
    let endpoint = seen.about.key.endpoint();
    suspected
        .filter_map(|(transaction, anomaly)| {
            let reaction = reaction((memory, wanted), anomaly, (endpoint, seen.now))?;
            detector.shared().count_anomaly(anomaly);
            Some(Suspected { anomaly, reaction, transaction })
        })
        .collect()
}

/// What becomes of a flow by what is odd about it, if that ends it.
pub(super) fn refusal(suspected: &[Suspected]) -> Option<Decided> {
    let gravest = suspected.iter().max_by_key(|one| one.reaction)?;
    let reject = match gravest.reaction {
        Reaction::Observe | Reaction::Alert => return None,
        Reaction::Drop => None,
        Reaction::Reject => Some(RejectTo::Both),
    };
    Some(Decided { cause: Cause::Anomaly(gravest.anomaly), outcome: Outcome::Drop, reject, flow: true })
}

/// Tells what was odd.
pub(super) fn tell_of(
    suspected: &[Suspected],
    detector: &Detector,
    seen: &Seen<'_>,
    (app, outcome): (Option<&App>, Outcome),
    (outbox, counts): (&mut Outbox, &mut Counts),
) {
    for Suspected { anomaly, reaction, transaction: number } in suspected.iter().copied() {
        let open = || app?.transactions().open().iter().find(|open| Some(open.number) == number);
        let alerts = reaction >= Reaction::Alert;
        counts.alerts += u64::from(alerts);
        outbox.put(Event::Noticed(Box::new(Noticed {
            moment: seen.now,
            packet: seen.packet,
            key: seen.about.key,
            direction: seen.about.direction,
            anomaly,
            reaction,
            generation: detector.policy().generation(),
            dropped: outcome == Outcome::Drop,
            flow: FlowSoFar::new(seen.now, &seen.course, seen.about, seen.frame),
            app: app.and_then(|app| app.flow_protocol().protocol()),
            number,
            transaction: alerts.then(open).flatten().cloned().map(Box::new),
        })));
    }
}

/// What is done about an anomaly; nothing if nobody wants to know of it.
fn reaction(
    (memory, wanted): (Option<&Memory>, &Suspicions),
    anomaly: Anomaly,
    (endpoint, now): (EndpointId, Moment),
) -> Option<Reaction> {
    let Some(kind) = anomaly.suspicion() else { return Some(Reaction::Observe) };
    let reaction = wanted.reaction(kind)?;
    let young = kind == Suspicion::NameUnresolved
        && memory.is_some_and(|memory| is_young(memory, endpoint, &wanted.remembering, now));
    Some(if young { Reaction::Observe } else { reaction })
}

/// Remembers what DNS said, and holds names of servers against it.
fn look_at_names((memory, wanted): (&Memory, &Suspicions), session: &mut Session, seen: &Seen<'_>) {
    let Session { app: Some(app), host, named, .. } = session else { return };
    let endpoint = seen.about.key.endpoint();
    let tuple = seen.about.key.tuple(seen.course.initiator);
    let server = tuple.destination.to_ip(tuple.version);
    let believed = wanted.remembers()
        && app.flow_protocol() == Guess::Decided(Protocol::Dns)
        && wanted.remembering.believes(server);
    let is_tunnel = app.original_protocol().is_some();
    for open in app.transactions_mut().open_mut() {
        match &open.facts {
            Facts::Dns(facts) if believed && is_answer_of_server(open.anomalies) => {
                memory.learn(endpoint, facts, &wanted.remembering, seen.now);
                memory.begun(endpoint, seen.now);
            }
            Facts::Http(_) => {
                if let Some(opened_to) = tunnel_to(open) {
                    *host = Some(opened_to.into());
                }
            }
            Facts::Tls(_) | Facts::Quic(_) if named.is_none_or(|last| last < open.number) => {
                let Some(hello) = Hello::of(open, endpoint) else { continue };
                let hello = match is_tunnel {
                    true => Hello { host: host.as_deref(), ..hello },
                    false => Hello { server: Some(server), ..hello },
                };
                let odd = oddities(&hello, wanted, memory, seen.now);
                *named = Some(open.number);
                open.anomalies.add(odd);
            }
            _ => {}
        }
    }
}

/// Whether what answered was the server: a client could answer itself.
fn is_answer_of_server(odd: Anomalies) -> bool {
    ![Anomaly::DnsNotRequest, Anomaly::DnsNotResponse, Anomaly::DnsUnsolicited]
        .into_iter()
        .any(|anomaly| odd.has(anomaly))
}

/// The host that a proxy is asked to open a tunnel to.
fn tunnel_to(open: &Transaction) -> Option<&[u8]> {
    let method = open.first(Buffer::HttpMethod, Way::ToServer)?;
    if method == b"CONNECT" { open.first(Buffer::HttpHost, Way::ToServer) } else { None }
}
