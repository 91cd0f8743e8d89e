//! Whether a flow is looked into, and what its session begins with.

use std::sync::Arc;

use policy::{DefaultAction, RuleSet, Way};

use super::outcome::{awaited, wanted};
use super::{Examiner, Seen, Set};
use crate::app::{App, Ports};
use crate::detect::{Example, Group, Session};
use crate::stream::Stream;
use crate::tenants::Full;
use crate::{AtSwap, Detector, Judged};

impl Examiner {
    /// The place of the flow's session; none if its headers say all there is to say.
    pub(super) fn session(
        &mut self,
        (detector, set): (&Detector, Set<'_>),
        seen: &Seen<'_>,
        judged: &mut Judged,
    ) -> Result<Option<u32>, Full> {
        match judged.session() {
            Some(place) if self.sessions.epoch(place) == Some(self.swaps) => return Ok(Some(place)),
            Some(place) if seen.mode.at_swap == AtSwap::Keep && self.keep_decided(place) => {
                return Ok(Some(place));
            }
            Some(_) => {}
            None => judged.enter(self.epoch),
        }
        let key = &seen.about.key;
        // What is dropped once it is established must be watched until then.
        let waits = matches!(
            set.1.default_action(),
            DefaultAction::DropEstablished | DefaultAction::DropEstablishedApp
        );
        let tagged = detector.shared().has_tags(seen.now);
        let carries = seen.carries() && !set.1.is_empty();
        let reads = detector.tells() || set.1.suspicions().reads();
        if set.2.is_shallow() && !waits && !reads && !tagged && !carries {
            self.leave(judged);
            return Ok(None);
        }
        let groups = self.groups((detector, set), seen);
        let speaks = key.is_tcp() || key.protocol() == 17;
        let told = tagged || carries || (reads && speaks);
        if groups.iter().all(|group| group.is_shallow()) && !waits && !told {
            self.leave(judged);
            return Ok(None);
        }
        let last = judged.session().and_then(|place| self.sessions.get(place));
        let is_stranger = last.map_or_else(|| is_stranger(seen), |last| last.is_stranger);
        let mut session = self.beginning((detector, set.1), seen, (groups, reads, is_stranger));
        (session.waits, session.reads) = (waits, reads);
        if let Some(place) = judged.session() {
            self.go_on(place, session, seen.mode.at_swap);
            return Ok(Some(place));
        }
        session.seat = self.tenants.open_session(key.endpoint())?;
        let place = self.sessions.open(session).ok_or(Full)?;
        judged.open(place);
        Ok(Some(place))
    }

    /// A flow needs no session any more, if it had one.
    fn leave(&mut self, judged: &mut Judged) {
        if judged.session().is_some() {
            self.forget(*judged);
            judged.close(self.epoch);
        }
    }

    /// A session before its first packet.
    fn beginning(
        &self,
        (detector, rules): (&Detector, &RuleSet),
        seen: &Seen<'_>,
        (groups, reads, is_stranger): ([Arc<Group>; 2], bool, bool),
    ) -> Session {
        let key = &seen.about.key;
        let stream = (key.is_tcp() && !is_stranger).then(Stream::default);
        let tuple = key.tuple(seen.course.initiator);
        let ports = Ports { initiator: tuple.source_port, responder: tuple.destination_port };
        let speaks = (key.is_tcp() && !is_stranger) || tuple.protocol == 17;
        let asked = groups.iter().any(|group| group.at_app)
            || reads
            || rules.default_action() == DefaultAction::DropEstablishedApp;
        // What follows a handshake of TLS need not be looked through, whoever asks.
        let is_streamed = key.is_tcp() && groups.iter().any(|group| group.at_stream);
        let app = match (speaks, asked) {
            (true, true) => Some(App::new(ports)),
            (true, false) if is_streamed => Some(App::until_sealed(ports)),
            _ => None,
        };
        let mut session = Session::new(self.swaps, groups, stream, app);
        session.is_stranger = is_stranger;
        session.wanted = wanted(detector, rules);
        session.awaited = awaited(rules);
        session
    }

    /// The rules that each direction's packets may meet.
    pub(super) fn groups(
        &mut self,
        (detector, set): (&Detector, Set<'_>),
        seen: &Seen<'_>,
    ) -> [Arc<Group>; 2] {
        let (key, initiator) = (&seen.about.key, seen.course.initiator);
        [(initiator, Way::ToServer), (initiator.opposite(), Way::ToClient)].map(|(direction, way)| {
            let example = Example { endpoint: key.endpoint(), tuple: key.tuple(direction), way };
            self.worker.groups.of(set, detector.shared(), &example)
        })
    }
}

/// Whether a packet is of a connection whose beginning was not seen, and that is not followed for that.
fn is_stranger(seen: &Seen<'_>) -> bool {
    let flags = seen.about.tcp_flags & (wire::TcpFlags::SYN.0 | wire::TcpFlags::ACK.0);
    seen.about.key.is_tcp() && seen.mode.only_whole && flags != wire::TcpFlags::SYN.0
}
