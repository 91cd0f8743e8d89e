//! The tutorial's commands, as the CLI puts them on the wire, against the model.

mod common;

use common::{Scripted, Tutorial, User};
use lab::gwlb::health::{Failure, Health};
use lab::state::Settings;

#[test]
fn the_tutorial_runs_from_end_to_end() {
    let mut user = User::new();
    let tutorial = Tutorial::prepare(&mut user);
    let (lb, tg) = tutorial.step1(&mut user);
    assert!(
        lb.starts_with(
            "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/gwy/my-load-balancer/"
        ),
        "{lb}"
    );
    assert!(
        tg.starts_with("arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/"),
        "{tg}"
    );
    let health = user.elb("DescribeTargetHealth", &format!("TargetGroupArn={tg}")).ok();
    assert_eq!(health.all("Id"), tutorial.instances);
    assert_eq!(health.all("State"), ["initial", "initial"]);
    let (service, endpoint) = tutorial.step2(&mut user, &lb);
    assert!(service.starts_with("vpce-svc-0") && service.len() == "vpce-svc-".len() + 17, "{service}");
    assert!(endpoint.starts_with("vpce-0") && endpoint.len() == "vpce-".len() + 17, "{endpoint}");
    tutorial.step3(&mut user, &endpoint);
    let table = user.ec2("DescribeRouteTables", &format!("RouteTableId.1={}", tutorial.gateway_rtb)).ok();
    assert_eq!(table.all("gatewayId").iter().filter(|g| **g == endpoint).count(), 2, "{}", table.body);
    assert!(!table.body.contains("blackhole"), "{}", table.body);
}

#[test]
fn a_new_load_balancer_is_provisioning_and_then_active() {
    let mut user = User::new();
    let tutorial = Tutorial::prepare(&mut user);
    let create = format!("Name=lb&Type=gateway&Subnets.member.1={}", tutorial.provider_subnet);
    assert_eq!(user.elb("CreateLoadBalancer", &create).ok().get("Code"), "provisioning");
    assert_eq!(user.elb("DescribeLoadBalancers", "Names.member.1=lb").ok().get("Code"), "active");
}

#[test]
fn creating_the_same_again_answers_with_what_there_is() {
    let mut user = User::new();
    let tutorial = Tutorial::prepare(&mut user);
    let first = tutorial.step1(&mut user);
    assert_eq!(tutorial.step1(&mut user), first);
    assert_eq!(user.lab.state().load_balancers.len(), 1);
    assert_eq!(user.lab.state().listeners.len(), 1);
}

#[test]
fn an_endpoint_is_pending_and_then_available() {
    let mut user = User::new();
    let tutorial = Tutorial::prepare(&mut user);
    let (lb, _) = tutorial.step1(&mut user);
    let (_, endpoint) = tutorial.step2(&mut user, &lb);
    let found = user.ec2("DescribeVpcEndpoints", &format!("VpcEndpointId.1={endpoint}")).ok();
    assert_eq!(found.get("state"), "available");
    assert_eq!(found.get("networkInterfaceIdSet").matches("eni-").count(), 1);
}

#[test]
fn an_ipv6_network_in_the_ipv4_option_is_taken_unless_the_lab_is_strict() {
    let strict = Settings { strict: true, ..Settings::default() };
    let mut user = User::with(strict, Box::new(Scripted::default()));
    let tutorial = Tutorial::prepare(&mut user);
    let route = format!("RouteTableId={}&GatewayId={}", tutorial.endpoint_rtb, tutorial.igw);
    let message = user
        .ec2("CreateRoute", &format!("{route}&DestinationCidrBlock=::/0"))
        .refused("InvalidParameterValue");
    assert_eq!(
        message,
        "Value (::/0) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."
    );
    user.ec2("CreateRoute", &format!("{route}&DestinationIpv6CidrBlock=::/0")).ok();
}

#[test]
fn target_health_says_what_the_checks_say() {
    for (health, state, reason) in [
        (None, "initial", "Elb.RegistrationInProgress"),
        (Some(Health::Initial), "initial", "Elb.InitialHealthChecking"),
        (Some(Health::Healthy), "healthy", ""),
        (Some(Health::Unhealthy(Failure::Failed)), "unhealthy", "Target.FailedHealthChecks"),
        (Some(Health::Unhealthy(Failure::Timeout)), "unhealthy", "Target.Timeout"),
        (Some(Health::Unhealthy(Failure::Status(503))), "unhealthy", "Target.ResponseCodeMismatch"),
    ] {
        let mut user = User::with(Settings::default(), Box::new(Scripted { health, refuses: false }));
        let tutorial = Tutorial::prepare(&mut user);
        let (_, tg) = tutorial.step1(&mut user);
        let reply = user.elb("DescribeTargetHealth", &format!("TargetGroupArn={tg}")).ok();
        assert_eq!(reply.get("State"), state);
        assert_eq!(reply.all("Reason").first().map_or("", String::as_str), reason);
    }
}

#[test]
fn a_network_that_refuses_leaves_the_state_as_it_was() {
    let mut user = User::with(Settings::default(), Box::new(Scripted { health: None, refuses: true }));
    let vpc = user.ec2("CreateVpc", "CidrBlock=10.0.0.0/16").ok().get("vpcId");
    let before = user.lab.state().clone();
    let reply = user.ec2("CreateSubnet", &format!("VpcId={vpc}&CidrBlock=10.0.0.0/24"));
    assert!(reply.refused("InternalError").contains("no room in the kernel"));
    assert!(reply.status < 500);
    assert_eq!(*user.lab.state(), before);
}

#[test]
fn a_lab_raised_from_its_file_is_the_same() {
    let mut user = User::new();
    let tutorial = Tutorial::prepare(&mut user);
    tutorial.step1(&mut user);
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("state.json");
    lab::snapshot::write(&file, user.lab.state()).unwrap();
    assert_eq!(lab::snapshot::read(&file).unwrap().as_ref(), Some(user.lab.state()));
}
