//! What is told of a packet that was looked into: alerts, the drop, transactions that are over.

use policy::{Outcome, RuleSet};

use super::Seen;
use crate::Detector;
use crate::app::{TRANSACTIONS_MAX, Transaction};
use crate::detect::{Session, Settled};
use crate::event::{Alert, Dropped, Event, FlowSoFar, Outbox, TransactionEnd};
use crate::inspector::Counts;
use crate::stream::Room;

/// Tells what the rules want told.
pub(super) fn tell(
    (detector, rules): (&Detector, &RuleSet),
    seen: &Seen<'_>,
    session: Option<&Session>,
    settled: &Settled,
    outcome: Outcome,
    (outbox, counts): (&mut Outbox, &mut Counts),
) {
    counts.alerts += settled.alerts.len() as u64;
    counts.alerts_lost += u64::from(settled.alerts_lost);
    if settled.alerts.is_empty() && outcome == Outcome::Forward {
        return;
    }
    let app = session.and_then(|session| session.app.as_ref());
    let flow = FlowSoFar::new(seen.now, &seen.course, seen.about, seen.frame);
    for hit in &settled.alerts {
        let sid = rules.get(hit.index).map_or(0, |loaded| loaded.rule.about.sid);
        let transaction = hit.transaction.and_then(|number| {
            let open = app?.transactions().open();
            open.iter().find(|open| open.number == number).map(|open| Box::new(open.stripped()))
        });
        outbox.put(Event::Alert(Alert {
            moment: seen.now,
            packet: seen.packet,
            key: seen.about.key,
            direction: hit.direction,
            rule: hit.index,
            generation: detector.policy().generation(),
            sid,
            dropped: outcome == Outcome::Drop,
            flow,
            app: app.and_then(|app| app.flow_protocol().protocol()),
            transaction,
        }));
    }
    if outcome == Outcome::Drop {
        outbox.put(Event::Dropped(Dropped {
            moment: seen.now,
            packet: seen.packet,
            key: seen.about.key,
            direction: seen.about.direction,
            by: settled.by.map(|by| by.cause),
            generation: detector.policy().generation(),
            bytes: seen.about.inner_len,
            flow,
        }));
    }
}

/// Tells of the transactions that are over, and lets go of them: those of which rules have seen all, or, if the flow is
/// over, every one.
pub(super) fn retire(
    session: &mut Session,
    seen: &Seen<'_>,
    is_over: bool,
    outbox: &mut Outbox,
    room: &mut Room,
) {
    let Session { app: Some(app), progress, .. } = session else { return };
    let Some(spoken) = app.flow_protocol().protocol() else { return };
    let is_full = app.transactions().open().len() >= TRANSACTIONS_MAX;
    let is_seen = |open: &Transaction| progress.iter().any(|progress| progress.has_seen_all_of(open));
    let gone: Vec<Transaction> = app
        .transactions_mut()
        .retire(|open| is_over || (open.is_complete() && (is_full || is_seen(open))))
        .collect();
    for mut transaction in gone {
        // Nobody tells bodies, and others need the room.
        transaction.strip().into_iter().for_each(|body| room.give_back_body(body));
        progress.retain(|progress| progress.number != transaction.number);
        outbox.put(Event::Transaction(Box::new(TransactionEnd {
            moment: seen.now,
            packet: seen.packet,
            key: seen.about.key,
            initiator: seen.course.initiator,
            app: spoken,
            transaction,
        })));
    }
}
