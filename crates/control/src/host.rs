//! The appliance as a host on its subnet: what answers at the end of the local lane.
//!
//! ```text
//! punted frames ──▶ Punt ─┬─ ARP request ───────────────────────────▶ ARP reply ──▶ frames to send
//!                         ├─ echo request ─▶ smoltcp ─▶ echo reply ──┐
//!                         ├─ TCP, our check ─▶ smoltcp ⇄ Checks ─────┴▶ to the neighbour it came from
//!                         └─ anything else: dropped, counted
//! ```
//! An answer leaves to the neighbour that the question came from. A GWLB node in another subnet is behind the VPC's
//! router, and so is the answer to it: no route, no ARP request and no cache can be wrong. Nothing here speaks first but
//! the announcement of our own address (RFC 5227 §2.3), so there is always somebody to answer.

use std::net::Ipv4Addr;
use std::time::Duration;

use config::Settings;
use flow::Moment;
use smoltcp::wire::{ArpOperation, EthernetAddress, Ipv4Packet};

use crate::checks::Checks;
use crate::health::Health;
use crate::punt::{self, Punt};
use crate::stack::Stack;

/// Frames taken per turn at most, so that a flood cannot keep the control thread from its other work.
const BUDGET: usize = 64;
/// Announcements of our address, and the time between them (RFC 5227 §1.1).
const ANNOUNCEMENTS: u32 = 2;
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
/// Neighbours remembered: more than a GWLB has nodes.
const NEIGHBOURS: usize = 256;

/// The host.
pub struct Host {
    mac: EthernetAddress,
    address: Ipv4Addr,
    tcp_port: u16,
    stack: Stack,
    checks: Checks,
    /// Who was heard of, through which neighbour; the latest last.
    neighbours: Vec<(Ipv4Addr, EthernetAddress)>,
    announcements: u32,
    announced: Option<Moment>,
    counts: HostCounts,
}

/// What the host has done since its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HostCounts {
    /// ARP requests answered.
    pub arp: u64,
    /// Echo requests taken in.
    pub echo: u64,
    /// Connections of health checks that came.
    pub opened: u64,
    /// Checks answered 200.
    pub healthy: u64,
    /// Checks answered 503.
    pub unhealthy: u64,
    /// Requests answered 400, 404 or 405.
    pub refused: u64,
    /// Connections reset because they took too long.
    pub timed_out: u64,
    /// Connections that made room for newer ones.
    pub evicted: u64,
    /// Frames that asked nothing that is answered here.
    pub ignored: u64,
    /// Frames of ours that could not be sent.
    pub unsent: u64,
}

impl Host {
    /// A host at the port's address. `seed` must be hard to guess: initial sequence numbers follow from it.
    #[must_use]
    pub fn new(settings: &Settings, mac: [u8; 6], seed: u64, now: Moment) -> Self {
        let subnet = settings.port().address;
        let mut stack = Stack::new(subnet.addr(), subnet.prefix_len(), seed, now);
        Self {
            mac: EthernetAddress(mac),
            address: subnet.addr(),
            tcp_port: settings.health().tcp_port,
            checks: Checks::new(settings.health(), &mut stack.sockets),
            stack,
            neighbours: Vec::with_capacity(NEIGHBOURS),
            announcements: ANNOUNCEMENTS,
            announced: None,
            counts: HostCounts::default(),
        }
    }

    /// Take punted frames, at most a budget of them, and answer. `send` copies a frame into a buffer of the port and
    /// hands it on; it says whether it could. To be called every few milliseconds. True if there was something to do.
    pub fn turn<B: AsRef<[u8]>>(
        &mut self,
        now: Moment,
        health: &Health,
        mut pull: impl FnMut() -> Option<B>,
        mut send: impl FnMut(&[u8]) -> bool,
    ) -> bool {
        self.announce(now, &mut send);
        let mut taken = 0;
        while let Some(frame) = if taken < BUDGET { pull() } else { None } {
            taken += 1;
            self.take(now, frame.as_ref(), &mut send);
            // One frame at a time, sockets in between: a burst of SYNs then finds as many listeners as it needs.
            self.serve(now, health, &mut send);
        }
        self.serve(now, health, &mut send);
        taken > 0
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> &HostCounts {
        &self.counts
    }

    fn announce(&mut self, now: Moment, send: &mut impl FnMut(&[u8]) -> bool) {
        let due = self.announced.is_none_or(|last| now.since(last) >= ANNOUNCE_INTERVAL);
        if self.announcements == 0 || !due {
            return;
        }
        let to = (EthernetAddress::BROADCAST, self.address);
        self.emit(&punt::arp_frame(ArpOperation::Request, (self.mac, self.address), to), send);
        self.announcements -= 1;
        self.announced = Some(now);
    }

    fn take(&mut self, now: Moment, frame: &[u8], send: &mut impl FnMut(&[u8]) -> bool) {
        match Punt::of(frame, self.mac, self.address, self.tcp_port) {
            Punt::Arp { mac, address } => {
                self.counts.arp += 1;
                let reply = punt::arp_frame(ArpOperation::Reply, (self.mac, self.address), (mac, address));
                self.emit(&reply, send);
            }
            Punt::Echo { from, neighbour, packet } => {
                self.counts.echo += 1;
                self.remember(from, neighbour);
                self.stack.receive(now, packet);
            }
            Punt::Check { from, neighbour, packet } => {
                self.remember(from, neighbour);
                self.stack.receive(now, packet);
            }
            Punt::Nothing => self.counts.ignored += 1,
        }
    }

    fn serve(&mut self, now: Moment, health: &Health, send: &mut impl FnMut(&[u8]) -> bool) {
        self.stack.speak(now);
        self.checks.serve(now, health, &mut self.stack.sockets, &mut self.counts);
        self.stack.speak(now);
        while let Some(packet) = self.stack.send() {
            let to = Ipv4Packet::new_checked(packet.as_slice()).map(|ip| ip.dst_addr());
            let neighbour = to.ok().and_then(|to| self.neighbour(to));
            match neighbour {
                Some(neighbour) => self.emit(&punt::ip_frame(self.mac, neighbour, &packet), send),
                None => self.counts.unsent += 1,
            }
        }
    }

    fn emit(&mut self, frame: &[u8], send: &mut impl FnMut(&[u8]) -> bool) {
        if !send(frame) {
            self.counts.unsent += 1;
        }
    }

    fn neighbour(&self, address: Ipv4Addr) -> Option<EthernetAddress> {
        self.neighbours.iter().rev().find(|(known, _)| *known == address).map(|(_, neighbour)| *neighbour)
    }

    fn remember(&mut self, address: Ipv4Addr, neighbour: EthernetAddress) {
        let known = self.neighbours.iter().position(|(known, _)| *known == address);
        if known.is_none() && self.neighbours.len() == NEIGHBOURS {
            self.neighbours.remove(0);
        }
        if let Some(known) = known {
            self.neighbours.remove(known);
        }
        self.neighbours.push((address, neighbour));
    }
}
