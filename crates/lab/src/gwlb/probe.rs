//! Health checks on the wire: TCP connections from a node to its targets.

use std::collections::HashMap;
use std::io::{Read, Write};
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

/// Stack of a probe's thread.
const STACK: usize = 64 * 1024;

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
    let mut schedule = Schedule::default();
    loop {
        let now = Instant::now();
        for target in schedule.due(now) {
            launch(schedule.check().clone(), target, back.clone());
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
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Probe in a thread of its own; it ends within the check's timeout.
fn launch(check: HealthCheck, target: Ipv4Addr, back: Sender<Order>) {
    let failed = back.clone();
    let work = move || {
        // the checker may have stopped meanwhile
        let _ = back.send(Order::Result(target, probe(&check, target)));
    };
    if thread::Builder::new().name("probe".to_owned()).stack_size(STACK).spawn(work).is_err() {
        let _ = failed.send(Order::Result(target, Err(Failure::Failed)));
    }
}

/// One probe: connect, for HTTP ask and read the status, for HTTPS say hello and see whether TLS answers. The connection is closed after it, as AWS's nodes do.
fn probe(check: &HealthCheck, target: Ipv4Addr) -> Result<(), Failure> {
    let deadline = Instant::now() + check.timeout;
    let address = SocketAddr::from((target, check.tcp_port));
    let mut stream = TcpStream::connect_timeout(&address, check.timeout).map_err(|error| failure(&error))?;
    let request = match check.protocol {
        Protocol::Tcp => return Ok(()),
        Protocol::Https => tls::client_hello(),
        Protocol::Http => format!(
            "GET {} HTTP/1.1\r\nHost: {target}:{}\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n\r\n",
            check.path, check.tcp_port
        )
        .into_bytes(),
    };
    limit(&stream, deadline)?;
    stream.write_all(&request).map_err(|error| failure(&error))?;
    if check.protocol == Protocol::Https {
        return tls::judge(&read(&mut stream, deadline, |answer| answer.len() >= tls::ANSWER)?);
    }
    let answer = read(&mut stream, deadline, |answer| answer.contains(&b'\n'))?;
    let status = status_of(&answer).ok_or(Failure::Failed)?;
    match check.matcher.iter().any(|range| range.contains(&status)) {
        true => Ok(()),
        false => Err(Failure::Status(status)),
    }
}

/// Read until there is `enough`, the other side closes, or it is too much.
fn read(
    stream: &mut TcpStream,
    deadline: Instant,
    enough: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, Failure> {
    let mut answer = Vec::new();
    let mut part = [0; 256];
    while answer.len() < ANSWER_LIMIT && !enough(&answer) {
        limit(stream, deadline)?;
        match stream.read(&mut part).map_err(|error| failure(&error))? {
            0 => break,
            length => answer.extend(part.iter().take(length)),
        }
    }
    Ok(answer)
}

/// Let the next read and write take no longer than to the deadline.
fn limit(stream: &TcpStream, deadline: Instant) -> Result<(), Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Failure::Timeout);
    }
    let set = stream.set_read_timeout(Some(left)).and_then(|()| stream.set_write_timeout(Some(left)));
    set.map_err(|_| Failure::Failed)
}

fn failure(error: &std::io::Error) -> Failure {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    match error.kind() {
        TimedOut | WouldBlock => Failure::Timeout,
        _ => Failure::Failed,
    }
}
