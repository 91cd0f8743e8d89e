//! `[events]`: what is told, to whom, and in which wrapping.

use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::document::Document;
use crate::value;

/// `[events]`: what is told, to whom, and in which wrapping.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EventSettings {
    /// Where events go.
    pub output: EventOutput,
    /// When a file is set aside.
    pub rotation: Rotation,
    /// Which events are told.
    pub kinds: Vec<EventKind>,
    /// How often figures are told; zero: never.
    pub stats_interval: Duration,
    /// As whose firewall's events are wrapped, in the way of AWS Network Firewall; `None`: they are not.
    pub firewall: Option<Firewall>,
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
    /// A stream socket that somebody listens on.
    Socket(PathBuf),
}

/// When a file of events is set aside for a new one, and how many such are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rotation {
    /// At this size in bytes; 0: never.
    pub bytes: u64,
    /// So many are kept beside the one that is written.
    pub kept: u32,
}

/// A kind of event, by its `event_type`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum EventKind {
    Alert,
    Anomaly,
    Dns,
    Drop,
    Flow,
    Http,
    Packet,
    Quic,
    Stats,
    Tls,
}

impl EventKind {
    /// Every kind, with its name.
    pub const ALL: [(&str, Self); 10] = [
        ("alert", Self::Alert),
        ("anomaly", Self::Anomaly),
        ("dns", Self::Dns),
        ("drop", Self::Drop),
        ("flow", Self::Flow),
        ("http", Self::Http),
        ("packet", Self::Packet),
        ("quic", Self::Quic),
        ("stats", Self::Stats),
        ("tls", Self::Tls),
    ];
}

/// What AWS Network Firewall says of itself in every record ("Contents of a AWS Network Firewall log").
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Firewall {
    /// `firewall_name`.
    pub name: String,
    /// `availability_zone`.
    pub zone: String,
}

impl Default for EventSettings {
    /// Everything to standard output, as it is.
    fn default() -> Self {
        Self {
            output: EventOutput::Stdout,
            rotation: Rotation { bytes: 0, kept: 8 },
            kinds: EventKind::ALL.map(|(_, kind)| kind).to_vec(),
            stats_interval: Duration::from_secs(60),
            firewall: None,
        }
    }
}

impl EventSettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let usual = Self::default();
        let mebibytes = document.value("events", "rotate", 0, value::number(0..=1 << 20));
        let firewall = document.value("events", "firewall", None, value::text_or_none);
        let zone = document.value("events", "availability_zone", None, value::text_or_none);
        if firewall.is_none() && zone.is_some() {
            document.wrong("events.availability_zone", "means nothing without events.firewall");
        }
        Self {
            output: document.value("events", "output", usual.output, output),
            rotation: Rotation {
                bytes: u64::from(mebibytes) << 20,
                kept: document.value("events", "keep", usual.rotation.kept, value::number(1..=1000)),
            },
            kinds: document.value(
                "events",
                "types",
                usual.kinds,
                value::list(value::choice(&EventKind::ALL)),
            ),
            stats_interval: document.value(
                "events",
                "stats_interval",
                usual.stats_interval,
                value::seconds(0..=86400),
            ),
            firewall: firewall.map(|name| Firewall { name, zone: zone.unwrap_or_default() }),
        }
    }
}

fn output(value: &DeValue<'_>) -> Result<EventOutput, String> {
    let said = value::text(value)
        .map_err(|_| "must be \"off\", \"stdout\", \"unix:\" with a socket's name, or a file's name")?;
    Ok(match (said.as_str(), said.strip_prefix("unix:")) {
        ("off", _) => EventOutput::Off,
        ("stdout", _) => EventOutput::Stdout,
        (_, Some(socket)) => EventOutput::Socket(socket.into()),
        _ => EventOutput::File(said.into()),
    })
}
