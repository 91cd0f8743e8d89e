//! A worker's memory for streams, and what it counts of them.

/// Buffers that wait for their next stream; more are freed.
const SPARE: usize = 1024;
/// Buffers larger than this are freed at once.
const SPARE_BYTES: usize = 16 << 10;
/// Buffers of bodies that wait for their next transaction; more are freed.
const BODIES: usize = 256;
/// Buffers of bodies larger than this are freed at once.
const BODY_BYTES: usize = 128 << 10;
/// No buffer is smaller, so that most fit the next stream.
const LEAST_BYTES: usize = 4 << 10;

/// One worker's account of the memory that its streams hold, in bytes.
#[derive(Debug)]
pub struct Room {
    limit: usize,
    used: usize,
    spare: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
    pub(crate) counts: StreamCounts,
}

/// What one worker has seen of streams since its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StreamCounts {
    /// Segments taken behind a hole.
    pub buffered: u64,
    /// Segments that brought nothing new.
    pub duplicates: u64,
    /// Segments whose bytes differed from those seen before.
    pub conflicts: u64,
    /// Segments refused, for whatever reason.
    pub misfits: u64,
    /// Holes given up: their bytes were never seen.
    pub gaps: u64,
    /// Bytes of those holes.
    pub missing: u64,
    /// Segments that found no room.
    pub at_bound: u64,
    /// Streams followed no further because there was no room.
    pub bypassed: u64,
    /// Bytes forgotten before they were acknowledged.
    pub forgotten: u64,
    /// Streams begun amid a connection.
    pub midstream: u64,
}

impl Room {
    /// Room for `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let (spare, bodies) = (Vec::with_capacity(SPARE), Vec::with_capacity(BODIES));
        Self { limit, used: 0, spare, bodies, counts: StreamCounts::default() }
    }

    /// Bytes that streams hold now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> StreamCounts {
        self.counts
    }

    /// Whether a stream may hold so many bytes more. What is behind holes may fill three quarters of the room, so that
    /// what is in order, and mostly gone the next moment, finds some.
    pub(crate) fn has(&self, more: usize, behind_hole: bool) -> bool {
        let limit = if behind_hole { self.limit / 4 * 3 } else { self.limit };
        self.used.saturating_add(more) <= limit
    }

    /// A stream holds `now` bytes and no longer `before`.
    pub(crate) fn charge(&mut self, before: usize, now: usize) {
        self.used = self.used.saturating_sub(before).saturating_add(now);
    }

    /// An empty buffer with room for at least `want` bytes.
    pub(crate) fn buffer(&mut self, want: usize) -> Vec<u8> {
        let want = want.max(LEAST_BYTES);
        match self.spare.pop_if(|spare| spare.capacity() >= want) {
            Some(buffer) => buffer,
            None => Vec::with_capacity(want),
        }
    }

    /// A buffer that nobody needs now.
    pub(crate) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE && (1..=SPARE_BYTES).contains(&buffer.capacity()) {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// An empty buffer for a body: one that had a body before, if there is one.
    pub(crate) fn body(&mut self) -> Vec<u8> {
        self.bodies.pop().unwrap_or_default()
    }

    /// A body that nobody looks into any more.
    pub(crate) fn give_back_body(&mut self, mut body: Vec<u8>) {
        if self.bodies.len() < BODIES && (1..=BODY_BYTES).contains(&body.capacity()) {
            body.clear();
            self.bodies.push(body);
        }
    }
}
