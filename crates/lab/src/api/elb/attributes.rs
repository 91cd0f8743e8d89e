//! Attributes: settings by key and value, of load balancers, target groups and listeners.

use crate::api::action::{Action, Call};
use crate::api::fault::{Fault, Service};
use crate::api::xml::Xml;
use crate::state::{IdleTimeout, LoadBalancer, Stickiness, TargetGroupAttributes};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        name: "DescribeLoadBalancerAttributes",
        parameters: &["LoadBalancerArn!"],
        run: |call| {
            let balancer = call.load_balancer()?;
            write(&mut call.out, &of_load_balancer(&balancer));
            Ok(())
        },
    },
    Action {
        name: "ModifyLoadBalancerAttributes",
        parameters: &["LoadBalancerArn!", "Attributes.member.N.Key!", "Attributes.member.N.Value"],
        run: modify_load_balancer,
    },
    Action {
        name: "DescribeTargetGroupAttributes",
        parameters: &["TargetGroupArn!"],
        run: |call| {
            let group = call.target_group()?;
            write(&mut call.out, &of_target_group(&group.attributes));
            Ok(())
        },
    },
    Action {
        name: "ModifyTargetGroupAttributes",
        parameters: &["TargetGroupArn!", "Attributes.member.N.Key!", "Attributes.member.N.Value"],
        run: modify_target_group,
    },
    Action {
        name: "DescribeListenerAttributes",
        parameters: &["ListenerArn!"],
        run: |call| {
            let listener = call.listener()?;
            write(&mut call.out, &of_listener(listener.idle));
            Ok(())
        },
    },
    Action {
        name: "ModifyListenerAttributes",
        parameters: &["ListenerArn!", "Attributes.member.N.Key!", "Attributes.member.N.Value"],
        run: modify_listener,
    },
];

type Pairs = Vec<(&'static str, String)>;

fn modify_load_balancer(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut balancer = call.load_balancer()?;
    for (key, value) in given(call)? {
        match key.as_str() {
            "deletion_protection.enabled" => balancer.deletion_protection = flag(&key, &value)?,
            "load_balancing.cross_zone.enabled" => balancer.cross_zone = flag(&key, &value)?,
            _ => return Err(unknown("Load balancer", &key)),
        }
    }
    write(&mut call.out, &of_load_balancer(&balancer));
    call.state.load_balancers.insert(balancer.arn.clone(), balancer);
    Ok(())
}

fn of_load_balancer(balancer: &LoadBalancer) -> Pairs {
    vec![
        ("deletion_protection.enabled", balancer.deletion_protection.to_string()),
        ("load_balancing.cross_zone.enabled", balancer.cross_zone.to_string()),
    ]
}

fn modify_target_group(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut group = call.target_group()?;
    let mut failover = [None, None];
    let attributes = &mut group.attributes;
    for (key, value) in given(call)? {
        match key.as_str() {
            "deregistration_delay.timeout_seconds" => {
                attributes.deregistration_delay_s = number(&key, &value, 0, 3600)?;
            }
            "stickiness.enabled" => attributes.stickiness_enabled = flag(&key, &value)?,
            "stickiness.type" => {
                attributes.stickiness_type =
                    match word(&key, &value, &["source_ip_dest_ip", "source_ip_dest_ip_proto"])? {
                        0 => Stickiness::TwoTuple,
                        _ => Stickiness::ThreeTuple,
                    };
            }
            "target_failover.on_deregistration" => {
                failover[0] = Some(word(&key, &value, &["no_rebalance", "rebalance"])? == 1);
            }
            "target_failover.on_unhealthy" => {
                failover[1] = Some(word(&key, &value, &["no_rebalance", "rebalance"])? == 1);
            }
            "send_tcp_reset.on_unhealthy.enabled" => attributes.reset_on_unhealthy = flag(&key, &value)?,
            "send_tcp_reset.on_deregistration.enabled" => {
                attributes.reset_on_deregistration = flag(&key, &value)?
            }
            _ => return Err(unknown("Target group", &key)),
        }
    }
    match failover {
        [None, None] => {}
        [Some(a), Some(b)] if a == b => attributes.rebalance = a,
        _ => {
            let why = "The attributes 'target_failover.on_deregistration' and 'target_failover.on_unhealthy' must be set \
                       together and have the same value";
            return Err(Fault::new("InvalidConfigurationRequest", why));
        }
    }
    write(&mut call.out, &of_target_group(attributes));
    call.state.target_groups.insert(group.arn.clone(), group);
    Ok(())
}

fn of_target_group(attributes: &TargetGroupAttributes) -> Pairs {
    let failover = if attributes.rebalance { "rebalance" } else { "no_rebalance" };
    let kind = match attributes.stickiness_type {
        Stickiness::TwoTuple => "source_ip_dest_ip",
        Stickiness::ThreeTuple | Stickiness::FiveTuple => "source_ip_dest_ip_proto",
    };
    vec![
        ("deregistration_delay.timeout_seconds", attributes.deregistration_delay_s.to_string()),
        ("stickiness.enabled", attributes.stickiness_enabled.to_string()),
        ("stickiness.type", kind.to_owned()),
        ("target_failover.on_deregistration", failover.to_owned()),
        ("target_failover.on_unhealthy", failover.to_owned()),
        ("send_tcp_reset.on_unhealthy.enabled", attributes.reset_on_unhealthy.to_string()),
        ("send_tcp_reset.on_deregistration.enabled", attributes.reset_on_deregistration.to_string()),
    ]
}

fn modify_listener(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut listener = call.listener()?;
    let sticky = call.state.target_groups.get(&listener.target_group).map(|g| g.attributes.stickiness());
    for (key, value) in given(call)? {
        match key.as_str() {
            "tcp.idle_timeout.seconds" => {
                let seconds = number(&key, &value, 60, 6000)?;
                if sticky != Some(Stickiness::FiveTuple) && seconds != listener.idle.tcp_s {
                    let why =
                        format!("The attribute '{key}' can be changed only with 5-tuple flow stickiness");
                    return Err(Fault::new("InvalidConfigurationRequest", why));
                }
                listener.idle.tcp_s = seconds;
            }
            "send_tcp_reset.on_idle_timeout.enabled" => listener.idle.reset = flag(&key, &value)?,
            _ => return Err(unknown("Listener", &key)),
        }
    }
    write(&mut call.out, &of_listener(listener.idle));
    call.state.listeners.insert(listener.arn.clone(), listener);
    Ok(())
}

fn of_listener(idle: IdleTimeout) -> Pairs {
    vec![
        ("tcp.idle_timeout.seconds", idle.tcp_s.to_string()),
        ("send_tcp_reset.on_idle_timeout.enabled", idle.reset.to_string()),
    ]
}

fn given(call: &Call<'_>) -> Result<Vec<(String, String)>, Fault> {
    let items = call.form.items("Attributes.member");
    items.iter().map(|i| Ok((i.required("Key")?.to_owned(), i.required("Value")?.to_owned()))).collect()
}

fn write(x: &mut Xml, pairs: &Pairs) {
    x.list("Attributes", "member", pairs, |x, (key, value)| {
        x.text("Key", key);
        x.text("Value", value);
    });
}

fn unknown(kind: &str, key: &str) -> Fault {
    Fault::new("InvalidConfigurationRequest", format!("{kind} attribute key '{key}' is not recognized"))
}

fn flag(key: &str, value: &str) -> Result<bool, Fault> {
    Ok(word(key, value, &["false", "true"])? == 1)
}

fn word(key: &str, value: &str, words: &[&str]) -> Result<usize, Fault> {
    words.iter().position(|w| *w == value).ok_or_else(|| {
        Fault::invalid(Service::Elb, key, value, &format!("it must be one of {}", words.join(", ")))
    })
}

fn number(key: &str, value: &str, from: u32, to: u32) -> Result<u32, Fault> {
    let n = value.parse().ok().filter(|n| (from..=to).contains(n));
    n.ok_or_else(|| Fault::invalid(Service::Elb, key, value, &format!("it must be between {from} and {to}")))
}
