//! `elbv2`, API version 2015-12-01: load balancers, target groups, listeners and their tags.

mod arn;
mod attributes;
mod health_check;
mod listener;
mod load_balancer;
mod tag;
mod target;
mod target_group;

use super::Action;
use super::xml::Xml;

/// The XML namespace of every answer.
pub(super) const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// The whole API.
pub(super) const ACTIONS: &[&[Action]] = &[
    load_balancer::ACTIONS,
    load_balancer::zones::ACTIONS,
    target_group::ACTIONS,
    target::ACTIONS,
    listener::ACTIONS,
    attributes::ACTIONS,
    tag::ACTIONS,
];

/// The answer to action `name`.
pub(super) fn answer(name: &str, id: &str, inside: &Xml) -> String {
    Xml::document(&format!("{name}Response"), Some(NAMESPACE), |x| {
        x.within(&format!("{name}Result"), |x| x.append(inside));
        x.within("ResponseMetadata", |x| x.text("RequestId", id));
    })
}
