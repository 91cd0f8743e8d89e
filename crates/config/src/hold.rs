//! `[hold]`: how much of clients' first flights is held until a name in them is judged, and how long.

use std::time::Duration;

use crate::document::Document;
use crate::value;

/// `[hold]`: how much of clients' first flights is held until a name in them is judged, and how long.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HoldSettings {
    /// Most bytes of payload that one flow has held.
    pub bytes: u32,
    /// How long a flow's oldest packet is held at most.
    pub time: Duration,
    /// Most packets that all workers together hold; 0: nothing is held.
    pub packets: u16,
    /// What happens at a bound.
    pub at_bound: AtHoldBound,
}

/// What happens to packets that may not be held, or no longer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AtHoldBound {
    /// They are dropped.
    Drop,
    /// They are released, and their flow is held no more.
    Release,
}

impl HoldSettings {
    pub(crate) fn read(document: &mut Document<'_>, workers: usize) -> Self {
        let at_bound = [("drop", AtHoldBound::Drop), ("release", AtHoldBound::Release)];
        let packets = document.value("hold", "packets", 512, value::number(0..=65_535));
        if packets > 0 && (packets as usize) < 4 * workers {
            let wanted = format!("must be 0, or at least {}: four for every worker", 4 * workers);
            document.wrong("hold.packets", wanted);
        }
        Self {
            bytes: document.value("hold", "bytes", 64 << 10, value::number(4096..=1 << 20)),
            time: document.value("hold", "time", Duration::from_millis(200), value::milliseconds(1..=10_000)),
            packets: u16::try_from(packets).unwrap_or(u16::MAX),
            at_bound: document.value("hold", "at_bound", AtHoldBound::Drop, value::choice(&at_bound)),
        }
    }
}
