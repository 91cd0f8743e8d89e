//! One TCP connection: which segments its ends believe, and what becomes of the others.

use flow::{FlowState, Moment};
use policy::Way;
use thiserror::Error;
use wire::TcpFlags;

use super::half::Half;
use super::{AtBound, Ready, Room, Segment, Settings, Urgent};

/// How far a listener, who may have missed windows too, believes acknowledgments.
const LISTENER_SLACK: u64 = 1 << 20;

/// Both directions of one connection.
#[derive(Debug)]
pub struct Stream {
    halves: [Half; 2],
    state: FlowState,
    is_new: bool,
    bypassed: bool,
}

/// What came of one segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It passes, and bytes are [ready](Stream::ready) its way; a listener's once they are acknowledged.
    Fresh,
    /// It passes, and waits behind a hole.
    Buffered,
    /// It passes, and brings no bytes that were not there.
    Plain,
    /// It passes, and its receiver will not believe it: it does not belong to the stream.
    Ignored(Misfit),
    /// It must not reach its receiver.
    Dropped(Misfit),
    /// It passes, and the stream is followed no further.
    Bypassed,
}

/// Why a segment does not fit its stream.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum Misfit {
    /// Its checksum is wrong.
    #[error("a wrong TCP checksum")]
    Checksum,
    /// It has data but neither SYN nor ACK (RFC 9293 §3.10.7.4: dropped).
    #[error("data without ACK")]
    NoAck,
    /// Data before the handshake let their receiver take any (RFC 9293 §3.10.7.3: dropped).
    #[error("data before the handshake")]
    Early,
    /// It acknowledges what nobody sent.
    #[error("an acknowledgment of what was not sent")]
    Ack,
    /// It is beyond its receiver's window.
    #[error("data beyond the window")]
    Window,
    /// Its bytes are other than those that were sent before under the same numbers.
    #[error("a retransmission with other bytes")]
    Conflict,
    /// A SYN amid the connection.
    #[error("a SYN amid the connection")]
    Syn,
    /// A RST whose number is outside the window (RFC 9293 §3.10.7.4).
    #[error("a RST outside the window")]
    Rst,
    /// A FIN before the end of what was sent, or not where an earlier one was.
    #[error("a FIN before the end of the data")]
    Fin,
    /// Data behind FIN.
    #[error("data behind FIN")]
    PastFin,
    /// A timestamp older than its receiver has seen (PAWS, RFC 7323 §5).
    #[error("an old timestamp")]
    Timestamp,
    /// Urgent data, which the operator does not want.
    #[error("urgent data")]
    Urgent,
    /// There is no room to keep it.
    #[error("no room for the stream's bytes")]
    Bound,
}

impl Default for Stream {
    fn default() -> Self {
        Self { halves: Default::default(), state: FlowState::Opening, is_new: true, bypassed: false }
    }
}

impl Stream {
    /// Take a segment. The stream has bytes of it afterwards only if it passes.
    pub fn take(
        &mut self,
        segment: &Segment<'_>,
        now: Moment,
        settings: &Settings,
        room: &mut Room,
    ) -> Taken {
        if self.bypassed {
            return Taken::Bypassed;
        }
        match self.admit(segment, now, settings, room) {
            Ok(taken) => {
                let from_initiator = segment.way == Way::ToServer;
                self.state = match std::mem::take(&mut self.is_new) {
                    true => FlowState::first(true, segment.flags.0).0,
                    false => self.state.next(true, segment.flags.0, from_initiator),
                };
                if settings.inline || self.state.is_over() {
                    self.show();
                }
                match taken {
                    Taken::Buffered => room.counts.buffered += 1,
                    Taken::Plain if !segment.payload.is_empty() => room.counts.duplicates += 1,
                    _ => {}
                }
                taken
            }
            Err(Misfit::Bound) if settings.at_bound == AtBound::Bypass => {
                self.free(room);
                room.counts.bypassed += 1;
                self.bypassed = true;
                Taken::Bypassed
            }
            Err(misfit) => {
                room.counts.misfits += 1;
                // Without data, and once both sides have answered, it can only make a host answer to it: as it should,
                // if one of them has forgotten the connection (RFC 9293 §3.5.1).
                let harmless = matches!(misfit, Misfit::Ack | Misfit::Syn)
                    && segment.payload.is_empty()
                    && !segment.has(TcpFlags::FIN)
                    && self.halves.iter().all(|half| half.right.is_some());
                if harmless || !settings.inline { Taken::Ignored(misfit) } else { Taken::Dropped(misfit) }
            }
        }
    }

    /// What can be read this way, if anything. After [`Stream::consume`] there may be more: behind a hole that was given up.
    #[must_use]
    pub fn ready(&self, way: Way) -> Option<Ready<'_>> {
        self.halves[way as usize].bytes.ready()
    }

    /// All that came in order may be read, acknowledged or not: nobody acknowledges more.
    pub(crate) fn show(&mut self) {
        self.halves.iter_mut().for_each(|half| half.bytes.show(u64::MAX));
    }

    /// Everything ready was read; the last `keep_tail` bytes of it are wanted again, before what comes next.
    pub fn consume(&mut self, way: Way, keep_tail: usize, room: &mut Room) {
        self.halves[way as usize].bytes.consume(keep_tail, room);
    }

    /// Whether nothing more comes this way: everything up to FIN was read.
    #[must_use]
    pub fn is_ended(&self, way: Way) -> bool {
        let half = &self.halves[way as usize];
        half.fin == Some(half.bytes.next()) && half.bytes.is_consumed()
    }

    /// Where the connection is in its life, by the segments that its ends believe. (The flow's own state is told by flags
    /// alone.)
    #[must_use]
    pub fn state(&self) -> FlowState {
        self.state
    }

    /// Whether this way was seen from its beginning.
    #[must_use]
    pub fn has_begun(&self, way: Way) -> bool {
        self.halves[way as usize].syn
    }

    /// Bytes sent this way so far, by their numbers: what `stream_size` asks.
    #[must_use]
    pub fn sent(&self, way: Way) -> u64 {
        self.halves[way as usize].sent
    }

    /// Whether what was sent this way has arrived: until then, forgetting the stream lets other bytes be sent in its place.
    #[must_use]
    pub fn is_settled(&self, way: Way) -> bool {
        let half = &self.halves[way as usize];
        half.acked >= half.sent
    }

    /// Reads a word of each of its cache lines, so that they are there when they are needed.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        let [to_server, to_client] = &self.halves;
        to_server.acked ^ to_server.bytes.next() ^ to_client.acked ^ to_client.bytes.next()
    }

    /// Reads the last of the bytes that it keeps.
    #[inline]
    pub(crate) fn touch_far(&self) -> u64 {
        self.halves.iter().fold(0, |touched, half| touched ^ u64::from(half.bytes.last()))
    }

    /// Give all memory back. Without it the worker's account stays charged.
    pub fn free(&mut self, room: &mut Room) {
        for half in &mut self.halves {
            half.bytes.free(room);
        }
    }

    /// Everything about a segment is judged before anything of it is taken.
    fn admit(
        &mut self,
        segment: &Segment<'_>,
        now: Moment,
        settings: &Settings,
        room: &mut Room,
    ) -> Result<Taken, Misfit> {
        if !segment.intact {
            return Err(Misfit::Checksum);
        }
        if segment.has(TcpFlags::URG) && settings.urgent == Urgent::Drop {
            return Err(Misfit::Urgent);
        }
        if segment.has(TcpFlags::RST) {
            return self.reset(segment);
        }
        if segment.has(TcpFlags::SYN) {
            return self.open(segment, now, settings, room);
        }
        if !segment.has(TcpFlags::ACK) {
            return if segment.payload.is_empty() { Ok(Taken::Plain) } else { Err(Misfit::NoAck) };
        }
        self.pick_up(segment, room);
        let acked = self.acknowledged(segment, settings)?;
        let taken = self.place(segment, now, settings, room)?;
        self.acknowledge(segment, acked, settings, room);
        Ok(taken)
    }

    fn pair(&mut self, way: Way) -> (&mut Half, &mut Half) {
        let [to_server, to_client] = &mut self.halves;
        match way {
            Way::ToServer => (to_server, to_client),
            Way::ToClient => (to_client, to_server),
        }
    }

    /// Begin amid a connection: where this segment stands, and where it says that the other side is.
    fn pick_up(&mut self, segment: &Segment<'_>, room: &mut Room) {
        let is_new = self.is_new;
        let (half, other) = self.pair(segment.way);
        if !half.seen {
            half.begin(segment.sequence);
        }
        // Who acknowledges has seen the other side's beginning; what came before it was not believed.
        if !other.seen || (!other.syn && other.sent == 0 && other.right.is_none()) {
            other.begin(segment.acknowledgment);
        }
        room.counts.midstream += u64::from(is_new);
    }

    /// A SYN: the beginning, its repetition, or nonsense.
    fn open(
        &mut self,
        segment: &Segment<'_>,
        now: Moment,
        settings: &Settings,
        room: &mut Room,
    ) -> Result<Taken, Misfit> {
        let base = segment.sequence.wrapping_add(1);
        let (half, other) = self.pair(segment.way);
        let again = half.begins_at(base) && half.syn;
        // As long as nothing was sent, the newest SYN counts: the one before may never have arrived.
        if !again && (half.sent > 0 || half.fin.is_some()) {
            return Err(Misfit::Syn);
        }
        if !again {
            half.begin(base);
            (half.syn, half.scale) = (true, segment.scale);
            half.note(segment.timestamp, 0, now);
        }
        let mut acked = None;
        if segment.has(TcpFlags::ACK) {
            if !other.seen || (other.sent == 0 && other.offset(segment.acknowledgment) != 0) {
                other.begin(segment.acknowledgment);
            }
            acked = Some(self.acknowledged(segment, settings)?);
        }
        let mut data = *segment;
        data.sequence = base;
        let taken = self.place(&data, now, settings, room)?;
        if let Some(acked) = acked {
            self.acknowledge(segment, acked, settings, room);
        }
        Ok(taken)
    }

    /// A RST ends the connection if its number is one that the sender has come to. Whatever it says, what follows is read
    /// on: only a receiver knows whether it believed it.
    fn reset(&mut self, segment: &Segment<'_>) -> Result<Taken, Misfit> {
        let (half, other) = self.pair(segment.way);
        if half.syn != other.syn {
            return Ok(Taken::Plain); // one of them knows nothing of this connection yet, or no longer
        }
        if !half.seen || !other.seen {
            // The answer to a SYN; it must name it (RFC 9293 §3.10.7.3).
            let acked = other.offset(segment.acknowledgment);
            let names = !other.seen || (0..=other.end().cast_signed()).contains(&acked);
            return if names || !segment.has(TcpFlags::ACK) { Ok(Taken::Plain) } else { Err(Misfit::Rst) };
        }
        let at = half.offset(segment.sequence);
        let window = half.acked.cast_signed()..=half.permitted().max(half.end()).cast_signed();
        if window.contains(&at) { Ok(Taken::Plain) } else { Err(Misfit::Rst) }
    }

    /// How much of the other way the segment acknowledges.
    fn acknowledged(&mut self, segment: &Segment<'_>, settings: &Settings) -> Result<u64, Misfit> {
        let (_, other) = self.pair(segment.way);
        let acked = u64::try_from(other.offset(segment.acknowledgment)).unwrap_or(0);
        // What its sender may have sent may have passed us by.
        let slack = if settings.inline { 0 } else { LISTENER_SLACK };
        let believable = acked <= other.end().max(other.permitted()) + slack;
        if believable { Ok(acked) } else { Err(Misfit::Ack) }
    }

    /// Take the acknowledgment and the window.
    fn acknowledge(&mut self, segment: &Segment<'_>, acked: u64, settings: &Settings, room: &mut Room) {
        let (half, other) = self.pair(segment.way);
        let scale = match (half.syn && other.syn, half.scale, other.scale) {
            _ if segment.has(TcpFlags::SYN) => 0,
            (false, ..) => 14, // what was agreed on, nobody saw
            (true, Some(scale), Some(_)) => scale,
            (true, ..) => 0,
        };
        let right = acked + (u64::from(segment.window) << scale);
        other.right = Some(other.right.unwrap_or(0).max(right));
        if std::mem::take(&mut other.unsure) && acked == 0 {
            // Its SYN had data, and they were not taken: they will be sent again, or others.
            other.bytes.drop_pieces(room);
            other.sent = 0;
        }
        let data = acked.min(other.fin.unwrap_or(u64::MAX));
        if data > other.acked {
            other.acked = data;
            other.sent = other.sent.max(data);
        }
        other.bytes.show(data);
        if data > other.bytes.next() {
            other.bytes.skip(data, room);
        }
        if settings.inline {
            other.bytes.settle(other.acked, room);
        }
    }

    /// Put the payload and FIN where they belong.
    fn place(
        &mut self,
        segment: &Segment<'_>,
        now: Moment,
        settings: &Settings,
        room: &mut Room,
    ) -> Result<Taken, Misfit> {
        let (half, other) = self.pair(segment.way);
        let (payload, fin) = (segment.payload, segment.has(TcpFlags::FIN));
        let at = half.offset(segment.sequence);
        if payload.is_empty() && !fin {
            half.note(segment.timestamp, at, now);
            return Ok(Taken::Plain);
        }
        let end = at + payload.len() as i64;
        believe(half, other, segment, (at, end), now)?;
        let (skipped, at) = (usize::try_from(-at).unwrap_or(0), u64::try_from(at).unwrap_or(0));
        let payload = payload.get(skipped..).unwrap_or_default();
        if half.bytes.differs(half.acked, at, payload) {
            room.counts.conflicts += 1;
            if settings.inline {
                return Err(Misfit::Conflict);
            }
        }
        let next = half.bytes.next();
        // A listener cannot know whether a SYN's data are taken before the answer says so.
        let unsure = !settings.inline && segment.has(TcpFlags::SYN) && !payload.is_empty();
        if unsure {
            half.unsure |= half.bytes.hold(payload, settings.bytes, room).is_ok();
        } else if half.bytes.put(at, payload, settings.bytes, room).is_err() {
            bounded(half, (at, payload), settings, room)?;
        }
        let end = u64::try_from(end).unwrap_or(0);
        half.sent = half.sent.max(end);
        half.fin = if fin { Some(end) } else { half.fin };
        half.note(segment.timestamp, at.cast_signed(), now);
        if !settings.inline {
            half.bytes.settle(half.bytes.next(), room);
        }
        Ok(if half.bytes.next() > next || half.bytes.ready().is_some() {
            Taken::Fresh
        } else if end > next && !payload.is_empty() {
            Taken::Buffered
        } else {
            Taken::Plain
        })
    }
}

/// Whether the receiver believes data from `at` to `end`.
fn believe(
    half: &Half,
    other: &Half,
    segment: &Segment<'_>,
    (at, end): (i64, i64),
    now: Moment,
) -> Result<(), Misfit> {
    let old = |timestamp| other.has_timestamps() && half.is_old(timestamp, now);
    if segment.timestamp.is_some_and(old) {
        return Err(Misfit::Timestamp);
    }
    if other.syn && !half.syn && half.right.is_none() {
        return Err(Misfit::Early);
    }
    let len = segment.payload.len();
    let right = match half.right {
        // One way was never seen, or the connection's beginning: nothing is known of windows.
        None if !half.syn => i64::MAX,
        _ => half.permitted().cast_signed(),
    };
    // Only one that begins behind the window: hosts differ about one that begins in it. A window of zero is probed with
    // one byte (RFC 9293 §3.8.6.1).
    if len > 0 && (at > right || (at == right && len > 1)) {
        return Err(Misfit::Window);
    }
    match half.fin.map(u64::cast_signed) {
        Some(fin) if end > fin => Err(Misfit::PastFin),
        Some(fin) if segment.has(TcpFlags::FIN) && end != fin => Err(Misfit::Fin),
        None if segment.has(TcpFlags::FIN) && end < half.sent.cast_signed() => Err(Misfit::Fin),
        _ => Ok(()),
    }
}

/// There is no room for what starts at `at`.
fn bounded(
    half: &mut Half,
    (at, payload): (u64, &[u8]),
    settings: &Settings,
    room: &mut Room,
) -> Result<(), Misfit> {
    room.counts.at_bound += 1;
    let gives_way = settings.at_bound == AtBound::Gap || !settings.inline;
    // Who is never answered, as far as we see, cannot wait for an answer.
    if gives_way || half.right.is_none() {
        room.counts.forgotten += half.bytes.unsettled();
        half.bytes.settle(half.bytes.next(), room);
    }
    if gives_way {
        half.bytes.show(u64::MAX);
        half.bytes.skip_hole(at, room);
    }
    // What was behind the hole is still unread, and gone the next moment.
    let most = if gives_way { 2 * settings.bytes } else { settings.bytes };
    match half.bytes.put(at, payload, most, room) {
        Ok(()) => Ok(()),
        Err(_) if gives_way && settings.at_bound != AtBound::Bypass => Ok(()),
        Err(_) => Err(Misfit::Bound),
    }
}
