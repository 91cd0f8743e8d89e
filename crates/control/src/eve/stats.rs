//! The figures of the whole appliance, as the `stats` record has them.

use std::time::Duration;

use engine::{Counter, Snapshot};
use inspect::{DropReason, EventKind};
use serde_json::{Map, Value, json};

/// What was counted up to now.
pub(crate) fn stats(snapshot: &Snapshot, uptime: Duration) -> Value {
    let sum = |counter: Counter| -> u64 { snapshot.roles.iter().map(|(_, counts)| counts.of(counter)).sum() };
    let drops: Map<String, Value> = DropReason::ALL
        .into_iter()
        .map(|reason| (reason.name().to_owned(), snapshot.dropped(reason)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name, count.into()))
        .collect();
    json!({
        "uptime": uptime.as_secs(),
        "decoder": { "pkts": snapshot.received() },
        "ips": {
            "accepted": snapshot.transmitted(),
            "blocked": snapshot.dropped_in_all(),
            "drop_reason": drops,
        },
        "flow": {
            "active": sum(Counter::Flows),
            "total": sum(Counter::FlowsBegun),
            "midstream": sum(Counter::FlowsMidstream),
            "end": {
                "closed": sum(Counter::FlowsClosed),
                "reset": sum(Counter::FlowsReset),
                "timeout": sum(Counter::FlowsIdle),
                "replaced": sum(Counter::FlowsReplaced),
                "flushed": sum(Counter::FlowsFlushed),
            },
        },
        "detect": {
            "judgements": sum(Counter::Judgements),
            "alert": sum(Counter::Alerts),
            "alerts_lost": sum(Counter::AlertsLost),
            "rules_asked": sum(Counter::RulesAsked),
            "cut_short": sum(Counter::RulesCutShort),
            "exhausted": sum(Counter::RulesExhausted),
            "packets_carried": sum(Counter::PacketsCarried),
            "packets_carried_unread": sum(Counter::PacketsCarriedUnread),
            "packets_tagged": sum(Counter::PacketsTagged),
        },
        "tcp": {
            "sessions": sum(Counter::Sessions),
            "sessions_lost": sum(Counter::SessionsLost),
            "memuse": sum(Counter::StreamsBytes),
            "midstream_pickups": sum(Counter::StreamsMidstream),
            "reassembly_gap": sum(Counter::StreamsGaps),
            "missing_bytes": sum(Counter::StreamsMissing),
            "overlap_diff_data": sum(Counter::StreamsConflicts),
            "invalid_segments": sum(Counter::StreamsMisfits),
            "no_room": sum(Counter::StreamsAtBound),
            "bypassed": sum(Counter::StreamsBypassed),
        },
        "defrag": {
            "fragments": sum(Counter::Fragments),
            "reassembled": sum(Counter::FragmentsWhole),
            "timeouts": sum(Counter::FragmentsExpired),
            "invalid": sum(Counter::FragmentsUnfit),
        },
        "gwlb": {
            "punted": snapshot.punted(),
            "injected": snapshot.injected(),
            "held": snapshot.held(),
            "uninspected": snapshot.uninspected(),
            "cookies_changed": sum(Counter::CookiesChanged),
        },
        "events_lost": EventKind::ALL.map(|kind| sum(Counter::of_lost(kind))).iter().sum::<u64>(),
    })
}
