//! Tags: how much of what follows a match is still to be told.
//!
//! A flow's tag lies with its session. A host's lies in the memory that workers share, because the host's other flows may
//! be anywhere.

use flow::Moment;
use policy::{Tag, TagAmount};

/// How much of a flow is still to be told; whatever was asked for last, the most stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct FlowTag {
    packets: u32,
    bytes: u64,
    until: Moment,
}

impl FlowTag {
    /// Tell as much as a rule wants.
    pub(crate) fn set(&mut self, tag: &Tag, now: Moment) {
        match tag.amount {
            TagAmount::Packets => self.packets = self.packets.max(tag.count),
            TagAmount::Bytes => self.bytes = self.bytes.max(tag.count.into()),
            TagAmount::Seconds => self.until = self.until.max(end(tag, now)),
        }
    }

    /// Whether a packet of so many bytes is to be told; it counts.
    pub(crate) fn take(&mut self, bytes: u16, now: Moment) -> bool {
        let taken = !self.is_over(now);
        self.packets = self.packets.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes.into());
        taken
    }

    /// Whether nothing more is to be told.
    pub(crate) fn is_over(&self, now: Moment) -> bool {
        self.packets == 0 && self.bytes == 0 && self.until <= now
    }
}

/// When a tag that is counted in seconds ends.
pub(super) fn end(tag: &Tag, now: Moment) -> Moment {
    Moment(now.0.saturating_add(u64::from(tag.count).saturating_mul(1_000_000_000)))
}

#[cfg(test)]
mod tests {
    use policy::TagScope;

    use super::*;

    fn tag(count: u32, amount: TagAmount) -> Tag {
        Tag { scope: TagScope::Session, count, amount }
    }

    #[test]
    fn a_tag_ends_with_its_packets_its_bytes_or_its_time() {
        for (wanted, told) in [
            (tag(3, TagAmount::Packets), 3),
            (tag(250, TagAmount::Bytes), 3),
            (tag(4, TagAmount::Seconds), 4),
        ] {
            let mut left = FlowTag::default();
            left.set(&wanted, Moment(0));
            let second = |nth: u64| Moment(nth * 1_000_000_000);
            assert_eq!((0..10).filter(|nth| left.take(100, second(*nth))).count(), told, "{wanted}");
        }
    }
}
