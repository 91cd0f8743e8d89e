//! What a role counts, by name.

use inspect::EventKind;

/// What is counted beside the drop reasons. The discriminant is the cell's index; [`Counter::name`] is the metric's name.
/// All of them only ever grow but the gauges.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Counter {
    /// Alerts raised.
    Alerts,
    /// Alerts that found no room in their packet's judgement.
    AlertsLost,
    /// Bursts that came from the source.
    Bursts,
    /// Nanoseconds of turns in which packets moved.
    BusyNanos,
    /// Turns in which packets moved.
    BusyTurns,
    /// Times GWLB gave one direction of a known flow another cookie.
    CookiesChanged,
    /// Nanoseconds since the role's first turn. What is not busy is idle, or another role's of the same thread.
    ElapsedNanos,
    /// Alerts that found no room on their way to the log.
    EventsLostAlerts,
    /// Anomalies that found no room on their way to the log.
    EventsLostAnomalies,
    /// Drops that found no room on their way to the log.
    EventsLostDrops,
    /// Ends of flows that found no room on their way to the log.
    EventsLostFlows,
    /// Tagged packets that found no room on their way to the log.
    EventsLostPackets,
    /// Transactions that found no room on their way to the log.
    EventsLostTransactions,
    /// Flows in the table now (a gauge).
    Flows,
    /// Flows begun.
    FlowsBegun,
    /// TCP flows ended after both sides had closed.
    FlowsClosed,
    /// Flows ended because new rules let all flows begin anew.
    FlowsFlushed,
    /// Flows ended because no packet came.
    FlowsIdle,
    /// Flows begun amid a TCP connection.
    FlowsMidstream,
    /// Flows that another of the same key replaced under a new cookie.
    FlowsReplaced,
    /// TCP flows ended after a RST.
    FlowsReset,
    /// Parts of datagrams that came.
    Fragments,
    /// Datagrams in parts that did not become whole in their time.
    FragmentsExpired,
    /// Parts of datagrams that were refused: they overlap, or are too many, or find no room.
    FragmentsUnfit,
    /// Datagrams put together of parts.
    FragmentsWhole,
    /// Unusual GENEVE headers that were not kept for packets to be injected.
    HeadersLost,
    /// When the last turn ended, in nanoseconds of the role's clock (a gauge).
    Heartbeat,
    /// Packets that the sink has not taken yet, and those that wait for a verdict (a gauge).
    Held,
    /// Times that a client's first flight was longer than may be held.
    HoldsAtBytes,
    /// Times that a client's first flight was held for as long as may be.
    HoldsAtTime,
    /// Times that there was no room to hold a packet.
    HoldsAtTotal,
    /// Packets that were held and dropped because a rule or the default action said so.
    HoldsDenied,
    /// Packets that are held until a name is judged (a gauge).
    HoldsNow,
    /// Packets that were held and released.
    HoldsReleased,
    /// Packets that were held until a name was judged.
    HoldsTaken,
    /// Turns in which no packet moved.
    IdleTurns,
    /// Frames that did not come from the source: the control thread's, and what the role sends of its own accord.
    Injected,
    /// Frames of our own that were not sent because there was no memory for them.
    InjectionsLost,
    /// Frames of our own that were not sent because of their rate, or because too many waited.
    InjectionsWithheld,
    /// Times the policy was asked.
    Judgements,
    /// Packets inside customers' packets that were judged.
    PacketsCarried,
    /// Packets inside customers' packets that were not: malformed, or in too many tunnels.
    PacketsCarriedUnread,
    /// Packets told because a rule's `tag` asked for them.
    PacketsTagged,
    /// Packets that the sink took, injected and uninspected ones included.
    Passed,
    /// Packets that went to the local lane.
    Punted,
    /// Packets that came from the source.
    Received,
    /// Packets sent to tell the ends of rejected ones.
    Rejects,
    /// Rules that were asked, because a pattern of theirs was found or they have none.
    RulesAsked,
    /// Packets that had more candidates than are asked.
    RulesCutShort,
    /// Tests of rules that were given up because their steps were used up.
    RulesExhausted,
    /// Groups of flows that were forgotten for others; to meet one again costs time.
    RulesGroupsEvicted,
    /// Texts in which patterns could not be looked for.
    RulesUnscanned,
    /// Rules that could not wait for more of a stream, because too many did.
    RulesWaitingLost,
    /// Flows that are being looked into now (a gauge).
    Sessions,
    /// Times that a flow was to be looked into and was not, because there was no room.
    SessionsLost,
    /// Segments for which there was no room.
    StreamsAtBound,
    /// Segments taken behind a hole.
    StreamsBuffered,
    /// Streams followed no further because there was no room.
    StreamsBypassed,
    /// Bytes that streams hold now (a gauge).
    StreamsBytes,
    /// Segments whose bytes differed from those seen before.
    StreamsConflicts,
    /// Segments that brought nothing new.
    StreamsDuplicates,
    /// Bytes of streams forgotten before they were acknowledged.
    StreamsForgotten,
    /// Holes given up: their bytes were never seen.
    StreamsGaps,
    /// Streams begun amid a connection.
    StreamsMidstream,
    /// Segments refused, for whatever reason.
    StreamsMisfits,
    /// Bytes of holes given up.
    StreamsMissing,
    /// Packets passed around a full inbox because the operator chose to fail open.
    Uninspected,
}

impl Counter {
    /// Every counter, in the order of the cells.
    pub const ALL: [Self; 67] = [
        Self::Alerts,
        Self::AlertsLost,
        Self::Bursts,
        Self::BusyNanos,
        Self::BusyTurns,
        Self::CookiesChanged,
        Self::ElapsedNanos,
        Self::EventsLostAlerts,
        Self::EventsLostAnomalies,
        Self::EventsLostDrops,
        Self::EventsLostFlows,
        Self::EventsLostPackets,
        Self::EventsLostTransactions,
        Self::Flows,
        Self::FlowsBegun,
        Self::FlowsClosed,
        Self::FlowsFlushed,
        Self::FlowsIdle,
        Self::FlowsMidstream,
        Self::FlowsReplaced,
        Self::FlowsReset,
        Self::Fragments,
        Self::FragmentsExpired,
        Self::FragmentsUnfit,
        Self::FragmentsWhole,
        Self::HeadersLost,
        Self::Heartbeat,
        Self::Held,
        Self::HoldsAtBytes,
        Self::HoldsAtTime,
        Self::HoldsAtTotal,
        Self::HoldsDenied,
        Self::HoldsNow,
        Self::HoldsReleased,
        Self::HoldsTaken,
        Self::IdleTurns,
        Self::Injected,
        Self::InjectionsLost,
        Self::InjectionsWithheld,
        Self::Judgements,
        Self::PacketsCarried,
        Self::PacketsCarriedUnread,
        Self::PacketsTagged,
        Self::Passed,
        Self::Punted,
        Self::Received,
        Self::Rejects,
        Self::RulesAsked,
        Self::RulesCutShort,
        Self::RulesExhausted,
        Self::RulesGroupsEvicted,
        Self::RulesUnscanned,
        Self::RulesWaitingLost,
        Self::Sessions,
        Self::SessionsLost,
        Self::StreamsAtBound,
        Self::StreamsBuffered,
        Self::StreamsBypassed,
        Self::StreamsBytes,
        Self::StreamsConflicts,
        Self::StreamsDuplicates,
        Self::StreamsForgotten,
        Self::StreamsGaps,
        Self::StreamsMidstream,
        Self::StreamsMisfits,
        Self::StreamsMissing,
        Self::Uninspected,
    ];

    /// What the loop counts itself, in every turn; all others are the stage's, which reports them when they change.
    pub(crate) const OF_EVERY_TURN: [Self; 12] = [
        Self::Bursts,
        Self::BusyNanos,
        Self::BusyTurns,
        Self::ElapsedNanos,
        Self::Heartbeat,
        Self::Held,
        Self::IdleTurns,
        Self::Injected,
        Self::Passed,
        Self::Punted,
        Self::Received,
        Self::Uninspected,
    ];

    /// What counts the lost events of a kind.
    #[must_use]
    pub fn of_lost(kind: EventKind) -> Self {
        match kind {
            EventKind::Alert => Self::EventsLostAlerts,
            EventKind::Anomaly => Self::EventsLostAnomalies,
            EventKind::Drop => Self::EventsLostDrops,
            EventKind::Flow => Self::EventsLostFlows,
            EventKind::Packet => Self::EventsLostPackets,
            EventKind::Transaction => Self::EventsLostTransactions,
        }
    }

    /// The counter's name in metrics, snake_case with its unit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::AlertsLost => "alerts_lost",
            Self::Bursts => "bursts",
            Self::BusyNanos => "busy_nanoseconds",
            Self::BusyTurns => "busy_turns",
            Self::CookiesChanged => "cookies_changed",
            Self::ElapsedNanos => "elapsed_nanoseconds",
            Self::EventsLostAlerts => "events_lost_alerts",
            Self::EventsLostAnomalies => "events_lost_anomalies",
            Self::EventsLostDrops => "events_lost_drops",
            Self::EventsLostFlows => "events_lost_flows",
            Self::EventsLostPackets => "events_lost_packets",
            Self::EventsLostTransactions => "events_lost_transactions",
            Self::Flows => "flows",
            Self::FlowsBegun => "flows_begun",
            Self::FlowsClosed => "flows_closed",
            Self::FlowsFlushed => "flows_flushed",
            Self::FlowsIdle => "flows_idle",
            Self::FlowsMidstream => "flows_midstream",
            Self::FlowsReplaced => "flows_replaced",
            Self::FlowsReset => "flows_reset",
            Self::Fragments => "fragments",
            Self::FragmentsExpired => "fragments_expired",
            Self::FragmentsUnfit => "fragments_unfit",
            Self::FragmentsWhole => "fragments_whole",
            Self::HeadersLost => "headers_lost",
            Self::Heartbeat => "heartbeat_nanoseconds",
            Self::Held => "held_packets",
            Self::HoldsAtBytes => "holds_at_bytes",
            Self::HoldsAtTime => "holds_at_time",
            Self::HoldsAtTotal => "holds_at_total",
            Self::HoldsDenied => "holds_denied_packets",
            Self::HoldsNow => "holds_now_packets",
            Self::HoldsReleased => "holds_released_packets",
            Self::HoldsTaken => "holds_taken_packets",
            Self::IdleTurns => "idle_turns",
            Self::Injected => "injected_packets",
            Self::InjectionsLost => "injections_lost",
            Self::InjectionsWithheld => "injections_withheld",
            Self::Judgements => "judgements",
            Self::PacketsCarried => "packets_carried",
            Self::PacketsCarriedUnread => "packets_carried_unread",
            Self::PacketsTagged => "packets_tagged",
            Self::Passed => "passed_packets",
            Self::Punted => "punted_packets",
            Self::Received => "received_packets",
            Self::Rejects => "rejects",
            Self::RulesAsked => "rules_asked",
            Self::RulesCutShort => "rules_cut_short",
            Self::RulesExhausted => "rules_exhausted",
            Self::RulesGroupsEvicted => "rules_groups_evicted",
            Self::RulesUnscanned => "rules_unscanned",
            Self::RulesWaitingLost => "rules_waiting_lost",
            Self::Sessions => "sessions",
            Self::SessionsLost => "sessions_lost",
            Self::StreamsAtBound => "streams_at_bound",
            Self::StreamsBuffered => "streams_buffered",
            Self::StreamsBypassed => "streams_bypassed",
            Self::StreamsBytes => "streams_bytes",
            Self::StreamsConflicts => "streams_conflicts",
            Self::StreamsDuplicates => "streams_duplicates",
            Self::StreamsForgotten => "streams_forgotten_bytes",
            Self::StreamsGaps => "streams_gaps",
            Self::StreamsMidstream => "streams_midstream",
            Self::StreamsMisfits => "streams_misfits",
            Self::StreamsMissing => "streams_missing_bytes",
            Self::Uninspected => "uninspected_packets",
        }
    }

    /// Whether it may shrink.
    #[must_use]
    pub fn is_gauge(self) -> bool {
        matches!(
            self,
            Self::Flows | Self::Heartbeat | Self::Held | Self::HoldsNow | Self::Sessions | Self::StreamsBytes
        )
    }
}
