//! `[inspection]`: how much is kept of flows that are looked into, and what happens where that is not enough.

use std::time::Duration;

use crate::document::Document;
use crate::value;

/// `[inspection]`: bounds of each worker.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InspectionSettings {
    /// Flows that are looked into at a time.
    pub sessions: u32,
    /// What becomes of a flow for which there is no room.
    pub sessions_full: SessionsFull,
    /// MiB that streams hold.
    pub stream_memory: u32,
    /// KiB kept of one direction of one stream.
    pub stream_window: u32,
    /// What happens to a segment for which there is no room.
    pub stream_full: StreamFull,
    /// Whether segments with urgent data are dropped.
    pub drops_urgent: bool,
    /// Datagrams in parts that are remembered.
    pub fragments: u32,
    /// KiB that their parts hold.
    pub fragment_memory: u32,
    /// How long such a datagram is remembered.
    pub fragment_timeout: Duration,
}

/// What becomes of a flow that is to be looked into, and there is no room for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionsFull {
    /// Its headers alone are judged.
    Headers,
    /// It is dropped until there is room.
    Drop,
}

/// What happens to a segment for which there is no room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamFull {
    /// It is dropped.
    Drop,
    /// It passes, and leaves a gap.
    Gap,
    /// The stream passes, and is followed no further.
    Bypass,
}

impl InspectionSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let sessions_full = [("headers", SessionsFull::Headers), ("drop", SessionsFull::Drop)];
        let stream_full =
            [("drop", StreamFull::Drop), ("gap", StreamFull::Gap), ("bypass", StreamFull::Bypass)];
        let urgent = [("inline", false), ("drop", true)];
        let mut number =
            |key, default, range| document.value("inspection", key, default, value::number(range));
        let sessions = number("sessions", 65_536, 1..=1 << 24);
        let stream_memory = number("stream_memory", 256, 1..=1 << 20);
        let stream_window = number("stream_window", 512, 4..=1 << 16);
        let fragments = number("fragments", 4096, 1..=1 << 20);
        let fragment_memory = number("fragment_memory", 4096, 64..=1 << 22);
        if stream_window / 1024 > stream_memory {
            document.wrong("inspection.stream_window", "must not be more than stream_memory");
        }
        Self {
            sessions,
            sessions_full: document.value(
                "inspection",
                "sessions_full",
                SessionsFull::Headers,
                value::choice(&sessions_full),
            ),
            stream_memory,
            stream_window,
            stream_full: document.value(
                "inspection",
                "stream_full",
                StreamFull::Drop,
                value::choice(&stream_full),
            ),
            drops_urgent: document.value("inspection", "urgent", false, value::choice(&urgent)),
            fragments,
            fragment_memory,
            fragment_timeout: document.value(
                "inspection",
                "fragment_timeout",
                Duration::from_secs(60),
                value::seconds(1..=3600),
            ),
        }
    }
}
