#!/usr/bin/env bash
# AWS's tutorial "Getting started with Gateway Load Balancers using the AWS CLI", steps 1 to 3, typed into the aws command
# line. It wants the variables of `eval "$(gwlb-lab env)"`, and prints each command before it runs.
set -euo pipefail

: "${AWS_ENDPOINT_URL:?run: eval \"\$(gwlb-lab env)\"}"
run() {
    printf '$ %s\n' "$*" >&2
    "$@"
}

LB=$(run aws elbv2 create-load-balancer --name my-load-balancer --type gateway --subnets "$PROVIDER_SUBNET_ID" \
    --ip-address-type dualstack --query 'LoadBalancers[0].LoadBalancerArn' --output text)
TG=$(run aws elbv2 create-target-group --name my-targets --protocol GENEVE --port 6081 --vpc-id "$PROVIDER_VPC_ID" \
    --query 'TargetGroups[0].TargetGroupArn' --output text)
targets=()
for id in $INSTANCE_IDS; do targets+=("Id=$id"); done
run aws elbv2 register-targets --target-group-arn "$TG" --targets "${targets[@]}"
run aws elbv2 create-listener --load-balancer-arn "$LB" --default-actions "Type=forward,TargetGroupArn=$TG" >/dev/null
run aws elbv2 describe-target-health --target-group-arn "$TG" \
    --query 'TargetHealthDescriptions[].[Target.Id,TargetHealth.State]' --output text

read -r SERVICE_ID SERVICE_NAME < <(run aws ec2 create-vpc-endpoint-service-configuration \
    --gateway-load-balancer-arns "$LB" --no-acceptance-required --supported-ip-address-types ipv4 ipv6 \
    --query 'ServiceConfiguration.[ServiceId,ServiceName]' --output text)
run aws ec2 modify-vpc-endpoint-service-permissions --service-id "$SERVICE_ID" \
    --add-allowed-principals arn:aws:iam::123456789012:root >/dev/null
VPCE=$(run aws ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer --service-name "$SERVICE_NAME" \
    --vpc-id "$CONSUMER_VPC_ID" --subnet-ids "$CONSUMER_SUBNET_ID" --ip-address-type dualstack \
    --query VpcEndpoint.VpcEndpointId --output text)

route() { run aws ec2 create-route "$@" >/dev/null; }
route --route-table-id "$GATEWAY_RTB" --destination-cidr-block "$SUBNET1_IPV4_CIDR" --vpc-endpoint-id "$VPCE"
route --route-table-id "$GATEWAY_RTB" --destination-cidr-block "$SUBNET1_IPV6_CIDR" --vpc-endpoint-id "$VPCE"
route --route-table-id "$APPLICATION_RTB" --destination-cidr-block 0.0.0.0/0 --vpc-endpoint-id "$VPCE"
route --route-table-id "$APPLICATION_RTB" --destination-cidr-block ::/0 --vpc-endpoint-id "$VPCE"
route --route-table-id "$ENDPOINT_RTB" --destination-cidr-block 0.0.0.0/0 --gateway-id "$IGW_ID"
route --route-table-id "$ENDPOINT_RTB" --destination-cidr-block ::/0 --gateway-id "$IGW_ID"
