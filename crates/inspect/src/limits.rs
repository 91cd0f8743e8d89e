//! How much one worker's inspector keeps, and what happens where that is not enough.

use std::sync::Arc;

use crate::tenants::Tenants;
use crate::{fragments, stream};

/// How much one worker's inspector keeps.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Flows that are looked into at a time: those that rules on content may still match.
    pub sessions: usize,
    /// What becomes of a flow that is to be looked into, and there is no room for it.
    pub at_full: AtFull,
    /// Bytes that the streams of these flows hold.
    pub stream_bytes: usize,
    /// How streams are followed. Whether inline, the inspector's mode says.
    pub streams: stream::Settings,
    /// How datagrams are put together.
    pub fragments: fragments::Settings,
    /// What some endpoints may have of this; all workers count together.
    pub tenants: Arc<Tenants>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 1 << 16,
            at_full: AtFull::default(),
            stream_bytes: 256 << 20,
            streams: stream::Settings::default(),
            fragments: fragments::Settings::default(),
            tenants: Arc::default(),
        }
    }
}

/// What becomes of a flow that is to be looked into, and there is no room for it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AtFull {
    /// It is judged by its headers alone, and goes on if they say so.
    #[default]
    Headers,
    /// Its packets are dropped until there is room: nothing passes that was not looked into.
    Drop,
}
