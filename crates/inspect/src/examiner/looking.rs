//! Looking into a packet: its stream, what is read of that, and the rules that are asked.

use std::sync::Arc;

use flow::FlowState;
use policy::Way;
use wire::{Inner, Transport};

use super::outcome::Insight;
use super::reading::Reading;
use super::{Examiner, Seen};
use crate::detect::{Asking, Compiled, Session, Sight};
use crate::stream::{Segment, Taken};
use crate::{Checksums, Detector};

impl Examiner {
    /// Looks into a packet of an open flow.
    pub(super) fn look(
        &mut self,
        (detector, compiled): (&Detector, &Compiled),
        session: &mut Session,
        seen: &Seen<'_>,
        inner: &Inner<'_>,
    ) -> Insight {
        let Self { worker, room, streams, .. } = self;
        let mut sight = Sight { whole: session.is_whole, ..seen.sight(inner) };
        let way = sight.way;
        let wanted = session.wanted();
        let intact = seen.mode.checksums == Checksums::Ignore || inner.has_right_checksums();
        let (mut refused, mut loose, mut streamed) = (None, true, [0; 2]);
        if let (Some(stream), Transport::Tcp(tcp)) = (&mut session.stream, inner.transport) {
            let segment = Segment { intact, ..Segment::new(way, &tcp) };
            let before = session.began.then(|| stream.state());
            let taken = stream.take(&segment, seen.now, streams, room);
            // The acknowledgment that completes a handshake is still part of it; data that come with it are not.
            sight.state = before.filter(|_| tcp.payload.is_empty()).unwrap_or_else(|| stream.state());
            session.began = true;
            loose = matches!(taken, Taken::Ignored(_) | Taken::Bypassed)
                || tcp.flags.contains(wire::TcpFlags::RST);
            if let Taken::Dropped(misfit) = taken {
                refused = Some(misfit.into());
            }
            streamed = [Way::ToServer, Way::ToClient].map(|way| stream.sent(way));
        } else if let (Some(app), true, Transport::Udp(_)) = (&mut session.app, intact, inner.transport) {
            app.datagram(way, sight.payload, wanted);
        } else if session.is_stranger {
            sight.state = FlowState::Opening;
        }
        if refused.is_some() {
            worker.witness.iter_mut().for_each(|witness| witness.misfit());
            return Insight { refused, state: sight.state, leaves: session.is_spent() };
        }
        if !std::mem::replace(&mut session.asked[way as usize], true) {
            let group = Arc::clone(&session.groups[way as usize]);
            let spoken = session.spoken();
            let figures = seen.figures(streamed);
            let marks = &mut session.marks;
            let mut asking = Asking { sight, figures, spoken, marks, shared: detector.shared() };
            worker.headers(compiled, group.header.iter().copied(), &mut asking);
        }
        let state = sight.state;
        let shared = detector.shared();
        let reading = Reading { compiled, shared, wanted, figures: seen.figures(streamed) };
        let late = seen.mode.passive && session.stream.is_some();
        for side in if late { [way.opposite(), way] } else { [way, way.opposite()] } {
            let side_sight = if side == way { sight } else { sight.turned() };
            let asks = side == way || !late;
            reading.read((&mut *worker, &mut *room), session, side_sight, asks);
            if side == way {
                let spoken = session.spoken();
                let Session { groups, marks, met, .. } = &mut *session;
                let group = &groups[way as usize];
                let mut asking = Asking { sight, figures: reading.figures, spoken, marks, shared };
                worker.packet(compiled, group, loose, &mut asking);
                worker.protocol(compiled, group, &mut met[way as usize], &mut asking);
            }
            if asks {
                reading.ask_of_transactions(worker, session, side_sight);
            }
        }
        let mut leaves = session.is_spent();
        if late && leaves {
            session.left[way as usize] = true;
            leaves = session.is_closed() || session.left == [true; 2];
        }
        // Who leaves is heard out.
        if late && leaves {
            self.read_out((compiled, shared), session, seen, sight.turned());
            self.read_out((compiled, shared), session, seen, sight);
        }
        Insight { refused: None, state, leaves }
    }
}
