//! `[flow]`: how many flows, how long.

use std::time::Duration;

use crate::document::Document;
use crate::value;

/// `[flow]`: how many flows, how long.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FlowSettings {
    /// Flows that all workers together can track.
    pub capacity: u32,
    /// Idle time after which an established TCP flow is forgotten.
    pub tcp_timeout: Duration,
    /// Idle time after which any other flow is forgotten.
    pub other_timeout: Duration,
    /// How long a TCP flow is remembered that both sides have closed, or a RST has ended.
    pub closed_timeout: Duration,
    /// Flows that were there before us.
    pub midstream: Midstream,
    /// Packets inside customers' packets.
    pub tunnels: Tunnels,
}

/// What to do with customers' packets that carry packets: IP in IP, GRE, VXLAN, GENEVE, Teredo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tunnels {
    /// Judge what they carry as well.
    Inspect,
    /// Judge them as they are.
    Opaque,
}

/// What to do with a TCP packet of a flow whose start was not seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Midstream {
    /// Track it as an established flow.
    Pass,
    /// Drop it.
    Drop,
}

impl FlowSettings {
    pub(crate) fn read(document: &mut Document<'_>, workers: usize) -> Self {
        let midstream = [("pass", Midstream::Pass), ("drop", Midstream::Drop)];
        let tunnels = [("inspect", Tunnels::Inspect), ("opaque", Tunnels::Opaque)];
        let capacity = document.value("flow", "capacity", 1_000_000, value::number(1..=1 << 28));
        if (capacity as usize) < workers {
            document.wrong("flow.capacity", format!("must be at least {workers}: one flow for every worker"));
        }
        Self {
            capacity,
            tcp_timeout: document.value(
                "flow",
                "tcp_timeout",
                Duration::from_secs(350),
                value::seconds(1..=86400),
            ),
            other_timeout: document.value(
                "flow",
                "other_timeout",
                Duration::from_secs(120),
                value::seconds(1..=86400),
            ),
            closed_timeout: document.value(
                "flow",
                "closed_timeout",
                Duration::from_secs(60),
                value::seconds(1..=86400),
            ),
            midstream: document.value("flow", "midstream", Midstream::Pass, value::choice(&midstream)),
            tunnels: document.value("flow", "tunnels", Tunnels::Inspect, value::choice(&tunnels)),
        }
    }
}
