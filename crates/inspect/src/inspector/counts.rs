//! What one worker has counted.

use flow::{Change, EndReason, Ended};

use crate::event::{Event, Outbox};
use crate::stream::StreamCounts;
use crate::{Judged, Losses};

/// One worker's counters since its start; plain numbers, to be read each turn and published by the core that owns them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Flows begun.
    pub flows_begun: u64,
    /// Flows begun amid a TCP connection.
    pub flows_midstream: u64,
    /// Flows ended because no packet came.
    pub flows_idle: u64,
    /// TCP flows ended after both sides had closed.
    pub flows_closed: u64,
    /// TCP flows ended after a RST.
    pub flows_reset: u64,
    /// Flows that another of the same key replaced under a new cookie.
    pub flows_replaced: u64,
    /// Flows ended because new rules let all flows begin anew.
    pub flows_flushed: u64,
    /// Times GWLB gave one direction of a known flow another cookie.
    pub cookies_changed: u64,
    /// Times the policy was asked.
    pub judgements: u64,
    /// Times that a flow was to be looked into and was not, because too many were.
    pub sessions_lost: u64,
    /// Rules that were asked, because a pattern of theirs was found or they have none.
    pub rules_asked: u64,
    /// Packets that had more candidates than are asked.
    pub cut_short: u64,
    /// Rules that could not wait for more of a stream, because too many did.
    pub waiting_lost: u64,
    /// Programs of rules and searches of expressions that were given up because their steps were used up.
    pub exhausted: u64,
    /// Texts that the matcher could not scan.
    pub unscanned: u64,
    /// Groups of flows that gave way to others; to meet one again costs time.
    pub groups_evicted: u64,
    /// Alerts raised.
    pub alerts: u64,
    /// Alerts that found no room in their judgement.
    pub alerts_lost: u64,
    /// Packets told because a rule's `tag` asked for them.
    pub packets_tagged: u64,
    /// Events that found no room on their way to the log.
    pub events_lost: Losses,
    /// What was seen of streams.
    pub streams: StreamCounts,
    /// Bytes that streams hold now.
    pub stream_bytes: u64,
    /// Packets inside other packets that were judged.
    pub carried: u64,
    /// Packets inside other packets that were not: they are malformed, or in too many tunnels.
    pub carried_unread: u64,
    /// Parts of datagrams that came.
    pub fragments: u64,
    /// Datagrams put together of parts.
    pub fragments_whole: u64,
    /// Datagrams in parts that did not become whole in their time.
    pub fragments_expired: u64,
    /// Parts of datagrams that were refused.
    pub fragments_unfit: u64,
    /// Packets sent to tell the ends of rejected ones.
    pub rejects: u64,
    /// Packets of clients' first flights that are held now.
    pub holding: u64,
    /// Packets that were held.
    pub held: u64,
    /// Packets that were held and released.
    pub held_released: u64,
    /// Packets that were held and dropped because a rule or the default action said so.
    pub held_denied: u64,
    /// Times that a flow had more bytes to hold than it may.
    pub holds_at_bytes: u64,
    /// Times that a flow was held for as long as it may.
    pub holds_at_time: u64,
    /// Times that there was no room to hold a packet.
    pub holds_at_total: u64,
    /// Packets of our own that were not sent because of their rate, or because too many waited.
    pub injections_withheld: u64,
    /// Packets of our own that were not sent because there was no memory for them.
    pub injections_lost: u64,
    /// Unusual GENEVE headers that were not kept byte for byte; only injected packets need them.
    pub headers_lost: u64,
}

impl Counts {
    /// Count what a packet changed, and tell of it.
    #[cold]
    pub(super) fn note(&mut self, change: &Change<Judged>, outbox: &mut Outbox) {
        self.flows_begun += u64::from(change.is_new);
        self.flows_midstream += u64::from(change.is_midstream);
        self.cookies_changed += u64::from(change.cookie_changed);
        if let Some(ended) = change.ended {
            self.end(ended, outbox);
        }
    }

    /// Count a flow's end and tell of it.
    #[cold]
    pub(super) fn end(&mut self, ended: Ended<Judged>, outbox: &mut Outbox) {
        *match ended.why {
            EndReason::Idle => &mut self.flows_idle,
            EndReason::Closed => &mut self.flows_closed,
            EndReason::Reset => &mut self.flows_reset,
            EndReason::Replaced => &mut self.flows_replaced,
            EndReason::Flushed => &mut self.flows_flushed,
        } += 1;
        outbox.put(Event::FlowEnd(ended));
    }
}
