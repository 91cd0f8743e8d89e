//! The tutorial's steps as calls, each beside the command a reader would type.

use std::collections::BTreeMap;

use crate::prerequisites::text_of;

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What a reader types; `$NAME` stands for what earlier commands and the prerequisites gave.
    pub command: &'static str,
    /// The same as a form.
    pub form: &'static str,
    /// What the answer gives: variable and element.
    pub gives: &'static [(&'static str, &'static str)],
}

/// Steps 1 to 3 of "Getting started with Gateway Load Balancers using the AWS CLI", in one zone, dual stack.
pub const TUTORIAL: &[Step] = &[
    Step {
        command: "aws elbv2 create-load-balancer --name my-load-balancer --type gateway --subnets $PROVIDER_SUBNET_ID --ip-address-type dualstack",
        form: "Version=2015-12-01&Action=CreateLoadBalancer&Name=my-load-balancer&Type=gateway&Subnets.member.1=$PROVIDER_SUBNET_ID&IpAddressType=dualstack",
        gives: &[("LOADBALANCER_ARN", "LoadBalancerArn")],
    },
    Step {
        command: "aws elbv2 create-target-group --name my-targets --protocol GENEVE --port 6081 --vpc-id $PROVIDER_VPC_ID",
        form: "Version=2015-12-01&Action=CreateTargetGroup&Name=my-targets&Protocol=GENEVE&Port=6081&VpcId=$PROVIDER_VPC_ID",
        gives: &[("TARGETGROUP_ARN", "TargetGroupArn")],
    },
    Step {
        command: "aws elbv2 register-targets --target-group-arn $TARGETGROUP_ARN --targets $TARGETS",
        form: "Version=2015-12-01&Action=RegisterTargets&TargetGroupArn=$TARGETGROUP_ARN$TARGETS_FORM",
        gives: &[],
    },
    Step {
        command: "aws elbv2 create-listener --load-balancer-arn $LOADBALANCER_ARN --default-actions Type=forward,TargetGroupArn=$TARGETGROUP_ARN",
        form: "Version=2015-12-01&Action=CreateListener&LoadBalancerArn=$LOADBALANCER_ARN&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn=$TARGETGROUP_ARN",
        gives: &[],
    },
    Step {
        command: "aws ec2 create-vpc-endpoint-service-configuration --gateway-load-balancer-arns $LOADBALANCER_ARN --no-acceptance-required --supported-ip-address-types ipv4 ipv6",
        form: "Version=2016-11-15&Action=CreateVpcEndpointServiceConfiguration&GatewayLoadBalancerArn.1=$LOADBALANCER_ARN&AcceptanceRequired=false&SupportedIpAddressType.1=ipv4&SupportedIpAddressType.2=ipv6",
        gives: &[("SERVICE_ID", "serviceId"), ("SERVICE_NAME", "serviceName")],
    },
    Step {
        command: "aws ec2 modify-vpc-endpoint-service-permissions --service-id $SERVICE_ID --add-allowed-principals arn:aws:iam::123456789012:root",
        form: "Version=2016-11-15&Action=ModifyVpcEndpointServicePermissions&ServiceId=$SERVICE_ID&AddAllowedPrincipals.1=arn:aws:iam::123456789012:root",
        gives: &[],
    },
    Step {
        command: "aws ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer --service-name $SERVICE_NAME --vpc-id $CONSUMER_VPC_ID --subnet-ids $CONSUMER_SUBNET_ID --ip-address-type dualstack",
        form: "Version=2016-11-15&Action=CreateVpcEndpoint&VpcEndpointType=GatewayLoadBalancer&ServiceName=$SERVICE_NAME&VpcId=$CONSUMER_VPC_ID&SubnetId.1=$CONSUMER_SUBNET_ID&IpAddressType=dualstack",
        gives: &[("VPC_ENDPOINT_ID", "vpcEndpointId")],
    },
    Step {
        command: "aws ec2 create-route --route-table-id $GATEWAY_RTB --destination-cidr-block $SUBNET1_IPV4_CIDR --vpc-endpoint-id $VPC_ENDPOINT_ID",
        form: "Version=2016-11-15&Action=CreateRoute&RouteTableId=$GATEWAY_RTB&DestinationCidrBlock=$SUBNET1_IPV4_CIDR&VpcEndpointId=$VPC_ENDPOINT_ID",
        gives: &[],
    },
    Step {
        command: "aws ec2 create-route --route-table-id $GATEWAY_RTB --destination-ipv6-cidr-block $SUBNET1_IPV6_CIDR --vpc-endpoint-id $VPC_ENDPOINT_ID",
        form: "Version=2016-11-15&Action=CreateRoute&RouteTableId=$GATEWAY_RTB&DestinationIpv6CidrBlock=$SUBNET1_IPV6_CIDR&VpcEndpointId=$VPC_ENDPOINT_ID",
        gives: &[],
    },
    Step {
        command: "aws ec2 create-route --route-table-id $APPLICATION_RTB --destination-cidr-block 0.0.0.0/0 --vpc-endpoint-id $VPC_ENDPOINT_ID",
        form: "Version=2016-11-15&Action=CreateRoute&RouteTableId=$APPLICATION_RTB&DestinationCidrBlock=0.0.0.0/0&VpcEndpointId=$VPC_ENDPOINT_ID",
        gives: &[],
    },
    Step {
        command: "aws ec2 create-route --route-table-id $APPLICATION_RTB --destination-ipv6-cidr-block ::/0 --vpc-endpoint-id $VPC_ENDPOINT_ID",
        form: "Version=2016-11-15&Action=CreateRoute&RouteTableId=$APPLICATION_RTB&DestinationIpv6CidrBlock=::/0&VpcEndpointId=$VPC_ENDPOINT_ID",
        gives: &[],
    },
    Step {
        command: "aws ec2 create-route --route-table-id $ENDPOINT_RTB --destination-cidr-block 0.0.0.0/0 --gateway-id $IGW_ID",
        form: "Version=2016-11-15&Action=CreateRoute&RouteTableId=$ENDPOINT_RTB&DestinationCidrBlock=0.0.0.0/0&GatewayId=$IGW_ID",
        gives: &[],
    },
    Step {
        command: "aws ec2 create-route --route-table-id $ENDPOINT_RTB --destination-ipv6-cidr-block ::/0 --gateway-id $IGW_ID",
        form: "Version=2016-11-15&Action=CreateRoute&RouteTableId=$ENDPOINT_RTB&DestinationIpv6CidrBlock=::/0&GatewayId=$IGW_ID",
        gives: &[],
    },
];

/// Health checks as fast as the API allows; what a reader does who will not wait a minute.
pub const QUICK: Step = Step {
    command: "aws elbv2 modify-target-group --target-group-arn $TARGETGROUP_ARN --health-check-interval-seconds 5 --health-check-timeout-seconds 2 --healthy-threshold-count 2 --unhealthy-threshold-count 2",
    form: "Version=2015-12-01&Action=ModifyTargetGroup&TargetGroupArn=$TARGETGROUP_ARN&HealthCheckIntervalSeconds=5&HealthCheckTimeoutSeconds=2&HealthyThresholdCount=2&UnhealthyThresholdCount=2",
    gives: &[],
};

/// What the steps know: the prerequisites' variables, and what each answer gave.
#[derive(Debug, Clone)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Begins with the prerequisites.
    #[must_use]
    pub fn new(prerequisites: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut all: BTreeMap<String, String> = prerequisites.into_iter().collect();
        let ids: Vec<String> = all
            .get("INSTANCE_IDS")
            .map(|ids| ids.split(' ').map(str::to_owned).collect())
            .unwrap_or_default();
        let ids = || ids.iter().filter(|id| !id.is_empty());
        let typed: Vec<String> = ids().map(|id| format!("Id={id}")).collect();
        let form: Vec<String> =
            ids().enumerate().map(|(n, id)| format!("&Targets.member.{}.Id={id}", n + 1)).collect();
        all.insert("TARGETS".into(), typed.join(" "));
        all.insert("TARGETS_FORM".into(), form.concat());
        Self(all)
    }

    /// A variable's value; empty if nothing gave it one.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// `text` with every `$NAME` replaced by its value.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let mut parts = text.split('$');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            out.push_str(self.value(name));
            out.push_str(rest);
        }
        out
    }

    /// Keeps what `answer` gives to `step`.
    pub fn learn(&mut self, step: &Step, answer: &str) {
        for (variable, element) in step.gives {
            self.0.insert((*variable).to_owned(), text_of(answer, element).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Variables;

    #[test]
    fn names_are_filled_in_whole() {
        let pairs = [("A", "1"), ("A_B", "2"), ("INSTANCE_IDS", "i-1 i-2")];
        let variables = Variables::new(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(variables.fill("x$A/$A_B-$NONE."), "x1/2-.");
        assert_eq!(variables.fill("$TARGETS"), "Id=i-1 Id=i-2");
    }
}
