//! Calls of the APIs at random, valid and not: what the properties of model and kernel are asked with.

use crate::common::{Reply, Tutorial, User};

/// A call with ids left open: `@vpc` stands for one of the ids that answers have shown, or for one that never was.
pub(crate) const CALLS: &[&str] = &[
    "ec2 CreateVpc CidrBlock=10.2.0.0/16",
    "ec2 CreateVpc CidrBlock=10.0.0.0/16&AmazonProvidedIpv6CidrBlock=true",
    "ec2 DeleteVpc VpcId=@vpc",
    "ec2 AssociateVpcCidrBlock VpcId=@vpc&CidrBlock=10.77.0.0/16",
    "ec2 AssociateVpcCidrBlock VpcId=@vpc&AmazonProvidedIpv6CidrBlock=true",
    "ec2 DisassociateVpcCidrBlock AssociationId=@vpc-cidr-assoc",
    "ec2 ModifyVpcAttribute VpcId=@vpc&EnableDnsHostnames.Value=true",
    "ec2 CreateSubnet VpcId=@vpc&CidrBlock=10.2.0.0/24",
    "ec2 CreateSubnet VpcId=@vpc&CidrBlock=10.0.3.0/28",
    "ec2 CreateSubnet VpcId=@vpc&CidrBlock=10.77.3.0/28",
    "ec2 DeleteSubnet SubnetId=@subnet",
    "ec2 CreateInternetGateway ",
    "ec2 AttachInternetGateway InternetGatewayId=@igw&VpcId=@vpc",
    "ec2 DetachInternetGateway InternetGatewayId=@igw&VpcId=@vpc",
    "ec2 DeleteInternetGateway InternetGatewayId=@igw",
    "ec2 CreateRouteTable VpcId=@vpc",
    "ec2 DeleteRouteTable RouteTableId=@rtb",
    "ec2 AssociateRouteTable RouteTableId=@rtb&SubnetId=@subnet",
    "ec2 AssociateRouteTable RouteTableId=@rtb&GatewayId=@igw",
    "ec2 DisassociateRouteTable AssociationId=@rtbassoc",
    "ec2 ReplaceRouteTableAssociation AssociationId=@rtbassoc&RouteTableId=@rtb",
    "ec2 CreateRoute RouteTableId=@rtb&DestinationCidrBlock=0.0.0.0/0&GatewayId=@igw",
    "ec2 CreateRoute RouteTableId=@rtb&DestinationCidrBlock=10.0.1.0/24&VpcEndpointId=@vpce",
    "ec2 CreateRoute RouteTableId=@rtb&DestinationCidrBlock=::/0&VpcEndpointId=@vpce",
    "ec2 ReplaceRoute RouteTableId=@rtb&DestinationCidrBlock=0.0.0.0/0&VpcEndpointId=@vpce",
    "ec2 ReplaceRoute RouteTableId=@rtb&DestinationCidrBlock=10.0.0.0/16&LocalTarget=true",
    "ec2 DeleteRoute RouteTableId=@rtb&DestinationCidrBlock=0.0.0.0/0",
    "ec2 RunInstances ImageId=ami-0a991a7ce00000001&MinCount=1&MaxCount=3&SubnetId=@subnet",
    "ec2 RunInstances ImageId=ami-0a991a7ce00000003&MinCount=1&MaxCount=1&SubnetId=@subnet&SecurityGroupId.1=@sg",
    "ec2 StopInstances InstanceId.1=@i",
    "ec2 StartInstances InstanceId.1=@i",
    "ec2 TerminateInstances InstanceId.1=@i&InstanceId.2=@i",
    "ec2 CreateSecurityGroup VpcId=@vpc&GroupName=web&GroupDescription=d",
    "ec2 AuthorizeSecurityGroupIngress GroupId=@sg&IpPermissions.1.IpProtocol=udp&IpPermissions.1.FromPort=6081\
     &IpPermissions.1.ToPort=6081&IpPermissions.1.Groups.1.GroupId=@sg",
    "ec2 RevokeSecurityGroupIngress GroupId=@sg&IpProtocol=-1&CidrIp=0.0.0.0/0",
    "ec2 ModifySecurityGroupRules GroupId=@sg&SecurityGroupRule.1.SecurityGroupRuleId=@sgr\
     &SecurityGroupRule.1.SecurityGroupRule.IpProtocol=icmp&SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.0.0.0/8",
    "ec2 DeleteSecurityGroup GroupId=@sg",
    "ec2 CreateTags ResourceId.1=@vpc&Tag.1.Key=Name&Tag.1.Value=x",
    "ec2 CreateVpcEndpointServiceConfiguration GatewayLoadBalancerArn.1=@loadbalancer",
    "ec2 ModifyVpcEndpointServiceConfiguration ServiceId=@vpce-svc&AddSupportedIpAddressType.1=ipv6",
    "ec2 ModifyVpcEndpointServiceConfiguration ServiceId=@vpce-svc&RemoveSupportedIpAddressType.1=ipv6",
    "ec2 ModifyVpcEndpointServiceConfiguration ServiceId=@vpce-svc&RemoveGatewayLoadBalancerArn.1=@loadbalancer",
    "ec2 DeleteVpcEndpointServiceConfigurations ServiceId.1=@vpce-svc",
    "ec2 CreateVpcEndpoint VpcEndpointType=GatewayLoadBalancer&VpcId=@vpc&SubnetId.1=@subnet\
     &ServiceName=com.amazonaws.vpce.us-east-2.@vpce-svc",
    "ec2 ModifyVpcEndpoint VpcEndpointId=@vpce&IpAddressType=dualstack",
    "ec2 AcceptVpcEndpointConnections ServiceId=@vpce-svc&VpcEndpointId.1=@vpce",
    "ec2 RejectVpcEndpointConnections ServiceId=@vpce-svc&VpcEndpointId.1=@vpce",
    "ec2 DeleteVpcEndpoints VpcEndpointId.1=@vpce",
    "elb CreateLoadBalancer Name=other&Type=gateway&Subnets.member.1=@subnet",
    "elb SetSubnets LoadBalancerArn=@loadbalancer&Subnets.member.1=@subnet&Subnets.member.2=@subnet",
    "elb SetIpAddressType LoadBalancerArn=@loadbalancer&IpAddressType=ipv4",
    "elb SetIpAddressType LoadBalancerArn=@loadbalancer&IpAddressType=dualstack",
    "elb DeleteLoadBalancer LoadBalancerArn=@loadbalancer",
    "elb CreateTargetGroup Name=others&Protocol=GENEVE&Port=6081&VpcId=@vpc",
    "elb DeleteTargetGroup TargetGroupArn=@targetgroup",
    "elb RegisterTargets TargetGroupArn=@targetgroup&Targets.member.1.Id=@i",
    "elb DeregisterTargets TargetGroupArn=@targetgroup&Targets.member.1.Id=@i",
    "elb CreateListener LoadBalancerArn=@loadbalancer&DefaultActions.member.1.Type=forward\
     &DefaultActions.member.1.TargetGroupArn=@targetgroup",
    "elb ModifyListener ListenerArn=@listener&DefaultActions.member.1.Type=forward\
     &DefaultActions.member.1.TargetGroupArn=@targetgroup",
    "elb DeleteListener ListenerArn=@listener",
    "elb DescribeTargetHealth TargetGroupArn=@targetgroup",
    "ec2 DescribeRouteTables ",
    "ec2 DescribeInstances ",
    "ec2 DescribeNetworkInterfaces ",
    "ec2 DescribeSecurityGroups ",
];

/// Every id that an answer showed.
pub(crate) fn ids(reply: &Reply) -> impl Iterator<Item = String> {
    reply
        .body
        .split(['<', '>'])
        .filter(|t| t.starts_with("arn:") || (t.contains("-0") && !t.contains(' ')))
        .map(str::to_owned)
}

/// The kind of an id: what stands before its digits, or what an ARN names.
fn kind(id: &str) -> &str {
    if id.starts_with("arn:") {
        return id.split(':').nth(5).and_then(|r| r.split('/').next()).unwrap_or_default();
    }
    id.rsplit_once('-').map_or("", |(kind, _)| kind)
}

/// `call` with its ids chosen by `dice` among `known`.
pub(crate) fn roll(call: &str, known: &[String], dice: &mut impl Iterator<Item = u16>) -> String {
    let mut parts = call.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find('&').unwrap_or(part.len());
        let (wanted, rest) = part.split_at(end);
        let fitting: Vec<&String> = known.iter().filter(|id| kind(id) == wanted).collect();
        let throw = usize::from(dice.next().unwrap_or(0));
        match fitting.get(throw % (fitting.len() + 1)) {
            Some(id) => out.push_str(id),
            None => out.push_str(&format!("{wanted}-00000000000000000")),
        }
        out.push_str(rest);
    }
    out
}

/// A lab in which the tutorial has been done, and every id there is then.
pub(crate) fn stand(user: &mut User) -> Vec<String> {
    let tutorial = Tutorial::prepare(user);
    let (lb, _) = tutorial.step1(user);
    let (_, endpoint) = tutorial.step2(user, &lb);
    tutorial.step3(user, &endpoint);
    let mut known = Vec::new();
    for action in [
        "DescribeRouteTables",
        "DescribeSubnets",
        "DescribeVpcs",
        "DescribeInternetGateways",
        "DescribeSecurityGroups",
        "DescribeSecurityGroupRules",
        "DescribeVpcEndpoints",
        "DescribeVpcEndpointServiceConfigurations",
        "DescribeInstances",
    ] {
        known.extend(ids(&user.ec2(action, "").ok()));
    }
    known.extend(ids(&user.elb("DescribeTargetGroups", "").ok()));
    known.extend(ids(&user.elb("DescribeListeners", &format!("LoadBalancerArn={lb}")).ok()));
    known.sort();
    known.dedup();
    known
}

/// Makes the `n`th call with ids chosen by `dice`, `pause` hundredths of a second after the one before; gives what was
/// called and the answer.
pub(crate) fn call(
    user: &mut User,
    known: &mut Vec<String>,
    (n, pause, dice): (usize, u16, [u16; 4]),
) -> (String, Reply) {
    user.now += u64::from(pause) * 10;
    let mut words = CALLS[n].splitn(3, ' ');
    let (api, action) = (words.next().unwrap(), words.next().unwrap());
    let parameters = roll(words.next().unwrap_or_default(), known, &mut dice.into_iter());
    let reply = if api == "elb" { user.elb(action, &parameters) } else { user.ec2(action, &parameters) };
    known.extend(ids(&reply));
    (format!("{action} {parameters}"), reply)
}
