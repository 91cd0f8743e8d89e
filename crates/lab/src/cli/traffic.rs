//! `gwlb-lab traffic`: the tutorial's proof that it works, from inside both ends.

use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Done;
use super::place::Place;
use super::within::namespace;

/// iperf3's own port, which the lab's security groups let in.
const IPERF_PORT: u16 = 5201;
/// What a download has.
const BYTES: u64 = 20_000_000;
/// How long a server may take to begin.
const START: Duration = Duration::from_secs(5);

/// One way: from where, to whom, under which addresses.
struct Way {
    from: &'static str,
    source: String,
    to: &'static str,
    destination: String,
    addresses: [String; 2],
}

pub(super) fn traffic(place: &Place, throughput: bool) -> Done {
    let ways = ways(place)?;
    let checks: Vec<Check<'_>> = ways.iter().flat_map(Way::checks).collect();
    // All at once: what does not pass takes its whole timeout.
    let passed: Vec<Result<bool, String>> = thread::scope(|scope| {
        let running: Vec<_> = checks.iter().map(|check| scope.spawn(|| check.passes())).collect();
        let ended = running.into_iter().map(|one| one.join().unwrap_or(Ok(false)));
        ended.collect()
    });
    let mut failed = false;
    for (Check { way, what, address, .. }, passed) in checks.iter().zip(passed) {
        let passed = passed?;
        failed |= !passed;
        let word = if passed { "passed" } else { "FAILED" };
        println!("{what} {:>6} -> {:<6} {address:<24} {word}", way.from, way.to);
    }
    if throughput && !failed {
        measure(&ways)?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One thing to try.
struct Check<'a> {
    way: &'a Way,
    what: &'static str,
    address: &'a str,
    command: Vec<String>,
}

impl Way {
    fn checks(&self) -> Vec<Check<'_>> {
        let words = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let both = |address| {
            let ping = words(format!("ping -n -c 3 -i 0.2 -W 1 {address}"));
            let curl = words(format!("curl -sS -m 3 -o /dev/null http://{}/", host(address)));
            let check = |what, command| Check { way: self, what, address, command };
            [check("ping", ping), check("http", curl)]
        };
        self.addresses.iter().flat_map(|address| both(address.as_str())).collect()
    }
}

impl Check<'_> {
    fn passes(&self) -> Result<bool, String> {
        let mut run = Command::new("ip");
        run.args(["netns", "exec", &self.way.source]).args(&self.command);
        run.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(run.status().map_err(|e| format!("cannot run ip: {e}"))?.success())
    }
}

fn ways(place: &Place) -> Result<[Way; 2], Box<dyn std::error::Error>> {
    let state = place.state()?;
    let made = place.prerequisites()?;
    let value = |name: &str| {
        made.variables.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default()
    };
    let [app, client] = [namespace(&state, "app")?, namespace(&state, "client")?];
    Ok([
        Way {
            from: "client",
            source: client.clone(),
            to: "app",
            destination: app.clone(),
            addresses: [value("APP_PUBLIC_IPV4"), value("APP_IPV6")],
        },
        Way {
            from: "app",
            source: app,
            to: "client",
            destination: client,
            addresses: [value("CLIENT_IPV4"), value("CLIENT_IPV6")],
        },
    ])
}

fn host(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

/// How much passes: a second of iperf3 each way, or a download.
fn measure(ways: &[Way]) -> Result<(), Box<dyn std::error::Error>> {
    let has_iperf = Command::new("iperf3").arg("--version").output().is_ok_and(|o| o.status.success());
    if !has_iperf {
        println!("iperf3 is not installed: throughput is that of one download of {} MB", BYTES / 1_000_000);
    }
    for way in ways {
        for address in &way.addresses {
            let bits = if has_iperf { iperf(way, address) } else { download(way, address) }?;
            let name = if has_iperf { "iperf3" } else { "curl" };
            let (from, to) = (way.from, way.to);
            println!("{name:<6} {from:>6} -> {to:<6} {address:<24} {:.0} Mbit/s", bits / 1e6);
        }
    }
    Ok(())
}

/// Bits per second of a download from the server at `address`.
fn download(way: &Way, address: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let url = format!("http://{}/bytes/{BYTES}", host(address));
    let curl = ["curl", "-sS", "-m", "60", "-o", "/dev/null", "-w", "%{speed_download}", &url];
    let told = Command::new("ip").args(["netns", "exec", &way.source]).args(curl).output()?;
    let speed: f64 = String::from_utf8_lossy(&told.stdout).trim().parse()?;
    Ok(speed * 8.0)
}

/// A server of iperf3's, ended when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bits per second that iperf3's server received.
fn iperf(way: &Way, address: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let port = IPERF_PORT.to_string();
    let mut serve = Command::new("ip");
    serve.args(["netns", "exec", &way.destination, "iperf3", "-s", "-p", &port]);
    let _server = Server(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let begun = Instant::now();
    let told: Value = loop {
        let mut ask = Command::new("ip");
        ask.args(["netns", "exec", &way.source, "iperf3", "-J", "-t", "1", "-p", &port, "-c", address]);
        let told: Value = serde_json::from_slice(&ask.output()?.stdout)?;
        // the server may not listen yet
        let too_early = told["error"].as_str().is_some_and(|e| e.contains("unable to connect"));
        if !too_early || begun.elapsed() > START {
            break told;
        }
        sleep(Duration::from_millis(20));
    };
    told["end"]["sum_received"]["bits_per_second"].as_f64().ok_or_else(|| {
        format!("iperf3 to {address}: {}", told["error"].as_str().unwrap_or("no figure")).into()
    })
}
