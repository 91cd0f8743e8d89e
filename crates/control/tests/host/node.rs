//! The two ends of the local lane: the appliance, and a GWLB node with a TCP stack of its own behind the VPC's router.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use config::{Machine, Settings};
use control::{Health, Host, Vitals};
use flow::Moment;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

pub(crate) const APPLIANCE: [u8; 6] = [2, 0, 0, 0, 2, 11];
pub(crate) const ROUTER: [u8; 6] = [2, 0, 0, 0, 2, 1];
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 1, 2, 11);
pub(crate) const SECOND: u64 = 1_000_000_000;

pub(crate) fn settings(health: &str) -> Settings {
    let text = format!("[port]\nprofile = \"null\"\naddress = \"10.1.2.11/24\"\n[health]\n{health}\n");
    let machine = Machine { cpus: vec![0], huge_page_bytes: 0 };
    Settings::from_toml("test", &text, &machine).unwrap()
}

pub(crate) fn health(draining: bool) -> Health {
    let heartbeats = vec![("rtc0".to_string(), Moment(5))];
    Health::of(&Vitals { now: Moment(6), link_up: true, heartbeats, generation: Some(1), draining })
}

/// The appliance's local lane, and the VPC's router in front of it.
pub(crate) struct Lane {
    pub(crate) host: Host,
    pub(crate) health: Health,
    pub(crate) now: Moment,
}

impl Lane {
    pub(crate) fn new(settings: &Settings) -> Self {
        let now = Moment(SECOND);
        let mut lane = Self { host: Host::new(settings, APPLIANCE, 7, now), health: health(false), now };
        assert_eq!(lane.exchange(&[]).len(), 1, "the announcement");
        lane
    }

    /// What the appliance sends when these frames come.
    pub(crate) fn exchange(&mut self, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut coming: VecDeque<&Vec<u8>> = frames.iter().collect();
        let mut sent = Vec::new();
        while self.host.turn(
            self.now,
            &self.health,
            || coming.pop_front(),
            |frame| {
                sent.push(frame.to_vec());
                true
            },
        ) {}
        sent
    }

    pub(crate) fn after(&mut self, milliseconds: u64) {
        self.now = Moment(self.now.0 + milliseconds * 1_000_000);
    }
}

/// A GWLB node in another subnet: its packets come through the router.
pub(crate) struct Node {
    interface: Interface,
    sockets: SocketSet<'static>,
    wire: Wire,
    next_port: u16,
}

#[derive(Default)]
pub(crate) struct Wire {
    coming: VecDeque<Vec<u8>>,
    going: VecDeque<Vec<u8>>,
}

impl Device for Wire {
    type RxToken<'a> = In;
    type TxToken<'a> = Out<'a>;

    fn receive(&mut self, _: Instant) -> Option<(In, Out<'_>)> {
        Some((In(self.coming.pop_front()?), Out(&mut self.going)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Out<'_>> {
        Some(Out(&mut self.going))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

pub(crate) struct In(Vec<u8>);
pub(crate) struct Out<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for In {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Out<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        self.0.push_back(packet);
        result
    }
}

impl Node {
    pub(crate) fn new(last: u8) -> Self {
        let mut wire = Wire::default();
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = last.into();
        let mut interface = Interface::new(config, &mut wire, Instant::from_secs(1));
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::v4(10, 1, 1, last), 24)).unwrap();
        });
        interface.routes_mut().add_default_ipv4_route(Ipv4Addr::new(10, 1, 1, 1)).unwrap();
        Self { interface, sockets: SocketSet::new(Vec::new()), wire, next_port: 40000 }
    }

    pub(crate) fn connect(&mut self, tcp_port: u16) -> SocketHandle {
        let mut socket = Socket::new(SocketBuffer::new(vec![0; 4096]), SocketBuffer::new(vec![0; 4096]));
        self.next_port += 1;
        socket.connect(self.interface.context(), (ADDRESS, tcp_port), self.next_port).unwrap();
        self.sockets.add(socket)
    }

    pub(crate) fn tcp(&mut self, handle: SocketHandle) -> &mut Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// Packets to and fro until nobody has anything to say at this moment.
    pub(crate) fn talk(&mut self, lane: &mut Lane) {
        loop {
            let now = Instant::from_micros(i64::try_from(lane.now.0 / 1000).unwrap());
            self.interface.poll(now, &mut self.wire, &mut self.sockets);
            let frames: Vec<Vec<u8>> =
                self.wire.going.drain(..).map(|packet| through_router(&packet)).collect();
            let answers = lane.exchange(&frames);
            if frames.is_empty() && answers.is_empty() {
                return;
            }
            for answer in answers.into_iter().filter(|answer| !is_announcement(answer)) {
                assert_eq!(answer[..6], ROUTER, "an answer goes back to where the question came from");
                assert_eq!(answer[6..12], APPLIANCE);
                self.wire.coming.push_back(answer[14..].to_vec());
            }
        }
    }

    /// A whole check: connect, say `request`, read until the appliance closes.
    pub(crate) fn check(&mut self, lane: &mut Lane, request: &[u8]) -> String {
        let check = self.connect(80);
        self.talk(lane);
        if !self.tcp(check).may_send() {
            return "refused".into();
        }
        self.tcp(check).send_slice(request).unwrap();
        self.talk(lane);
        self.answer(lane, check)
    }

    pub(crate) fn answer(&mut self, lane: &mut Lane, check: SocketHandle) -> String {
        let answer = self.tcp(check).recv(|bytes| (bytes.len(), bytes.to_vec())).unwrap_or_default();
        self.tcp(check).close();
        self.talk(lane);
        String::from_utf8(answer).unwrap()
    }
}

pub(crate) fn is_announcement(frame: &[u8]) -> bool {
    frame[..6] == [0xff; 6]
}

pub(crate) fn through_router(packet: &[u8]) -> Vec<u8> {
    [&APPLIANCE[..], &ROUTER, &[8, 0], packet].concat()
}
