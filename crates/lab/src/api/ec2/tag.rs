use super::lookup::{all_tags, done, tagged};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::filter::{Filters, one};
use crate::api::page::page;
use crate::api::tags;
use crate::state::Tags;

pub(super) const ACTIONS: &[Action] = &[
    Action { name: "CreateTags", parameters: &["ResourceId.N!", "Tag.N.Key!", "Tag.N.Value"], run: create },
    Action { name: "DeleteTags", parameters: &["ResourceId.N!", "Tag.N.Key", "Tag.N.Value"], run: delete },
    Action {
        name: "DescribeTags",
        parameters: &["Filter.N.Name", "Filter.N.Value.N", "MaxResults", "NextToken"],
        run: describe,
    },
];

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    for id in call.form.list("ResourceId") {
        let tags = tagged(&mut call.state, id)?;
        for pair in call.form.items("Tag") {
            let (key, value) = tags::checked(&pair)?;
            tags.insert(key, value);
        }
        tags::room(Service::Ec2, tags)?;
    }
    done(call)
}

/// Without tags, deletes all; with a value, only a tag that has it.
fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let pairs = call.form.items("Tag");
    for id in call.form.list("ResourceId") {
        let tags = tagged(&mut call.state, id)?;
        if pairs.is_empty() {
            tags.clear();
        }
        for pair in &pairs {
            let key = pair.required("Key")?;
            if pair.text("Value").is_none_or(|v| tags.get(key).is_some_and(|own| own == v)) {
                tags.remove(key);
            }
        }
    }
    done(call)
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let Call { form, state, out, .. } = call;
    let filters = Filters::of(form, &["resource-id", "resource-type", "key", "value"])?;
    let mut found = Vec::new();
    for (id, kind, tags) in all_tags(state) {
        for (key, value) in tags {
            let just: Tags = [(key.clone(), value.clone())].into();
            let pass = filters.pass(&just, |name| match name {
                "resource-id" => one(id),
                "resource-type" => one(kind),
                "key" => one(key),
                _ => one(value),
            });
            if pass {
                found.push((format!("{id}/{key}"), (id, kind, key, value)));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    page(form, out, "tagSet", found, |x, (id, kind, key, value)| {
        x.text("resourceId", id);
        x.text("resourceType", kind);
        x.text("key", key);
        x.text("value", value);
    })
}
