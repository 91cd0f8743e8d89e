//! The bytes of one direction: those in order in one buffer, those behind holes in pieces.
//!
//! ```text
//!  start         kept     inspected      next                     pieces
//!    | unacknowledged | tail |    fresh    |      hole      [at......][at...]     [at.....]
//!      kept to compare  └──── ready ───────┘
//! ```
//! What is ready ends where it is `shown`: a listener reads what was acknowledged.
//! Offsets count the stream's bytes from 0, in 64 bits: whoever calls has turned sequence numbers into them.

use super::Room;

/// Most pieces behind holes; neighbours that arrive in order are one.
const PIECES: usize = 128;

/// What is in order and not consumed, with the tail that was kept before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ready<'a> {
    /// Bytes that were never seen, right before `bytes`: whoever reads the stream must be told first.
    pub missing: u64,
    /// The stream offset of the first of `bytes`.
    pub start: u64,
    /// The kept tail, then what is fresh.
    pub bytes: &'a [u8],
    /// Where in `bytes` the fresh ones start.
    pub fresh_from: usize,
}

/// There is no room for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Full;

#[derive(Debug, Default)]
pub(crate) struct Bytes {
    /// `buffer[head..]` are the stream's bytes from `start` to `next`.
    buffer: Vec<u8>,
    head: usize,
    start: u64,
    kept: u64,
    inspected: u64,
    next: u64,
    /// What is behind it is not read yet.
    shown: u64,
    /// Sorted, not overlapping, all behind `next`, none empty.
    pieces: Vec<Piece>,
    /// Bytes in pieces.
    behind: usize,
    /// Bytes before it need not be compared with any more.
    settled: u64,
    /// Holes before it will not be filled.
    skip_to: u64,
    missing: u64,
    charged: usize,
}

#[derive(Debug)]
struct Piece {
    at: u64,
    bytes: Vec<u8>,
}

impl Piece {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

impl Bytes {
    /// The offset behind the last byte in order.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The last byte in order that is kept.
    #[inline]
    pub(crate) fn last(&self) -> u8 {
        self.buffer.last().copied().unwrap_or(0)
    }

    /// Whether everything in order was consumed.
    pub(crate) fn is_consumed(&self) -> bool {
        self.inspected == self.next && self.missing == 0
    }

    /// Whether bytes at `at` are other than those that are known of the same place. Those before `from` do not count.
    pub(crate) fn differs(&self, from: u64, at: u64, bytes: &[u8]) -> bool {
        if at >= self.next && self.pieces.is_empty() {
            return false;
        }
        let live = self.buffer.get(self.head..).unwrap_or_default();
        let (known_from, end) = (from.max(self.start), at + bytes.len() as u64);
        let in_order = differs(known_from, (self.start, live), (at, bytes));
        let first = self.pieces.partition_point(|piece| piece.end() <= at);
        let behind = self.pieces.iter().skip(first).take_while(|piece| piece.at < end);
        in_order
            || behind.map(|piece| (piece.at, piece.bytes.as_slice())).any(|p| differs(from, p, (at, bytes)))
    }

    /// Take what is new of `bytes` at `at`; what is known stands. `most` is the direction's bound.
    pub(crate) fn put(&mut self, at: u64, bytes: &[u8], most: usize, room: &mut Room) -> Result<(), Full> {
        let mut rest = bytes.get(index(self.next.saturating_sub(at))..).unwrap_or_default();
        if at > self.next && !rest.is_empty() {
            return self.put_behind(at, rest, most, room);
        }
        while !rest.is_empty() {
            let before = self.next;
            let hole = self.pieces.first().map_or(usize::MAX, |piece| index(piece.at - before));
            let now = rest.get(..hole).unwrap_or(rest);
            if !self.fits(now.len(), most / 2, room) {
                return Err(Full);
            }
            self.push(now, room);
            self.join(room);
            rest = rest.get(index(self.next - before)..).unwrap_or_default();
        }
        Ok(())
    }

    /// Keep bytes at the very beginning without showing them, until [`Bytes::skip`] or what is put there.
    pub(crate) fn hold(&mut self, bytes: &[u8], most: usize, room: &mut Room) -> Result<(), Full> {
        if self.next > 0 || bytes.is_empty() { Ok(()) } else { self.put_behind(0, bytes, most, room) }
    }

    /// Give up the holes before `to`.
    pub(crate) fn skip(&mut self, to: u64, room: &mut Room) {
        self.join(room);
        self.skip_to = self.skip_to.max(to);
        self.show(to);
        self.resolve(room);
    }

    /// What is in order before `to` may be read.
    pub(crate) fn show(&mut self, to: u64) {
        self.shown = self.shown.max(to);
    }

    /// Give up the first hole.
    pub(crate) fn skip_hole(&mut self, or_to: u64, room: &mut Room) {
        let to = self.pieces.first().map_or(or_to, |piece| piece.at.min(or_to));
        self.skip(to, room);
    }

    /// Bytes before `settled` need not be compared with any more.
    pub(crate) fn settle(&mut self, settled: u64, room: &mut Room) {
        self.settled = self.settled.max(settled);
        self.forget(room);
    }

    /// Bytes that are only kept to compare with.
    pub(crate) fn unsettled(&self) -> u64 {
        self.kept.saturating_sub(self.start)
    }

    pub(crate) fn ready(&self) -> Option<Ready<'_>> {
        let end = self.readable();
        if self.inspected == end && self.missing == 0 {
            return None;
        }
        let [from, to] = [self.kept, end].map(|at| self.head + index(at - self.start));
        Some(Ready {
            missing: self.missing,
            start: self.kept,
            bytes: self.buffer.get(from..to).unwrap_or_default(),
            fresh_from: index(self.inspected - self.kept),
        })
    }

    /// Everything ready was read; the last `tail` bytes of it are wanted again.
    pub(crate) fn consume(&mut self, tail: usize, room: &mut Room) {
        self.missing = 0;
        self.inspected = self.readable();
        self.kept = self.kept.max(self.inspected.saturating_sub(tail as u64));
        self.forget(room);
        self.resolve(room);
    }

    /// The end of what is in order and shown.
    fn readable(&self) -> u64 {
        self.next.min(self.shown).max(self.inspected)
    }

    /// Throw away what is behind `next`.
    pub(crate) fn drop_pieces(&mut self, room: &mut Room) {
        self.pieces.clear();
        self.behind = 0;
        self.account(room);
    }

    /// Give everything back.
    pub(crate) fn free(&mut self, room: &mut Room) {
        self.pieces = Vec::new();
        self.behind = 0;
        room.give_back(std::mem::take(&mut self.buffer));
        (self.head, self.start, self.kept, self.inspected) = (0, self.next, self.next, self.next);
        self.account(room);
    }

    fn put_behind(
        &mut self,
        mut at: u64,
        mut bytes: &[u8],
        most: usize,
        room: &mut Room,
    ) -> Result<(), Full> {
        let too_many = self.pieces.len() >= PIECES;
        if too_many || self.behind + bytes.len() > most / 2 || !room.has(2 * bytes.len() + 64, true) {
            return Err(Full);
        }
        // The first piece that ends behind `at`; the one before it may grow.
        let mut nth = self.pieces.partition_point(|piece| piece.end() <= at);
        while !bytes.is_empty() && self.pieces.len() <= PIECES {
            let (hole_end, piece_end) =
                self.pieces.get(nth).map_or((u64::MAX, u64::MAX), |p| (p.at, p.end()));
            if at < hole_end {
                let len = index(hole_end - at).min(bytes.len());
                let (now, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
                match nth.checked_sub(1).and_then(|before| self.pieces.get_mut(before)) {
                    Some(before) if before.end() == at => before.bytes.extend_from_slice(now),
                    _ => {
                        self.pieces.insert(nth, Piece { at, bytes: now.to_vec() });
                        nth += 1;
                    }
                }
                self.behind += now.len();
                (at, bytes) = (at + now.len() as u64, rest);
            } else {
                let known = index(piece_end - at);
                bytes = bytes.get(known..).unwrap_or_default();
                at = piece_end;
                nth += 1;
            }
        }
        self.account(room);
        Ok(())
    }

    /// Whether `len` bytes more may be kept in order.
    fn fits(&self, len: usize, most: usize, room: &Room) -> bool {
        let live = self.buffer.len() - self.head;
        let grows = (2 * (live + len)).saturating_sub(self.buffer.capacity());
        live + len <= most.max(2048) && (grows == 0 || room.has(grows, false))
    }

    /// Append. The buffer is moved to its start when half of it is free, so a byte is moved once on average.
    fn push(&mut self, bytes: &[u8], room: &mut Room) {
        let live = self.buffer.len() - self.head;
        if self.buffer.len() + bytes.len() > self.buffer.capacity() {
            if self.head >= live && live + bytes.len() <= self.buffer.capacity() {
                self.buffer.copy_within(self.head.., 0);
                self.buffer.truncate(live);
            } else {
                let mut larger = room.buffer(2 * (live + bytes.len()));
                larger.extend_from_slice(self.buffer.get(self.head..).unwrap_or_default());
                room.give_back(std::mem::replace(&mut self.buffer, larger));
            }
            self.head = 0;
        }
        self.buffer.extend_from_slice(bytes);
        self.next += bytes.len() as u64;
        self.account(room);
    }

    /// Append the pieces that no hole is before any more.
    fn join(&mut self, room: &mut Room) {
        while let Some(piece) = self.pieces.first_mut().filter(|piece| piece.at == self.next) {
            let bytes = std::mem::take(&mut piece.bytes);
            self.pieces.remove(0);
            self.behind -= bytes.len();
            self.push(&bytes, room);
        }
    }

    /// Leave out holes that will not be filled, as far as nothing before them waits to be consumed.
    fn resolve(&mut self, room: &mut Room) {
        while self.next < self.skip_to && self.inspected == self.next {
            let to = self.pieces.first().map_or(self.skip_to, |piece| piece.at.min(self.skip_to));
            room.counts.gaps += 1;
            room.counts.missing += to - self.next;
            self.missing += to - self.next;
            (self.start, self.kept, self.inspected, self.next) = (to, to, to, to);
            self.buffer.clear();
            self.head = 0;
            self.join(room);
        }
    }

    /// Let go of what is neither fresh, nor wanted again, nor to be compared with.
    fn forget(&mut self, room: &mut Room) {
        let to = self.kept.min(self.settled);
        if to > self.start {
            self.head += index(to - self.start);
            self.start = to;
        }
        if self.head >= self.buffer.len() && !self.buffer.is_empty() {
            self.head = 0;
            room.give_back(std::mem::take(&mut self.buffer));
            self.account(room);
        }
    }

    /// Bring the worker's account up to date.
    fn account(&mut self, room: &mut Room) {
        let pieces = self.pieces.iter().map(|piece| piece.bytes.capacity()).sum::<usize>();
        let now = self.buffer.capacity() + self.pieces.capacity() * size_of::<Piece>() + pieces;
        room.charge(self.charged, now);
        self.charged = now;
    }
}

/// Whether two runs of bytes are different where both are, at `from` or behind it.
fn differs(from: u64, known: (u64, &[u8]), new: (u64, &[u8])) -> bool {
    let end = |(at, bytes): (u64, &[u8])| at + bytes.len() as u64;
    let (start, end) = (from.max(known.0).max(new.0), end(known).min(end(new)));
    start < end && cut(known, start, end) != cut(new, start, end)
}

fn cut((at, bytes): (u64, &[u8]), start: u64, end: u64) -> &[u8] {
    bytes.get(index(start - at)..index(end - at)).unwrap_or_default()
}

/// A distance between offsets within memory.
fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}
