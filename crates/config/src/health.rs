//! `[health]`: what answers the GWLB's health checks.

use std::time::Duration;

use toml::de::DeValue;

use crate::document::Document;
use crate::value;

/// `[health]`: what answers the GWLB's health checks.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HealthSettings {
    /// As in the target group.
    pub protocol: HealthProtocol,
    /// TCP port of the check.
    pub tcp_port: u16,
    /// Path of the HTTP check.
    pub path: String,
    /// Connections at once, over all GWLB nodes.
    pub connections: u32,
    /// A check that is not done after this long is reset.
    pub timeout: Duration,
}

/// What the GWLB's health check of the target group is set to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HealthProtocol {
    /// A status code is read: unhealthy answers 503, and says why.
    Http,
    /// A handshake is all that may be looked at: unhealthy refuses the connection.
    Tcp,
}

impl HealthSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let protocols = [("http", HealthProtocol::Http), ("tcp", HealthProtocol::Tcp)];
        let path = |value: &DeValue<'_>| {
            let good = |path: &String| {
                path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#')
            };
            let wanted =
                || "must be a path of printable ASCII that starts with / and has no ? or #".to_string();
            value::text(value).ok().filter(good).ok_or_else(wanted)
        };
        Self {
            protocol: document.value("health", "protocol", HealthProtocol::Http, value::choice(&protocols)),
            tcp_port: document.value("health", "port", 80, value::listen_port),
            path: document.value("health", "path", "/".into(), path),
            connections: document.value("health", "connections", 64, value::number(4..=1024)),
            timeout: document.value("health", "timeout", Duration::from_secs(10), value::seconds(1..=120)),
        }
    }
}
