//! `ec2`, API version 2016-11-15: networks, instances, security groups, endpoint services and endpoints.

mod association;
mod cidr;
mod connection;
mod endpoint;
mod endpoint_service;
mod image;
mod instance;
mod interface;
mod internet_gateway;
mod launch;
mod lookup;
mod permission;
mod principal;
mod route;
mod route_table;
mod rule_change;
mod security_group;
mod subnet;
mod tag;
mod vpc;
mod zone;

use super::Action;
use super::xml::Xml;

pub use image::image_of;

/// The XML namespace of every answer.
const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// The whole API.
pub(super) const ACTIONS: &[&[Action]] = &[
    vpc::ACTIONS,
    cidr::ACTIONS,
    subnet::ACTIONS,
    internet_gateway::ACTIONS,
    route_table::ACTIONS,
    association::ACTIONS,
    route::ACTIONS,
    launch::ACTIONS,
    instance::ACTIONS,
    image::ACTIONS,
    interface::ACTIONS,
    security_group::ACTIONS,
    permission::ACTIONS,
    rule_change::ACTIONS,
    endpoint_service::ACTIONS,
    principal::ACTIONS,
    connection::ACTIONS,
    endpoint::ACTIONS,
    tag::ACTIONS,
    zone::ACTIONS,
];

/// The answer to action `name`.
pub(super) fn answer(name: &str, id: &str, inside: &Xml) -> String {
    Xml::document(&format!("{name}Response"), Some(NAMESPACE), |x| {
        x.text("requestId", id);
        x.append(inside);
    })
}
