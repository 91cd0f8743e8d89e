//! What is remembered of a flow while rules may still match it.

use std::sync::Arc;

use flow::FlowState;
use policy::{Outcome, Protocol, RuleSet, Way};

use super::asking::Spoken;
use super::awaited::Awaited;
use super::group::Group;
use super::marks::Marks;
use super::rule::Rank;
use super::verdict::Decided;
use crate::app::{Anomalies, App, Guess, Phase, Transaction, Wanted};
use crate::hold::Lane;
use crate::stream::{Room, Stream};
use crate::tenants::Seat;

/// Rules that wait for more of a stream, at most, each way.
pub(crate) const WAITING_MAX: usize = 64;

/// An open flow.
#[derive(Debug)]
pub(crate) struct Session {
    /// Of which swap of detectors it is.
    pub(crate) epoch: u32,
    /// The rules that each way can meet.
    pub(crate) groups: [Arc<Group>; 2],
    /// Whether it stands for one datagram that was put together from its parts.
    pub(crate) is_whole: bool,
    /// Whether a packet of it was looked into.
    pub(crate) began: bool,
    /// Whether its beginning was not seen, and it is not followed for that.
    pub(crate) is_stranger: bool,
    /// Whether what becomes of it by default depends on how far it has come.
    pub(crate) waits: bool,
    /// Whether the rules on headers were asked, each way.
    pub(crate) asked: [bool; 2],
    /// The TCP connection; `None` for other protocols.
    pub(crate) stream: Option<Stream>,
    /// What stands above; `None` if no rule wants to know.
    pub(crate) app: Option<App>,
    pub(crate) marks: Marks,
    /// Rules whose pattern was seen in the stream and whose rest was not: the pattern's end, by stream offset.
    pub(crate) waiting: [Vec<(u64, Rank)>; 2],
    /// How far each open transaction was looked at.
    pub(crate) progress: Vec<Progress>,
    /// What the transactions' count of changes was when they were looked at, each way.
    pub(crate) looked_at: [u32; 2],
    /// Rules that match a flow but once each way, and have.
    pub(crate) met: [Vec<Rank>; 2],
    /// Up to where the application has heard the stream, each way: rules of a listener look later.
    pub(crate) heard: [u64; 2],
    /// Which ways a packet went since no rule could match what may come: a listener's rules ask of each way when one does.
    pub(crate) left: [bool; 2],
    /// Whether the application was told that nothing more comes, each way.
    pub(crate) ended: [bool; 2],
    /// Its place among those of an endpoint that has limits.
    pub(crate) seat: Option<Seat>,
    /// What became of the flow, if that is decided and a tag or a tunnel keeps it open.
    pub(crate) decided: Option<(Option<Decided>, Outcome)>,
    pub(crate) flight: Flight,
    /// Whether what is said is read though no rule asks for it.
    pub(crate) reads: bool,
    /// The buffers that are wanted besides those that rules look into.
    pub(crate) wanted: Wanted,
    /// Whether a rule lets the flow pass, which is read on for what others can be told by it.
    pub(crate) passed: bool,
    /// Whether a rule wanted to be told of it.
    pub(crate) alerted: bool,
    /// Oddities of the flow as a whole that were told.
    pub(crate) told: Anomalies,
    /// The transaction whose server name was looked at last.
    pub(crate) named: Option<u32>,
    /// The host that the flow, which is a tunnel, was opened to.
    pub(crate) host: Option<Box<[u8]>>,
    /// What is awaited besides what rules await.
    pub(crate) awaited: Awaited,
}

/// What becomes of what a client says first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flight {
    /// It may have to wait, and nothing does.
    Open,
    /// It waits.
    Held(Lane),
    /// It was heard, or need not be, or may wait no longer.
    Over,
}

/// How far a transaction was looked at.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) number: u32,
    /// Pieces looked at, each way.
    pub(crate) pieces: [usize; 2],
    pub(crate) bodies: [usize; 2],
    pub(crate) reached: [Phase; 2],
    /// Rules whose pattern was found, each way.
    pub(crate) candidates: [Vec<Rank>; 2],
    /// Rules that matched, each way.
    pub(crate) met: [Vec<Rank>; 2],
}

impl Progress {
    /// Whether all that has come of a transaction one way was looked at.
    pub(crate) fn has_seen_of(&self, open: &Transaction, way: Way) -> bool {
        let at = way as usize;
        let unseen = open.pieces().get(self.pieces[at]..).unwrap_or_default();
        let is_new = unseen.iter().any(|piece| piece.way == way) || open.body(way).len() > self.bodies[at];
        !is_new && open.reached(way) == self.reached[at]
    }

    /// Whether anything was looked at one way.
    pub(crate) fn has_begun(&self, way: Way) -> bool {
        let at = way as usize;
        self.pieces[at] > 0 || self.bodies[at] > 0 || self.reached[at] > Phase::Begun
    }

    /// Whether a complete transaction was looked at to its end.
    pub(crate) fn has_seen_all_of(&self, open: &Transaction) -> bool {
        self.number == open.number && self.reached == [Phase::Complete; 2]
    }
}

impl Session {
    pub(crate) fn new(epoch: u32, groups: [Arc<Group>; 2], stream: Option<Stream>, app: Option<App>) -> Self {
        Self {
            epoch,
            groups,
            is_whole: false,
            began: false,
            is_stranger: false,
            waits: false,
            asked: [false; 2],
            stream,
            app,
            marks: Marks::default(),
            waiting: Default::default(),
            progress: Vec::new(),
            looked_at: [0; 2],
            met: Default::default(),
            heard: [0; 2],
            left: [false; 2],
            ended: [false; 2],
            seat: None,
            decided: None,
            flight: Flight::Open,
            reads: false,
            wanted: Wanted::none(),
            passed: false,
            alerted: false,
            told: Anomalies::default(),
            named: None,
            host: None,
            awaited: Awaited::default(),
        }
    }

    /// The buffers that somebody looks into, either way.
    pub(crate) fn wanted(&self) -> Wanted {
        self.groups.iter().fold(self.wanted, |all, group| all.or(group.wanted))
    }

    /// What the flow is known to speak.
    pub(crate) fn spoken(&self) -> Spoken {
        Self::spoken_of(self.app.as_ref())
    }

    /// What an application is known to be.
    pub(crate) fn spoken_of(app: Option<&App>) -> Spoken {
        app.map_or_else(Spoken::default, |app| Spoken {
            ways: [Way::ToServer, Way::ToClient].map(|way| app.protocol(way)),
            flow: app.flow_protocol(),
        })
    }

    /// Whether what the client said first was heard to its end, or cannot be understood.
    pub(crate) fn has_spoken(&self) -> bool {
        let Some(app) = &self.app else { return true };
        match app.flow_protocol() {
            Guess::Undecided => false,
            Guess::Failed => true,
            Guess::Decided(_) => is_heard(app),
        }
    }

    /// Whether what the client says first must wait: a rule that decides asks for a name in it, and it may yet come. Of a
    /// connection whose beginning was not seen nobody knows what is said first.
    pub(crate) fn awaits_name(&self) -> bool {
        let awaited = self.groups[Way::ToServer as usize].awaited.or(self.awaited);
        let Some(app) = self.app.as_ref().filter(|_| self.flight != Flight::Over && awaited.is_any()) else {
            return false;
        };
        let whole = self.stream.as_ref().is_none_or(|stream| stream.has_begun(Way::ToServer));
        whole
            && match app.flow_protocol() {
                Guess::Decided(protocol) => awaited.has(protocol) && !is_heard(app),
                Guess::Undecided => {
                    awaited.protocols().any(|protocol| app.may_speak(Way::ToServer, protocol))
                }
                Guess::Failed => false,
            }
    }

    /// Whether no rule can match what may yet come.
    pub(crate) fn is_spent(&self) -> bool {
        if self.is_closed() {
            return true;
        }
        let app_is_done = self.app.as_ref().is_none_or(App::is_done);
        // What follows a handshake of TLS says nothing to anybody.
        let encrypted = app_is_done
            && self.app.as_ref().is_some_and(|app| app.flow_protocol() == Guess::Decided(Protocol::Tls));
        let idle = |group: &Arc<Group>| {
            !group.at_packets && !group.at_stream && (app_is_done || !(group.at_app || self.reads))
        };
        let settled =
            !self.waits || self.stream.as_ref().is_none_or(|stream| stream.state().is_established());
        settled && self.asked == [true; 2] && (encrypted || self.groups.iter().all(idle))
    }

    /// Whether the flow may say what names lead to, and somebody wants to know: it is DNS, or may become it.
    pub(crate) fn may_name(&self, rules: &RuleSet, responder_port: u16) -> bool {
        let app = self.app.as_ref().filter(|_| rules.suspicions().remembers());
        app.is_some_and(|app| match app.flow_protocol() {
            Guess::Decided(protocol) => protocol == Protocol::Dns,
            Guess::Undecided => responder_port == 53,
            Guess::Failed => false,
        })
    }

    /// Lets the flow pass whatever it says, and reads on.
    pub(crate) fn pass(&mut self) {
        (self.passed, self.waits) = (true, false);
        self.asked = [true; 2];
        self.groups = Default::default();
    }

    /// Whether a flow of datagrams of DNS has nothing to remember: what was asked is answered, and no rule looks further.
    pub(crate) fn is_at_rest(&self) -> bool {
        let quiet = |group: &Arc<Group>| group.is_shallow() && group.header.is_empty();
        self.stream.is_none()
            && !self.alerted
            && !self.waits
            && self.groups.iter().all(quiet)
            && self.app.as_ref().is_some_and(|app| {
                let transactions = app.transactions();
                app.flow_protocol() == Guess::Decided(Protocol::Dns)
                    && transactions.begun() > 0
                    && transactions.open().is_empty()
            })
    }

    /// Reads a word of each of its own cache lines that a packet needs.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        let stream = self.stream.as_ref().map_or(0, Stream::touch);
        let app = self.app.as_ref().map_or(0, App::touch);
        let own = self.waiting[0].len() ^ self.waiting[1].len() ^ self.progress.len() ^ self.met[0].len();
        stream ^ app ^ own as u64 ^ u64::from(self.epoch)
    }

    /// Reads a word of what it points to.
    #[inline]
    pub(crate) fn touch_far(&self) -> u64 {
        let stream = self.stream.as_ref().map_or(0, Stream::touch_far);
        let app = self.app.as_ref().map_or(0, App::touch_far);
        stream ^ app ^ self.progress.last().map_or(0, |progress| u64::from(progress.number))
    }

    /// Whether both ends sent FIN and one has acknowledged the other's: they listen to nothing more. A RST says less, since
    /// one that never arrives ends nothing.
    pub(crate) fn is_closed(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.state() == FlowState::Closed)
    }

    /// Gives back what it holds elsewhere.
    pub(crate) fn free(&mut self, room: &mut Room) {
        if let Some(stream) = &mut self.stream {
            stream.free(room);
        }
        if let Some(app) = &mut self.app {
            app.transactions_mut().clear(|body| room.give_back_body(body));
        }
    }
}

/// Whether what the client said first was heard to its end, by who understands it.
fn is_heard(app: &App) -> bool {
    let heard = |open: &Transaction| open.reached(Way::ToServer) >= Phase::Head;
    app.is_done() || (app.transactions().begun() > 0 && app.transactions().open().iter().all(heard))
}

/// Sessions of one worker, a bounded number. Places are given out again.
#[derive(Debug)]
pub(crate) struct Sessions {
    open: Vec<Option<Box<Session>>>,
    vacant: Vec<u32>,
    most: usize,
}

impl Sessions {
    pub(crate) fn new(most: usize) -> Self {
        Self { open: Vec::new(), vacant: Vec::new(), most }
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.open.len() - self.vacant.len()
    }

    /// Opens one; gives its place, or none if all are taken.
    pub(crate) fn open(&mut self, session: Session) -> Option<u32> {
        if let Some(place) = self.vacant.pop() {
            *self.open.get_mut(place as usize)? = Some(Box::new(session));
            return Some(place);
        }
        let place = u32::try_from(self.open.len()).ok().filter(|_| self.open.len() < self.most)?;
        self.open.push(Some(Box::new(session)));
        Some(place)
    }

    /// The session at a place.
    #[inline]
    pub(crate) fn get(&self, place: u32) -> Option<&Session> {
        self.open.get(place as usize)?.as_deref()
    }

    /// Of which epoch the session at a place is.
    pub(crate) fn epoch(&self, place: u32) -> Option<u32> {
        self.get(place).map(|session| session.epoch)
    }

    /// Takes their groups from so many sessions, from a place on, that are of another epoch than this one: they wait for
    /// their flow's next packet to be closed. Gives the place behind them; none if that is behind all.
    pub(crate) fn ungroup(&mut self, from: usize, many: usize, epoch: u32) -> Option<usize> {
        let none = Arc::default();
        let end = from.saturating_add(many).min(self.open.len());
        for session in self.open.get_mut(from..end).into_iter().flatten().flatten() {
            if session.epoch != epoch {
                session.groups = [Arc::clone(&none), Arc::clone(&none)];
            }
        }
        Some(end).filter(|end| *end < self.open.len())
    }

    /// The session at a place.
    pub(crate) fn at(&mut self, place: u32) -> Option<&mut Session> {
        self.open.get_mut(place as usize)?.as_deref_mut()
    }

    /// Takes a session into the hand; its place waits for it.
    pub(crate) fn take(&mut self, place: u32) -> Option<Box<Session>> {
        self.open.get_mut(place as usize)?.take()
    }

    /// Puts a session that was taken back in its place.
    pub(crate) fn put(&mut self, place: u32, session: Box<Session>) {
        if let Some(slot) = self.open.get_mut(place as usize) {
            *slot = Some(session);
        }
    }

    /// The session that was taken from a place does not come back.
    pub(crate) fn give_back(&mut self, place: u32) {
        self.vacant.push(place);
    }

    /// Ends the session at a place.
    pub(crate) fn close(&mut self, place: u32) -> Option<Box<Session>> {
        let session = self.take(place)?;
        self.give_back(place);
        Some(session)
    }
}
