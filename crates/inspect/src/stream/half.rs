//! One direction of a connection: its numbers, and what its receiver has said of them.

use std::time::Duration;

use flow::Moment;

use super::bytes::Bytes;

/// Timestamps older than this say nothing (RFC 7323 §5.5).
const TIMESTAMP_LIFE: Duration = Duration::from_secs(24 * 24 * 3600);
/// What a receiver may have that has not told its window yet: a SYN's window is never scaled (RFC 7323 §2.2).
const FIRST_WINDOW: u64 = 65_535;

#[derive(Debug, Default)]
pub(crate) struct Half {
    /// Sequence number of stream offset 0: of the first byte behind SYN.
    base: u32,
    /// Whether `base` is known.
    pub(crate) seen: bool,
    /// Whether its SYN was seen.
    pub(crate) syn: bool,
    /// Its own window scale, if its SYN had one.
    pub(crate) scale: Option<u8>,
    /// The bytes.
    pub(crate) bytes: Bytes,
    /// The offset behind the last byte that was sent, in order or not.
    pub(crate) sent: u64,
    /// The offset that its receiver expects next.
    pub(crate) acked: u64,
    /// The offset that its receiver's window ends at; windows may not shrink (RFC 9293 §3.8.6).
    pub(crate) right: Option<u64>,
    /// Where the stream ends, once FIN was seen.
    pub(crate) fin: Option<u64>,
    /// Bytes of its SYN, which nobody has acknowledged yet.
    pub(crate) unsure: bool,
    /// Its newest timestamp that its receiver has seen in order, and when.
    recent: Option<(u32, Moment)>,
}

impl Half {
    /// Begin at this sequence number.
    pub(crate) fn begin(&mut self, base: u32) {
        (self.base, self.seen) = (base, true);
    }

    /// The stream offset of a sequence number: the one of all it may be that is nearest to the end. Negative before the
    /// stream's first byte.
    pub(crate) fn offset(&self, sequence: u32) -> i64 {
        let next = self.bytes.next();
        let distance = sequence.wrapping_sub(self.number(next)).cast_signed();
        next.cast_signed() + i64::from(distance)
    }

    /// The sequence number of a stream offset.
    #[expect(clippy::cast_possible_truncation, reason = "sequence numbers wrap")]
    pub(crate) fn number(&self, offset: u64) -> u32 {
        self.base.wrapping_add(offset as u32)
    }

    /// Whether the stream begins with this number.
    pub(crate) fn begins_at(&self, base: u32) -> bool {
        self.seen && self.base == base
    }

    /// The offset behind all that was sent, FIN included.
    pub(crate) fn end(&self) -> u64 {
        self.fin.map_or(self.sent, |fin| fin + 1)
    }

    /// How far its receiver lets it send.
    pub(crate) fn permitted(&self) -> u64 {
        self.right.unwrap_or(FIRST_WINDOW)
    }

    /// Whether its receiver takes this timestamp for one of long ago (RFC 7323 §5).
    pub(crate) fn is_old(&self, timestamp: u32, now: Moment) -> bool {
        self.recent.is_some_and(|(recent, at)| {
            timestamp.wrapping_sub(recent).cast_signed() < 0 && now.since(at) < TIMESTAMP_LIFE
        })
    }

    /// Note the timestamp of a segment that starts at `at`, if its receiver will (RFC 7323 §4.3).
    pub(crate) fn note(&mut self, timestamp: Option<u32>, at: i64, now: Moment) {
        if let Some(timestamp) = timestamp
            && at <= self.acked.cast_signed()
            && !self.is_old(timestamp, now)
        {
            self.recent = Some((timestamp, now));
        }
    }

    /// Whether it carries timestamps.
    pub(crate) fn has_timestamps(&self) -> bool {
        self.recent.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_on_where_sequence_numbers_wrap() {
        let mut half = Half::default();
        half.begin(u32::MAX - 9);
        assert_eq!((half.offset(u32::MAX - 9), half.offset(0), half.offset(u32::MAX - 10)), (0, 10, -1));
        assert_eq!((half.number(10), half.number((1 << 32) + 3)), (0, u32::MAX - 6));
    }

    #[test]
    fn a_timestamp_is_old_if_it_is_before_the_newest_and_that_is_not_long_ago() {
        let mut half = Half::default();
        half.note(Some(5), 0, Moment(0));
        assert!(half.is_old(4, Moment(1)) && !half.is_old(5, Moment(1)) && !half.is_old(6, Moment(1)));
        assert!(half.is_old(u32::MAX, Moment(1)), "the clock wraps");
        let later = Moment(u64::try_from(TIMESTAMP_LIFE.as_nanos()).unwrap());
        assert!(!half.is_old(4, later));
    }
}
