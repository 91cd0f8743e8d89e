//! The real `aws` command line against the real `gwlb-lab`. It is taken from the path, or installed once into the target
//! directory; where neither can be, the tests say that they are skipped.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what a test builds on must be there")]

mod standing;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use standing::{Appliance, Habit, may_make_namespaces, wait_until};

/// A lab of its own, taken down at the end.
struct Lab {
    dir: PathBuf,
    aws: PathBuf,
}

impl Lab {
    fn up(name: &str, options: &[&str]) -> Option<Self> {
        let aws = aws()?;
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let lab = Self { dir, aws };
        lab.command(&["down"]);
        let prefix = format!("--prefix=c{}{name}", std::process::id() % 1000);
        let up = lab.command(&[&["up", "--port=0", &prefix], options].concat());
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        Some(lab)
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwlb-lab"));
        command.arg("--dir").arg(&self.dir).args(arguments).output().unwrap()
    }

    /// Runs a script of bash with the lab's environment, as a reader would; gives what it printed.
    fn bash(&self, script: &str) -> (bool, String) {
        let env = self.command(&["env"]);
        assert!(env.status.success(), "{}", String::from_utf8_lossy(&env.stderr));
        let env = String::from_utf8_lossy(&env.stdout).into_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        bash.args(["-euc", &format!("{env}\n{script}")]);
        bash.env("PATH", format!("{}:{path}", self.aws.parent().unwrap().display()));
        let done = bash.output().unwrap();
        let said =
            String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        (done.status.success(), said)
    }

    #[track_caller]
    fn well(&self, script: &str) -> String {
        let (well, said) = self.bash(script);
        assert!(well, "{script}: {said}");
        said
    }

    #[track_caller]
    fn json(&self, command: &str) -> Value {
        let said = self.well(&format!("aws {command} --output json"));
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{command}: {e}: {said}"))
    }

    /// How many of the eight checks (ping and HTTP, both families, both directions) pass.
    fn checks(&self) -> usize {
        let said = self.command(&["traffic"]);
        String::from_utf8_lossy(&said.stdout).lines().filter(|l| l.ends_with("passed")).count()
    }

    fn health(&self) -> Vec<String> {
        let told = self.command(&["status", "--json"]);
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        let word = |t: &Value| t["health"].as_str().unwrap_or("unused").to_owned();
        told["targets"].as_array().unwrap().iter().map(word).collect()
    }

    fn state(&self) -> lab::state::State {
        lab::snapshot::read(&self.dir.join("state.json")).unwrap().unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.command(&["down"]);
    }
}

/// The `aws` command: the one on the path, else one installed beside the build.
fn aws() -> Option<PathBuf> {
    let works = |path: &Path| Command::new(path).arg("--version").output().is_ok_and(|o| o.status.success());
    let places = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&places).map(|dir| dir.join("aws")).find(|aws| works(aws));
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("awscli");
    let own = venv.join("bin/aws");
    if on_path.is_none() && !works(&own) {
        let make = Command::new("python3").args(["-m", "venv"]).arg(&venv).status();
        if make.is_ok_and(|s| s.success()) {
            let _ = Command::new(venv.join("bin/pip")).args(["install", "--quiet", "awscli"]).status();
        }
    }
    let found = on_path.or_else(|| works(&own).then_some(own));
    if found.is_none() {
        eprintln!("SKIPPED: there is no aws command line, and it cannot be installed");
    }
    found
}

/// The tutorial's commands as README.md has them.
fn readme() -> String {
    let readme = include_str!("../../../README.md");
    let block = readme.split("<!-- tutorial -->").nth(1).and_then(|rest| rest.split("```").nth(1));
    block.unwrap().to_owned()
}

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
