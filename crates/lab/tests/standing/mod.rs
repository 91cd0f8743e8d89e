//! A lab for one test: namespaces with a prefix of their own, reflecting appliances, and what sends traffic through.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "what a test builds on must be there")]

pub mod system;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lab::gwlb::counters::Counters;
use lab::gwlb::engine::Engine;
use lab::gwlb::health::Health;
use lab::net::namespace::within;
use lab::net::{Network, clean, compile};
use lab::state::{Settings, State};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, ipproto};
use system::{Consumer, Provider, consumer, provider};

/// How long a condition may take to come true.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Whether namespaces can be made; if not, it is said aloud.
pub fn may_make_namespaces() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: network namespaces need root");
    }
    root
}

/// Wait until `condition` holds.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        thread::yield_now();
    }
}

/// A system like the tutorial's, standing.
pub struct Lab {
    pub state: State,
    pub provider: Provider,
    pub consumers: Vec<Consumer>,
    pub network: Network,
    pub engine: Engine,
}

impl Lab {
    /// One zone, one consumer.
    pub fn up(appliances: u8) -> Self {
        Self::of(&["us-east-2a"], appliances, &[0])
    }

    /// So many appliances in each zone, and a consumer in each of the zones named by number. The times of health checks are
    /// divided by 50.
    pub fn of(zones: &[&str], appliances: u8, consumers: &[usize]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let prefix = format!("labt{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let zones = zones.iter().map(ToString::to_string).collect();
        let mut state = State::new(Settings { prefix, zones, time_scale: 50, ..Settings::default() });
        let provider = provider(&mut state, appliances);
        let places = (0..).zip(consumers);
        let consumers = places.map(|(n, zone)| consumer(&mut state, n, *zone, &provider.balancer)).collect();
        let (network, engine) = (Network::default(), Engine::default());
        let mut lab = Self { state, provider, consumers, network, engine };
        lab.apply();
        lab
    }

    /// Make the changed state real.
    pub fn apply(&mut self) {
        self.network.apply(compile::compile(&self.state)).unwrap();
        self.engine.apply(lab::gwlb::compile::compile(&self.state)).unwrap();
    }

    pub fn namespace(&self, name: &str) -> String {
        self.state.settings.namespace(name)
    }

    /// Start the `n`th appliance, counted from 1.
    pub fn appliance(&self, n: usize, habit: Habit) -> Appliance {
        let instance = &self.state.instances[&self.provider.appliances[n - 1]];
        Appliance::start(&instance.namespace, instance.interface.ipv4, habit)
    }

    pub fn wait_health(&self, n: usize, health: Health) {
        let id = &self.provider.appliances[n - 1];
        wait_until(&format!("appliance {n} is {health:?}"), || {
            let now = self.engine.health(self.provider.group.as_str(), id.as_str());
            now.is_some_and(|now| now.state() == health.state())
        });
    }

    /// Counters of the only node.
    pub fn counters(&self) -> Counters {
        self.engine.report(0)[0].1.counters.clone()
    }

    pub fn count(&self, name: &str) -> u64 {
        self.counters().iter().find(|(candidate, _)| *candidate == name).unwrap().1
    }

    pub fn run(&self, name: &str, line: &str) -> Output {
        let words = line.split_whitespace();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(name)]).args(words).output().unwrap()
    }

    /// Whether a ping comes back.
    pub fn pings(&self, from: &str, to: &str) -> bool {
        self.run(from, &format!("ping -n -c 1 -W 1 {to}")).status.success()
    }

    /// Whether a web server answers; it must have been started by [`serve`].
    pub fn fetches(&self, from: &str, to: &str) -> bool {
        self.run(from, &format!("curl -sS -o /dev/null -m 2 http://{to}:8080/")).status.success()
    }

    /// The tutorial's eight checks: ping and curl, both IP versions, both directions.
    pub fn checks(&self) -> [bool; 8] {
        let [app4, app6, client4, client6] = ADDRESSES;
        [
            self.pings("client", app4),
            self.pings("client", app6),
            self.pings("app0", client4),
            self.pings("app0", client6),
            self.fetches("client", app4),
            self.fetches("client", &format!("[{app6}]")),
            self.fetches("app0", client4),
            self.fetches("app0", &format!("[{client6}]")),
        ]
    }
}

/// The application server from outside, then the client.
pub const ADDRESSES: [&str; 4] = ["198.51.100.10", "2001:db8:0:a01::a", "203.0.113.10", "2001:db8:ffff::10"];

impl Drop for Lab {
    fn drop(&mut self) {
        self.engine.apply(Default::default()).unwrap();
        clean(&self.state.settings.prefix).unwrap();
    }
}

/// What an appliance does with what it gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Habit {
    /// Return it as it came.
    Reflect,
    /// Return nothing.
    Swallow,
    /// Return it with one byte of the GENEVE header or the inner packet changed: at this offset.
    Change(usize),
    /// Return it from another UDP source port.
    OtherPort,
    /// Return it with the cookie that the first packet had.
    OldCookie,
}

/// A reflecting appliance in a namespace: kernel addresses, health by HTTP, GENEVE by sockets.
pub struct Appliance {
    stop: Arc<AtomicBool>,
    pub seen: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
    namespace: String,
    address: Ipv4Addr,
}

impl Appliance {
    pub fn start(namespace: &str, address: Ipv4Addr, habit: Habit) -> Self {
        let router = Ipv4Addr::from(u32::from(address) & 0xffff_ff00 | 1);
        ip(namespace, &format!("addr replace {address}/24 dev eth0"));
        ip(namespace, &format!("route replace default via {router}"));
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let sockets = within(namespace, || {
            let udp = UdpSocket::bind((address, 6081)).unwrap();
            udp.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            let flags = SocketFlags::CLOEXEC;
            let raw =
                rustix::net::socket_with(AddressFamily::INET, SocketType::RAW, flags, Some(ipproto::RAW));
            (udp, raw.unwrap())
        });
        let (udp, raw) = sockets.unwrap();
        let (halt, count) = (Arc::clone(&stop), Arc::clone(&seen));
        let reflecting = thread::spawn(move || reflect(&udp, &raw, address, habit, &halt, &count));
        let health = serve(namespace, (address.into(), 80), Arc::clone(&stop));
        let (namespace, threads) = (namespace.to_owned(), vec![reflecting, health]);
        Self { stop, seen, threads, namespace, address }
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        ip(&self.namespace, &format!("addr del {}/24 dev eth0", self.address));
    }
}

pub fn ip(namespace: &str, line: &str) {
    let status = Command::new("ip").args(["-n", namespace]).args(line.split_whitespace()).status();
    assert!(status.unwrap().success(), "{line}");
}

fn reflect(udp: &UdpSocket, raw: &OwnedFd, own: Ipv4Addr, habit: Habit, stop: &AtomicBool, seen: &AtomicU64) {
    let mut buffer = [0; 16 * 1024];
    let mut first_cookie = None;
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, std::net::SocketAddr::V4(node))) = udp.recv_from(&mut buffer[28..]) else { continue };
        seen.fetch_add(1, Ordering::Relaxed);
        let geneve = &mut buffer[28..28 + length];
        let mut port = node.port();
        match habit {
            Habit::Reflect => {}
            Habit::Swallow => continue,
            Habit::Change(at) => geneve[at] ^= 1,
            Habit::OtherPort => port ^= 1,
            Habit::OldCookie => {
                let cookie: [u8; 4] = geneve[36..40].try_into().unwrap();
                geneve[36..40].copy_from_slice(first_cookie.get_or_insert(cookie));
            }
        }
        let total = u16::try_from(28 + length).unwrap();
        let [high, low] = total.to_be_bytes();
        buffer[..10].copy_from_slice(&[0x45, 0, high, low, 0, 0, 0x40, 0, 64, 17]);
        buffer[10..12].fill(0);
        buffer[12..16].copy_from_slice(&own.octets());
        buffer[16..20].copy_from_slice(&node.ip().octets());
        buffer[20..22].copy_from_slice(&port.to_be_bytes());
        buffer[22..24].copy_from_slice(&6081_u16.to_be_bytes());
        buffer[24..26].copy_from_slice(&(total - 20).to_be_bytes());
        buffer[26..28].fill(0);
        let to = SocketAddrV4::new(*node.ip(), 0);
        rustix::net::sendto(raw, &buffer[..28 + length], SendFlags::empty(), &to).unwrap();
    }
}

/// A web server in a namespace that says "ok" to everyone, until `stop`.
pub fn serve(namespace: &str, at: (IpAddr, u16), stop: Arc<AtomicBool>) -> JoinHandle<()> {
    let listener = within(namespace, || TcpListener::bind(at).unwrap()).unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            let Ok((mut stream, _)) = listener.accept() else {
                thread::yield_now();
                continue;
            };
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            let mut request = [0; 1024];
            // a health check or a curl that went away needs no answer
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    })
}
