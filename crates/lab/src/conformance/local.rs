//! Rules of the appliance's own address: health checks, ARP, ping, and that nothing else answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use wire::testkit::{OUR_ADDRESS, arp, icmp, plain};

use super::bench::{APPLIANCE_MAC, Bench, BenchError, NODE, PATIENCE};
use super::rule::{Check, Level, Rule};

const HEALTH: &str = "AWS, Gateway Load Balancers: health checks";
/// The health check's port, if a target group does not say otherwise.
const HEALTH_PORT: u16 = 80;
/// "Several per interval" from each node; this is more than any real group of nodes asks at once.
const AT_ONCE: usize = 50;
/// The shortest timeout of a health check (AWS, `HealthCheckTimeoutSeconds`).
const TIMEOUT: Duration = Duration::from_secs(2);
/// The shortest interval of health checks, and how many must fail in a row before a target is unhealthy by default (AWS,
/// `HealthCheckIntervalSeconds`, `UnhealthyThresholdCount`).
const INTERVAL: Duration = Duration::from_secs(5);
const THRESHOLD: usize = 2;
/// What servers like to listen on, and GENEVE's own number.
const OTHER_PORTS: [u16; 6] = [22, 23, 443, 6081, 8080, 9100];

/// What a judgement is: a sentence if the rule is broken.
type Judged = Result<Option<String>, BenchError>;

/// All of them.
pub(super) fn rules() -> Vec<Rule> {
    let rule = |name, source, level, judge: fn(&Bench) -> Judged| Rule {
        name,
        source,
        level,
        check: Check::Other(judge),
        token: [0; 8],
    };
    vec![
        rule("ARP for its address is answered", "RFC 826", Level::Must, arp_reply),
        rule("a TCP health check passes", HEALTH, Level::Must, |bench| checks(bench, 1, connects)),
        rule("an HTTP health check passes", HEALTH, Level::Must, |bench| checks(bench, 1, answers)),
        rule("fifty TCP health checks at once", HEALTH, Level::Must, |bench| {
            checks(bench, AT_ONCE, connects)
        }),
        rule("fifty HTTP health checks at once", HEALTH, Level::Must, |bench| {
            checks(bench, AT_ONCE, answers)
        }),
        rule("and again: no check leaves anything behind", HEALTH, Level::Must, |bench| {
            checks(bench, AT_ONCE, answers)
        }),
        rule("a ping is answered", "RFC 1122 §3.2.2.6", Level::Should, ping),
        rule("nothing else is reachable", "AWS, security groups of targets", Level::Should, shut),
    ]
}

fn arp_reply(bench: &Bench) -> Judged {
    bench.send(&arp(1, NODE, OUR_ADDRESS))?;
    let is_reply =
        |frame: &[u8]| frame.get(12..14) == Some(&[0x08, 0x06]) && frame.get(20..22) == Some(&[0, 2]);
    let Some(reply) = bench.next(Instant::now() + PATIENCE, is_reply)? else {
        return Ok(Some("no ARP reply".to_owned()));
    };
    let says = (reply.get(22..28), reply.get(28..32));
    let right = says == (Some(&APPLIANCE_MAC), Some(&OUR_ADDRESS.octets()));
    Ok((!right).then(|| format!("the reply says {says:?}")))
}

fn ping(bench: &Bench) -> Judged {
    let (node, ours) = (NODE.to_string(), OUR_ADDRESS.to_string());
    bench.send(&plain(&icmp(&node, &ours, 8, 0).payload(b"echo this").build()))?;
    let is_reply = |frame: &[u8]| {
        frame.get(23) == Some(&1) && frame.get(34) == Some(&0) && frame.ends_with(b"echo this")
    };
    let reply = bench.next(Instant::now() + PATIENCE, is_reply)?;
    Ok(reply.is_none().then(|| "no echo reply".to_owned()))
}

/// So many checks at once from the node, as a load balancer judges them: one round may fail, an interval later none.
fn checks(bench: &Bench, count: usize, check: fn() -> Result<(), String>) -> Judged {
    let mut failed = round(bench, count, check)?;
    for _ in 1..THRESHOLD {
        if failed.is_empty() {
            break;
        }
        thread::sleep(INTERVAL);
        failed = round(bench, count, check)?;
    }
    // Whether it would not or could not, only the appliance knows.
    let words = || bench.last_words().map(|words| format!("; its log ends: {words}")).unwrap_or_default();
    Ok(failed.first().map(|why| format!("{} of {count} failed: {why}{}", failed.len(), words())))
}

/// Why checks failed, each on a thread of its own.
fn round(bench: &Bench, count: usize, check: fn() -> Result<(), String>) -> Result<Vec<String>, BenchError> {
    bench.at_node(|| {
        thread::scope(|scope| {
            let running: Vec<_> = (0..count).map(|_| scope.spawn(check)).collect();
            let broke_off = |_| Err("it broke off".to_owned());
            let ended = running.into_iter().map(|one| one.join().unwrap_or_else(broke_off));
            ended.filter_map(Result::err).collect()
        })
    })
}

fn connects() -> Result<(), String> {
    connect(HEALTH_PORT).map(drop)
}

fn answers() -> Result<(), String> {
    let mut stream = connect(HEALTH_PORT)?;
    let failed = |error: std::io::Error| format!("no HTTP answer: {error}");
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    let ask = format!(
        "GET / HTTP/1.1\r\nHost: {OUR_ADDRESS}\r\nUser-Agent: ELB-HealthChecker/2.0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).map_err(failed)?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).map_err(failed)?;
    let text = String::from_utf8_lossy(&head).into_owned();
    let status: u16 = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.parse().ok()).unwrap_or_default();
    if (200..400).contains(&status) { Ok(()) } else { Err(format!("its answer begins with {text:?}")) }
}

fn connect(tcp_port: u16) -> Result<TcpStream, String> {
    let address = SocketAddr::from((OUR_ADDRESS, tcp_port));
    TcpStream::connect_timeout(&address, TIMEOUT)
        .map_err(|error| format!("no connection to port {tcp_port}: {error}"))
}

fn shut(bench: &Bench) -> Judged {
    let open: Vec<u16> = bench.at_node(|| {
        thread::scope(|scope| {
            let running: Vec<_> =
                OTHER_PORTS.map(|port| scope.spawn(move || connect(port).is_ok().then_some(port))).into();
            running.into_iter().filter_map(|one| one.join().ok().flatten()).collect()
        })
    })?;
    Ok((!open.is_empty()).then(|| format!("TCP ports {open:?} are open")))
}
