use super::arn::{no_listener, no_load_balancer, no_target_group};
use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::tags;
use crate::state::{State, Tags};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "AddTags",
        parameters: &["ResourceArns.member.N!", "Tags.member.N.Key!", "Tags.member.N.Value"],
        run: add,
    },
    Action { name: "RemoveTags", parameters: &["ResourceArns.member.N!", "TagKeys.member.N!"], run: remove },
    Action { name: "DescribeTags", parameters: &["ResourceArns.member.N!"], run: describe },
];

fn add(call: &mut Call<'_>) -> Result<(), Fault> {
    let new = tags::given(call.form, "")?;
    for arn in call.form.list("ResourceArns.member") {
        let tags = tags_of(&mut call.state, arn)?;
        tags.extend(new.clone());
        tags::room(Service::Elb, tags)?;
    }
    Ok(())
}

fn remove(call: &mut Call<'_>) -> Result<(), Fault> {
    for arn in call.form.list("ResourceArns.member") {
        let tags = tags_of(&mut call.state, arn)?;
        for key in call.form.list("TagKeys.member") {
            tags.remove(key);
        }
    }
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut found = Vec::new();
    for arn in call.form.list("ResourceArns.member") {
        found.push((arn, tags_of(&mut call.state, arn)?.clone()));
    }
    call.out.list("TagDescriptions", "member", found, |x, (arn, tags)| {
        x.text("ResourceArn", arn);
        x.list("Tags", "member", &tags, |x, (key, value)| {
            x.text("Key", key);
            x.text("Value", value);
        });
    });
    Ok(())
}

fn tags_of<'a>(state: &'a mut State, arn: &str) -> Result<&'a mut Tags, Fault> {
    let kind = arn.split(':').nth(5).and_then(|r| r.split('/').next()).unwrap_or_default();
    match kind {
        "loadbalancer" => state.load_balancers.get_mut(arn).map(|b| &mut b.tags).ok_or_else(no_load_balancer),
        "targetgroup" => state.target_groups.get_mut(arn).map(|g| &mut g.tags).ok_or_else(no_target_group),
        "listener" => state.listeners.get_mut(arn).map(|l| &mut l.tags).ok_or_else(no_listener),
        _ => Err(Fault::new("ValidationError", format!("'{arn}' is not a valid resource ARN"))),
    }
}
