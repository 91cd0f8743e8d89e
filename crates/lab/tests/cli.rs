//! A user at the shell: the README's commands, a lab that is killed, answers and refusals.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what a test builds on must be there")]

mod command;
mod standing;

use std::sync::atomic::Ordering;

use command::{Lab, readme};
use serde_json::Value;
use standing::{ADDRESSES, Appliance, Habit, ip, may_make_namespaces, wait_until};

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

/// The tutorial in both zones of a lab: README's block has the first; the second repeats the endpoint and the application's
/// routes, as the tutorial's last step asks.
const SECOND_ZONE: &str = "
aws elbv2 set-subnets --load-balancer-arn $LOADBALANCER_ARN --subnets $PROVIDER_SUBNET_ID $PROVIDER_SUBNET_ID_2
VPC_ENDPOINT_ID_2=$(aws ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer \
    --service-name com.amazonaws.vpce.us-east-2.$SERVICE_ID --vpc-id $CONSUMER_VPC_ID --subnet-ids $CONSUMER_SUBNET_ID_2 \
    --ip-address-type dualstack --query VpcEndpoint.VpcEndpointId --output text)
aws ec2 create-route --route-table-id $GATEWAY_RTB --destination-cidr-block $SUBNET1_IPV4_CIDR_2 --vpc-endpoint-id $VPC_ENDPOINT_ID_2
aws ec2 create-route --route-table-id $APPLICATION_RTB_2 --destination-cidr-block 0.0.0.0/0 --vpc-endpoint-id $VPC_ENDPOINT_ID_2
";

#[test]
fn traffic_stays_in_its_zone_and_spreads_with_cross_zone() {
    if !may_make_namespaces() {
        return;
    }
    let options = ["--zones=2", "--appliances=4", "--time-scale=20", "--appliance=sleep 100000"];
    let Some(lab) = Lab::up("zones", &options) else { return };
    let state = lab.state();
    let mut places: Vec<_> =
        state.instances.values().filter(|i| i.role == lab::state::Role::Appliance).collect();
    places.sort_by_key(|i| i.name.clone());
    let zone = |i: &lab::state::Instance| state.subnets[&i.interface.subnet].zone.clone();
    let zones: Vec<String> = places.iter().map(|i| zone(i)).collect();
    assert_eq!(zones, ["us-east-2a", "us-east-2b", "us-east-2a", "us-east-2b"]);
    let appliances: Vec<Appliance> =
        places.iter().map(|i| Appliance::start(&i.namespace, i.interface.ipv4, Habit::Reflect)).collect();
    lab.well(&format!("{}{SECOND_ZONE}", readme()));
    wait_until("all appliances are healthy", || lab.health().iter().all(|h| h == "healthy"));

    // How many packets each appliance saw while both servers were asked from many ports.
    let ask = || {
        let before: Vec<u64> = appliances.iter().map(|a| a.seen.load(Ordering::Relaxed)).collect();
        for server in ["$APP_PUBLIC_IPV4", "$APP_PUBLIC_IPV4_2"] {
            let many = format!("for i in {{1..16}}; do curl -sS -m 5 -o /dev/null http://{server}/; done");
            lab.well(&format!(
                "{} --dir {} exec client -- bash -c \"{many}\"",
                env!("CARGO_BIN_EXE_gwlb-lab"),
                lab.dir.display()
            ));
        }
        let after = appliances.iter().map(|a| a.seen.load(Ordering::Relaxed));
        after.zip(before).map(|(after, before)| after - before).collect::<Vec<u64>>()
    };
    let one_zone_only = |saw: &[u64]| {
        let told = lab.command(&["status", "--json"]);
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        let nodes = told["network"]["nodes"].as_array().unwrap();
        let flows = nodes.iter().flat_map(|n| n["flows"].as_array().unwrap().iter().map(move |f| (n, f)));
        let strays = flows.filter(|(node, flow)| {
            let at = places.iter().position(|i| flow["target"] == i.interface.ipv4.to_string()).unwrap();
            node["zone"] != zones[at].as_str()
        });
        (strays.count(), saw.iter().filter(|n| **n > 0).count())
    };
    let saw = ask();
    let (strays, used) = one_zone_only(&saw);
    assert!(strays == 0 && used >= 3, "{strays} flows left their zone; {saw:?}");

    lab.well(
        "aws elbv2 modify-load-balancer-attributes --attributes Key=load_balancing.cross_zone.enabled,Value=true \
         --load-balancer-arn $(aws elbv2 describe-load-balancers --query 'LoadBalancers[0].LoadBalancerArn' --output text)",
    );
    wait_until("all appliances are healthy for both nodes", || lab.health().iter().all(|h| h == "healthy"));
    wait_until("flows spread over the zones", || one_zone_only(&ask()).0 > 0);
}

#[test]
fn faults_do_what_they_say_and_mending_ends_them() {
    if !may_make_namespaces() {
        return;
    }
    let Some(lab) = Lab::up("faults", &["--appliances=1", "--time-scale=20", "--appliance=sleep 100000"])
    else {
        return;
    };
    let place = lab.state().instances.values().find(|i| i.name == "appliance1").unwrap().clone();
    let _appliance = Appliance::start(&place.namespace, place.interface.ipv4, Habit::Reflect);
    let tutorial = lab.command(&["tutorial", "--quick"]);
    assert!(tutorial.status.success());
    let healthy = || lab.health() == ["healthy"];
    wait_until("the appliance is healthy", healthy);
    wait_until("everything passes", || lab.checks() == 8);
    let fault = |words: &[&str]| {
        let done = lab.command(&[&["fault"], words].concat());
        let said =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words:?}: {said}");
        said
    };

    let said = fault(&["reuse", "client"]);
    assert!(said.contains("200 answered, 200 flows begun, 0 packets"), "{said}");

    fault(&["drop", "endpoint"]);
    let pings = || {
        let [app4, app6, client4, client6] = ADDRESSES;
        [("client", app4), ("client", app6), ("app", client4), ("app", client6)].map(|(from, to)| {
            lab.command(&["exec", from, "--", "ping", "-n", "-c", "1", "-W", "1", to]).status.success()
        })
    };
    assert_eq!(pings(), [false; 4], "without the endpoint's device nothing passes");
    fault(&["mend", "endpoint"]);
    wait_until("everything passes again", || pings() == [true; 4]);

    let round_trip = || {
        let ping =
            lab.command(&["exec", "client", "--", "ping", "-n", "-c", "1", "-W", "3", "198.51.100.10"]);
        let said = String::from_utf8_lossy(&ping.stdout).into_owned();
        said.split("time=").nth(1).and_then(|t| t.split(' ').next()).and_then(|t| t.parse::<f64>().ok())
    };
    fault(&["slow", "appliance1", "--by", "150"]);
    assert!(round_trip().is_some_and(|ms| ms >= 300.0), "a packet waits each time it passes the appliance");
    assert!(healthy(), "its checks are late, and still in time");
    fault(&["slow", "appliance1", "--by", "5000"]);
    wait_until("checks run into their timeout", || lab.health() == ["unhealthy (timeout)"]);
    fault(&["mend", "appliance1"]);
    wait_until("the appliance is healthy again", healthy);
    wait_until("nothing waits any more", || round_trip().is_some_and(|ms| ms < 150.0));

    let measured = lab.command(&["traffic", "--throughput"]);
    let measured = String::from_utf8_lossy(&measured.stdout).into_owned();
    assert_eq!(measured.lines().filter(|l| l.ends_with(" Mbit/s")).count(), 4, "{measured}");
    fault(&["cut", "appliance1"]);
    wait_until("its cable is seen to be out", || lab.health()[0].starts_with("unhealthy"));
    assert_eq!(pings(), [false; 4]);
    fault(&["mend", "appliance1"]);
    // the kernel's part of this test's appliance lost its route with the cable
    ip(&place.namespace, "route replace default via 10.1.2.1");
    wait_until("the appliance is healthy a third time", healthy);
    let wrong = lab.command(&["fault", "drop", "vpce-0"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("there is no endpoint vpce-0"));
}
