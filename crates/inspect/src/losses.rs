//! Which events are lost where there is room for no more, and how many.
//!
//! ```text
//! room:  ├──────────── all kinds ────────────┼─ alerts, anomalies, drops ─┤
//! ```
//! A log that cannot follow loses the newest, since a worker waits for nobody. Ends of flows, transactions and tagged packets are
//! many, and each says little; so they leave the last quarter to what an operator must not miss. Who floods the log with flows
//! hides no alert.

/// What kind of event it is, for those who count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum EventKind {
    /// A rule wanted to be told.
    Alert,
    /// Something was odd.
    Anomaly,
    /// A packet was dropped by the policy.
    Drop,
    /// A flow is no more.
    Flow,
    /// A packet that a rule's `tag` asked for.
    Packet,
    /// A transaction is over.
    Transaction,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Alert, Self::Anomaly, Self::Drop, Self::Flow, Self::Packet, Self::Transaction];

    /// Whether it may take the last quarter of a room.
    fn is_kept(self) -> bool {
        matches!(self, Self::Alert | Self::Anomaly | Self::Drop)
    }
}

/// Events that found no room, by kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Losses([u64; EventKind::ALL.len()]);

impl Losses {
    /// Whether an event may take one of the `free` places of a room of so many; if not, it counts as lost.
    #[inline]
    pub fn admit(&mut self, kind: EventKind, free: usize, room: usize) -> bool {
        let admitted = free > if kind.is_kept() { 0 } else { room / 4 };
        self.0[kind as usize] += u64::from(!admitted);
        admitted
    }

    /// How many of a kind.
    #[must_use]
    pub fn of(&self, kind: EventKind) -> u64 {
        self.0[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_quarter_is_for_what_must_not_be_missed_and_every_loss_counts() {
        let mut losses = Losses::default();
        for kind in EventKind::ALL {
            let kept = matches!(kind, EventKind::Alert | EventKind::Anomaly | EventKind::Drop);
            let admitted = [9, 8, 2, 1, 0].map(|free| losses.admit(kind, free, 8));
            assert_eq!(admitted, [true, true, kept, kept, false], "{kind:?}");
            assert_eq!(losses.of(kind), if kept { 1 } else { 3 });
        }
    }
}
