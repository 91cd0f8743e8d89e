//! Endpoints that may not take more than their share of an appliance that many use.
//!
//! ```text
//! first packet of a flow ─▶ flows < most? ── no ─▶ dropped, no flow begins
//! to be looked into      ─▶ sessions < most? ── no ─▶ as where the worker has no room
//! ```
//! All workers count in the same numbers, and only where a flow begins, ends, is opened or closed: other packets pay nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use wire::EndpointId;

/// The endpoints that have limits.
#[derive(Debug, Default)]
pub struct Tenants(HashMap<EndpointId, Arc<Tenant>>);

/// What one endpoint may have at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// Flows.
    pub flows: u64,
    /// Flows that are looked into.
    pub sessions: u64,
}

/// What one endpoint has, and what it was refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TenantCounts {
    /// Flows now.
    pub flows: u64,
    /// Flows that are looked into now.
    pub sessions: u64,
    /// Packets that would have begun one flow too many.
    pub flows_refused: u64,
    /// Flows that were to be looked into, and were one too many.
    pub sessions_refused: u64,
}

#[derive(Debug)]
pub(crate) struct Tenant {
    share: Share,
    flows: AtomicU64,
    sessions: AtomicU64,
    flows_refused: AtomicU64,
    sessions_refused: AtomicU64,
}

/// Stands for one open session of an endpoint, as long as that is open.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Tenant>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Relaxed);
    }
}

impl Tenants {
    /// The shares of some endpoints; the others have no limits of their own.
    #[must_use]
    pub fn new(shares: impl IntoIterator<Item = (EndpointId, Share)>) -> Self {
        let tenant = |share| Tenant {
            share,
            flows: AtomicU64::new(0),
            sessions: AtomicU64::new(0),
            flows_refused: AtomicU64::new(0),
            sessions_refused: AtomicU64::new(0),
        };
        Self(shares.into_iter().map(|(endpoint, share)| (endpoint, Arc::new(tenant(share)))).collect())
    }

    /// What each of them has now.
    pub fn counts(&self) -> impl Iterator<Item = (EndpointId, TenantCounts)> {
        self.0.iter().map(|(endpoint, tenant)| (*endpoint, tenant.counts()))
    }

    /// A flow began; false if that is one too many, and it must not stay.
    pub(crate) fn begin_flow(&self, endpoint: EndpointId) -> bool {
        let Some(tenant) = self.0.get(&endpoint) else { return true };
        tenant.flows.fetch_add(1, Relaxed);
        let fits = tenant.flows.load(Relaxed) <= tenant.share.flows;
        tenant.flows_refused.fetch_add(u64::from(!fits), Relaxed);
        fits
    }

    /// A flow ended that had begun, whether it was one too many or not.
    pub(crate) fn end_flow(&self, endpoint: EndpointId) {
        if let Some(tenant) = self.0.get(&endpoint) {
            tenant.flows.fetch_sub(1, Relaxed);
        }
    }

    /// A flow is to be looked into: its seat if the endpoint has limits, or an error if that is one too many.
    pub(crate) fn open_session(&self, endpoint: EndpointId) -> Result<Option<Seat>, Full> {
        let Some(tenant) = self.0.get(&endpoint) else { return Ok(None) };
        let taken = tenant
            .sessions
            .fetch_update(Relaxed, Relaxed, |open| (open < tenant.share.sessions).then_some(open + 1));
        match taken {
            Ok(_) => Ok(Some(Seat(Arc::clone(tenant)))),
            Err(_) => {
                tenant.sessions_refused.fetch_add(1, Relaxed);
                Err(Full)
            }
        }
    }
}

/// There is no room to look into one more flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Full;

impl Tenant {
    fn counts(&self) -> TenantCounts {
        TenantCounts {
            flows: self.flows.load(Relaxed),
            sessions: self.sessions.load(Relaxed),
            flows_refused: self.flows_refused.load(Relaxed),
            sessions_refused: self.sessions_refused.load(Relaxed),
        }
    }
}
