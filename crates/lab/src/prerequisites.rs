//! What AWS's tutorial supposes is there before its first command: two VPCs with their subnets, an internet gateway, route
//! tables, an application server and the appliances. Built by the very calls a user would make, so that nothing in it is
//! anything a user could not have.
//!
//! ```text
//!  consumer VPC 10.0.0.0/16, IPv6 /56                     provider VPC 10.1.0.0/16, IPv6 /56
//!    zone n:  subnet 1 (servers)   10.0.(2n-1).0/24         zone n:  load balancer's 10.1.(2n-1).0/24
//!             subnet 2 (endpoint)  10.0.(2n).0/24                    appliances'     10.1.(2n).0/24
//!    tables:  gateway, application (one per zone), endpoint
//! ```

use serde::{Deserialize, Serialize};

use crate::api::{Request, access_key, image_of};
use crate::lab::{Lab, LabError};
use crate::plane::Unplugged;
use crate::state::{Role, Settings, State};

/// How many of what.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Appliances in all, spread over the zones in turn.
    pub appliances: u32,
}

/// The prerequisites, and the shell variables that name them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Prerequisites {
    /// Names and values, in the order of the tutorial.
    pub variables: Vec<(String, String)>,
}

/// Why the prerequisites could not be built.
#[derive(Debug, thiserror::Error)]
pub enum PrerequisiteError {
    /// The lab could not be begun.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// A call was refused.
    #[error("{call}: {answer}")]
    Refused {
        /// The form that was sent.
        call: String,
        /// What came back.
        answer: String,
    },
    /// An answer lacks what it should hold.
    #[error("no <{element}> in the answer to {call}")]
    Missing {
        /// The form that was sent.
        call: String,
        /// What was looked for.
        element: String,
    },
}

/// Builds the state in which a lab begins.
///
/// # Errors
/// Names the call that was refused.
pub fn build(
    settings: Settings,
    shape: Shape,
    now: u64,
) -> Result<(State, Prerequisites), PrerequisiteError> {
    let zones = settings.zones.clone();
    let mut builder = Builder {
        lab: Lab::raise(State::new(settings), Box::new(Unplugged), None)?,
        now,
        variables: Vec::new(),
    };
    let consumer = builder.vpc("consumer", "10.0.0.0/16")?;
    let provider = builder.vpc("provider", "10.1.0.0/16")?;
    let gateway = builder.gateway(&consumer)?;
    let gateway_rtb = builder.table(&consumer, "gateway-rtb", &[format!("GatewayId={gateway}")])?;
    builder.set("PROVIDER_VPC_ID", "", &provider);
    builder.set("CONSUMER_VPC_ID", "", &consumer);
    builder.set("IGW_ID", "", &gateway);
    builder.set("GATEWAY_RTB", "", &gateway_rtb);
    let web = builder.group(
        &consumer,
        "web",
        &[("tcp", "80", "80"), ("tcp", "5201", "5201"), ("udp", "5201", "5201")],
    )?;
    let inspection =
        builder.group(&provider, "appliances", &[("udp", "6081", "6081"), ("tcp", "80", "80")])?;
    let mut endpoint_subnets = Vec::new();
    let mut appliance_subnets = Vec::new();
    for (n, zone) in zones.iter().enumerate() {
        let suffix = if n == 0 { String::new() } else { format!("_{}", n + 1) };
        let (odd, even) = (2 * n + 1, 2 * n + 2);
        let servers = builder.subnet(&consumer, zone, (0, odd), 0xa00)?;
        let endpoint = builder.subnet(&consumer, zone, (0, even), 0xa00)?;
        let balancer = builder.subnet(&provider, zone, (1, odd), 0xb00)?;
        appliance_subnets.push(builder.subnet(&provider, zone, (1, even), 0xb00)?);
        let name = format!("application-rtb{}", suffix.replace('_', "-"));
        let application_rtb = builder.table(&consumer, &name, &[format!("SubnetId={servers}")])?;
        builder.set("PROVIDER_SUBNET_ID", &suffix, &balancer);
        builder.set("CONSUMER_SUBNET_ID", &suffix, &endpoint);
        builder.set("SUBNET1_IPV4_CIDR", &suffix, &format!("10.0.{odd}.0/24"));
        builder.set("SUBNET1_IPV6_CIDR", &suffix, &format!("2001:db8:0:{:x}::/64", 0xa00 + odd));
        builder.set("APPLICATION_RTB", &suffix, &application_rtb);
        endpoint_subnets.push(format!("SubnetId={endpoint}"));
        let name = if n == 0 { "app".to_owned() } else { format!("app{}", n + 1) };
        let app = builder.server(&name, &servers, &web, &format!("10.0.{odd}.10"))?;
        builder.set("APP_PUBLIC_IPV4", &suffix, &app.0);
        builder.set("APP_IPV6", &suffix, &app.1);
    }
    let endpoint_rtb = builder.table(&consumer, "endpoint-rtb", &endpoint_subnets)?;
    builder.set("ENDPOINT_RTB", "", &endpoint_rtb);
    let mut instances = Vec::new();
    for (n, subnet) in (1..=shape.appliances).zip(appliance_subnets.iter().cycle()) {
        instances.push(builder.appliance(&format!("appliance{n}"), subnet, &inspection)?);
    }
    builder.set("INSTANCE_IDS", "", &instances.join(" "));
    let internet = builder.lab.state().settings.internet.clone();
    builder.set("CLIENT_IPV4", "", &internet.client_ipv4.to_string());
    builder.set("CLIENT_IPV6", "", &internet.client_ipv6.to_string());
    Ok((builder.lab.state().clone(), Prerequisites { variables: builder.variables }))
}

struct Builder {
    lab: Lab,
    now: u64,
    variables: Vec<(String, String)>,
}

impl Builder {
    fn set(&mut self, name: &str, suffix: &str, value: &str) {
        self.variables.push((format!("{name}{suffix}"), value.to_owned()));
    }

    /// Sends a form and gives the text of the first `element` of the answer.
    fn call(&mut self, form: &str, element: &str) -> Result<String, PrerequisiteError> {
        let answer = self.send(form)?;
        text_of(&answer, element)
            .ok_or_else(|| PrerequisiteError::Missing { call: form.into(), element: element.into() })
    }

    fn send(&mut self, form: &str) -> Result<String, PrerequisiteError> {
        let settings = &self.lab.state().settings;
        let key = access_key(settings.account.parse().unwrap_or_default());
        let scope = format!("AWS4-HMAC-SHA256 Credential={key}/0/{}/ec2/aws4_request", settings.region);
        let body = format!("Version=2016-11-15&{form}");
        let request = Request { authorization: Some(&scope), body: body.as_bytes(), now: self.now, id: "up" };
        let answer = self.lab.submit(&request);
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let why = text_of(&answer.body, "Message").unwrap_or(answer.body);
        Err(PrerequisiteError::Refused { call: form.to_owned(), answer: why })
    }

    fn vpc(&mut self, name: &str, cidr: &str) -> Result<String, PrerequisiteError> {
        let tag = named("vpc", name);
        self.call(
            &format!("Action=CreateVpc&CidrBlock={cidr}&AmazonProvidedIpv6CidrBlock=true&{tag}"),
            "vpcId",
        )
    }

    fn gateway(&mut self, vpc: &str) -> Result<String, PrerequisiteError> {
        let create = format!("Action=CreateInternetGateway&{}", named("internet-gateway", "igw"));
        let id = self.call(&create, "internetGatewayId")?;
        self.send(&format!("Action=AttachInternetGateway&InternetGatewayId={id}&VpcId={vpc}"))?;
        Ok(id)
    }

    fn table(&mut self, vpc: &str, name: &str, points: &[String]) -> Result<String, PrerequisiteError> {
        let create = format!("Action=CreateRouteTable&VpcId={vpc}&{}", named("route-table", name));
        let id = self.call(&create, "routeTableId")?;
        for point in points {
            self.send(&format!("Action=AssociateRouteTable&RouteTableId={id}&{point}"))?;
        }
        Ok(id)
    }

    fn subnet(
        &mut self,
        vpc: &str,
        zone: &str,
        (second, third): (usize, usize),
        ipv6: usize,
    ) -> Result<String, PrerequisiteError> {
        let create = format!(
            "Action=CreateSubnet&VpcId={vpc}&AvailabilityZone={zone}&CidrBlock=10.{second}.{third}.0/24\
             &Ipv6CidrBlock=2001:db8:0:{:x}::/64",
            ipv6 + third
        );
        self.call(&create, "subnetId")
    }

    /// A group that lets in pings and the given ports, from anywhere.
    fn group(
        &mut self,
        vpc: &str,
        name: &str,
        ports: &[(&str, &str, &str)],
    ) -> Result<String, PrerequisiteError> {
        let create =
            format!("Action=CreateSecurityGroup&VpcId={vpc}&GroupName={name}&GroupDescription={name}");
        let id = self.call(&create, "groupId")?;
        let mut form = format!("Action=AuthorizeSecurityGroupIngress&GroupId={id}");
        for (n, (protocol, from, to)) in
            [("icmp", "-1", "-1"), ("icmpv6", "-1", "-1")].iter().chain(ports).enumerate()
        {
            let item = format!("&IpPermissions.{}", n + 1);
            form += &format!("{item}.IpProtocol={protocol}{item}.FromPort={from}{item}.ToPort={to}");
            form += &format!("{item}.IpRanges.1.CidrIp=0.0.0.0/0{item}.Ipv6Ranges.1.CidrIpv6=::/0");
        }
        self.send(&form)?;
        Ok(id)
    }

    /// An application server; gives its public IPv4 address and its IPv6 address.
    fn server(
        &mut self,
        name: &str,
        subnet: &str,
        group: &str,
        address: &str,
    ) -> Result<(String, String), PrerequisiteError> {
        let run = format!(
            "Action=RunInstances&ImageId={}&MinCount=1&MaxCount=1&NetworkInterface.1.DeviceIndex=0\
             &NetworkInterface.1.SubnetId={subnet}&NetworkInterface.1.SecurityGroupId.1={group}\
             &NetworkInterface.1.PrivateIpAddress={address}&NetworkInterface.1.Ipv6AddressCount=1\
             &NetworkInterface.1.AssociatePublicIpAddress=true&{}",
            image_of(Role::Application),
            named("instance", name)
        );
        let answer = self.send(&run)?;
        let part = |element: &str| {
            text_of(&answer, element)
                .ok_or_else(|| PrerequisiteError::Missing { call: run.clone(), element: element.to_owned() })
        };
        Ok((part("ipAddress")?, part("ipv6Address")?))
    }

    fn appliance(&mut self, name: &str, subnet: &str, group: &str) -> Result<String, PrerequisiteError> {
        let run = format!(
            "Action=RunInstances&ImageId={}&MinCount=1&MaxCount=1&SubnetId={subnet}&SecurityGroupId.1={group}&{}",
            image_of(Role::Appliance),
            named("instance", name)
        );
        self.call(&run, "instanceId")
    }
}

/// The text of the first element `name` in an answer of this lab.
#[must_use]
pub fn text_of(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.to_owned())
}

fn named(kind: &str, name: &str) -> String {
    format!(
        "TagSpecification.1.ResourceType={kind}&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value={name}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_the_tutorial_is_set_in_every_zone() {
        let zones = vec!["us-east-2a".to_owned(), "us-east-2b".to_owned()];
        let settings = Settings { zones, ..Settings::default() };
        let (state, made) = build(settings, Shape { appliances: 3 }, 0).unwrap();
        let value = |name: &str| made.variables.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        for name in [
            "PROVIDER_VPC_ID",
            "PROVIDER_SUBNET_ID",
            "CONSUMER_VPC_ID",
            "CONSUMER_SUBNET_ID",
            "SUBNET1_IPV4_CIDR",
            "SUBNET1_IPV6_CIDR",
            "GATEWAY_RTB",
            "APPLICATION_RTB",
            "ENDPOINT_RTB",
            "IGW_ID",
            "INSTANCE_IDS",
            "CLIENT_IPV4",
            "CLIENT_IPV6",
            "APP_PUBLIC_IPV4",
            "APP_IPV6",
            "CONSUMER_SUBNET_ID_2",
            "APPLICATION_RTB_2",
        ] {
            assert!(value(name).is_some_and(|v| !v.is_empty()), "{name}");
        }
        assert_eq!(value("APP_PUBLIC_IPV4"), Some("198.51.100.10"));
        assert_eq!(value("APP_IPV6"), Some("2001:db8:0:a01::a"));
        let mut names: Vec<&str> = state.instances.values().map(|i| i.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["app", "app2", "appliance1", "appliance2", "appliance3"]);
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let ids = |seed| {
            let settings = Settings { seed, ..Settings::default() };
            build(settings, Shape { appliances: 2 }, 0).unwrap().1.variables
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
    }
}
