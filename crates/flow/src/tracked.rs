//! What a flow table says of a packet that it has counted.

use crate::tick::Tick;
use crate::{Direction, Ended, FlowState, Moment, Tally};

/// A packet's flow, and what the packet changed.
#[derive(Debug)]
pub struct Tracked<'t, M> {
    /// What the caller remembers of the flow: `M::default()` for a new one.
    pub memo: &'t mut M,
    /// What it changed, unless it is but one packet more of a flow, wrapped like the one before it.
    pub change: Option<&'t Change<M>>,
    /// The flow as far as it has come.
    pub course: Course<'t>,
}

/// A flow as far as it has come, the newest packet counted. It is not read before it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Course<'t> {
    /// Which way the initiator's packets go.
    pub initiator: Direction,
    /// The flow's state.
    pub state: FlowState,
    /// Packets and bytes up and down, indexed by [`Direction`].
    pub tallies: &'t [Tally; 2],
    pub(crate) first_seen: &'t Tick,
}

impl Course<'_> {
    /// When the flow's first packet came, exact to 17 ms.
    #[must_use]
    pub fn begun(&self, now: Moment) -> Moment {
        self.first_seen.moment(now)
    }
}

/// What a packet changed.
#[derive(Debug)]
pub struct Change<M> {
    /// This packet began the flow.
    pub is_new: bool,
    /// The flow began amid a connection.
    pub is_midstream: bool,
    /// GWLB gave this direction of the flow another cookie.
    pub cookie_changed: bool,
    /// The flow of the same key that this packet found at its end.
    pub ended: Option<Ended<M>>,
}

impl<M> Default for Change<M> {
    fn default() -> Self {
        Self { is_new: false, is_midstream: false, cookie_changed: false, ended: None }
    }
}
