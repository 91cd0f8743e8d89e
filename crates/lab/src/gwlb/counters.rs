//! Why a node let a packet fall, and how often.

use serde::Serialize;

/// Why a packet went no further. Those from `ReturnedMalformed` on concern what an appliance returned.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Fate {
    /// Not an IP packet, or its lengths lie.
    InnerMalformed,
    /// Multicast or link-local: the endpoint's device speaks of itself.
    NotRouted,
    /// Longer than 8500 bytes (AWS, "Gateway Load Balancers", MTU).
    TooBig,
    /// A fragment; GWLB does not carry them.
    Fragment,
    /// IPv6 where load balancer or endpoint is not dualstack.
    Ipv6NotEnabled,
    /// No listener.
    NoListener,
    /// No target that may take a new flow.
    NoTarget,
    /// A TCP segment other than SYN without a flow.
    NoFlow,
    /// The flow table is full.
    TableFull,
    /// The flow was ended and its sender told so by a TCP reset.
    Reset,
    /// The packet's endpoint is not (or no more) this node's.
    NoEndpoint,
    /// The operating system refused to send it.
    SendFailed,
    /// Returned: not GENEVE as GWLB speaks it.
    ReturnedMalformed,
    /// Returned: a cookie and a tuple of no live flow.
    UnknownFlow,
    /// Returned: the tuple is of a live flow, the cookie is not its own (a former flow's).
    CookieMismatch,
    /// Returned: the cookie is of a live flow of another endpoint.
    EndpointMismatch,
    /// Returned: the cookie is of a live flow with another inner tuple.
    InnerMismatch,
    /// Returned: another UDP source port than the flow's.
    UdpPortMismatch,
    /// Returned: from another address than the flow's target.
    SourceMismatch,
    /// Returned: longer than 8500 bytes.
    ReturnedTooBig,
}

impl Fate {
    /// Every fate, in the order of the counters.
    pub const ALL: [Self; 20] = [
        Self::InnerMalformed,
        Self::NotRouted,
        Self::TooBig,
        Self::Fragment,
        Self::Ipv6NotEnabled,
        Self::NoListener,
        Self::NoTarget,
        Self::NoFlow,
        Self::TableFull,
        Self::Reset,
        Self::NoEndpoint,
        Self::SendFailed,
        Self::ReturnedMalformed,
        Self::UnknownFlow,
        Self::CookieMismatch,
        Self::EndpointMismatch,
        Self::InnerMismatch,
        Self::UdpPortMismatch,
        Self::SourceMismatch,
        Self::ReturnedTooBig,
    ];

    /// The name under which it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InnerMalformed => "inner-malformed",
            Self::NotRouted => "not-routed",
            Self::TooBig => "too-big",
            Self::Fragment => "fragment",
            Self::Ipv6NotEnabled => "ipv6-not-enabled",
            Self::NoListener => "no-listener",
            Self::NoTarget => "no-target",
            Self::NoFlow => "no-flow",
            Self::TableFull => "table-full",
            Self::Reset => "reset",
            Self::NoEndpoint => "no-endpoint",
            Self::SendFailed => "send-failed",
            Self::ReturnedMalformed => "returned-malformed",
            Self::UnknownFlow => "unknown-flow",
            Self::CookieMismatch => "cookie-mismatch",
            Self::EndpointMismatch => "endpoint-mismatch",
            Self::InnerMismatch => "inner-mismatch",
            Self::UdpPortMismatch => "udp-port-mismatch",
            Self::SourceMismatch => "source-mismatch",
            Self::ReturnedTooBig => "returned-too-big",
        }
    }
}

/// What a node has done since it started.
#[derive(Clone, Debug)]
pub struct Counters {
    /// Packets sent to targets.
    pub sent: u64,
    /// Packets that came back and went on from their endpoint.
    pub returned: u64,
    /// Flows begun.
    pub flows_begun: u64,
    /// Flows that began while no target was healthy.
    pub fail_open: u64,
    /// Flows moved to another target.
    pub rebalanced: u64,
    /// Flows that ended by idle time or close.
    pub expired: u64,
    fates: [u64; Fate::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            sent: 0,
            returned: 0,
            flows_begun: 0,
            fail_open: 0,
            rebalanced: 0,
            expired: 0,
            fates: [0; Fate::ALL.len()],
        }
    }
}

impl Counters {
    /// Count one packet that went no further.
    pub fn count(&mut self, fate: Fate) {
        if let Some(count) = self.fates.get_mut(fate as usize) {
            *count += 1;
        }
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, fate: Fate) -> u64 {
        self.fates.get(fate as usize).copied().unwrap_or_default()
    }

    /// Every count with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let whole = [
            ("sent", self.sent),
            ("returned", self.returned),
            ("flows-begun", self.flows_begun),
            ("fail-open", self.fail_open),
            ("rebalanced", self.rebalanced),
            ("expired", self.expired),
        ];
        whole.into_iter().chain(Fate::ALL.iter().map(|fate| (fate.name(), self.of(*fate))))
    }
}

impl Serialize for Counters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fate_has_a_counter_and_a_name_of_its_own() {
        let names: HashSet<_> = Fate::ALL.iter().map(|fate| fate.name()).collect();
        assert_eq!(names.len(), Fate::ALL.len());
        for (index, fate) in Fate::ALL.iter().enumerate() {
            assert_eq!(*fate as usize, index);
            let mut counters = Counters::default();
            counters.count(*fate);
            assert_eq!(
                counters.iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>(),
                [(fate.name(), 1)]
            );
        }
    }
}
