//! Cores, and what moves packets between them.
//!
//! A role is Source → Stage → Sink. The two wirings are made of the same values:
//! ```text
//! pipeline            NIC ─▶ Steer ─▶ Fanout ══▶ Inbox ─▶ Inspect ─▶ Fanout ══▶ Inbox ─▶ Return ─▶ NIC
//!                     └── rx0 … ────────┘       └── worker0 … ────────┘        └── tx0 … ──────────┘
//! run to completion   NIC ─▶ Steer ─▶ Inspect ─▶ Return ─▶ NIC                 (══ one ring per sender)
//! every role          punted packets ══▶ control thread ══▶ tx0 or rtc0 ─▶ NIC
//! ```
//! A stage sets verdicts and owns no packet; [`run()`] moves them, so none can be lost without being counted. It knows
//! neither DPDK nor a clock nor CPU pinning: whoever calls [`launch()`] brings those.
#![forbid(unsafe_code)]

mod counter;
mod crossing;
mod drain;
mod events;
mod fanout;
mod held;
mod idle;
mod inbox;
mod launch;
mod local;
mod ring;
mod roles;
mod run;
mod seams;
mod stages;
mod stats;
mod swap;
mod topology;

pub use counter::Counter;
pub use crossing::{Bare, Learnt};
pub use drain::{Drain, Phase};
pub use events::{EventReceiver, EventSender, events};
pub use fanout::{Fanout, mesh};
pub use idle::{Idle, Sharing};
pub use inbox::Inbox;
pub use launch::{LOCAL_LANE_LEN, LaunchError, Launched, Parts, Threads, launch};
pub use local::{LocalLane, LocalPort, local_lane};
pub use run::{Core, Turn, Turned, Wiring, run};
pub use seams::{Pulled, Sink, Source, Stage};
pub use stages::{Inspect, Return, Steer};
pub use stats::{CoreStats, Counts, Snapshot, Stats};
pub use swap::{SwapReceiver, SwapSender, swap};
pub use topology::{Layout, Role, ThreadPlan, Topology, TopologyError};
