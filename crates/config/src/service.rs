//! `[metrics]`, `[events]`, `[drain]`: what the control thread does beside health checks.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::document::Document;
use crate::value;

/// `[metrics]`, `[events]`, `[drain]`: single keys.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ServiceSettings {
    /// Address of the Prometheus exporter, on the management side.
    pub metrics: SocketAddr,
    /// Where alerts and flow records go.
    pub events: EventOutput,
    /// Between failing the health check and stopping: the GWLB's interval times its unhealthy threshold, and some.
    pub drain_delay: Duration,
}

/// Where events are written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventOutput {
    /// Nowhere.
    Off,
    /// Standard output, one JSON object a line.
    Stdout,
    /// A file that is appended to.
    File(PathBuf),
}

impl ServiceSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 9100));
        let output = |value: &DeValue<'_>| {
            let said =
                value::text(value).map_err(|_| "must be \"off\", \"stdout\" or a file's name".to_string())?;
            Ok(match said.as_str() {
                "off" => EventOutput::Off,
                "stdout" => EventOutput::Stdout,
                _ => EventOutput::File(said.into()),
            })
        };
        Self {
            metrics: document.value("metrics", "listen", loopback, value::socket),
            events: document.value("events", "output", EventOutput::Stdout, output),
            drain_delay: document.value("drain", "delay", Duration::from_secs(25), value::seconds(0..=3600)),
        }
    }
}
