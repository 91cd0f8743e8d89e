//! A lab without a network, spoken to as the CLI would speak to it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test support: each file uses its own part, and may give up"
)]

use lab::api::{Answer, Request, access_key};
use lab::gwlb::health::Health;
use lab::lab::Lab;
use lab::plane::{Plane, PlaneError, Unplugged};
use lab::state::{Id, Settings, State};
use serde_json::Value;

/// The account of the lab's user.
pub(crate) const ACCOUNT: u64 = 123_456_789_012;

/// Someone with a lab.
pub(crate) struct User {
    pub(crate) lab: Lab,
    pub(crate) now: u64,
    pub(crate) account: u64,
}

/// An answer, with a way to look into it.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl User {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), Box::new(Unplugged))
    }

    pub(crate) fn with(settings: Settings, plane: Box<dyn Plane>) -> Self {
        Self {
            lab: Lab::raise(State::new(settings), plane, None).unwrap(),
            now: 1_800_000_000_000,
            account: ACCOUNT,
        }
    }

    /// Sends a form body.
    pub(crate) fn send(&mut self, body: &str) -> Reply {
        let service = if body.contains("Version=2015-12-01") { "elasticloadbalancing" } else { "ec2" };
        let key = access_key(self.account);
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-2/{service}/aws4_request, Signature=0"
        );
        let request =
            Request { authorization: Some(&scope), body: body.as_bytes(), now: self.now, id: "req-1" };
        let Answer { status, body } = self.lab.submit(&request);
        Reply { status, body }
    }

    /// Calls an `elbv2` action with `Name=value&…`.
    pub(crate) fn elb(&mut self, action: &str, parameters: &str) -> Reply {
        self.send(&format!("Action={action}&Version=2015-12-01&{parameters}"))
    }

    /// Calls an `ec2` action with `Name=value&…`.
    pub(crate) fn ec2(&mut self, action: &str, parameters: &str) -> Reply {
        self.send(&format!("Action={action}&Version=2016-11-15&{parameters}"))
    }
}

impl Reply {
    /// The text of the first element `name`.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_else(|| panic!("no <{name}> in {}", self.body))
    }

    /// The texts of all elements `name`.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.body.split(&open).skip(1);
        parts.filter_map(|p| p.split(&close).next()).map(str::to_owned).collect()
    }

    /// The answer itself, if it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    /// Checks that this is a refusal with `code`, and gives its message.
    #[track_caller]
    pub(crate) fn refused(&self, code: &str) -> String {
        assert!(
            self.status != 200 && self.get("Code") == code,
            "wanted {code}: {} {}",
            self.status,
            self.body
        );
        self.get("Message")
    }
}

/// What the tutorial needs before its first step, and what its steps make.
pub(crate) struct Tutorial {
    pub(crate) provider: String,
    pub(crate) provider_subnet: String,
    pub(crate) consumer: String,
    pub(crate) application_subnet: String,
    pub(crate) endpoint_subnet: String,
    pub(crate) igw: String,
    pub(crate) gateway_rtb: String,
    pub(crate) application_rtb: String,
    pub(crate) endpoint_rtb: String,
    pub(crate) instances: Vec<String>,
}

impl Tutorial {
    /// The prerequisites, by API calls.
    pub(crate) fn prepare(user: &mut User) -> Self {
        let vpc = |user: &mut User, cidr: &str| {
            user.ec2("CreateVpc", &format!("CidrBlock={cidr}&AmazonProvidedIpv6CidrBlock=true")).ok()
        };
        let consumer = vpc(user, "10.0.0.0/16").get("vpcId");
        let provider = vpc(user, "10.1.0.0/16").get("vpcId");
        let subnet = |user: &mut User, vpc: &str, cidr: &str, cidr6: &str| {
            let create = format!("VpcId={vpc}&CidrBlock={cidr}&Ipv6CidrBlock={cidr6}");
            user.ec2("CreateSubnet", &create).ok().get("subnetId")
        };
        let application_subnet = subnet(user, &consumer, "10.0.1.0/24", "2001:db8:0:a01::/64");
        let endpoint_subnet = subnet(user, &consumer, "10.0.2.0/24", "2001:db8:0:a02::/64");
        let provider_subnet = subnet(user, &provider, "10.1.1.0/24", "2001:db8:0:b01::/64");
        let appliances = subnet(user, &provider, "10.1.2.0/24", "2001:db8:0:b02::/64");
        let igw = user.ec2("CreateInternetGateway", "").ok().get("internetGatewayId");
        user.ec2("AttachInternetGateway", &format!("InternetGatewayId={igw}&VpcId={consumer}")).ok();
        let table = |user: &mut User, point: &str| {
            let id = user.ec2("CreateRouteTable", &format!("VpcId={consumer}")).ok().get("routeTableId");
            user.ec2("AssociateRouteTable", &format!("RouteTableId={id}&{point}")).ok();
            id
        };
        let gateway_rtb = table(user, &format!("GatewayId={igw}"));
        let application_rtb = table(user, &format!("SubnetId={application_subnet}"));
        let endpoint_rtb = table(user, &format!("SubnetId={endpoint_subnet}"));
        let run = format!(
            "ImageId=ami-0a991a7ce00000001&MinCount=2&MaxCount=2&SubnetId={appliances}&ClientToken=t"
        );
        let instances = user.ec2("RunInstances", &run).ok().all("instanceId");
        Self {
            provider,
            provider_subnet,
            consumer,
            application_subnet,
            endpoint_subnet,
            igw,
            gateway_rtb,
            application_rtb,
            endpoint_rtb,
            instances,
        }
    }

    /// Step 1: load balancer, target group, targets, listener. Gives the ARNs of the first two.
    pub(crate) fn step1(&self, user: &mut User) -> (String, String) {
        let create = format!(
            "Name=my-load-balancer&Type=gateway&IpAddressType=dualstack&Subnets.member.1={}",
            self.provider_subnet
        );
        let lb = user.elb("CreateLoadBalancer", &create).ok().get("LoadBalancerArn");
        let create = format!("Name=my-targets&Protocol=GENEVE&Port=6081&VpcId={}", self.provider);
        let tg = user.elb("CreateTargetGroup", &create).ok().get("TargetGroupArn");
        let [a, b] = &self.instances[..] else { panic!("two instances") };
        let register = format!("TargetGroupArn={tg}&Targets.member.1.Id={a}&Targets.member.2.Id={b}");
        user.elb("RegisterTargets", &register).ok();
        let listen = format!(
            "LoadBalancerArn={lb}&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={tg}"
        );
        user.elb("CreateListener", &listen).ok();
        (lb, tg)
    }

    /// Step 2: endpoint service and endpoint. Gives their ids.
    pub(crate) fn step2(&self, user: &mut User, lb: &str) -> (String, String) {
        let create = format!(
            "AcceptanceRequired=false&GatewayLoadBalancerArn.1={lb}&SupportedIpAddressType.1=ipv4&SupportedIpAddressType.2=ipv6"
        );
        let made = user.ec2("CreateVpcEndpointServiceConfiguration", &create).ok();
        let (service, name) = (made.get("serviceId"), made.get("serviceName"));
        let allow = format!("ServiceId={service}&AddAllowedPrincipals.1=arn:aws:iam::123456789012:root");
        user.ec2("ModifyVpcEndpointServicePermissions", &allow).ok();
        let create = format!(
            "VpcEndpointType=GatewayLoadBalancer&VpcId={}&ServiceName={name}&SubnetId.1={}&IpAddressType=dualstack",
            self.consumer, self.endpoint_subnet
        );
        (service, user.ec2("CreateVpcEndpoint", &create).ok().get("vpcEndpointId"))
    }

    /// Step 3: the six routes, IPv6 typed as the tutorial types it.
    pub(crate) fn step3(&self, user: &mut User, endpoint: &str) {
        for (table, destination, target) in [
            (&self.gateway_rtb, "10.0.1.0/24", format!("VpcEndpointId={endpoint}")),
            (&self.gateway_rtb, "2001:db8:0:a01::/64", format!("VpcEndpointId={endpoint}")),
            (&self.application_rtb, "0.0.0.0/0", format!("VpcEndpointId={endpoint}")),
            (&self.application_rtb, "::/0", format!("VpcEndpointId={endpoint}")),
            (&self.endpoint_rtb, "0.0.0.0/0", format!("GatewayId={}", self.igw)),
            (&self.endpoint_rtb, "::/0", format!("GatewayId={}", self.igw)),
        ] {
            let create = format!("RouteTableId={table}&DestinationCidrBlock={destination}&{target}");
            user.ec2("CreateRoute", &create).ok();
        }
    }
}

/// A network that says of every target's health what it is told, and can refuse.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) health: Option<Health>,
    pub(crate) refuses: bool,
}

impl Plane for Scripted {
    fn apply(&mut self, old: &State, new: &State) -> Result<(), PlaneError> {
        if self.refuses && !old.vpcs.is_empty() && old != new {
            return Err(PlaneError("no room in the kernel".into()));
        }
        Ok(())
    }

    fn health(&self, _: &Id, _: &str) -> Option<Health> {
        self.health
    }

    fn report(&self) -> Value {
        Value::Null
    }
}
