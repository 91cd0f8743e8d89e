//! The account of what one worker holds.

use std::collections::VecDeque;

use flow::Moment;

use super::{AtBound, Lane, Settings};
use crate::{DropReason, Verdict};

/// Lanes that are looked at in one turn because their time is over.
const SWEEP: usize = 64;

/// Why packets are let go though nothing was decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Bound {
    /// The flow has too many bytes held.
    Bytes,
    /// The flow has waited for too long.
    Time,
    /// Too many packets are held, of all flows or of this one.
    Total,
    /// The flow, its rules or all traffic ended.
    Ended,
}

/// What has become of packets that were to be held.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct HoldCounts {
    /// Packets held.
    pub(crate) held: u64,
    /// Packets released.
    pub(crate) released: u64,
    /// Packets dropped because a rule or the default action said so.
    pub(crate) denied: u64,
    /// Times that a flow had too many bytes.
    pub(crate) at_bytes: u64,
    /// Times that a flow waited for too long.
    pub(crate) at_time: u64,
    /// Times that there was no room.
    pub(crate) at_total: u64,
}

/// What is held, by lane.
#[derive(Debug)]
pub(crate) struct Holds {
    settings: Settings,
    lanes: Vec<Option<Waiting>>,
    vacant: Vec<Lane>,
    /// Lanes in the order in which they began to wait; some were let go since.
    order: VecDeque<(Moment, Lane)>,
    packets: usize,
    /// The packet that is being judged, by the inspector's count.
    at: u64,
    let_go: VecDeque<(u64, Lane, Verdict)>,
    counts: HoldCounts,
}

/// What a lane holds.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Moment,
    /// Where the flow's session is.
    session: u32,
    packets: usize,
    bytes: usize,
}

impl Holds {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            lanes: Vec::new(),
            vacant: Vec::new(),
            order: VecDeque::new(),
            packets: 0,
            at: 0,
            let_go: VecDeque::new(),
            counts: HoldCounts::default(),
        }
    }

    /// Whether anything is held at all.
    pub(crate) fn is_on(&self) -> bool {
        self.settings.packets > 0
    }

    /// How many packets are held.
    pub(crate) fn len(&self) -> usize {
        self.packets
    }

    pub(crate) fn counts(&self) -> HoldCounts {
        self.counts
    }

    /// What is let go from here on goes before this packet.
    pub(crate) fn turn_to(&mut self, packet: u64) {
        self.at = packet;
    }

    /// A packet of a flow is to be held, in the flow's lane if it has one.
    pub(crate) fn take(
        &mut self,
        now: Moment,
        session: u32,
        lane: Option<Lane>,
        bytes: usize,
    ) -> Result<Lane, Bound> {
        let known = lane.and_then(|lane| self.lanes.get(usize::from(lane.0)).copied().flatten());
        let waiting = known.unwrap_or(Waiting { since: now, session, packets: 0, bytes: 0 });
        if self.packets >= usize::from(self.settings.packets) || waiting.packets >= self.settings.share() {
            return Err(Bound::Total);
        }
        if waiting.bytes + bytes > self.settings.bytes {
            return Err(Bound::Bytes);
        }
        let lane = match (lane, known) {
            (Some(lane), Some(_)) => lane,
            _ => self.open(now).ok_or(Bound::Total)?,
        };
        if let Some(place) = self.lanes.get_mut(usize::from(lane.0)) {
            *place = Some(Waiting { packets: waiting.packets + 1, bytes: waiting.bytes + bytes, ..waiting });
        }
        self.packets += 1;
        self.counts.held += 1;
        Ok(lane)
    }

    /// A flow has come to a bound, with these packets in its lane, if it has one. Gives what becomes of the packet that did not
    /// fit, if there is one, and whether the flow is held on.
    pub(crate) fn reach(&mut self, bound: Bound, lane: Option<Lane>) -> (Verdict, bool) {
        match bound {
            Bound::Bytes => self.counts.at_bytes += 1,
            Bound::Time => self.counts.at_time += 1,
            Bound::Total => self.counts.at_total += 1,
            Bound::Ended => {}
        }
        let over = matches!(bound, Bound::Time | Bound::Ended);
        let (verdict, goes) = match self.settings.at_bound {
            AtBound::Release => (Verdict::Forward, true),
            // What fitted waits on for its time.
            AtBound::Drop => (DropReason::from(bound).into(), over),
        };
        if let Some(lane) = lane.filter(|_| goes) {
            self.let_go(lane, verdict);
        }
        (verdict, self.settings.at_bound == AtBound::Drop)
    }

    /// All packets of a lane leave it.
    pub(crate) fn let_go(&mut self, lane: Lane, verdict: Verdict) {
        let place = self.lanes.get_mut(usize::from(lane.0));
        let Some(waiting) = place.and_then(Option::take) else { return };
        self.packets -= waiting.packets;
        match verdict {
            Verdict::Drop(DropReason::Policy | DropReason::Reject) => {
                self.counts.denied += waiting.packets as u64;
            }
            Verdict::Drop(_) => {}
            _ => self.counts.released += waiting.packets as u64,
        }
        self.vacant.push(lane);
        self.let_go.push_back((self.at, lane, verdict));
    }

    /// The sessions of lanes whose time is over, a bounded number.
    pub(crate) fn overdue(&mut self, now: Moment) -> impl Iterator<Item = u32> + use<> {
        let mut sessions = arrayvec::ArrayVec::<u32, SWEEP>::new();
        while let Some((since, lane)) = self.order.front().copied()
            && !sessions.is_full()
            && now.since(since) >= self.settings.time
        {
            self.order.pop_front();
            sessions.extend(self.session_of(lane, since));
        }
        sessions.into_iter()
    }

    /// The sessions of all lanes.
    pub(crate) fn all(&self) -> Vec<u32> {
        self.lanes.iter().flatten().map(|waiting| waiting.session).collect()
    }

    /// The lane that was let go longest ago and that nobody has asked for.
    pub(crate) fn next(&mut self) -> Option<(u64, Lane, Verdict)> {
        self.let_go.pop_front()
    }

    fn session_of(&self, lane: Lane, since: Moment) -> Option<u32> {
        let waiting = self.lanes.get(usize::from(lane.0)).copied().flatten()?;
        (waiting.since == since).then_some(waiting.session)
    }

    /// A lane that is empty.
    fn open(&mut self, now: Moment) -> Option<Lane> {
        let lane = match self.vacant.pop() {
            Some(lane) => lane,
            None => {
                let lane = Lane(u16::try_from(self.lanes.len()).ok()?);
                self.lanes.push(None);
                lane
            }
        };
        if self.order.len() > 2 * usize::from(self.settings.packets) {
            // Those that were let go before their time.
            let Self { lanes, order, .. } = self;
            order.retain(|(since, lane)| {
                lanes
                    .get(usize::from(lane.0))
                    .copied()
                    .flatten()
                    .is_some_and(|waiting| waiting.since == *since)
            });
        }
        self.order.push_back((now, lane));
        Some(lane)
    }
}

impl From<Bound> for DropReason {
    fn from(bound: Bound) -> Self {
        match bound {
            Bound::Bytes => Self::HoldBytes,
            Bound::Time => Self::HoldTime,
            Bound::Total => Self::HoldTotal,
            Bound::Ended => Self::HoldEnded,
        }
    }
}
