//! The health checks' sockets: a fixed number, each listening or serving one connection.
//!
//! ```text
//!            SYN             request complete             peer closed
//! listening ─────▶ reading ────────────────────▶ answered ─────────────▶ listening
//!                     └────────── too slow: reset ───┴──────────────────────▲
//! ```
//! smoltcp has no backlog: a SYN needs a socket that listens, or it is refused. So when the last one is taken, the
//! oldest connection makes room: many idle connections cannot lock the load balancer out, and a check that is answered
//! within its round trips is done long before its turn comes.

use std::time::Duration;

use config::{HealthProtocol, HealthSettings};
use flow::Moment;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};

use crate::health::Health;
use crate::host::HostCounts;
use crate::http::{self, Asked};

/// Bytes of an answer that a socket holds.
const ANSWER: usize = 4096;

/// The sockets of the health check's port.
pub(crate) struct Checks {
    protocol: HealthProtocol,
    tcp_port: u16,
    path: String,
    timeout: Duration,
    slots: Vec<Slot>,
}

struct Slot {
    socket: SocketHandle,
    /// The connection, while there is one.
    connection: Option<Connection>,
}

struct Connection {
    /// Its number, as they came. A burst of connections comes in one moment.
    number: u64,
    since: Moment,
    answered: bool,
}

impl Checks {
    pub(crate) fn new(settings: &HealthSettings, sockets: &mut SocketSet<'static>) -> Self {
        let slots =
            (0..settings.connections).map(|_| Slot { socket: sockets.add(socket()), connection: None });
        Self {
            protocol: settings.protocol,
            tcp_port: settings.tcp_port,
            path: settings.path.clone(),
            timeout: settings.timeout,
            slots: slots.collect(),
        }
    }

    /// Bring every connection forward. Costs one look at each socket.
    pub(crate) fn serve(
        &mut self,
        now: Moment,
        health: &Health,
        sockets: &mut SocketSet<'static>,
        counts: &mut HostCounts,
    ) {
        let open = self.protocol == HealthProtocol::Http || health.is_healthy();
        for at in 0..self.slots.len() {
            self.serve_one(at, now, health, open, sockets, counts);
        }
        if open && self.slots.iter().all(|slot| slot.connection.is_some()) {
            self.make_room(sockets, counts);
        }
    }

    fn serve_one(
        &mut self,
        at: usize,
        now: Moment,
        health: &Health,
        open: bool,
        sockets: &mut SocketSet<'static>,
        counts: &mut HostCounts,
    ) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let tcp = sockets.get_mut::<Socket<'_>>(slot.socket);
        match tcp.state() {
            State::Listen if !open => tcp.abort(),
            State::Listen => {}
            // The connection is over. TIME-WAIT is cut short: it would hold the socket for ten seconds, and a segment
            // that comes late finds a listener that refuses it.
            State::Closed | State::TimeWait => {
                slot.connection = None;
                if open {
                    listen(tcp, self.tcp_port);
                } else if tcp.state() == State::TimeWait {
                    *tcp = socket();
                }
            }
            state => {
                let connection = slot.connection.get_or_insert_with(|| {
                    counts.opened += 1;
                    Connection { number: counts.opened, since: now, answered: false }
                });
                if !connection.answered {
                    connection.answered = converse(tcp, health, &self.path, counts);
                } else {
                    hear_out(tcp);
                }
                if state == State::CloseWait {
                    tcp.close();
                }
                if now.since(connection.since) > self.timeout {
                    counts.timed_out += 1;
                    tcp.abort();
                }
            }
        }
    }

    /// The oldest connection ends, quietly, and its socket listens.
    fn make_room(&mut self, sockets: &mut SocketSet<'static>, counts: &mut HostCounts) {
        let oldest = self
            .slots
            .iter_mut()
            .min_by_key(|slot| slot.connection.as_ref().map(|connection| connection.number));
        if let Some(slot) = oldest {
            counts.evicted += 1;
            slot.connection = None;
            listen(sockets.get_mut::<Socket<'_>>(slot.socket), self.tcp_port);
        }
    }
}

fn socket() -> Socket<'static> {
    let mut tcp = Socket::new(SocketBuffer::new(vec![0; http::REQUEST]), SocketBuffer::new(vec![0; ANSWER]));
    // A request in two segments would wait for a delayed acknowledgement between them (RFC 896).
    tcp.set_ack_delay(None);
    tcp
}

/// A new socket in place of the old one: whatever it was in the middle of is forgotten.
fn listen(tcp: &mut Socket<'static>, tcp_port: u16) {
    *tcp = socket();
    // A fresh socket listens on any port but 0, and the settings have none of that.
    let _ = tcp.listen(tcp_port);
}

/// One step of an HTTP exchange: read on, or answer and close. True if it is answered.
fn converse(tcp: &mut Socket<'static>, health: &Health, path: &str, counts: &mut HostCounts) -> bool {
    let more_may_come = matches!(tcp.state(), State::SynReceived | State::Established);
    let bytes = tcp.peek(http::REQUEST).unwrap_or_default();
    let (status, head) = match http::ask(bytes, path) {
        Asked::Incomplete if more_may_come => return false,
        // Nothing was asked: a plain TCP check. Its connection ends as the peer ends it.
        Asked::Incomplete if bytes.is_empty() => return true,
        Asked::Here { head } => (if health.is_healthy() { 200 } else { 503 }, head),
        Asked::NotFound => (404, false),
        Asked::NotAllowed => (405, false),
        Asked::Bad | Asked::Incomplete => (400, false),
    };
    let body = match status {
        200 | 503 => health.body(),
        _ => format!("{{\"status\":{status}}}"),
    };
    match status {
        200 => counts.healthy += 1,
        503 => counts.unhealthy += 1,
        _ => counts.refused += 1,
    }
    // The send buffer is empty and larger than any answer.
    let _ = tcp.send_slice(&http::answer(status, &body, head));
    hear_out(tcp);
    tcp.close();
    true
}

/// Take whatever came and let it fall, so that the window stays open until the peer is done.
fn hear_out(tcp: &mut Socket<'static>) {
    // An error says that nothing can come any more, which is just as well.
    let _ = tcp.recv(|bytes| (bytes.len(), ()));
}
