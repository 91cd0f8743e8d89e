//! Parts that records of several kinds have.

use std::collections::BTreeMap;

use flow::Tally;
use inspect::app::Anomaly;
use policy::{About, LoadedRule};
use serde_json::{Value, json};

/// What a rule says of itself.
pub(crate) fn alert_part(sid: u32, rule: Option<&LoadedRule>, action: &str) -> Value {
    let about = rule.map(|rule| &rule.rule.about);
    let mut part = json!({
        "action": action,
        "gid": about.map_or(1, |about| about.gid),
        "signature_id": sid,
        "rev": about.map(|about| about.rev),
        "signature": about.and_then(|about| about.msg.as_deref()).unwrap_or_default(),
        "category": rule.map_or("", |rule| &rule.category),
        "severity": rule.map_or(policy::PRIORITY_DEFAULT, |rule| rule.priority),
    });
    let metadata = about.map(metadata).unwrap_or_default();
    if !metadata.is_empty() {
        merge(&mut part, json!({ "metadata": metadata }));
    }
    part
}

/// The alert that tells of an oddity, which no rule names.
pub(crate) fn alert_of(anomaly: Anomaly, action: &str) -> Value {
    json!({
        "action": action,
        "gid": 1,
        "signature_id": anomaly.sid(),
        "rev": 1,
        "signature": format!("SLUICE {anomaly}"),
        "category": "Generic Protocol Command Decode",
        "severity": policy::PRIORITY_DEFAULT,
    })
}

/// A rule's metadata as the EVE log has it: each key once, with all its values.
fn metadata(about: &About) -> BTreeMap<&str, Vec<&str>> {
    let mut metadata: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in &about.metadata {
        metadata.entry(key).or_default().push(value);
    }
    metadata
}

/// Packets and bytes, each way.
pub(crate) fn tallies([to_server, to_client]: [Tally; 2]) -> Value {
    json!({
        "pkts_toserver": to_server.packets(),
        "pkts_toclient": to_client.packets(),
        "bytes_toserver": to_server.bytes(),
        "bytes_toclient": to_client.bytes(),
    })
}

/// The fields of one object into another.
pub(crate) fn merge(part: &mut Value, more: Value) {
    if let (Value::Object(part), Value::Object(more)) = (part, more) {
        part.extend(more);
    }
}
