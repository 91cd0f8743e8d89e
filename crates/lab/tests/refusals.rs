//! What the lab refuses, with the code that AWS would use.

mod common;

use common::{Tutorial, User};

/// A lab after the tutorial, and what its parts are called.
fn standing() -> (User, Vec<(&'static str, String)>) {
    let mut user = User::new();
    let tutorial = Tutorial::prepare(&mut user);
    let (lb, tg) = tutorial.step1(&mut user);
    let (service, endpoint) = tutorial.step2(&mut user, &lb);
    tutorial.step3(&mut user, &endpoint);
    let names = vec![
        ("CONSUMER", tutorial.consumer.clone()),
        ("PROVIDER", tutorial.provider.clone()),
        ("APPSUBNET", tutorial.application_subnet.clone()),
        ("GWLBSUBNET", tutorial.provider_subnet.clone()),
        ("ENDPOINTSUBNET", tutorial.endpoint_subnet.clone()),
        ("GATEWAYRTB", tutorial.gateway_rtb.clone()),
        ("APPRTB", tutorial.application_rtb.clone()),
        ("IGW", tutorial.igw.clone()),
        ("INSTANCE", tutorial.instances.first().cloned().unwrap_or_default()),
        ("LB", lb),
        ("TG", tg),
        ("SERVICE", service),
        ("ENDPOINT", endpoint),
    ];
    (user, names)
}

fn fill(text: &str, names: &[(&str, String)]) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}."), value))
}

const ELB: &[(&str, &str, &str)] = &[
    ("DescribeLoadBalancers", "Names.member.1=nope", "LoadBalancerNotFound"),
    ("DescribeTargetGroups", "Names.member.1=nope", "TargetGroupNotFound"),
    (
        "DescribeTargetHealth",
        "TargetGroupArn=arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/nope/0123456789012345",
        "TargetGroupNotFound",
    ),
    ("DescribeTargetHealth", "TargetGroupArn=nonsense", "ValidationError"),
    ("CreateLoadBalancer", "Type=gateway&Subnets.member.1=$GWLBSUBNET.", "ValidationError"),
    ("CreateLoadBalancer", "Name=lb&Type=gateway", "ValidationError"),
    ("CreateLoadBalancer", "Name=lb&Subnets.member.1=$GWLBSUBNET.", "ValidationError"),
    ("CreateLoadBalancer", "Name=lb&Type=gateway&Subnets.member.1=subnet-0", "SubnetNotFound"),
    ("CreateLoadBalancer", "Name=-x&Type=gateway&Subnets.member.1=$GWLBSUBNET.", "ValidationError"),
    (
        "CreateLoadBalancer",
        "Name=lb&Type=gateway&Scheme=internal&Subnets.member.1=$GWLBSUBNET.",
        "ValidationError",
    ),
    (
        "CreateLoadBalancer",
        "Name=my-load-balancer&Type=gateway&Subnets.member.1=$APPSUBNET.",
        "DuplicateLoadBalancerName",
    ),
    (
        "CreateLoadBalancer",
        "Name=lb&Type=gateway&Subnets.member.1=$APPSUBNET.&Subnets.member.2=$ENDPOINTSUBNET.",
        "InvalidConfigurationRequest",
    ),
    (
        "CreateLoadBalancer",
        "Name=lb&Type=gateway&Subnets.member.1=$APPSUBNET.&Subnets.member.2=$GWLBSUBNET.",
        "InvalidConfigurationRequest",
    ),
    ("DeleteLoadBalancer", "LoadBalancerArn=$LB.", "ResourceInUse"),
    ("SetIpAddressType", "LoadBalancerArn=$LB.&IpAddressType=ipv4", "InvalidConfigurationRequest"),
    ("SetIpAddressType", "LoadBalancerArn=$LB.&IpAddressType=ipv5", "ValidationError"),
    ("CreateTargetGroup", "Name=t&Protocol=GENEVE&Port=80&VpcId=$PROVIDER.", "ValidationError"),
    ("CreateTargetGroup", "Name=t&Protocol=GENEVE&Port=6081", "ValidationError"),
    ("CreateTargetGroup", "Name=t&Protocol=TCP&Port=6081&VpcId=$PROVIDER.", "ValidationError"),
    (
        "CreateTargetGroup",
        "Name=my-targets&Protocol=GENEVE&Port=6081&VpcId=$CONSUMER.",
        "DuplicateTargetGroupName",
    ),
    ("ModifyTargetGroup", "TargetGroupArn=$TG.&HealthCheckIntervalSeconds=4", "ValidationError"),
    ("ModifyTargetGroup", "TargetGroupArn=$TG.&HealthCheckTimeoutSeconds=11", "ValidationError"),
    ("ModifyTargetGroup", "TargetGroupArn=$TG.&HealthCheckPath=/", "InvalidConfigurationRequest"),
    (
        "ModifyTargetGroup",
        "TargetGroupArn=$TG.&HealthCheckProtocol=HTTP&Matcher.HttpCode=200-499",
        "ValidationError",
    ),
    ("ModifyTargetGroup", "TargetGroupArn=$TG.&HealthCheckEnabled=false", "InvalidConfigurationRequest"),
    (
        "ModifyTargetGroupAttributes",
        "TargetGroupArn=$TG.&Attributes.member.1.Key=target_failover.on_unhealthy&Attributes.member.1.Value=rebalance",
        "InvalidConfigurationRequest",
    ),
    (
        "ModifyTargetGroupAttributes",
        "TargetGroupArn=$TG.&Attributes.member.1.Key=slow_start.duration_seconds&Attributes.member.1.Value=30",
        "InvalidConfigurationRequest",
    ),
    (
        "ModifyTargetGroupAttributes",
        "TargetGroupArn=$TG.&Attributes.member.1.Key=deregistration_delay.timeout_seconds&Attributes.member.1.Value=3601",
        "ValidationError",
    ),
    ("RegisterTargets", "TargetGroupArn=$TG.&Targets.member.1.Id=i-00000000000000000", "InvalidTarget"),
    (
        "RegisterTargets",
        "TargetGroupArn=$TG.&Targets.member.1.Id=$INSTANCE.&Targets.member.1.Port=80",
        "ValidationError",
    ),
    ("RegisterTargets", "TargetGroupArn=$TG.", "ValidationError"),
    (
        "CreateListener",
        "LoadBalancerArn=$LB.&Protocol=GENEVE&Port=6081&DefaultActions.member.1.Type=forward\
         &DefaultActions.member.1.TargetGroupArn=$TG.",
        "ValidationError",
    ),
    (
        "CreateListener",
        "LoadBalancerArn=$LB.&DefaultActions.member.1.Type=redirect",
        "InvalidLoadBalancerAction",
    ),
    ("DescribeListeners", "", "ValidationError"),
    ("DeleteTargetGroup", "TargetGroupArn=$TG.", "ResourceInUse"),
    ("DescribeRules", "", "InvalidAction"),
    ("DescribeTags", "ResourceArns.member.1=nonsense", "ValidationError"),
    ("DescribeLoadBalancers", "Colour=blue", "ValidationError"),
];

const EC2: &[(&str, &str, &str)] = &[
    ("CreateVpc", "CidrBlock=10.0.0.0/8", "InvalidVpc.Range"),
    ("CreateVpc", "CidrBlock=ten", "InvalidParameterValue"),
    ("CreateVpc", "", "MissingParameter"),
    (
        "DisassociateVpcCidrBlock",
        "AssociationId=vpc-cidr-assoc-0",
        "InvalidVpcCidrBlockAssociationID.NotFound",
    ),
    ("DescribeVpcAttribute", "VpcId=$CONSUMER.&Attribute=enableColours", "InvalidParameterValue"),
    ("CreateVpc", "CidrBlock=10.5.0.0/16&Ipv6Pool=x", "UnknownParameter"),
    ("DescribeVpcs", "VpcId.1=vpc-0", "InvalidVpcID.NotFound"),
    ("DescribeVpcs", "Filter.1.Name=colour&Filter.1.Value.1=blue", "InvalidParameterValue"),
    ("DescribeVpcs", "MaxResults=4", "InvalidParameterValue"),
    ("DeleteVpc", "VpcId=$CONSUMER.", "DependencyViolation"),
    ("CreateSubnet", "VpcId=$CONSUMER.&CidrBlock=10.9.0.0/24", "InvalidSubnet.Range"),
    ("CreateSubnet", "VpcId=$CONSUMER.&CidrBlock=10.0.1.128/25", "InvalidSubnet.Conflict"),
    (
        "CreateSubnet",
        "VpcId=$CONSUMER.&CidrBlock=10.0.9.0/24&AvailabilityZone=mars-1a",
        "InvalidParameterValue",
    ),
    ("DeleteSubnet", "SubnetId=$GWLBSUBNET.", "DependencyViolation"),
    ("AttachInternetGateway", "InternetGatewayId=$IGW.&VpcId=$PROVIDER.", "Resource.AlreadyAssociated"),
    ("DetachInternetGateway", "InternetGatewayId=$IGW.&VpcId=$CONSUMER.", "DependencyViolation"),
    ("DeleteInternetGateway", "InternetGatewayId=$IGW.", "DependencyViolation"),
    ("DeleteRouteTable", "RouteTableId=$APPRTB.", "DependencyViolation"),
    ("AssociateRouteTable", "RouteTableId=$GATEWAYRTB.&SubnetId=$APPSUBNET.", "Resource.AlreadyAssociated"),
    ("AssociateRouteTable", "RouteTableId=$GATEWAYRTB.&SubnetId=$GWLBSUBNET.", "InvalidParameterValue"),
    ("AssociateRouteTable", "RouteTableId=$GATEWAYRTB.", "InvalidParameterCombination"),
    ("DisassociateRouteTable", "AssociationId=rtbassoc-0", "InvalidAssociationID.NotFound"),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=10.0.9.0/24&VpcEndpointId=vpce-00000000000000000",
        "InvalidVpcEndpointId.NotFound",
    ),
    (
        "CreateRoute",
        "RouteTableId=rtb-00000000000000000&DestinationCidrBlock=10.0.9.0/24&VpcEndpointId=$ENDPOINT.",
        "InvalidRouteTableID.NotFound",
    ),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=0.0.0.0/0&VpcEndpointId=$ENDPOINT.",
        "RouteAlreadyExists",
    ),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=9.9.9.0/24&GatewayId=igw-0",
        "InvalidGatewayID.NotFound",
    ),
    ("CreateRoute", "RouteTableId=$APPRTB.&DestinationCidrBlock=9.9.9.0/24", "MissingParameter"),
    ("CreateRoute", "RouteTableId=$APPRTB.&GatewayId=$IGW.", "MissingParameter"),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=9.9.9.0/33&GatewayId=$IGW.",
        "InvalidParameterValue",
    ),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationIpv6CidrBlock=9.9.9.0/24&GatewayId=$IGW.",
        "InvalidParameterValue",
    ),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=9.9.9.0/24&NatGatewayId=nat-1",
        "UnknownParameter",
    ),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=9.9.9.0/24&InstanceId=i-1",
        "UnknownParameter",
    ),
    (
        "CreateRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=10.0.1.0/24&GatewayId=$IGW.",
        "InvalidParameterValue",
    ),
    (
        "CreateRoute",
        "RouteTableId=$GATEWAYRTB.&DestinationCidrBlock=9.9.9.0/24&VpcEndpointId=$ENDPOINT.",
        "InvalidParameterValue",
    ),
    (
        "ReplaceRoute",
        "RouteTableId=$APPRTB.&DestinationCidrBlock=9.9.9.0/24&GatewayId=$IGW.",
        "InvalidRoute.NotFound",
    ),
    ("DeleteRoute", "RouteTableId=$APPRTB.&DestinationCidrBlock=9.9.9.0/24", "InvalidRoute.NotFound"),
    ("DeleteRoute", "RouteTableId=$APPRTB.&DestinationCidrBlock=10.0.0.0/16", "InvalidParameterValue"),
    (
        "RunInstances",
        "ImageId=ami-12345678&MinCount=1&MaxCount=1&SubnetId=$APPSUBNET.",
        "InvalidAMIID.NotFound",
    ),
    ("RunInstances", "ImageId=ami-0a991a7ce00000003&MinCount=1&MaxCount=1", "VPCIdNotSpecified"),
    (
        "RunInstances",
        "ImageId=ami-0a991a7ce00000003&MinCount=1&MaxCount=1&SubnetId=$APPSUBNET.&PrivateIpAddress=10.0.1.1",
        "InvalidParameterValue",
    ),
    ("RunInstances", "ImageId=ami-0a991a7ce00000003&MinCount=1&MaxCount=1&KeyName=k", "UnknownParameter"),
    ("DescribeInstances", "InstanceId.1=i-0", "InvalidInstanceID.NotFound"),
    (
        "AuthorizeSecurityGroupIngress",
        "GroupId=sg-0&IpProtocol=tcp&CidrIp=0.0.0.0/0",
        "InvalidGroup.NotFound",
    ),
    (
        "CreateSecurityGroup",
        "VpcId=$CONSUMER.&GroupName=default&GroupDescription=d",
        "InvalidGroup.Duplicate",
    ),
    ("CreateVpcEndpointServiceConfiguration", "AcceptanceRequired=false", "InvalidParameter"),
    (
        "CreateVpcEndpointServiceConfiguration",
        "GatewayLoadBalancerArn.1=arn:aws:elasticloadbalancing:us-east-2:1:loadbalancer/gwy/nope/1",
        "InvalidParameter",
    ),
    (
        "ModifyVpcEndpointServicePermissions",
        "ServiceId=vpce-svc-00000000000000000&AddAllowedPrincipals.1=*",
        "InvalidVpcEndpointServiceId.NotFound",
    ),
    (
        "ModifyVpcEndpointServicePermissions",
        "ServiceId=$SERVICE.&AddAllowedPrincipals.1=me",
        "InvalidPrincipal",
    ),
    (
        "CreateVpcEndpoint",
        "VpcEndpointType=GatewayLoadBalancer&VpcId=$CONSUMER.&SubnetId.1=$ENDPOINTSUBNET.\
         &ServiceName=com.amazonaws.vpce.us-east-2.vpce-svc-00000000000000000",
        "InvalidServiceName",
    ),
    (
        "CreateVpcEndpoint",
        "VpcEndpointType=GatewayLoadBalancer&VpcId=$CONSUMER.&ServiceName=com.amazonaws.vpce.us-east-2.$SERVICE.\
         &SubnetId.1=$ENDPOINTSUBNET.&SubnetId.2=$APPSUBNET.",
        "InvalidParameter",
    ),
    (
        "CreateVpcEndpoint",
        "VpcEndpointType=Interface&VpcId=$CONSUMER.&ServiceName=com.amazonaws.vpce.us-east-2.$SERVICE.",
        "InvalidParameterValue",
    ),
    ("DescribeVpcEndpoints", "VpcEndpointId.1=vpce-0", "InvalidVpcEndpointId.NotFound"),
    ("CreateTags", "ResourceId.1=thing&Tag.1.Key=a", "InvalidID"),
    ("CreateTags", "ResourceId.1=$CONSUMER.&Tag.1.Key=aws:a", "InvalidParameterValue"),
    ("CreateVolume", "", "InvalidAction"),
];

#[test]
fn wrong_calls_are_refused_with_the_code_that_aws_uses_and_change_nothing() {
    let (mut user, names) = standing();
    let before = user.lab.state().clone();
    for (elb, calls) in [(true, ELB), (false, EC2)] {
        for (action, parameters, code) in calls {
            let parameters = fill(parameters, &names);
            let reply = if elb { user.elb(action, &parameters) } else { user.ec2(action, &parameters) };
            assert!(reply.status == 400, "{action} {parameters}: {} {}", reply.status, reply.body);
            assert_eq!(reply.get("Code"), *code, "{action} {parameters}: {}", reply.body);
        }
    }
    assert_eq!(*user.lab.state(), before);
}

#[test]
fn what_cannot_be_deleted_is_told_in_an_answer_of_success() {
    let (mut user, names) = standing();
    for (action, parameters, code) in [
        ("DeleteVpcEndpoints", "VpcEndpointId.1=$ENDPOINT.", "InvalidParameter"),
        ("DeleteVpcEndpoints", "VpcEndpointId.1=vpce-0", "InvalidVpcEndpointId.NotFound"),
        ("DeleteVpcEndpointServiceConfigurations", "ServiceId.1=$SERVICE.", "ExistingVpcEndpointConnections"),
    ] {
        let reply = user.ec2(action, &fill(parameters, &names)).ok();
        assert_eq!(reply.get("code"), code, "{}", reply.body);
    }
}

#[test]
fn a_dry_run_says_whether_it_would_go_well_and_changes_nothing() {
    let (mut user, names) = standing();
    let before = user.lab.state().clone();
    let reply = user.ec2("CreateVpc", "CidrBlock=10.5.0.0/16&DryRun=true");
    assert_eq!(reply.status, 412);
    reply.refused("DryRunOperation");
    user.ec2("DeleteVpc", &fill("VpcId=$CONSUMER.&DryRun=true", &names)).refused("DependencyViolation");
    assert_eq!(*user.lab.state(), before);
}

#[test]
fn a_version_or_a_form_that_is_not_known_is_refused_in_words() {
    let mut user = User::new();
    user.send("Action=DescribeVpcs&Version=2012-01-01").refused("InvalidAction");
    user.send("Action=DescribeVpcs").refused("InvalidAction");
    user.send("").refused("MissingParameter");
    user.send("Action=DescribeVpcs&Version=2016-11-15&A=%00").refused("MalformedQueryString");
}

#[test]
fn someone_elses_service_is_there_only_for_those_it_allows() {
    let (mut user, names) = standing();
    let create = fill(
        "VpcEndpointType=GatewayLoadBalancer&VpcId=$CONSUMER.&SubnetId.1=$ENDPOINTSUBNET.\
         &ServiceName=com.amazonaws.vpce.us-east-2.$SERVICE.",
        &names,
    );
    user.account = 999_999_999_999;
    user.ec2("CreateVpcEndpoint", &create).refused("InvalidServiceName");
    user.account = common::ACCOUNT;
    let allow = fill("ServiceId=$SERVICE.&AddAllowedPrincipals.1=arn:aws:iam::999999999999:root", &names);
    user.ec2("ModifyVpcEndpointServicePermissions", &allow).ok();
    user.account = 999_999_999_999;
    assert_eq!(user.ec2("CreateVpcEndpoint", &create).ok().get("ownerId"), "999999999999");
}
