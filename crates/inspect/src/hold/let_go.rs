//! What becomes of packets that were held.

use crate::Verdict;

/// Where a flow's packets are held, in the order in which they came. Its number is given to another flow once it was let go.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Lane(pub u16);

/// A lane is let go: all of its packets leave it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LetGo {
    /// Before which packet of the burst that was judged, counted from 0: what was let go goes out first.
    pub before: usize,
    /// Which lane.
    pub lane: Lane,
    /// What becomes of its packets: [`Verdict::Forward`] or a drop.
    pub verdict: Verdict,
}
