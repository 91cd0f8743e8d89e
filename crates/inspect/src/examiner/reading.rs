//! Reads what is ready of a stream: the application first, then the rules.
//!
//! ```text
//!             inline                                   listening
//! packet ─┬─▶ its own way: what it brings              the other way: what it acknowledges ─▶ application
//!         └─▶ the other way: what is behind a hole     its own way: what was acknowledged before ─▶ rules
//! ```
//! A listener's rules look at what is on its way to an end when a packet goes there, as the reference's do: what nobody
//! acknowledges, or no packet follows, they look at when the flow is over.

use policy::Way;

use crate::app::Wanted;
use crate::detect::{Asking, Compiled, Figures, Session, Shared, Sight, Text, Worker};
use crate::stream::Room;

/// Bytes of a stream that rules can look back to.
const TAIL: usize = 4096;
/// Times that one packet can make bytes of a stream ready: what fills one hole may end another.
const READINGS: usize = 8;

/// What a reading goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) shared: &'a Shared,
    pub(super) wanted: Wanted,
    pub(super) figures: Figures<'a>,
}

impl Reading<'_> {
    /// Reads what is ready of the way that `sight` looks. If the rules do not ask yet, only the application hears it.
    pub(super) fn read(
        &self,
        (worker, room): (&mut Worker, &mut Room),
        session: &mut Session,
        sight: Sight<'_>,
        asks: bool,
    ) {
        let side = sight.way;
        for _ in 0..READINGS {
            if !hear(session, side, self.wanted, room) || !asks {
                break;
            }
            self.ask_of_stream(worker, session, sight);
            let tail = if session.groups[side as usize].at_stream { TAIL } else { 0 };
            session.stream.iter_mut().for_each(|stream| stream.consume(side, tail, room));
        }
        let is_ended = session.stream.as_ref().is_some_and(|stream| stream.is_ended(side));
        if is_ended && !std::mem::replace(&mut session.ended[side as usize], true) {
            session.app.iter_mut().for_each(|app| app.end(side));
        }
    }

    /// Asks the rules about transactions, as far as they have come.
    pub(super) fn ask_of_transactions(&self, worker: &mut Worker, session: &mut Session, sight: Sight<'_>) {
        let Session { groups, app: Some(app), marks, progress, looked_at, .. } = session else { return };
        let spoken = Session::spoken_of(Some(app));
        let mut asking = Asking { sight, figures: self.figures, spoken, marks, shared: self.shared };
        let group = &groups[sight.way as usize];
        let texts = [sight.payload, &[]];
        let seen = (app.transactions(), progress, &mut looked_at[sight.way as usize]);
        worker.transactions(self.compiled, group, seen, texts, &mut asking);
    }

    /// Asks the rules about the bytes that are ready, and about the transactions that they made.
    fn ask_of_stream(&self, worker: &mut Worker, session: &mut Session, sight: Sight<'_>) {
        let side = sight.way;
        let Session { groups, stream, app, marks, waiting, progress, looked_at, .. } = session;
        let Some(ready) = stream.as_ref().and_then(|stream| stream.ready(side)) else { return };
        let text = Text { bytes: ready.bytes, fresh_from: ready.fresh_from, start: ready.start };
        let spoken = Session::spoken_of(app.as_ref());
        let mut asking = Asking { sight, figures: self.figures, spoken, marks, shared: self.shared };
        let group = &groups[side as usize];
        if group.at_stream {
            worker.stream(self.compiled, group, text, &mut waiting[side as usize], &mut asking);
        }
        if let Some(app) = app {
            let texts = [sight.payload, text.bytes];
            let seen = (app.transactions(), progress, &mut looked_at[side as usize]);
            worker.transactions(self.compiled, group, seen, texts, &mut asking);
        }
    }
}

/// Lets the application hear what is ready and was not heard yet. Gives back whether anything is ready.
fn hear(session: &mut Session, side: Way, wanted: Wanted, room: &mut Room) -> bool {
    let Session { stream, app, heard, .. } = session;
    let Some(ready) = stream.as_ref().and_then(|stream| stream.ready(side)) else { return false };
    let heard = &mut heard[side as usize];
    let fresh = ready.start + ready.fresh_from as u64;
    let is_told = ready.missing == 0 || *heard >= fresh;
    let from = usize::try_from((*heard).max(fresh) - ready.start).unwrap_or(usize::MAX);
    *heard = ready.start + ready.bytes.len() as u64;
    if let Some(app) = app {
        if !is_told {
            app.gap(side, ready.missing);
        }
        if side == Way::ToServer {
            app.transactions_mut().lend(room.body());
        }
        app.stream(side, ready.bytes.get(from..).unwrap_or_default(), wanted);
        room.give_back_body(app.transactions_mut().take_back());
    }
    true
}
