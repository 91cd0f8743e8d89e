//! Inner packets, IPv4 or IPv6 by their addresses, lengths and checksums right.

use std::net::{IpAddr, SocketAddr};

use crate::{Checksum, TcpFlags};

/// A TCP segment between two ends such as `10.0.0.1:80` or `[2001:db8::1]:80`; ACK and PSH unless asked otherwise.
#[must_use]
pub fn tcp(source: &str, destination: &str) -> PacketBuilder {
    let (source, destination) = (end(source), end(destination));
    let mut packet = PacketBuilder::new(source.ip(), destination.ip(), 6);
    packet.ports = (source.port(), destination.port());
    packet
}

/// A UDP datagram between two ends.
#[must_use]
pub fn udp(source: &str, destination: &str) -> PacketBuilder {
    PacketBuilder { protocol: 17, ..tcp(source, destination) }
}

/// An ICMP or ICMPv6 message of `kind` and `code`; four bytes follow the checksum, then the payload.
#[must_use]
pub fn icmp(source: &str, destination: &str, kind: u8, code: u8) -> PacketBuilder {
    let packet = ip(source, destination, 1);
    let protocol = if packet.source.is_ipv4() { 1 } else { 58 };
    PacketBuilder { protocol, icmp: (kind, code), ..packet }
}

/// A packet of any protocol that has no builder of its own; the payload is all that its IP header carries.
#[must_use]
pub fn ip(source: &str, destination: &str, protocol: u8) -> PacketBuilder {
    PacketBuilder::new(address(source), address(destination), protocol)
}

/// An inner packet in the making.
#[derive(Clone, Debug)]
pub struct PacketBuilder {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    ports: (u16, u16),
    icmp: (u8, u8),
    flags: TcpFlags,
    sequence: u32,
    acknowledgment: u32,
    options: Vec<u8>,
    ip_options: Vec<u8>,
    extensions: Vec<(u8, Vec<u8>)>,
    fragment: Option<(u16, bool)>,
    hop_limit: u8,
    payload: Vec<u8>,
}

impl PacketBuilder {
    fn new(source: IpAddr, destination: IpAddr, protocol: u8) -> Self {
        assert_eq!(source.is_ipv4(), destination.is_ipv4(), "both ends must be of one IP version");
        Self {
            source,
            destination,
            protocol,
            ports: (0, 0),
            icmp: (0, 0),
            flags: TcpFlags::ACK | TcpFlags::PSH,
            sequence: 0x1122_3344,
            acknowledgment: 0,
            options: Vec::new(),
            ip_options: Vec::new(),
            extensions: Vec::new(),
            fragment: None,
            hop_limit: 63,
            payload: Vec::new(),
        }
    }

    /// TCP flags.
    #[must_use]
    pub fn flags(self, flags: TcpFlags) -> Self {
        Self { flags, ..self }
    }

    /// TCP sequence number.
    #[must_use]
    pub fn sequence(self, sequence: u32) -> Self {
        Self { sequence, ..self }
    }

    /// TCP acknowledgment number.
    #[must_use]
    pub fn acknowledgment(self, acknowledgment: u32) -> Self {
        Self { acknowledgment, ..self }
    }

    /// TCP options, padded with zeros to words; at most 40 bytes.
    #[must_use]
    pub fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self.options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// Options of the IPv4 header, padded with zeros to words; at most 40 bytes. IPv6 has none.
    #[must_use]
    pub fn ip_options(mut self, options: &[u8]) -> Self {
        self.ip_options = options.to_vec();
        self.ip_options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// Time to live, or hop limit.
    #[must_use]
    pub fn hop_limit(self, hop_limit: u8) -> Self {
        Self { hop_limit, ..self }
    }

    /// What the transport carries.
    #[must_use]
    pub fn payload(self, payload: &[u8]) -> Self {
        Self { payload: payload.to_vec(), ..self }
    }

    /// One more IPv6 extension header of `kind`; `body` follows its first two bytes and is padded to 8-byte units.
    #[must_use]
    pub fn extension(mut self, kind: u8, body: &[u8]) -> Self {
        self.extensions.push((kind, body.to_vec()));
        self
    }

    /// Make it a fragment that starts `offset` bytes into the datagram. One at 0 has the transport header before the
    /// payload, a later one has the payload only.
    #[must_use]
    pub fn fragment(self, offset: u16, more: bool) -> Self {
        assert_eq!(offset % 8, 0, "fragments start at multiples of eight bytes");
        Self { fragment: Some((offset, more)), ..self }
    }

    /// The packet's bytes.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let transport = match self.fragment {
            Some((1.., _)) => self.payload.clone(),
            _ => self.transport(),
        };
        if self.source.is_ipv4() { self.over_v4(&transport) } else { self.over_v6(&transport) }
    }

    fn over_v4(&self, transport: &[u8]) -> Vec<u8> {
        let (offset, more) = self.fragment.unwrap_or((0, false));
        let place =
            offset >> 3 | if more { 0x2000 } else { 0 } | if self.fragment.is_none() { 0x4000 } else { 0 };
        assert!(self.ip_options.len() <= 40, "IPv4 options of more than 40 bytes");
        let header_len = 20 + self.ip_options.len();
        let mut packet = vec![0x40 | (header_len / 4) as u8, 0];
        packet.extend(length(header_len + transport.len()).to_be_bytes());
        packet.extend([0x1c, 0x46]);
        packet.extend(place.to_be_bytes());
        packet.extend([self.hop_limit, self.protocol, 0, 0]);
        packet.extend(octets(self.source));
        packet.extend(octets(self.destination));
        packet.extend(&self.ip_options);
        let checksum = Checksum::default().over(&packet).finish();
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        packet.extend(transport);
        packet
    }

    fn over_v6(&self, transport: &[u8]) -> Vec<u8> {
        let mut chain = self.extensions.clone();
        if let Some((offset, more)) = self.fragment {
            let [high, low] = (offset | u16::from(more)).to_be_bytes();
            chain.push((44, vec![high, low, 0, 0, 0x1c, 0x46]));
        }
        let kinds: Vec<u8> = chain.iter().map(|(kind, _)| *kind).chain([self.protocol]).collect();
        let mut payload = Vec::new();
        for ((kind, body), next) in chain.iter().zip(&kinds[1..]) {
            payload.extend(extension(*kind, *next, body));
        }
        payload.extend(transport);
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length(payload.len()).to_be_bytes());
        packet.extend([kinds[0], self.hop_limit]);
        packet.extend(octets(self.source));
        packet.extend(octets(self.destination));
        packet.extend(payload);
        packet
    }

    /// The transport header and the payload; the header's checksum stands where the second value says.
    fn transport(&self) -> Vec<u8> {
        let (mut bytes, checksum_at) = match self.protocol {
            6 => (self.tcp(), 16),
            17 => (self.udp(), 6),
            1 | 58 => (vec![self.icmp.0, self.icmp.1, 0, 0, 0, 1, 0, 1], 2),
            _ => return self.payload.clone(),
        };
        bytes.extend(&self.payload);
        let sum = match self.protocol {
            1 => Checksum::default(),
            protocol => Checksum::default()
                .over(&octets(self.source))
                .over(&octets(self.destination))
                .over(&[0, protocol])
                .over(&length(bytes.len()).to_be_bytes()),
        };
        // Zero would say that there is no checksum (RFC 768).
        let checksum = match sum.over(&bytes).finish() {
            0 if self.protocol == 17 => 0xffff,
            checksum => checksum,
        };
        bytes[checksum_at..checksum_at + 2].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    fn tcp(&self) -> Vec<u8> {
        assert!(self.options.len() <= 40, "TCP options of more than 40 bytes");
        let mut header = self.ports.0.to_be_bytes().to_vec();
        header.extend(self.ports.1.to_be_bytes());
        header.extend(self.sequence.to_be_bytes());
        header.extend(self.acknowledgment.to_be_bytes());
        header.extend([((20 + self.options.len()) << 2) as u8, self.flags.0, 0xf5, 0x07, 0, 0, 0, 0]);
        header.extend(&self.options);
        header
    }

    fn udp(&self) -> Vec<u8> {
        let mut header = self.ports.0.to_be_bytes().to_vec();
        header.extend(self.ports.1.to_be_bytes());
        header.extend(length(8 + self.payload.len()).to_be_bytes());
        header.extend([0, 0]);
        header
    }
}

/// An IPv6 extension header. The fragment header has eight bytes and no length (RFC 8200 §4.5), the authentication
/// header counts words (RFC 4302 §2.2), all others units of eight bytes.
fn extension(kind: u8, next: u8, body: &[u8]) -> Vec<u8> {
    let mut header = vec![next, 0];
    header.extend(body);
    header.resize(header.len().next_multiple_of(8), 0);
    header[1] = match kind {
        44 => 0,
        51 => (header.len() / 4 - 2) as u8,
        _ => (header.len() / 8 - 1) as u8,
    };
    header
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn length(len: usize) -> u16 {
    u16::try_from(len).expect("the packet is longer than 65,535 bytes")
}

fn end(text: &str) -> SocketAddr {
    text.parse().expect("an address and a port, such as 10.0.0.1:80")
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}
