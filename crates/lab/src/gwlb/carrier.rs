//! One node's thread: TUN devices on one side, sockets in the node's namespace on the other, a [`Node`] between them.
//!
//! ```text
//!  TUN of endpoint ──read──▶ ┌──────┐ ──raw socket: any UDP source port──▶ targets
//!  TUN of endpoint ◀─write── │ Node │ ◀─UDP socket on port 6081────────── targets
//!                            └──────┘ ◀─ orders: configure, health, report, stop
//! ```
//! A packet is read behind the place where its outer headers will stand, and is not copied. One system call a packet each
//! way is what a TUN device allows; sending one by one costs little beside that.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};
use wire::{EndpointId, GENEVE_UDP_PORT, GwlbHeader};

use super::config::{LoadBalancer, NodePlace, Switches};
use super::counters::Fate;
use super::health::Health;
use super::node::{Node, Outcome};
use super::report::NodeReport;
use super::sending::{Sending, send};
use crate::net::namespace::{NamespaceError, within};

/// Packets taken from one source before the next has its turn.
const BURST: usize = 64;

/// Room for the largest packet that a device of MTU 9001 can give, with its outer headers.
const BUFFER: usize = 16 * 1024;

/// Socket buffers: bursts of a hundred megabytes a second for some milliseconds.
const SOCKET_BUFFER: usize = 8 << 20;

/// How often idle flows are looked for at least.
const TICK: Duration = Duration::from_millis(100);

/// Epoll's token for what targets return, and for orders; TUN devices have theirs from [`FIRST_TUN`] on.
const FROM_TARGETS: u64 = 0;
const ORDERS: u64 = 1;
const FIRST_TUN: u64 = 2;

/// What a node's thread is told to do.
pub(super) enum Order {
    /// Take a new configuration, and these TUN devices to the ones already open.
    Configure(Box<LoadBalancer>, Switches, Vec<(EndpointId, OwnedFd)>),
    /// A target's health has changed.
    Health(Ipv4Addr, Health),
    /// Send to a target that much late; zero ends it.
    Slow(Ipv4Addr, Duration),
    /// Tell counters and at most this many flows.
    Report(usize, Sender<NodeReport>),
    /// End.
    Stop,
}

/// The node's sockets, opened in its namespace.
#[derive(Debug)]
pub(super) struct Sockets {
    /// Bound to port 6081: what targets return.
    udp: UdpSocket,
    /// Sends whole IP packets, as every flow has a UDP source port of its own.
    raw: OwnedFd,
}

impl Sockets {
    /// Open them in the namespace of `place`.
    pub(super) fn open(place: &NodePlace) -> Result<io::Result<Self>, NamespaceError> {
        within(&place.namespace, || {
            let udp = UdpSocket::bind((place.address, GENEVE_UDP_PORT))?;
            udp.set_nonblocking(true)?;
            sockopt::set_socket_recv_buffer_size_force(&udp, SOCKET_BUFFER)?;
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let raw =
                rustix::net::socket_with(AddressFamily::INET, SocketType::RAW, flags, Some(ipproto::RAW))?;
            sockopt::set_socket_send_buffer_size(&raw, SOCKET_BUFFER)?;
            Ok(Self { udp, raw })
        })
    }
}

/// A node at work.
pub(super) struct Carrier {
    node: Node,
    place: NodePlace,
    sockets: Sockets,
    tuns: HashMap<u64, (EndpointId, OwnedFd)>,
    next_token: u64,
    poll: OwnedFd,
    orders: Receiver<Order>,
    buffer: Vec<u8>,
    sending: Sending,
}

impl Carrier {
    /// A carrier without endpoints. `wake` is readable while there are orders.
    pub(super) fn new(
        node: Node,
        place: NodePlace,
        sockets: Sockets,
        orders: Receiver<Order>,
        wake: &OwnedFd,
    ) -> io::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let token = epoll::EventData::new_u64;
        epoll::add(&poll, &sockets.udp, token(FROM_TARGETS), epoll::EventFlags::IN)?;
        epoll::add(&poll, wake, token(ORDERS), epoll::EventFlags::IN | epoll::EventFlags::ET)?;
        let (tuns, buffer) = (HashMap::new(), vec![0; BUFFER]);
        Ok(Self {
            node,
            place,
            sockets,
            tuns,
            next_token: FIRST_TUN,
            poll,
            orders,
            buffer,
            sending: Sending::default(),
        })
    }

    /// Carry packets until told to stop.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(BURST);
        loop {
            events.clear();
            let pause = self.sending.pause(Instant::now()).map_or(TICK, |pause| pause.min(TICK));
            let tick = Timespec::try_from(pause).map_err(io::Error::other)?;
            match epoll::wait(&self.poll, spare_capacity(&mut events), Some(&tick)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    FROM_TARGETS => self.drain_targets(),
                    ORDERS => {}
                    token => self.drain_endpoint(token),
                }
            }
            if !self.follow_orders()? {
                return Ok(());
            }
            let now = Instant::now();
            while let Some((target, frame)) = self.sending.due(now) {
                if !send(&self.sockets.raw, target, &frame) {
                    self.node.count(Fate::SendFailed);
                }
            }
            self.node.expire(now);
        }
    }

    fn drain_endpoint(&mut self, token: u64) {
        let Some((endpoint, tun)) = self.tuns.get(&token) else { return };
        for _ in 0..BURST {
            let Some(room) = self.buffer.get_mut(GwlbHeader::LEN..) else { return };
            match rustix::io::read(tun, room) {
                Ok(length) => {
                    let Self { node, sockets, buffer, sending, .. } = self;
                    carry((node, sending), &sockets.raw, (*endpoint, tun), buffer, length)
                }
                Err(Errno::AGAIN | Errno::INTR) => return,
                // the device is gone; what enters meets the route's blackhole
                Err(_) => {
                    let _ = epoll::delete(&self.poll, tun);
                    self.tuns.remove(&token);
                    return;
                }
            }
        }
    }

    fn drain_targets(&mut self) {
        for _ in 0..BURST {
            let Ok((length, SocketAddr::V4(source))) = self.sockets.udp.recv_from(&mut self.buffer) else {
                return;
            };
            let Some(bytes) = self.buffer.get(..length) else { return };
            let Ok((endpoint, packet)) = self.node.from_target(source, bytes, Instant::now()) else {
                continue;
            };
            let tun = self.tuns.values().find(|(id, _)| *id == endpoint);
            if tun.is_none_or(|(_, tun)| rustix::io::write(tun, packet).is_err()) {
                self.node.count(Fate::SendFailed);
            }
        }
    }

    /// Do what was ordered; whether to go on.
    fn follow_orders(&mut self) -> io::Result<bool> {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Configure(balancer, switches, opened)) => {
                    self.configure(*balancer, switches, opened)?
                }
                Ok(Order::Slow(target, by)) => self.sending.slow(target, by),
                Ok(Order::Health(target, health)) => self.node.note_health(target, health),
                Ok(Order::Report(limit, to)) => {
                    let open = self.tuns.values().map(|(endpoint, _)| *endpoint);
                    // who asked may have given up waiting
                    let _ = to.send(NodeReport::new(&self.node, &self.place, open, limit));
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return Ok(false),
                Err(TryRecvError::Empty) => return Ok(true),
            }
        }
    }

    fn configure(
        &mut self,
        balancer: LoadBalancer,
        switches: Switches,
        opened: Vec<(EndpointId, OwnedFd)>,
    ) -> io::Result<()> {
        let wanted = |id: &EndpointId| balancer.endpoints.iter().any(|endpoint| endpoint.id == *id);
        self.tuns.retain(|_, (endpoint, _)| wanted(endpoint));
        for (endpoint, tun) in opened {
            let token = self.next_token;
            self.next_token += 1;
            epoll::add(&self.poll, &tun, epoll::EventData::new_u64(token), epoll::EventFlags::IN)?;
            self.tuns.insert(token, (endpoint, tun));
        }
        self.sending.set_checksums(switches.udp_checksum);
        self.node.configure(balancer, switches);
        Ok(())
    }
}

/// Judge the packet of `length` bytes that stands in `buffer` behind the room for its headers, and send it on.
fn carry(
    (node, sending): (&mut Node, &mut Sending),
    raw: &OwnedFd,
    (endpoint, tun): (EndpointId, &OwnedFd),
    buffer: &mut [u8],
    length: usize,
) {
    let end = GwlbHeader::LEN + length;
    let Some(packet) = buffer.get(GwlbHeader::LEN..end) else { return };
    let sent = match node.from_endpoint(endpoint, packet, Instant::now()) {
        Err(_) => return,
        Ok(Outcome::Reply(reply)) => rustix::io::write(tun, &reply).is_ok(),
        Ok(Outcome::Forward(header)) => {
            let written = header.write(length, buffer).is_ok();
            match buffer.get_mut(..end).filter(|_| written) {
                Some(frame) => sending.send(raw, &header, frame),
                None => false,
            }
        }
    };
    if !sent {
        node.count(Fate::SendFailed);
    }
}
