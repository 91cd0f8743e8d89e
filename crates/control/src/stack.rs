//! The TCP/IP stack behind the local lane: smoltcp, one packet at a time.
//!
//! IP only, without Ethernet below: nobody here ever speaks first, so the way back to a peer is the neighbour it came
//! from, and no neighbour has to be asked for.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use flow::Moment;
use smoltcp::iface::{Config, Interface, PollResult, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

/// Packets of ours that wait to be sent, at most.
const OUTGOING: usize = 256;
/// Our largest packet: what every path in a VPC carries.
const MTU: usize = 1500;

/// The stack and its sockets.
pub(crate) struct Stack {
    interface: Interface,
    pub(crate) sockets: SocketSet<'static>,
    wire: Wire,
}

impl Stack {
    /// A stack with one address. `seed` makes its initial sequence numbers hard to guess.
    pub(crate) fn new(address: Ipv4Addr, prefix_len: u8, seed: u64, now: Moment) -> Self {
        let mut wire = Wire { incoming: None, outgoing: VecDeque::new() };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut wire, instant(now));
        interface.update_ip_addrs(|addresses| {
            // One address fits: the list holds at least one.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(address), prefix_len));
        });
        Self { interface, sockets: SocketSet::new(Vec::new()), wire }
    }

    /// Take in one IP packet.
    pub(crate) fn receive(&mut self, now: Moment, packet: &[u8]) {
        self.wire.incoming = Some(packet.to_vec());
        self.interface.poll_ingress_single(instant(now), &mut self.wire, &mut self.sockets);
    }

    /// Let every socket say what it has to say, as far as there is room.
    pub(crate) fn speak(&mut self, now: Moment) {
        while self.wire.outgoing.len() < OUTGOING
            && self.interface.poll_egress(instant(now), &mut self.wire, &mut self.sockets) != PollResult::None
        {
        }
    }

    /// The next IP packet of ours, and whom it is for.
    pub(crate) fn send(&mut self) -> Option<Vec<u8>> {
        self.wire.outgoing.pop_front()
    }
}

/// smoltcp's clock counts microseconds.
fn instant(now: Moment) -> Instant {
    Instant::from_micros(i64::try_from(now.0 / 1000).unwrap_or(i64::MAX))
}

/// smoltcp's network card: one packet in, a few packets out.
struct Wire {
    incoming: Option<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

struct Incoming(Vec<u8>);

struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl Device for Wire {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Incoming, Outgoing<'_>)> {
        let packet = self.incoming.take()?;
        Some((Incoming(packet), Outgoing(&mut self.outgoing)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Outgoing<'_>> {
        (self.outgoing.len() < OUTGOING).then_some(Outgoing(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

impl RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        self.0.push_back(packet);
        result
    }
}
