//! Health checks on the wire: TCP connections from a node to its targets.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::health::{Failure, Health, HealthCheck, Protocol, status_of};
use super::schedule::Schedule;
use super::tls;
use crate::net::namespace::{NamespaceError, within};

/// How much of an answer is read to find its status.
const ANSWER_LIMIT: usize = 1024;

/// How long a checker without targets sleeps.
const IDLE: Duration = Duration::from_secs(3600);

/// Stack of a probe's thread; TLS needs most of it.
const STACK: usize = 256 * 1024;

/// How much more of a busy CPU than others the checker and its probes get (nice(2)): a check that is late by its own fault
/// says nothing of the target.
const HASTE: i32 = -10;

/// A node's checker: a thread in the node's namespace, and one more for each probe under way.
#[derive(Debug)]
pub struct Checker {
    orders: Sender<Order>,
    known: Arc<Mutex<HashMap<Ipv4Addr, Health>>>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Configure(HealthCheck, Vec<Ipv4Addr>),
    Result(Ipv4Addr, Result<(), Failure>),
    Slow(Ipv4Addr, Duration),
    Stop,
}

impl Checker {
    /// Start it in `namespace`; each change of a target's health is told to `tell`.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn start(
        namespace: &str,
        tell: impl Fn(Ipv4Addr, Health) + Send + 'static,
    ) -> Result<Self, NamespaceError> {
        let (orders, inbox) = channel();
        let known = Arc::new(Mutex::new(HashMap::new()));
        let (back, told) = (orders.clone(), Arc::clone(&known));
        // a thread stays in the namespace of the one that started it
        let thread = within(namespace, move || {
            thread::Builder::new().name("checker".to_owned()).spawn(move || check(&inbox, &back, &told, tell))
        })?;
        let thread = thread.map_err(|error| NamespaceError::Enter(namespace.to_owned(), error))?;
        Ok(Self { orders, known, thread: Some(thread) })
    }

    /// Check these targets like this.
    pub fn configure(&self, check: HealthCheck, targets: Vec<Ipv4Addr>) {
        // if the thread has ended there is nobody to tell
        let _ = self.orders.send(Order::Configure(check, targets));
    }

    /// Let probes of a target begin that much late, within their timeout; zero ends it.
    pub fn slow(&self, target: Ipv4Addr, by: Duration) {
        let _ = self.orders.send(Order::Slow(target, by));
    }

    /// What is known of a target; `None` while it is not checked.
    #[must_use]
    pub fn health(&self, target: Ipv4Addr) -> Option<Health> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&target).copied()
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn check(
    inbox: &Receiver<Order>,
    back: &Sender<Order>,
    known: &Mutex<HashMap<Ipv4Addr, Health>>,
    tell: impl Fn(Ipv4Addr, Health),
) {
    // threads that it starts inherit it; without the right to it, all goes as before
    let _ = rustix::process::setpriority_process(None, HASTE);
    let mut schedule = Schedule::default();
    let mut slow = HashMap::new();
    loop {
        let now = Instant::now();
        for target in schedule.due(now) {
            let late = slow.get(&target).copied().unwrap_or_default();
            launch(schedule.check().clone(), (target, late), back.clone());
        }
        let pause = schedule.next().map_or(IDLE, |next| next.saturating_duration_since(now));
        match inbox.recv_timeout(pause) {
            Ok(Order::Configure(check, targets)) => {
                let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                known.retain(|target, _| targets.contains(target));
                for target in &targets {
                    known.entry(*target).or_default();
                }
                schedule.configure(check, &targets, Instant::now());
            }
            Ok(Order::Result(target, result)) => {
                if let Some(health) = schedule.note(target, result) {
                    known.lock().unwrap_or_else(PoisonError::into_inner).insert(target, health);
                    tell(target, health);
                }
            }
            Ok(Order::Slow(target, by)) => {
                slow.insert(target, by);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Probe in a thread of its own; it ends within the check's timeout.
fn launch(check: HealthCheck, (target, late): (Ipv4Addr, Duration), back: Sender<Order>) {
    let failed = back.clone();
    let work = move || {
        let deadline = Instant::now() + check.timeout;
        thread::sleep(late.min(check.timeout));
        // the checker may have stopped meanwhile
        let _ = back.send(Order::Result(target, probe(&check, target, deadline)));
    };
    if thread::Builder::new().name("probe".to_owned()).stack_size(STACK).spawn(work).is_err() {
        let _ = failed.send(Order::Result(target, Err(Failure::Failed)));
    }
}

/// One probe: connect, and for HTTP ask and read the status, for HTTPS the same inside TLS. The connection is closed after
/// it, as AWS's nodes do.
fn probe(check: &HealthCheck, target: Ipv4Addr, deadline: Instant) -> Result<(), Failure> {
    let address = SocketAddr::from((target, check.tcp_port));
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Failure::Timeout);
    }
    let stream = TcpStream::connect_timeout(&address, left).map_err(|error| failure(&error))?;
    let stream = Hurried { stream, deadline };
    let status = match check.protocol {
        Protocol::Tcp => return Ok(()),
        Protocol::Http => ask(stream, check, target)?,
        Protocol::Https => {
            let stream = tls::client(stream, target, check.tls13).map_err(|_| Failure::Failed)?;
            ask(stream, check, target)?
        }
    };
    match check.matcher.iter().any(|range| range.contains(&status)) {
        true => Ok(()),
        false => Err(Failure::Status(status)),
    }
}

/// Send the request, and read until the status is there, the other side closes, or it is too much.
fn ask(mut stream: impl Read + Write, check: &HealthCheck, target: Ipv4Addr) -> Result<u16, Failure> {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {target}:{}\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n\r\n",
        check.path, check.tcp_port
    );
    stream.write_all(request.as_bytes()).map_err(|error| failure(&error))?;
    let mut answer = Vec::new();
    let mut part = [0; 256];
    while answer.len() < ANSWER_LIMIT && !answer.contains(&b'\n') {
        match stream.read(&mut part).map_err(|error| failure(&error))? {
            0 => break,
            length => answer.extend(part.iter().take(length)),
        }
    }
    status_of(&answer).ok_or(Failure::Failed)
}

/// A connection that is done with at its deadline, however slowly the other side speaks.
struct Hurried {
    stream: TcpStream,
    deadline: Instant,
}

impl Hurried {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Hurried {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Hurried {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn failure(error: &io::Error) -> Failure {
    use io::ErrorKind::{TimedOut, WouldBlock};
    match error.kind() {
        TimedOut | WouldBlock => Failure::Timeout,
        _ => Failure::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::process::Command;

    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::version::{TLS12, TLS13};
    use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

    use super::*;

    /// A certificate of nobody and its key.
    fn certificate() -> Option<[Vec<u8>; 2]> {
        let dir = std::env::temp_dir().join(format!("gwlb-lab-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let [key, made] = ["key", "made"].map(|name| dir.join(name));
        let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=nobody -days 1 \
                      -keyout $0.pem -out $1 -outform DER && openssl pkcs8 -topk8 -nocrypt -in $0.pem -outform DER -out $0";
        let done = Command::new("sh").args(["-c", script]).args([&key, &made]).output().unwrap();
        let read = done.status.success().then(|| [&made, &key].map(|file| std::fs::read(file).unwrap()));
        std::fs::remove_dir_all(&dir).unwrap();
        if read.is_none() {
            eprintln!("SKIPPED: no openssl to make a certificate with");
        }
        read
    }

    /// A TLS server that answers every request with `answer`; its port.
    fn server(
        [made, key]: &[Vec<u8>; 2],
        answer: &'static str,
        version: &'static SupportedProtocolVersion,
    ) -> u16 {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.clone()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.clone().into()], key)
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut tls =
                    StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream.unwrap());
                // a client that speaks another version goes away
                let _ = tls.read(&mut [0; 512]).and_then(|_| tls.write_all(answer.as_bytes()));
            }
        });
        port
    }

    fn check(tcp_port: u16, tls13: bool) -> HealthCheck {
        HealthCheck { protocol: Protocol::Https, tcp_port, tls13, ..HealthCheck::default() }
    }

    fn probed(check: &HealthCheck) -> Result<(), Failure> {
        probe(check, Ipv4Addr::LOCALHOST, Instant::now() + check.timeout)
    }

    #[test]
    fn an_https_check_reads_the_status_inside_and_takes_any_certificate() {
        let Some(made) = certificate() else { return };
        for version in [&TLS12, &TLS13] {
            let well = server(&made, "HTTP/1.1 200 OK\r\n\r\n", version);
            assert_eq!(probed(&check(well, true)), Ok(()));
            let ill = server(&made, "HTTP/1.1 503 Draining\r\n\r\n", version);
            assert_eq!(probed(&check(ill, true)), Err(Failure::Status(503)));
        }
        let new_only = server(&made, "HTTP/1.1 200 OK\r\n\r\n", &TLS13);
        assert_eq!(probed(&check(new_only, false)), Err(Failure::Failed));
    }

    #[test]
    fn a_server_without_tls_fails_and_a_silent_one_runs_into_the_timeout() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = HealthCheck { timeout: Duration::from_millis(300), ..check(port, true) };
        assert_eq!(probed(&silent), Err(Failure::Timeout));
        thread::spawn(move || {
            // the silent one's connection comes first
            for stream in listener.incoming() {
                let _ = stream.unwrap().write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            }
        });
        assert_eq!(probed(&check(port, true)), Err(Failure::Failed));
        let plain = HealthCheck { protocol: Protocol::Http, ..check(port, true) };
        assert_eq!(probed(&plain), Ok(()));
    }
}
