//! Everything there is to see of a lab, as one JSON value: for `status`, and for the page.

use serde_json::{Value, json};

use crate::gwlb::health::{Failure, Health};
use crate::lab::Lab;
use crate::state::{State, TargetGroup};

/// The state, each target's health, and what the network reports.
#[must_use]
pub fn tell(lab: &Lab) -> Value {
    let state = lab.state();
    let targets: Vec<Value> = state
        .target_groups
        .values()
        .flat_map(|group| group.targets.iter().map(move |t| (group, t)))
        .map(|(group, target)| {
            json!({
                "target_group": group.arn,
                "id": target.id,
                "name": name(state, group, &target.id),
                "draining": target.draining_since.is_some(),
                "health": lab.plane().health(&group.arn, &target.id).map(word),
            })
        })
        .collect();
    json!({ "state": state, "targets": targets, "network": lab.plane().report() })
}

/// What `gwlb-lab` calls a target.
fn name(state: &State, group: &TargetGroup, id: &str) -> String {
    let instances = state.instances.values();
    let found = match group.kind {
        crate::state::TargetKind::Instance => state.instances.get(id),
        crate::state::TargetKind::Ip => instances.into_iter().find(|i| i.interface.ipv4.to_string() == id),
    };
    found.map_or_else(|| id.to_owned(), |i| i.name.clone())
}

const fn word(health: Health) -> &'static str {
    match health {
        Health::Initial => "initial",
        Health::Healthy => "healthy",
        Health::Unhealthy(Failure::Timeout) => "unhealthy (timeout)",
        Health::Unhealthy(Failure::Failed) => "unhealthy (failed)",
        Health::Unhealthy(Failure::Status(_)) => "unhealthy (mismatch)",
    }
}
