//! What one does around the tutorial: look, change, take apart.

mod common;

use common::{Scripted, Tutorial, User};
use lab::gwlb::health::Health;
use lab::state::Settings;

fn standing() -> (User, Tutorial, [String; 4]) {
    let plane = Scripted { health: Some(Health::Healthy), refuses: false };
    let mut user = User::with(Settings::default(), Box::new(plane));
    let tutorial = Tutorial::prepare(&mut user);
    let (lb, tg) = tutorial.step1(&mut user);
    let (service, endpoint) = tutorial.step2(&mut user, &lb);
    tutorial.step3(&mut user, &endpoint);
    (user, tutorial, [lb, tg, service, endpoint])
}

fn health(user: &mut User, tg: &str) -> Vec<String> {
    user.elb("DescribeTargetHealth", &format!("TargetGroupArn={tg}")).ok().all("State")
}

#[test]
fn a_deregistered_target_drains_for_its_delay_and_is_then_gone() {
    let (mut user, tutorial, [_, tg, ..]) = standing();
    let first = &tutorial.instances[0];
    user.elb("DeregisterTargets", &format!("TargetGroupArn={tg}&Targets.member.1.Id={first}")).ok();
    assert_eq!(health(&mut user, &tg), ["draining", "healthy"]);
    user.now += 299_000;
    assert_eq!(health(&mut user, &tg), ["draining", "healthy"]);
    user.now += 1_000;
    assert_eq!(health(&mut user, &tg), ["healthy"]);
    let asked =
        user.elb("DescribeTargetHealth", &format!("TargetGroupArn={tg}&Targets.member.1.Id={first}")).ok();
    assert_eq!((asked.get("State"), asked.get("Reason")), ("unused".into(), "Target.NotRegistered".into()));
}

#[test]
fn a_target_registered_again_while_it_drains_stays() {
    let (mut user, tutorial, [_, tg, ..]) = standing();
    let target = format!("TargetGroupArn={tg}&Targets.member.1.Id={}", tutorial.instances[0]);
    user.elb("DeregisterTargets", &target).ok();
    user.elb("RegisterTargets", &target).ok();
    user.now += 400_000;
    assert_eq!(health(&mut user, &tg), ["healthy", "healthy"]);
}

#[test]
fn targets_are_unused_without_a_listener_and_while_their_instance_is_stopped() {
    let (mut user, tutorial, [lb, tg, ..]) = standing();
    let stop = format!("InstanceId.1={}", tutorial.instances[0]);
    let stopped = user.ec2("StopInstances", &stop).ok();
    assert_eq!(stopped.all("name"), ["stopping", "running"]);
    assert_eq!(health(&mut user, &tg), ["unused", "healthy"]);
    user.ec2("StartInstances", &stop).ok();
    let listener = user.elb("DescribeListeners", &format!("LoadBalancerArn={lb}")).ok().get("ListenerArn");
    user.elb("DeleteListener", &format!("ListenerArn={listener}")).ok();
    assert_eq!(health(&mut user, &tg), ["unused", "unused"]);
}

#[test]
fn a_terminated_instance_leaves_its_target_group() {
    let (mut user, tutorial, [_, tg, ..]) = standing();
    user.ec2("TerminateInstances", &format!("InstanceId.1={}", tutorial.instances[0])).ok();
    assert_eq!(health(&mut user, &tg), ["healthy"]);
}

#[test]
fn attributes_begin_with_awss_defaults_and_keep_what_they_are_set_to() {
    let (mut user, _, [lb, tg, ..]) = standing();
    let group = user.elb("DescribeTargetGroupAttributes", &format!("TargetGroupArn={tg}")).ok();
    assert_eq!(
        group.all("Value"),
        ["300", "false", "source_ip_dest_ip_proto", "no_rebalance", "no_rebalance", "false", "false"]
    );
    let listener = user.elb("DescribeListeners", &format!("LoadBalancerArn={lb}")).ok().get("ListenerArn");
    assert_eq!(
        user.elb("DescribeListenerAttributes", &format!("ListenerArn={listener}")).ok().all("Value"),
        ["350", "false"]
    );
    let set = |pairs: &[(&str, &str)]| -> String {
        let one = |(n, (key, value)): (usize, &(&str, &str))| {
            format!("&Attributes.member.{0}.Key={key}&Attributes.member.{0}.Value={value}", n + 1)
        };
        pairs.iter().enumerate().map(one).collect()
    };
    let rebalance = set(&[
        ("target_failover.on_deregistration", "rebalance"),
        ("target_failover.on_unhealthy", "rebalance"),
    ]);
    user.elb("ModifyTargetGroupAttributes", &format!("TargetGroupArn={tg}{rebalance}")).ok();
    let cross = set(&[("load_balancing.cross_zone.enabled", "true")]);
    assert_eq!(
        user.elb("ModifyLoadBalancerAttributes", &format!("LoadBalancerArn={lb}{cross}")).ok().all("Value"),
        ["false", "true"]
    );
    let idle = set(&[("tcp.idle_timeout.seconds", "6000")]);
    user.elb("ModifyListenerAttributes", &format!("ListenerArn={listener}{idle}")).ok();
    let state = user.lab.state();
    assert!(state.target_groups.values().all(|g| g.attributes.rebalance));
    assert!(state.load_balancers.values().all(|b| b.cross_zone));
    assert!(state.listeners.values().all(|l| l.idle.tcp_s == 6000));
    // Only five-tuple flows have a timeout of their own.
    user.elb(
        "ModifyTargetGroupAttributes",
        &format!("TargetGroupArn={tg}{}", set(&[("stickiness.enabled", "true")])),
    )
    .ok();
    let idle = set(&[("tcp.idle_timeout.seconds", "100")]);
    user.elb("ModifyListenerAttributes", &format!("ListenerArn={listener}{idle}"))
        .refused("InvalidConfigurationRequest");
}

#[test]
fn deletion_protection_protects() {
    let mut user = User::new();
    let tutorial = Tutorial::prepare(&mut user);
    let create = format!("Name=lb&Type=gateway&Subnets.member.1={}", tutorial.provider_subnet);
    let lb = user.elb("CreateLoadBalancer", &create).ok().get("LoadBalancerArn");
    let protect = |on: &str| {
        format!(
            "LoadBalancerArn={lb}&Attributes.member.1.Key=deletion_protection.enabled&Attributes.member.1.Value={on}"
        )
    };
    user.elb("ModifyLoadBalancerAttributes", &protect("true")).ok();
    user.elb("DeleteLoadBalancer", &format!("LoadBalancerArn={lb}")).refused("OperationNotPermitted");
    user.elb("ModifyLoadBalancerAttributes", &protect("false")).ok();
    user.elb("DeleteLoadBalancer", &format!("LoadBalancerArn={lb}")).ok();
    user.elb("DeleteLoadBalancer", &format!("LoadBalancerArn={lb}")).ok();
}

#[test]
fn an_endpoint_that_needs_acceptance_waits_for_it_and_a_rejected_one_is_a_black_hole() {
    let (mut user, tutorial, [_, _, service, endpoint]) = standing();
    user.ec2(
        "ModifyVpcEndpointServiceConfiguration",
        &format!("ServiceId={service}&AcceptanceRequired=true"),
    )
    .ok();
    let create = format!(
        "VpcEndpointType=GatewayLoadBalancer&VpcId={}&SubnetId.1={}&ServiceName=com.amazonaws.vpce.us-east-2.{service}",
        tutorial.consumer, tutorial.endpoint_subnet
    );
    let waiting = user.ec2("CreateVpcEndpoint", &create).ok();
    assert_eq!(waiting.get("state"), "pendingAcceptance");
    let decide = |id: &str| format!("ServiceId={service}&VpcEndpointId.1={id}");
    user.ec2("AcceptVpcEndpointConnections", &decide(&waiting.get("vpcEndpointId"))).ok();
    let connections = user.ec2("DescribeVpcEndpointConnections", "").ok();
    assert_eq!(connections.all("vpcEndpointState"), ["available", "available"]);
    user.ec2("RejectVpcEndpointConnections", &decide(&endpoint)).ok();
    let table = user.ec2("DescribeRouteTables", &format!("RouteTableId.1={}", tutorial.application_rtb)).ok();
    assert_eq!(table.all("state").iter().filter(|s| *s == "blackhole").count(), 2, "{}", table.body);
    let again = user.ec2("AcceptVpcEndpointConnections", &decide(&endpoint)).ok();
    assert_eq!(again.get("code"), "InvalidState");
}

#[test]
fn filters_and_pages_choose_and_cut() {
    let (mut user, tutorial, _) = standing();
    let by = |name: &str, value: &str| format!("Filter.1.Name={name}&Filter.1.Value.1={value}");
    let found = user.ec2("DescribeSubnets", &by("vpc-id", &tutorial.consumer)).ok();
    assert_eq!(found.all("subnetId").len(), 2);
    let found = user.ec2("DescribeRouteTables", &by("association.gateway-id", &tutorial.igw)).ok();
    assert!(found.body.contains(&tutorial.gateway_rtb));
    assert_eq!(found.all("routeTableId").iter().filter(|t| **t != tutorial.gateway_rtb).count(), 0);
    user.ec2("CreateTags", &format!("ResourceId.1={}&Tag.1.Key=stage&Tag.1.Value=test", tutorial.consumer))
        .ok();
    let found = user.ec2("DescribeVpcs", &by("tag:stage", "te*")).ok();
    assert_eq!(found.all("vpcId"), std::slice::from_ref(&tutorial.consumer));
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = user.ec2("DescribeNetworkInterfaces", &format!("MaxResults=5{token}")).ok();
        seen.extend(page.all("macAddress"));
        match page.all("nextToken").pop() {
            Some(next) => token = format!("&NextToken={next}"),
            None => break,
        }
    }
    let whole = user.ec2("DescribeNetworkInterfaces", "").ok().all("macAddress");
    assert_eq!(seen, whole);
}

#[test]
fn a_security_group_holds_what_it_is_told_once() {
    let (mut user, tutorial, _) = standing();
    let create = format!("VpcId={}&GroupName=web&GroupDescription=d", tutorial.consumer);
    let group = user.ec2("CreateSecurityGroup", &create).ok().get("groupId");
    let rule = format!(
        "GroupId={group}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=80\
         &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0&IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0"
    );
    assert_eq!(user.ec2("AuthorizeSecurityGroupIngress", &rule).ok().all("securityGroupRuleId").len(), 2);
    user.ec2("AuthorizeSecurityGroupIngress", &rule).refused("InvalidPermission.Duplicate");
    let told = user.ec2("DescribeSecurityGroups", &format!("GroupId.1={group}")).ok();
    assert_eq!((told.get("cidrIp"), told.get("cidrIpv6")), ("0.0.0.0/0".into(), "::/0".into()));
    user.ec2("RevokeSecurityGroupIngress", &rule).ok();
    user.ec2("RevokeSecurityGroupIngress", &rule).refused("InvalidPermission.NotFound");
    user.ec2("DeleteSecurityGroup", &format!("GroupId={group}")).ok();
}

#[test]
fn everything_can_be_taken_apart_again() {
    let (mut user, tutorial, [lb, tg, service, endpoint]) = standing();
    for (table, destination) in [
        (&tutorial.gateway_rtb, "10.0.1.0/24"),
        (&tutorial.gateway_rtb, "2001:db8:0:a01::/64"),
        (&tutorial.application_rtb, "0.0.0.0/0"),
        (&tutorial.application_rtb, "::/0"),
    ] {
        user.ec2("DeleteRoute", &format!("RouteTableId={table}&DestinationCidrBlock={destination}")).ok();
    }
    user.ec2("DeleteVpcEndpoints", &format!("VpcEndpointId.1={endpoint}")).ok();
    user.ec2("DeleteVpcEndpointServiceConfigurations", &format!("ServiceId.1={service}")).ok();
    user.elb("DeleteLoadBalancer", &format!("LoadBalancerArn={lb}")).ok();
    user.elb("DeleteTargetGroup", &format!("TargetGroupArn={tg}")).ok();
    let tables = user.ec2("DescribeRouteTables", "").ok();
    for association in tables.all("routeTableAssociationId") {
        // The main associations stay with their VPC.
        user.ec2("DisassociateRouteTable", &format!("AssociationId={association}"));
    }
    for table in [&tutorial.gateway_rtb, &tutorial.application_rtb, &tutorial.endpoint_rtb] {
        user.ec2("DeleteRouteTable", &format!("RouteTableId={table}")).ok();
    }
    let igw = &tutorial.igw;
    user.ec2("DetachInternetGateway", &format!("InternetGatewayId={igw}&VpcId={}", tutorial.consumer)).ok();
    user.ec2("DeleteInternetGateway", &format!("InternetGatewayId={igw}")).ok();
    for instance in &tutorial.instances {
        user.ec2("TerminateInstances", &format!("InstanceId.1={instance}")).ok();
    }
    for subnet in user.ec2("DescribeSubnets", "").ok().all("subnetId") {
        user.ec2("DeleteSubnet", &format!("SubnetId={subnet}")).ok();
    }
    for vpc in [&tutorial.consumer, &tutorial.provider] {
        user.ec2("DeleteVpc", &format!("VpcId={vpc}")).ok();
    }
    let state = user.lab.state();
    assert!(state.vpcs.is_empty() && state.route_tables.is_empty() && state.security_groups.is_empty());
    assert_eq!(state.check(), Ok(()));
}

#[test]
fn networks_come_to_a_vpc_and_go_but_for_the_first_and_those_in_use() {
    let (mut user, tutorial, _) = standing();
    let vpc = &tutorial.consumer;
    let add = |user: &mut User, cidr: &str| {
        user.ec2("AssociateVpcCidrBlock", &format!("VpcId={vpc}&CidrBlock={cidr}")).ok().get("associationId")
    };
    let (a, b) = (add(&mut user, "10.77.0.0/16"), add(&mut user, "10.78.0.0/16"));
    let remove =
        |user: &mut User, id: &str| user.ec2("DisassociateVpcCidrBlock", &format!("AssociationId={id}"));
    assert_eq!(remove(&mut user, &a).ok().get("state"), "disassociating");
    let told = user.ec2("DescribeVpcs", &format!("VpcId.1={vpc}")).ok();
    assert!(told.body.contains(&b) && !told.body.contains(&a), "the other keeps its id: {}", told.body);
    remove(&mut user, &a).refused("InvalidVpcCidrBlockAssociationID.NotFound");
    remove(&mut user, &told.get("associationId")).refused("OperationNotPermitted");
    user.ec2("CreateSubnet", &format!("VpcId={vpc}&CidrBlock=10.78.1.0/24")).ok();
    remove(&mut user, &b).refused("DependencyViolation");
    let tables =
        user.ec2("DescribeRouteTables", &format!("RouteTableId.1={}", tutorial.application_rtb)).ok();
    let to = tables.all("destinationCidrBlock");
    assert!(to.contains(&"10.78.0.0/16".to_owned()) && !to.contains(&"10.77.0.0/16".to_owned()), "{to:?}");
    assert_eq!(user.lab.state().check(), Ok(()));
}

#[test]
fn a_rule_of_a_security_group_is_changed_in_place() {
    let (mut user, tutorial, _) = standing();
    let create = format!("VpcId={}&GroupName=web&GroupDescription=d", tutorial.consumer);
    let group = user.ec2("CreateSecurityGroup", &create).ok().get("groupId");
    let open = format!("GroupId={group}&IpProtocol=tcp&FromPort=80&ToPort=80&CidrIp=10.0.0.0/8");
    let rule = user.ec2("AuthorizeSecurityGroupIngress", &open).ok().get("securityGroupRuleId");
    let change = |to: &str| {
        format!(
            "GroupId={group}&SecurityGroupRule.1.SecurityGroupRuleId={rule}\
             &SecurityGroupRule.1.SecurityGroupRule.IpProtocol=udp&SecurityGroupRule.1.SecurityGroupRule.FromPort=6081\
             &SecurityGroupRule.1.SecurityGroupRule.ToPort=6081&SecurityGroupRule.1.SecurityGroupRule.{to}"
        )
    };
    user.ec2("ModifySecurityGroupRules", &change("CidrIpv4=10.1.0.0/16")).ok();
    let told = user.ec2("DescribeSecurityGroupRules", &format!("SecurityGroupRuleId.1={rule}")).ok();
    assert_eq!(
        (told.get("ipProtocol"), told.get("toPort"), told.get("cidrIpv4")),
        ("udp".into(), "6081".into(), "10.1.0.0/16".into())
    );
    user.ec2("ModifySecurityGroupRules", &change("CidrIpv6=::/0")).refused("InvalidParameterCombination");
    user.ec2("ModifySecurityGroupRules", &change("CidrIpv4=::/0")).refused("InvalidParameterValue");
}
