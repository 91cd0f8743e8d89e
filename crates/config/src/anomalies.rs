//! `[policy.anomalies]` and `[endpoint.anomalies]`: what is done about what is odd in itself.

use std::net::IpAddr;

use policy::{Reaction, Remembering, Suspicion, Suspicions};
use toml::de::DeValue;

use crate::document::Document;
use crate::value;

/// What can be done about any kind, and what only about names.
const REACTIONS: [(&str, Option<Reaction>); 5] = [
    ("observe", Some(Reaction::Observe)),
    ("alert", Some(Reaction::Alert)),
    ("drop", Some(Reaction::Drop)),
    ("reject", Some(Reaction::Reject)),
    ("off", None),
];

/// What the table below `of` says, and for what it does not say, `usual`.
pub(crate) fn read(document: &mut Document<'_>, of: &str, usual: &Suspicions) -> Suspicions {
    let table = format!("{of}.anomalies");
    let mut suspicions = usual.clone();
    for (name, kind) in Suspicion::ALL {
        let words = if kind.is_of_names() { &REACTIONS[..] } else { &REACTIONS[..4] };
        let reaction = document.value(&table, name, usual.reaction(kind), value::choice(words));
        suspicions = suspicions.with(kind, reaction);
    }
    let known = &usual.remembering;
    let time = value::seconds(0..=2_592_000);
    suspicions.remembering = Remembering {
        resolvers: document.value(&table, "resolvers", known.resolvers.clone(), value::list(address)),
        at_least: document.value(&table, "remember_at_least", known.at_least, &time),
        at_most: document.value(&table, "remember_at_most", known.at_most, &time),
        grace: document.value(&table, "grace", known.grace, &time),
    };
    if suspicions.remembering.at_least > suspicions.remembering.at_most {
        document.wrong(&format!("{table}.remember_at_least"), "must not be more than remember_at_most");
        suspicions.remembering.at_most = suspicions.remembering.at_least;
    }
    suspicions
}

fn address(value: &DeValue<'_>) -> Result<IpAddr, String> {
    let address = value.as_str().and_then(|text| text.parse().ok());
    address.ok_or_else(|| "must be an IP address such as \"10.0.0.2\"".into())
}
