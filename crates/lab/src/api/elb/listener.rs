use super::arn::{no_listener, no_load_balancer, no_target_group};
use crate::api::action::{Action, Call};
use crate::api::fault::Fault;
use crate::api::page::page;
use crate::api::tags;
use crate::api::xml::Xml;
use crate::state::{Id, IdleTimeout, Listener, LoadBalancer};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "CreateListener",
        parameters: &[
            "LoadBalancerArn!",
            "Protocol",
            "Port",
            "DefaultActions.member.N.Type!",
            "DefaultActions.member.N.TargetGroupArn",
            "DefaultActions.member.N.Order",
            "DefaultActions.member.N.ForwardConfig.TargetGroups.member.N.TargetGroupArn",
            "Tags.member.N.Key",
            "Tags.member.N.Value",
        ],
        run: create,
    },
    Action {
        name: "DescribeListeners",
        parameters: &["LoadBalancerArn", "ListenerArns.member.N", "Marker", "PageSize"],
        run: describe,
    },
    Action {
        name: "ModifyListener",
        parameters: &[
            "ListenerArn!",
            "Protocol",
            "Port",
            "DefaultActions.member.N.Type",
            "DefaultActions.member.N.TargetGroupArn",
            "DefaultActions.member.N.Order",
            "DefaultActions.member.N.ForwardConfig.TargetGroups.member.N.TargetGroupArn",
        ],
        run: modify,
    },
    Action { name: "DeleteListener", parameters: &["ListenerArn!"], run: delete },
];

fn create(call: &mut Call<'_>) -> Result<(), Fault> {
    let balancer = call.load_balancer()?;
    let target_group = forwards_to(call, &balancer)?;
    let tags = tags::given(call.form, "")?;
    if let Some(old) = call.state.listener_of(&balancer.arn) {
        if old.target_group == target_group {
            let old = old.clone();
            call.out.list("Listeners", "member", [old], |x, l| write(x, &l));
            return Ok(());
        }
        let message = format!("A listener already exists for this load balancer '{}'", balancer.arn);
        return Err(Fault::new("DuplicateListener", message));
    }
    let hex = call.state.hex16();
    let resource = balancer.arn.as_str().split_once("loadbalancer/").map(|(_, r)| r).unwrap_or_default();
    let arn = call.arn(&format!("listener/{resource}/{hex}"));
    let listener =
        Listener { arn, load_balancer: balancer.arn, target_group, idle: IdleTimeout::default(), tags };
    put(call, listener);
    Ok(())
}

fn describe(call: &mut Call<'_>) -> Result<(), Fault> {
    let balancer = match call.form.text("LoadBalancerArn") {
        Some(_) => Some(call.load_balancer_arn()?),
        None => None,
    };
    let Call { form, state, out, .. } = call;
    let arns = form.list("ListenerArns.member");
    if balancer.is_some() != arns.is_empty() {
        let why = "You must specify either listener ARNs or a load balancer ARN";
        return Err(Fault::new("ValidationError", why));
    }
    if balancer.as_ref().is_some_and(|b| !state.load_balancers.contains_key(b)) {
        return Err(no_load_balancer());
    }
    if arns.iter().any(|a| !state.listeners.contains_key(*a)) {
        return Err(no_listener());
    }
    let found = state
        .listeners
        .values()
        .filter(|l| arns.contains(&l.arn.as_str()) || balancer.as_ref() == Some(&l.load_balancer))
        .map(|l| (l.arn.to_string(), l))
        .collect();
    page(form, out, "Listeners", found, write)
}

fn modify(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut listener = call.listener()?;
    let balancer =
        call.state.load_balancers.get(&listener.load_balancer).cloned().ok_or_else(no_load_balancer)?;
    refuse_port(call)?;
    if call.form.has("DefaultActions.member") {
        listener.target_group = forwards_to(call, &balancer)?;
    }
    put(call, listener);
    Ok(())
}

fn delete(call: &mut Call<'_>) -> Result<(), Fault> {
    let listener = call.listener()?;
    call.state.listeners.remove(&listener.arn);
    Ok(())
}

fn put(call: &mut Call<'_>, listener: Listener) {
    call.out.list("Listeners", "member", [&listener], write);
    call.state.listeners.insert(listener.arn.clone(), listener);
}

fn refuse_port(call: &Call<'_>) -> Result<(), Fault> {
    if call.form.has("Protocol") {
        return Err(Fault::new("ValidationError", "A protocol cannot be specified for gateway listeners"));
    }
    if call.form.has("Port") {
        return Err(Fault::new("ValidationError", "A port cannot be specified for gateway listeners"));
    }
    Ok(())
}

/// The one group that the default actions forward to; it must be of the load balancer's VPC and of no other load balancer.
fn forwards_to(call: &Call<'_>, balancer: &LoadBalancer) -> Result<Id, Fault> {
    refuse_port(call)?;
    let actions = call.form.items("DefaultActions.member");
    let [action] = &actions[..] else {
        return Err(Fault::new(
            "ValidationError",
            format!("A listener has one default action, not {}", actions.len()),
        ));
    };
    if action.required("Type")? != "forward" {
        let kind = action.text("Type").unwrap_or_default();
        return Err(Fault::new(
            "InvalidLoadBalancerAction",
            format!("The action type '{kind}' is not valid for gateway listeners"),
        ));
    }
    action.number("Order", 1..=50_000)?;
    let mut groups: Vec<String> = action.text("TargetGroupArn").map(str::to_owned).into_iter().collect();
    for group in action.items("ForwardConfig.TargetGroups.member") {
        groups.push(group.required("TargetGroupArn")?.to_owned());
    }
    groups.dedup();
    let [arn] = &groups[..] else {
        return Err(Fault::new("ValidationError", "A gateway listener forwards to exactly one target group"));
    };
    let arn = call.target_group_arn(arn)?;
    let group = call.state.target_groups.get(&arn).ok_or_else(no_target_group)?;
    if group.vpc != balancer.vpc {
        let why = format!(
            "The target group '{arn}' is of VPC '{}', the load balancer of '{}'",
            group.vpc, balancer.vpc
        );
        return Err(Fault::new("InvalidConfigurationRequest", why));
    }
    if call.state.balancers_of(&arn).any(|other| other.arn != balancer.arn) {
        let why = format!(
            "The following target groups cannot be associated with more than one load balancer: {arn}"
        );
        return Err(Fault::new("TargetGroupAssociationLimit", why));
    }
    Ok(arn)
}

fn write(x: &mut Xml, listener: &Listener) {
    x.text("ListenerArn", &listener.arn);
    x.text("LoadBalancerArn", &listener.load_balancer);
    x.list("DefaultActions", "member", [&listener.target_group], |x, group| {
        x.text("Type", "forward");
        x.text("TargetGroupArn", group);
        x.within("ForwardConfig", |x| {
            x.list("TargetGroups", "member", [group], |x, group| x.text("TargetGroupArn", group));
        });
    });
}
