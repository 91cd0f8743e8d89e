//! Packets that a rule's `tag` asks for: each is told, whatever becomes of it.
//!
//! A flow that is decided keeps its session for as long as it is tagged, and takes the fast path after that.

use policy::{Outcome, RejectTo};
use wire::Inner;

use super::{Examiner, Seen, decide_both, verdict};
use crate::detect::{Decided, Session, Shared};
use crate::event::{Event, FlowSoFar, Outbox, Tagged};
use crate::inspector::Counts;
use crate::{Judged, Verdict};

/// Tells a packet if its flow, or a host that it comes from or goes to, is tagged.
pub(super) fn tell(
    session: &mut Session,
    shared: &Shared,
    (seen, inner): (&Seen<'_>, &Inner<'_>),
    (outbox, counts): (&mut Outbox, &mut Counts),
) {
    let (about, now) = (seen.about, seen.now);
    let of_flow = session.marks.tag.take(about.inner_len, now);
    let hosts = [inner.tuple.source, inner.tuple.destination];
    let of_host = shared.has_tags(now)
        && hosts.iter().fold(false, |told, host| {
            shared.take_tagged((about.key.endpoint(), host.0), about.inner_len, now) | told
        });
    if of_flow || of_host {
        counts.packets_tagged += 1;
        outbox.put(Event::Tagged(Tagged {
            moment: now,
            packet: seen.packet,
            key: about.key,
            direction: about.direction,
            flow: FlowSoFar::new(now, &seen.course, about, seen.frame),
            bytes: inner.packet.into(),
        }));
    }
}

/// Whether a flow's packets are still to be told one by one.
pub(super) fn is_tagged(session: &Session, shared: &Shared, seen: &Seen<'_>) -> bool {
    !session.marks.tag.is_over(seen.now) || shared.has_tags(seen.now)
}

impl Examiner {
    /// What becomes of a packet of a flow that is decided and stays open all the same.
    pub(super) fn examine_decided(
        &mut self,
        shared: &Shared,
        seen: &Seen<'_>,
        (place, session, decided): (u32, Box<Session>, (Option<Decided>, Outcome)),
        judged: &mut Judged,
    ) -> (Verdict, Option<RejectTo>) {
        let (by, outcome) = decided;
        if must_stay(&session, shared, seen, outcome) {
            self.sessions.put(place, session);
        } else {
            self.close(place, session);
            judged.close(self.epoch);
            decide_both(judged, by, outcome);
        }
        verdict(outcome, by, seen.mode)
    }
}

/// Whether a flow that is decided must be seen all the same, packet by packet: because it is tagged, or because other
/// packets are in it.
pub(super) fn must_stay(session: &Session, shared: &Shared, seen: &Seen<'_>, outcome: Outcome) -> bool {
    is_tagged(session, shared, seen) || (outcome == Outcome::Forward && seen.carries())
}
