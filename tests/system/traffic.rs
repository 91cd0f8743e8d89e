//! Real clients and servers through two appliances: files whole, jumbo packets, and what happens when one of them ends.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use libtest_mimic::{Failed, Trial};

use crate::lab::{Lab, wait};
use crate::place::root;
use crate::trial::{root_test, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        root_test(
            "files_of_100_mb_cross_both_ways_unchanged_and_a_dead_appliance_is_replaced",
            files_and_failover,
        ),
        root_test("an_appliance_that_is_told_to_end_under_load_loses_nothing", drain),
        root_test("ten_thousand_flows_that_use_their_tuples_again_show_no_cookie_mismatch", soak),
        root_test("rules_changed_under_traffic_hold_for_new_flows_and_no_packet_is_lost", reload),
        root_test("inner_packets_of_8500_bytes_pass_and_longer_ones_do_not", jumbo),
    ]
}

const FILE_BYTES: u64 = 100 << 20;

/// A web server of Python's in a namespace, for a folder; on iperf's port, which the lab's security groups let in.
struct Web(Child);

impl Web {
    fn start(lab: &Lab, name: &str, folder: &Path) -> Result<Self, Failed> {
        let serve = ["python3", "-m", "http.server", "5201", "--bind", "::", "--directory"];
        let mut command = lab.within(name, &serve);
        command.arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self(command.spawn()?);
        let here = ["curl", "-s", "-o", "/dev/null", "http://[::1]:5201/"];
        if wait(|| Ok(lab.within(name, &here).status()?.success()))? {
            Ok(server)
        } else {
            Err("no web server".into())
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Who fetches from whom, under which addresses.
struct Ways([(&'static str, [String; 2]); 2]);

impl Ways {
    fn of(lab: &Lab) -> Result<Self, Failed> {
        let env = lab.run(&["env"])?;
        let env = String::from_utf8_lossy(&env.stdout).into_owned();
        let value = |name: &str| {
            let start = format!("export {name}=");
            let line = env.lines().find_map(|line| line.strip_prefix(&start));
            line.map(|value| value.trim_matches('\'').to_owned()).ok_or_else(|| format!("no {name}"))
        };
        let v6 = |name| value(name).map(|address| format!("[{address}]"));
        Ok(Self([
            ("client", [value("APP_PUBLIC_IPV4")?, v6("APP_IPV6")?]),
            ("app", [value("CLIENT_IPV4")?, v6("CLIENT_IPV6")?]),
        ]))
    }

    fn each(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().flat_map(|(from, hosts)| hosts.iter().map(move |host| (*from, host.as_str())))
    }
}

fn files_and_failover() -> Result<(), Failed> {
    let folder = scratch("files")?;
    let sent = folder.join("file");
    std::io::copy(&mut File::open("/dev/urandom")?.take(FILE_BYTES), &mut File::create(&sent)?)?;
    let lab = Lab::up("slfile", 4611, &["--appliances=2"])?;
    lab.wait_for(&["healthy", "healthy"])?;
    let _servers = [Web::start(&lab, "app", &folder)?, Web::start(&lab, "client", &folder)?];
    let ways = Ways::of(&lab)?;
    for (from, host) in ways.each() {
        let got = folder.join("got");
        let url = format!("http://{host}:5201/file");
        run(lab.within(from, &["curl", "-sS", "-m", "120", "-o"]).arg(&got).arg(&url))?;
        run(Command::new("cmp").arg(&sent).arg(&got))?;
    }

    lab.run(&["fault", "kill", "appliance1"])?;
    lab.wait_for(&["unhealthy", "healthy"])?;
    for _ in 0..10 {
        for (from, host) in ways.each() {
            let url = format!("http://{host}:5201/");
            run(&mut lab.within(from, &["curl", "-sS", "-m", "5", "-o", "/dev/null", &url]))?;
        }
    }
    lab.run(&["fault", "restart", "appliance1"])?;
    lab.wait_for(&["healthy", "healthy"])?;
    ends_in_balance(&lab, "appliance2")?;
    Ok(fs::remove_dir_all(folder)?)
}

fn drain() -> Result<(), Failed> {
    let lab = Lab::up("sldrain", 4612, &["--appliances=2"])?;
    lab.wait_for(&["healthy", "healthy"])?;
    let ways = Ways::of(&lab)?;
    let (over, fetched) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    thread::scope(|scope| {
        let loads: Vec<_> = ways
            .each()
            .map(|(from, host)| {
                let (lab, over, fetched) = (&lab, over.clone(), fetched.clone());
                let url = format!("http://{host}/");
                scope.spawn(move || -> Result<(), Failed> {
                    // New flows all the time, each of which must end well.
                    while !over.load(Ordering::Relaxed) {
                        run(&mut lab.within(from, &["curl", "-sS", "-m", "20", "-o", "/dev/null", &url]))?;
                        fetched.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let under_load = || -> Result<(), Failed> {
            wait(|| Ok(fetched.load(Ordering::Relaxed) >= 40))?;
            ends_in_balance(&lab, "appliance1")?;
            let before = fetched.load(Ordering::Relaxed);
            wait(|| Ok(fetched.load(Ordering::Relaxed) >= before + 40))?;
            lab.wait_for(&["unhealthy", "healthy"])
        }();
        over.store(true, Ordering::Relaxed);
        for load in loads {
            load.join().map_err(|_| "a client thread died")??;
        }
        under_load
    })
}

/// SIGTERM an appliance and hold it to its word: it drains, ends by itself, and no packet is unaccounted for.
fn ends_in_balance(lab: &Lab, name: &str) -> Result<(), Failed> {
    let pid = lab.appliance_pid(name)?;
    // SAFETY: sends a signal to a process that the lab of this test started.
    if unsafe { libc::kill(pid, libc::SIGTERM) } != 0 {
        return Err(format!("{name}: no process {pid}").into());
    }
    if !wait(|| Ok(lab.log(name)?.contains(" conserved=")))? {
        return Err(format!("{name} did not end: {}", lab.log(name)?).into());
    }
    let log = lab.log(name)?;
    let whole = log.contains("held=0") && log.contains("conserved=true");
    if whole { Ok(()) } else { Err(format!("{name} lost packets: {log}").into()) }
}

fn soak() -> Result<(), Failed> {
    let lab = Lab::up("slsoak", 4614, &["--appliances=2"])?;
    lab.wait_for(&["healthy", "healthy"])?;
    for (from, host) in Ways::of(&lab)?.each().filter(|(from, _)| *from == "client") {
        let host = host.trim_matches(['[', ']']);
        let script = root().join("tests/soak.py");
        run(lab.within(from, &["python3"]).arg(script).args([host, "80", "5000", "250"]))?;
    }
    let status = lab.run(&["status", "--json"])?;
    let status: serde_json::Value = serde_json::from_slice(&status.stdout)?;
    let counters = &status["network"]["nodes"][0]["counters"];
    let sum = |name: &str| counters[name].as_u64().ok_or_else(|| format!("no counter {name}: {counters}"));
    let mismatches =
        ["cookie-mismatch", "endpoint-mismatch", "inner-mismatch", "udp-port-mismatch", "source-mismatch"];
    for name in mismatches {
        if sum(name)? > 0 {
            return Err(format!("{name}: {counters}").into());
        }
    }
    if sum("flows-begun")? < 10_000 {
        return Err(format!("tuples were used again without a new flow: {counters}").into());
    }
    ends_in_balance(&lab, "appliance1")?;
    ends_in_balance(&lab, "appliance2")
}

fn reload() -> Result<(), Failed> {
    let rules = scratch("reload")?.join("changing.rules");
    fs::write(&rules, "# nothing yet\n")?;
    let option = format!("--rules={}", rules.display());
    let lab = Lab::up("slload", 4615, &["--appliances=1", &option])?;
    lab.wait_for(&["healthy"])?;
    let ways = Ways::of(&lab)?;
    let (_, host) = ways.each().find(|(from, _)| *from == "client").ok_or("no way from the client")?;
    let folder = scratch("reload")?;
    let _server = Web::start(&lab, "app", &folder)?;
    let reaches = |port: u16| -> Result<bool, Failed> {
        let url = format!("http://{host}:{port}/");
        let curl = ["curl", "-s", "-m", "2", "-o", "/dev/null", &url];
        Ok(lab.within("client", &curl).status()?.success())
    };
    let pid = lab.appliance_pid("appliance1")?;
    let told = |words: &str| wait(|| Ok(lab.log("appliance1")?.contains(words)));
    let hang_up = |words: &str| -> Result<(), Failed> {
        // SAFETY: sends a signal to a process that the lab of this test started.
        unsafe { libc::kill(pid, libc::SIGHUP) };
        if told(words)? { Ok(()) } else { Err(format!("never told: {words}").into()) }
    };
    assert!(reaches(5201)? && reaches(80)?, "without rules everything passes");

    fs::write(&rules, "drop tcp any any -> any 5201 (msg:\"not this one\"; sid:1;)\n")?;
    hang_up("generation 2, 1 rules")?;
    assert!(!reaches(5201)? && reaches(80)?, "the new rule holds, and for its port alone");

    fs::remove_file(&rules)?;
    hang_up("the rules stay as they are")?;
    assert!(!reaches(5201)? && reaches(80)?, "rules that cannot be read change nothing");

    fs::write(&rules, "# nothing any more\n")?;
    hang_up("generation 3, 0 rules")?;
    assert!(reaches(5201)? && reaches(80)?, "a dropped port is open again");
    ends_in_balance(&lab, "appliance1")
}

fn jumbo() -> Result<(), Failed> {
    let lab = Lab::up("sljumbo", 4613, &["--appliances=1"])?;
    lab.wait_for(&["healthy"])?;
    // The outside has an MTU of 1500, as the internet has; a direct connection would carry what the VPC carries.
    for (namespace, link) in links(&lab)? {
        run(Command::new("ip").args(["-n", &namespace, "link", "set", &link, "mtu", "9001"]))?;
    }
    let ways = Ways::of(&lab)?;
    for (from, host) in ways.each() {
        let host = host.trim_matches(['[', ']']);
        let headers = if host.contains(':') { 48 } else { 28 };
        let ping = |inner: u32| {
            let size = (inner - headers).to_string();
            let mut ping =
                lab.within(from, &["ping", "-n", "-M", "do", "-c", "3", "-i", "0.2", "-W", "1", "-s"]);
            ping.args([&size, host]);
            ping
        };
        run(&mut ping(8500))?;
        if ping(8501).output()?.status.success() {
            return Err(format!("{from}: 8501 bytes passed, which GWLB does not carry").into());
        }
    }
    Ok(())
}

/// The links of the outside, of which the lab's namespaces of its own prefix have some with an MTU of 1500.
fn links(lab: &Lab) -> Result<Vec<(String, String)>, Failed> {
    let prefix = format!("{}-", prefix(lab));
    let listed = run(Command::new("ip").args(["netns", "list"]))?;
    let mut links = Vec::new();
    for namespace in
        String::from_utf8_lossy(&listed.stdout).lines().filter_map(|line| line.split_whitespace().next())
    {
        if !namespace.starts_with(&prefix) {
            continue;
        }
        let shown = run(Command::new("ip").args(["-n", namespace, "-j", "link"]))?;
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout)?;
        let narrow = shown.as_array().into_iter().flatten().filter(|link| link["mtu"] == 1500);
        links.extend(
            narrow.filter_map(|link| Some((namespace.to_owned(), link["ifname"].as_str()?.to_owned()))),
        );
    }
    if links.is_empty() { Err("nothing in the lab has an MTU of 1500".into()) } else { Ok(links) }
}

fn prefix(lab: &Lab) -> String {
    let name = lab.dir().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.trim_start_matches("sluice-test-").to_owned()
}

fn scratch(name: &str) -> Result<PathBuf, Failed> {
    let folder = root().join("target/tests").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
