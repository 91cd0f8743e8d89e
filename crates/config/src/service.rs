//! `[metrics]`, `[events]`, `[drain]`: what the control thread does beside health checks.

use std::net::SocketAddr;
use std::time::Duration;

use crate::document::Document;
use crate::events::EventSettings;
use crate::learn::LearnSettings;
use crate::value;

/// `[metrics]`, `[events]`, `[learn]`, `[drain]`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ServiceSettings {
    /// Address of the Prometheus exporter, on the management side.
    pub metrics: SocketAddr,
    /// Where alerts and flow records go.
    pub events: EventSettings,
    /// What is learnt, if anything is.
    pub learn: Option<LearnSettings>,
    /// Between failing the health check and stopping: the GWLB's interval times its unhealthy threshold, and some.
    pub drain_delay: Duration,
}

impl ServiceSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 9100));
        Self {
            metrics: document.value("metrics", "listen", loopback, value::socket),
            events: EventSettings::read(document),
            learn: LearnSettings::read(document),
            drain_delay: document.value("drain", "delay", Duration::from_secs(25), value::seconds(0..=3600)),
        }
    }
}
