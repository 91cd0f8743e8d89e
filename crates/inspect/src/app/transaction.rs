//! One exchange of an application protocol, as far as it has come: an HTTP request and its response, a DNS query and its
//! answer, a TLS handshake.

use std::ops::Range;

use policy::{Buffer, Way};

use super::{Anomalies, Facts};

/// Most transactions of one flow that are open at once; a further one ends the oldest.
pub const TRANSACTIONS_MAX: usize = 256;

/// How far one way of a transaction has come. A buffer that is not there when the phase that makes it is over, will not
/// come.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// Nothing of it is complete.
    #[default]
    Begun,
    /// What comes before a body is there: first line and headers, the hello.
    Head,
    /// Some of the body is there, and more may come.
    Body,
    /// Nothing more comes this way.
    Complete,
}

/// One value of a buffer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Which buffer. One buffer may have several pieces: each query of a DNS message, each certificate.
    pub buffer: Buffer,
    /// Which way it went.
    pub way: Way,
    /// Where its bytes are among those of the transaction.
    range: Range<u32>,
}

/// One exchange, as far as it has come.
///
/// Its buffers are of two kinds: small ones, whole as soon as they are there ([`Transaction::put`]), and one body for
/// each way, which grows ([`Transaction::grow`]).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Transaction {
    /// Counts the flow's transactions, from 0.
    pub number: u32,
    /// What it says besides its buffers.
    pub facts: Facts,
    /// What was odd about it.
    pub anomalies: Anomalies,
    /// What of it was told already.
    told: Anomalies,
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    bodies: [Vec<u8>; 2],
    reached: [Phase; 2],
}

impl Transaction {
    /// Add a value of a buffer, whole.
    pub fn put(&mut self, buffer: Buffer, way: Way, bytes: &[u8]) {
        self.put_with(buffer, way, |room| room.extend_from_slice(bytes));
    }

    /// Add a value of a buffer, written by the caller behind what is in `room`.
    pub fn put_with(&mut self, buffer: Buffer, way: Way, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(self.bytes.len())) {
            self.pieces.push(Piece { buffer, way, range: start..end });
        }
    }

    /// Let the body of one way grow: decoded, and within the parser's bound.
    pub fn grow(&mut self, way: Way, bytes: &[u8]) {
        self.grow_with(way, |body| body.extend_from_slice(bytes));
    }

    /// Let the body of one way grow by what the caller writes behind it.
    pub fn grow_with<T>(&mut self, way: Way, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.reach(way, Phase::Body);
        write(&mut self.bodies[way as usize])
    }

    /// One way has come so far, or farther.
    pub fn reach(&mut self, way: Way, phase: Phase) {
        let reached = &mut self.reached[way as usize];
        *reached = phase.max(*reached);
    }

    /// How far one way has come.
    #[must_use]
    pub fn reached(&self, way: Way) -> Phase {
        self.reached[way as usize]
    }

    /// What was odd about it and was not given here before.
    pub fn fresh_anomalies(&mut self) -> Anomalies {
        let fresh = self.anomalies.without(self.told);
        self.told = self.anomalies;
        fresh
    }

    /// Whether nothing more comes either way.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.reached == [Phase::Complete; 2]
    }

    /// All small buffers, in the order in which they came.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The bytes of one of [`Transaction::pieces`].
    #[must_use]
    pub fn bytes(&self, piece: &Piece) -> &[u8] {
        self.bytes.get(piece.range.start as usize..piece.range.end as usize).unwrap_or_default()
    }

    /// The body of one way, as far as it has come.
    #[must_use]
    pub fn body(&self, way: Way) -> &[u8] {
        &self.bodies[way as usize]
    }

    /// The values of one small buffer.
    pub fn values(&self, buffer: Buffer, way: Way) -> impl Iterator<Item = &[u8]> {
        let of_it = move |piece: &&Piece| piece.buffer == buffer && piece.way == way;
        self.pieces.iter().filter(of_it).map(|piece| self.bytes(piece))
    }

    /// The first value of one small buffer.
    #[must_use]
    pub fn first(&self, buffer: Buffer, way: Way) -> Option<&[u8]> {
        self.values(buffer, way).next()
    }

    /// Reads a word of each of its cache lines, so that they are there when they are needed.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        let [to_server, to_client] = &self.bodies;
        u64::from(self.number) ^ (self.pieces.len() ^ to_server.len() ^ to_client.len()) as u64
    }

    /// What is told of it once it is over: all but its bodies, which are given back.
    pub(crate) fn strip(&mut self) -> [Vec<u8>; 2] {
        std::mem::take(&mut self.bodies)
    }

    /// A copy of what is told of it: all but its bodies.
    pub(crate) fn stripped(&self) -> Self {
        let Self { number, facts, anomalies, bytes, pieces, reached, told, .. } = self;
        Self {
            number: *number,
            facts: facts.clone(),
            anomalies: *anomalies,
            bytes: bytes.clone(),
            pieces: pieces.clone(),
            bodies: Default::default(),
            reached: *reached,
            told: *told,
        }
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn memory(&self) -> usize {
        let [to_server, to_client] = &self.bodies;
        let pieces = self.pieces.capacity() * size_of::<Piece>();
        size_of::<Self>()
            + self.facts.memory()
            + self.bytes.capacity()
            + pieces
            + to_server.capacity()
            + to_client.capacity()
    }
}

/// The open transactions of one flow, oldest first. A parser begins and fills them; whoever detects takes those away
/// that are complete.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    open: Vec<Transaction>,
    begun: u32,
    /// Ended before they were complete, because there were too many.
    cut_short: u32,
    /// Counts what may have changed any of them.
    changes: u32,
    /// An empty buffer for the next one's response.
    spare: Vec<u8>,
}

impl Transactions {
    /// Begin one, and give back its number.
    pub fn begin(&mut self, facts: Facts) -> u32 {
        if self.open.len() >= TRANSACTIONS_MAX
            && let Some(oldest) = self.open.iter_mut().find(|open| !open.is_complete())
        {
            self.cut_short += 1;
            oldest.reached = [Phase::Complete; 2];
        }
        let number = self.begun;
        self.begun = self.begun.wrapping_add(1);
        self.changes = self.changes.wrapping_add(1);
        let bodies = [Vec::new(), std::mem::take(&mut self.spare)];
        self.open.push(Transaction { number, facts, bodies, ..Transaction::default() });
        number
    }

    /// The open transaction of that number.
    pub fn find(&mut self, number: u32) -> Option<&mut Transaction> {
        self.changes = self.changes.wrapping_add(1);
        self.open.iter_mut().find(|open| open.number == number)
    }

    /// All open transactions, oldest first.
    #[must_use]
    pub fn open(&self) -> &[Transaction] {
        &self.open
    }

    /// As [`Transactions::open`], for whoever finds them odd.
    pub fn open_mut(&mut self) -> &mut [Transaction] {
        &mut self.open
    }

    /// Take away those of which this holds.
    pub fn retire(
        &mut self,
        mut is_over: impl FnMut(&Transaction) -> bool,
    ) -> impl Iterator<Item = Transaction> {
        self.open.extract_if(.., move |open| is_over(open))
    }

    /// Another number than before if any of them may have changed.
    #[inline]
    pub(crate) fn changes(&self) -> u32 {
        self.changes
    }

    /// Lend an empty buffer, for the body of a response to come.
    pub(crate) fn lend(&mut self, buffer: Vec<u8>) {
        self.spare = buffer;
    }

    /// Give back what was lent, if nobody needed it.
    pub(crate) fn take_back(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    /// Forget all of them; their bodies are given back.
    pub(crate) fn clear(&mut self, give_back: impl FnMut(Vec<u8>)) {
        self.open.drain(..).flat_map(|mut open| open.strip()).for_each(give_back);
    }

    /// How many were begun.
    #[must_use]
    pub fn begun(&self) -> u32 {
        self.begun
    }

    /// How many were ended before they were complete, because there were too many.
    #[must_use]
    pub fn cut_short(&self) -> u32 {
        self.cut_short
    }

    /// Bytes of all their bodies.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.open.iter().flat_map(|open| &open.bodies).map(Vec::len).sum()
    }

    /// Bytes that they hold.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.open.iter().map(Transaction::memory).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_keep_their_bytes_and_bodies_grow() {
        let mut all = Transactions::default();
        let number = all.begin(Facts::None);
        let open = all.find(number).unwrap();
        open.put(Buffer::DnsQuery, Way::ToServer, b"a.example");
        open.put(Buffer::DnsQuery, Way::ToServer, b"b.example");
        open.grow(Way::ToClient, b"body ");
        open.grow(Way::ToClient, b"grows");
        let values: Vec<_> = open.values(Buffer::DnsQuery, Way::ToServer).collect();
        assert_eq!(values, [b"a.example", b"b.example"]);
        assert_eq!(open.body(Way::ToClient), b"body grows");
        assert_eq!((open.reached(Way::ToServer), open.reached(Way::ToClient)), (Phase::Begun, Phase::Body));
    }

    #[test]
    fn too_many_open_transactions_end_the_oldest() {
        let mut all = Transactions::default();
        for _ in 0..=TRANSACTIONS_MAX {
            all.begin(Facts::None);
        }
        assert_eq!(all.cut_short(), 1);
        let ended: Vec<u32> = all.retire(Transaction::is_complete).map(|ended| ended.number).collect();
        assert_eq!(ended, [0]);
        assert_eq!(all.open().len(), TRANSACTIONS_MAX);
    }
}
