//! What is known of a flow, for whoever asks and for its last event.

use crate::record::Record;
use crate::tick::Tick;
use crate::{Course, Direction, FlowKey, FlowState, Moment, Tally};

/// A flow's life so far. Moments are exact to 17 ms.
#[derive(Clone, Copy, Debug)]
pub struct Account<M> {
    /// Its key.
    pub key: FlowKey,
    /// The direction in which its first packet went; after a lone SYN ACK, the other.
    pub initiator: Direction,
    /// Its state.
    pub state: FlowState,
    /// When its first packet came.
    pub first_seen: Moment,
    /// When its newest packet came.
    pub last_seen: Moment,
    /// Packets and bytes up and down, indexed by [`Direction`].
    pub tallies: [Tally; 2],
    /// What the caller remembered.
    pub memo: M,
    begun: Tick,
}

impl<M> Account<M> {
    /// How far it has come.
    #[must_use]
    pub fn course(&self) -> Course<'_> {
        let Self { initiator, state, tallies, begun, .. } = self;
        Course { initiator: *initiator, state: *state, tallies, first_seen: begun }
    }
}

impl<M: Copy + Default> Account<M> {
    pub(crate) fn new(record: &Record<M>, now: Moment) -> Self {
        Self {
            key: record.key(),
            initiator: record.initiator(),
            state: record.state,
            first_seen: record.first_seen.moment(now),
            last_seen: record.last_seen.moment(now),
            tallies: record.tallies,
            memo: record.memo,
            begun: record.first_seen,
        }
    }
}

/// A flow that is no more.
#[derive(Clone, Copy, Debug)]
pub struct Ended<M> {
    /// Why.
    pub why: EndReason,
    /// What it was.
    pub flow: Account<M>,
}

/// Why a flow is no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndReason {
    /// No packet came for as long as its timeout says, or the table was emptied.
    Idle,
    /// Both sides of a TCP connection had closed it.
    Closed,
    /// A RST had ended it.
    Reset,
    /// GWLB began another flow of the same key: a SYN under a new cookie.
    Replaced,
    /// The operator wants flows to begin anew.
    Flushed,
}

impl EndReason {
    /// Why a flow ends that nothing replaced.
    pub(crate) fn of(state: FlowState) -> Self {
        match state {
            FlowState::Closed => Self::Closed,
            FlowState::Reset => Self::Reset,
            _ => Self::Idle,
        }
    }

    /// The reason's name in events, kebab-case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Replaced => "replaced",
            Self::Flushed => "flushed",
        }
    }
}
