//! Frames as GWLB sends them, or almost.

use std::net::Ipv4Addr;

use crate::{
    AttachmentId, Checksum, EndpointId, FlowCookie, GENEVE_UDP_PORT, GWLB_CLASS, GwlbHeader, GwlbTags,
    ProtocolType,
};

/// A frame from GWLB, its addresses and tags those of the frame of record; the inner packet is still to come.
#[must_use]
pub fn gwlb() -> FrameBuilder {
    FrameBuilder {
        header: GwlbHeader {
            destination_mac: [0x0a, 0, 0, 0, 0, 2],
            source_mac: [0x0a, 0, 0, 0, 0, 1],
            source: Ipv4Addr::new(10, 100, 1, 20),
            destination: super::OUR_ADDRESS,
            udp_source_port: 50123,
            udp_destination_port: GENEVE_UDP_PORT,
            tags: GwlbTags {
                endpoint: EndpointId(0x0123_4567_89ab_cdef),
                attachment: Some(AttachmentId(0)),
                cookie: FlowCookie(0x5eed_1234),
            },
            protocol_type: ProtocolType::Ipv4,
        },
        options: None,
        version: 0,
        flags: 0,
        vni: 0,
        protocol_type: None,
        udp_checksum: false,
        ipv4_options: Vec::new(),
        padding: 0,
        inner: Vec::new(),
    }
}

/// A frame in the making.
#[derive(Clone, Debug)]
pub struct FrameBuilder {
    header: GwlbHeader,
    options: Option<Vec<(u16, u8, Vec<u8>)>>,
    version: u8,
    flags: u8,
    vni: u32,
    protocol_type: Option<u16>,
    udp_checksum: bool,
    ipv4_options: Vec<u8>,
    padding: usize,
    inner: Vec<u8>,
}

impl FrameBuilder {
    /// The endpoint id, GWLB's option 1.
    #[must_use]
    pub fn endpoint(mut self, endpoint: u64) -> Self {
        self.header.tags.endpoint = EndpointId(endpoint);
        self
    }

    /// The attachment id, GWLB's option 2.
    #[must_use]
    pub fn attachment(mut self, attachment: u64) -> Self {
        self.header.tags.attachment = Some(AttachmentId(attachment));
        self
    }

    /// The flow cookie, GWLB's option 3.
    #[must_use]
    pub fn cookie(mut self, cookie: u32) -> Self {
        self.header.tags.cookie = FlowCookie(cookie);
        self
    }

    /// The inner packet; the protocol type follows its version.
    #[must_use]
    pub fn inner(mut self, packet: &[u8]) -> Self {
        self.inner = packet.to_vec();
        self.header.protocol_type = match packet.first() {
            Some(0x60..=0x6f) => ProtocolType::Ipv6,
            _ => ProtocolType::Ipv4,
        };
        self
    }

    /// Outer source and destination.
    #[must_use]
    pub fn between(mut self, source: Ipv4Addr, destination: Ipv4Addr) -> Self {
        (self.header.source, self.header.destination) = (source, destination);
        self
    }

    /// Ethernet source and destination.
    #[must_use]
    pub fn macs(mut self, source: [u8; 6], destination: [u8; 6]) -> Self {
        (self.header.source_mac, self.header.destination_mac) = (source, destination);
        self
    }

    /// Source and destination udp port.
    #[must_use]
    pub fn udp_ports(mut self, source: u16, destination: u16) -> Self {
        (self.header.udp_source_port, self.header.udp_destination_port) = (source, destination);
        self
    }

    /// Give the frame a UDP checksum, and a right one.
    #[must_use]
    pub fn udp_checksum(self) -> Self {
        Self { udp_checksum: true, ..self }
    }

    /// Options of the outer IPv4 header, padded to words; at most 40 bytes.
    #[must_use]
    pub fn ipv4_options(mut self, options: &[u8]) -> Self {
        self.ipv4_options = options.to_vec();
        self.ipv4_options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// The GENEVE options (class, kind, data), in this order, instead of GWLB's three.
    #[must_use]
    pub fn options(mut self, options: &[(u16, u8, &[u8])]) -> Self {
        self.options =
            Some(options.iter().map(|(class, kind, data)| (*class, *kind, data.to_vec())).collect());
        self
    }

    /// One more GENEVE option, after those that are there.
    #[must_use]
    pub fn option(mut self, class: u16, kind: u8, data: &[u8]) -> Self {
        let mut options = self.all_options();
        options.push((class, kind, data.to_vec()));
        self.options = Some(options);
        self
    }

    /// Leave out GWLB's option of `kind`.
    #[must_use]
    pub fn without(mut self, kind: u8) -> Self {
        let mut options = self.all_options();
        options.retain(|option| (option.0, option.1) != (GWLB_CLASS, kind));
        self.options = Some(options);
        self
    }

    /// The GENEVE version, 0 to 3.
    #[must_use]
    pub fn version(self, version: u8) -> Self {
        Self { version, ..self }
    }

    /// GENEVE's second byte: O bit 0x80, C bit 0x40, the rest reserved.
    #[must_use]
    pub fn flags(self, flags: u8) -> Self {
        Self { flags, ..self }
    }

    /// The virtual network identifier, 24 bits.
    #[must_use]
    pub fn vni(self, vni: u32) -> Self {
        Self { vni, ..self }
    }

    /// A protocol type other than the inner packet's.
    #[must_use]
    pub fn protocol_type(self, protocol_type: u16) -> Self {
        Self { protocol_type: Some(protocol_type), ..self }
    }

    /// Bytes behind the IPv4 packet, as Ethernet pads short frames.
    #[must_use]
    pub fn padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    /// The frame's bytes.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut frame = self.outer();
        let usual = self.options.is_none()
            && (self.version, self.flags, self.vni, self.protocol_type) == (0, 0, 0, None);
        match usual {
            true => frame.extend(self.usual_geneve()),
            false => frame.extend(self.geneve()),
        }
        frame.extend(&self.inner);
        let ip_len = frame.len() - 14;
        let udp_at = 34 + self.ipv4_options.len();
        frame[16..18].copy_from_slice(&length(ip_len).to_be_bytes());
        let udp_len = length(frame.len() - udp_at);
        frame[udp_at + 4..udp_at + 6].copy_from_slice(&udp_len.to_be_bytes());
        set_outer_checksum(&mut frame);
        if self.udp_checksum {
            let sum = Checksum::default()
                .over_pseudo_v4(self.header.source, self.header.destination, 17, udp_len)
                .over(&frame[udp_at..]);
            // Zero would say that there is no checksum (RFC 768).
            let checksum = if sum.finish() == 0 { 0xffff } else { sum.finish() };
            frame[udp_at + 6..udp_at + 8].copy_from_slice(&checksum.to_be_bytes());
        }
        frame.resize(frame.len() + self.padding, 0);
        frame
    }

    /// Ethernet, IPv4 with options, UDP; lengths and checksums are still to be set.
    fn outer(&self) -> Vec<u8> {
        let mut usual = self.usual();
        usual[14] += (self.ipv4_options.len() / 4) as u8;
        let mut outer = usual[..34].to_vec();
        outer.extend(&self.ipv4_options);
        outer.extend(&usual[34..42]);
        outer
    }

    fn usual_geneve(&self) -> Vec<u8> {
        self.usual()[42..].to_vec()
    }

    fn usual(&self) -> [u8; GwlbHeader::LEN] {
        let mut usual = [0; GwlbHeader::LEN];
        self.header.write(0, &mut usual).expect("the buffer holds the headers");
        usual
    }

    fn geneve(&self) -> Vec<u8> {
        let mut options = Vec::new();
        for (class, kind, data) in self.all_options() {
            assert!(data.len() % 4 == 0 && data.len() <= 124, "option data must be 0 to 31 words");
            options.extend(class.to_be_bytes());
            options.extend([kind, (data.len() / 4) as u8]);
            options.extend(data);
        }
        assert!(options.len() <= 252, "GENEVE options of more than 63 words");
        let mut header = vec![self.version << 6 | (options.len() / 4) as u8, self.flags];
        header.extend(self.protocol_type.unwrap_or(self.header.protocol_type as u16).to_be_bytes());
        header.extend((self.vni << 8).to_be_bytes());
        header.extend(options);
        header
    }

    fn all_options(&self) -> Vec<(u16, u8, Vec<u8>)> {
        let tags = self.header.tags;
        self.options.clone().unwrap_or_else(|| {
            vec![
                (GWLB_CLASS, 1, tags.endpoint.0.to_be_bytes().to_vec()),
                (GWLB_CLASS, 2, tags.attachment.unwrap_or_default().0.to_be_bytes().to_vec()),
                (GWLB_CLASS, 3, tags.cookie.0.to_be_bytes().to_vec()),
            ]
        })
    }
}

/// Make a frame's outer IPv4 checksum right again after a field was changed by hand.
pub fn set_outer_checksum(frame: &mut [u8]) {
    let header_len = usize::from(frame[14] & 0x0f) * 4;
    frame[24..26].fill(0);
    let checksum = Checksum::default().over(&frame[14..14 + header_len]).finish();
    frame[24..26].copy_from_slice(&checksum.to_be_bytes());
}

fn length(len: usize) -> u16 {
    u16::try_from(len).expect("the frame is longer than an IPv4 packet can be")
}
