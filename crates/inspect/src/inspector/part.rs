//! Judging parts of datagrams.
//!
//! The first part shows the ports, so rules on headers are asked about it as about a whole packet, and what they say goes
//! for the whole datagram. A later part that comes before it may pass: without the first it is of no use. Only a rule that
//! drops it as it is, by its addresses or protocol, stops it at once; the default action waits for the first part.

use flow::{FlowKey, Moment};
use policy::{Action, Judgement, Outcome, Policy, RejectTo};
use wire::{Inner, ProtocolType};

use super::{Counts, Inspector, inner};
use crate::event::{Alert, Dropped, Event, FlowSoFar, Outbox};
use crate::examiner::Seen;
use crate::fragments::Gathered;
use crate::{About, Cause, DropReason, Judged, Verdict};

impl Inspector {
    /// The verdict of one part. Nothing of it is decided for the next: that may be another datagram's.
    #[cold]
    pub(super) fn judge_part(
        &mut self,
        now: Moment,
        (about, frame): (&About, &[u8]),
        flow: FlowSoFar,
        layer: usize,
    ) -> Verdict {
        let inner = match inner(about, frame) {
            Ok(inner) => inner,
            Err(malformed) => return malformed.into(),
        };
        let endpoint = about.key.endpoint();
        let is_later = inner.fragment.is_some_and(|fragment| !fragment.is_first());
        let mut outcome = match is_later {
            true => self.ask_of_later(about, &inner),
            false => self.ask_of_first((now, about), &inner, flow),
        };
        let Self { fragments, flows, examiner, detector, mode, packets, outbox, counts, .. } = self;
        let taken = match fragments.take(endpoint, &inner, now) {
            Ok(Gathered::Whole(packet)) => {
                let kind = if about.key.version() == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
                if let (Ok(whole), Some(course)) = (Inner::parse(packet, kind), flows.course(&about.key)) {
                    let (key, direction) = FlowKey::new(endpoint, &whole.tuple);
                    let about = About { key, direction, ..*about };
                    // A datagram by itself, from whoever sent it.
                    let mut course = course;
                    course.initiator = direction;
                    let seen =
                        Seen { now, packet: *packets, about: &about, frame, course, mode: *mode, layer };
                    let judged = examiner.examine_whole(detector, &seen, &whole, (outbox, counts));
                    if let (Verdict::Drop(_), to) = judged {
                        outcome = outcome.and(Err(to));
                    }
                }
                Ok(())
            }
            Ok(Gathered::Waiting) => Ok(()),
            Err(unfit) => Err(unfit),
        };
        if self.mode.passive {
            return Verdict::Forward;
        }
        let Err(told) = outcome else { return taken.map_or_else(Verdict::from, |()| Verdict::Forward) };
        self.fragments.condemn(endpoint, &inner);
        match told {
            Some(to) if layer == 0 => self.reject((now, about, frame), to),
            Some(_) | None => DropReason::Policy.into(),
        }
    }

    /// What the rules say of a part without ports; of an error, who is told of it.
    fn ask_of_later(&self, about: &About, inner: &Inner<'_>) -> Result<(), Option<RejectTo>> {
        let judgement = self.detector.policy().judge(about.key.endpoint(), &inner.tuple);
        let dropped = judgement.action == Outcome::Drop && judgement.by.is_some();
        if dropped { Err(None) } else { Ok(()) }
    }

    /// What the rules say of the first part, or what was decided about the flow that the whole datagram belongs to.
    fn ask_of_first(
        &mut self,
        (now, about): (Moment, &About),
        inner: &Inner<'_>,
        flow: FlowSoFar,
    ) -> Result<(), Option<RejectTo>> {
        let (key, direction) = FlowKey::new(about.key.endpoint(), &inner.tuple);
        let mut judged = self.flows.account(&key, now).map_or_else(Judged::default, |known| known.memo);
        judged.enter(self.examiner.epoch());
        let outcome = judged.outcome(direction).unwrap_or_else(|| {
            let about = About { key, direction, ..*about };
            let Self { detector, packets, outbox, counts, .. } = self;
            ask(detector.policy(), (now, *packets, &about, flow), &mut judged, (outbox, counts))
        });
        match outcome {
            Outcome::Forward => Ok(()),
            Outcome::Drop => Err(judged.rejects(direction)),
        }
    }
}

/// Ask the policy about a direction of a flow, note what it says, and tell whom it concerns.
#[cold]
fn ask(
    policy: &Policy,
    (now, packet, about, flow): (Moment, u64, &About, FlowSoFar),
    judged: &mut Judged,
    (outbox, counts): (&mut Outbox, &mut Counts),
) -> Outcome {
    let (key, direction) = (about.key, about.direction);
    let Judgement { action, by, alerts, alerts_lost } = policy.judge(key.endpoint(), &key.tuple(direction));
    let rules = policy.rules(key.endpoint());
    let decider = by.and_then(|rule| rules.get(rule)).map(|loaded| loaded.rule.action);
    match decider {
        Some(Action::Reject(to)) => judged.reject_both(to),
        Some(_) => judged.decide_both(action),
        None => judged.decide(direction, action),
    }
    counts.judgements += 1;
    counts.alerts += alerts.len() as u64;
    counts.alerts_lost += u64::from(alerts_lost);
    let (generation, dropped) = (policy.generation(), action == Outcome::Drop);
    for rule in alerts {
        let sid = rules.get(rule).map_or(0, |loaded| loaded.rule.about.sid);
        outbox.put(Event::Alert(Alert {
            moment: now,
            packet,
            key,
            direction,
            rule,
            generation,
            sid,
            dropped,
            flow,
            app: None,
            transaction: None,
        }));
    }
    if dropped {
        let bytes = about.inner_len;
        outbox.put(Event::Dropped(Dropped {
            moment: now,
            packet,
            key,
            direction,
            by: by.map(Cause::Rule),
            generation,
            bytes,
            flow,
        }));
    }
    action
}
