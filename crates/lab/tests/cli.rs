//! A user at the shell: the README's commands, a lab that is killed, answers and refusals.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what a test builds on must be there")]

mod command;
mod standing;

use command::{Lab, readme};
use serde_json::Value;
use standing::{Appliance, Habit, may_make_namespaces, wait_until};

#[test]
fn the_readmes_commands_open_the_way_that_was_shut_and_health_follows_the_appliances() {
    if !may_make_namespaces() {
        return;
    }
    let options = ["--time-scale=20", "--appliance=sleep 100000"];
    let Some(lab) = Lab::up("tutorial", &options) else { return };
    assert_eq!(lab.checks(), 0, "nothing passes before the tutorial");
    let places: Vec<_> =
        lab.state().instances.values().filter(|i| i.role == lab::state::Role::Appliance).cloned().collect();
    let start = || places.iter().map(|i| Appliance::start(&i.namespace, i.interface.ipv4, Habit::Reflect));
    let said = lab.well(&readme());
    assert!(said.contains("\"TargetHealthDescriptions\""), "{said}");
    assert_eq!(lab.checks(), 0, "nothing passes while no appliance returns anything");
    let appliances: Vec<Appliance> = start().collect();
    wait_until("both appliances are healthy", || lab.health().iter().all(|h| h == "healthy"));
    assert_eq!(lab.checks(), 8, "everything passes after it");
    drop(appliances);
    wait_until("both are seen to be gone", || lab.health().iter().all(|h| h.starts_with("unhealthy")));
    assert_eq!(lab.checks(), 0, "nothing passes uninspected");
}

#[test]
fn a_killed_lab_is_resumed_as_it_was() {
    let Some(lab) = Lab::up("killed", &["--no-network"]) else { return };
    lab.well(&readme());
    let before = lab.state();
    let running: Value =
        serde_json::from_slice(&std::fs::read(lab.dir.join("running.json")).unwrap()).unwrap();
    let pid = i32::try_from(running["pid"].as_i64().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait_until("the lab is gone", || rustix::process::test_kill_process(pid).is_err());
    let up = lab.command(&["up", "--port=0", "--no-network"]);
    assert!(
        String::from_utf8_lossy(&up.stdout).contains("resumed"),
        "{}",
        String::from_utf8_lossy(&up.stderr)
    );
    assert_eq!(lab.state(), before);
    assert_eq!(lab.json("elbv2 describe-load-balancers")["LoadBalancers"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_command_line_understands_every_answer_and_every_refusal() {
    let Some(lab) = Lab::up("answers", &["--no-network"]) else { return };
    let made = lab.json("elbv2 create-load-balancer --name lb --type gateway --subnets $PROVIDER_SUBNET_ID");
    // The members that AWS documents for a Gateway Load Balancer (examples of the command line's own package).
    let balancer = &made["LoadBalancers"][0];
    for member in
        ["Type", "VpcId", "AvailabilityZones", "CreatedTime", "LoadBalancerName", "State", "LoadBalancerArn"]
    {
        assert!(!balancer[member].is_null(), "{member} in {balancer}");
    }
    for member in ["DNSName", "Scheme", "SecurityGroups", "CanonicalHostedZoneId"] {
        assert!(balancer[member].is_null(), "{member} in {balancer}");
    }
    assert_eq!(balancer["State"]["Code"], "provisioning");
    let group = lab.json(
        "elbv2 create-target-group --name tg --protocol GENEVE --port 6081 --vpc-id $PROVIDER_VPC_ID --target-type instance",
    );
    let group = &group["TargetGroups"][0];
    for (member, value) in [
        ("Protocol", Value::from("GENEVE")),
        ("Port", Value::from(6081)),
        ("HealthCheckProtocol", Value::from("TCP")),
        ("HealthCheckPort", Value::from("80")),
        ("HealthCheckEnabled", Value::from(true)),
        ("HealthCheckIntervalSeconds", Value::from(10)),
        ("HealthCheckTimeoutSeconds", Value::from(5)),
        ("HealthyThresholdCount", Value::from(5)),
        ("UnhealthyThresholdCount", Value::from(2)),
        ("TargetType", Value::from("instance")),
    ] {
        assert_eq!(group[member], value, "{member}");
    }
    for (what, query) in [
        ("ec2 describe-vpcs", "Vpcs"),
        ("ec2 describe-subnets --filters Name=vpc-id,Values=$CONSUMER_VPC_ID", "Subnets"),
        (
            "ec2 describe-route-tables --route-table-ids $GATEWAY_RTB $APPLICATION_RTB $ENDPOINT_RTB",
            "RouteTables",
        ),
        ("ec2 describe-internet-gateways", "InternetGateways"),
        ("ec2 describe-instances --page-size 5", "Reservations"),
        ("ec2 describe-instance-status", "InstanceStatuses"),
        ("ec2 describe-images --filters 'Name=name,Values=gwlb-lab-*'", "Images"),
        ("ec2 describe-network-interfaces", "NetworkInterfaces"),
        ("ec2 describe-security-groups", "SecurityGroups"),
        ("ec2 describe-security-group-rules", "SecurityGroupRules"),
        ("ec2 describe-availability-zones", "AvailabilityZones"),
        ("ec2 describe-tags", "Tags"),
        ("elbv2 describe-target-groups", "TargetGroups"),
    ] {
        let found = lab.json(what);
        assert!(found[query].as_array().is_some_and(|a| !a.is_empty()), "{what}: {found}");
    }
    lab.well("aws elbv2 wait load-balancer-available --names lb");
    lab.well("aws ec2 wait instance-running --instance-ids $INSTANCE_IDS");
    let open = "ec2 authorize-security-group-ingress --protocol tcp --port 8080 --cidr 10.0.0.0/8 --group-id $(aws ec2 \
                create-security-group --group-name g --description d --vpc-id $CONSUMER_VPC_ID --query GroupId --output text)";
    assert_eq!(lab.json(open)["SecurityGroupRules"][0]["ToPort"], 8080);
    for (command, says) in [
        ("elbv2 describe-load-balancers --names nope", "(LoadBalancerNotFound)"),
        ("ec2 create-vpc --cidr-block 10.9.0.0/16 --dry-run", "(DryRunOperation)"),
        (
            "ec2 create-route --route-table-id rtb-0 --destination-cidr-block 0.0.0.0/0 --gateway-id $IGW_ID",
            "(InvalidRouteTableID.NotFound)",
        ),
        ("ec2 describe-vpcs --region eu-west-1", "(SignatureDoesNotMatch)"),
        ("ec2 create-volume --availability-zone us-east-2a --size 1", "(InvalidAction)"),
        (
            "ec2 run-instances --image-id ami-0a991a7ce00000003 --subnet-id $CONSUMER_SUBNET_ID --key-name k",
            "(UnknownParameter)",
        ),
    ] {
        let (well, said) = lab.bash(&format!("aws {command}"));
        assert!(!well && said.contains(says), "{command}: {said}");
    }
}
