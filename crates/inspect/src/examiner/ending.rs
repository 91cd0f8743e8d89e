//! What is still to be said of a flow when nothing more comes: bytes that nobody acknowledged, transactions that only
//! the end completes.

use flow::{Account, Moment};
use policy::{Outcome, Way};

use super::reading::Reading;
use super::telling::{retire, tell};
use super::{Examiner, Seen};
use crate::detect::{Compiled, Session, Shared, Sight};
use crate::event::Outbox;
use crate::inspector::Counts;
use crate::{About, Detector, Judged, Mode};

impl Examiner {
    /// A flow is no more. What is told now was completed by no packet.
    pub(crate) fn end(
        &mut self,
        detector: &Detector,
        (now, mode): (Moment, Mode),
        flow: &Account<Judged>,
        (outbox, counts): (&mut Outbox, &mut Counts),
    ) {
        let Some(mut session) = flow.memo.session().and_then(|place| self.sessions.close(place)) else {
            return;
        };
        let is_open = session.epoch == self.swaps && session.decided.is_none();
        let set = detector.set(flow.key.endpoint()).filter(|_| is_open);
        if let (Some(set), Some(stream)) = (set, &session.stream) {
            let (_, rules, compiled) = set;
            let state = stream.state();
            for way in [Way::ToServer, Way::ToClient] {
                let direction = match way {
                    Way::ToServer => flow.initiator,
                    Way::ToClient => flow.initiator.opposite(),
                };
                let about = About::of_none(flow.key, direction);
                let seen =
                    Seen { now, packet: 0, about: &about, frame: &[], course: flow.course(), mode, layer: 0 };
                let sight = Sight { state, ..seen.sight_of_none() };
                self.begin(&seen);
                self.read_out((compiled, detector.shared()), &mut session, &seen, sight);
                let settled = self.settle(set);
                tell(
                    (detector, rules),
                    &seen,
                    Some(&session),
                    &settled,
                    Outcome::Forward,
                    (&mut *outbox, &mut *counts),
                );
                retire(&mut session, &seen, way == Way::ToClient, outbox, &mut self.room);
            }
        }
        self.forget_flight(&mut session);
        session.free(&mut self.room);
    }

    /// Reads all that is left of one way, acknowledged or not: nothing more comes of it.
    pub(super) fn read_out(
        &mut self,
        (compiled, shared): (&Compiled, &Shared),
        session: &mut Session,
        seen: &Seen<'_>,
        sight: Sight<'_>,
    ) {
        let Some(stream) = &mut session.stream else { return };
        stream.show();
        let streamed = [Way::ToServer, Way::ToClient].map(|way| stream.sent(way));
        let wanted = session.wanted();
        let reading = Reading { compiled, shared, wanted, figures: seen.figures(streamed) };
        reading.read((&mut self.worker, &mut self.room), session, sight, true);
        if !std::mem::replace(&mut session.ended[sight.way as usize], true) {
            session.app.iter_mut().for_each(|app| app.end(sight.way));
        }
        reading.ask_of_transactions(&mut self.worker, session, sight);
    }
}
