//! `[port]`: the one port that faces the GWLB.

use std::net::Ipv4Addr;

use engine::Topology;
use ipnet::Ipv4Net;
use serde::Serialize;
use toml::de::DeValue;

use crate::document::Document;
use crate::value;

/// Which DPDK driver the port uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// An Elastic Network Adapter by its PCI address.
    Ena,
    /// A kernel interface through packet sockets; carries jumbo frames.
    AfPacket,
    /// A kernel interface through XDP sockets; no jumbo frames (dpdk-config/README.md).
    AfXdp,
    /// A TAP interface that DPDK makes.
    Tap,
    /// Capture files, for tests and benches.
    Pcap,
    /// A ring looped on itself, for benches.
    Ring,
    /// Nothing comes and everything goes, for tests.
    Null,
}

/// The port's settings. Only a valid [`crate::Settings`] hands one out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PortSettings {
    /// The driver.
    pub profile: Profile,
    /// PCI address, kernel interface, TAP name or capture file to read, as the profile says; empty for ring and null.
    pub device: String,
    /// Capture file to write, for the pcap profile alone.
    pub output: Option<String>,
    /// Device arguments for the driver, as DPDK writes them: `key=value,key=value`.
    pub devargs: String,
    /// The port's address with its subnet: where GWLB sends GENEVE packets and health checks.
    pub address: Ipv4Net,
    /// The subnet's router.
    pub gateway: Ipv4Addr,
    /// The largest inner packet, in bytes. GENEVE adds 68 on the wire (AWS, "Gateway Load Balancers").
    pub mtu: u16,
    /// Descriptors of each receive queue.
    pub rx_descriptors: u16,
    /// Descriptors of each transmit queue.
    pub tx_descriptors: u16,
    /// Size of the packet pool if the operator fixed it.
    pub mempool: Option<u32>,
}

/// Largest inner packet of an AF_XDP port: the driver attaches up to MTU 3498 (dpdk-config/README.md).
const AF_XDP_MTU: u16 = 3430;
/// Largest inner packet of a TAP port: the driver takes frames of 1522 bytes, a VLAN tag included (net_tap).
const TAP_MTU: u16 = 1436;

impl PortSettings {
    /// `None` if a required key is missing or wrong; the document then holds the problem.
    pub(crate) fn read(document: &mut Document<'_>) -> Option<Self> {
        let profiles = [
            ("ena", Profile::Ena),
            ("af_packet", Profile::AfPacket),
            ("af_xdp", Profile::AfXdp),
            ("tap", Profile::Tap),
            ("pcap", Profile::Pcap),
            ("ring", Profile::Ring),
            ("null", Profile::Null),
        ];
        let profile =
            document.required("port", "profile", "the DPDK driver, \"ena\" on AWS", value::choice(&profiles));
        let device = document.optional("port", "device", value::text);
        let output = document.optional("port", "output", value::text);
        let devargs = document.optional("port", "devargs", devargs).unwrap_or_default();
        let address = document.required(
            "port",
            "address",
            "the port's address with its subnet, such as \"10.1.2.11/24\"",
            value::host_in_subnet,
        );
        let gateway = document.optional("port", "gateway", value::host);
        let mtu = document.optional("port", "mtu", |value| value::number(576..=9000)(value).and_then(narrow));
        let rx_descriptors = document.value("port", "rx_descriptors", 1024, descriptors);
        let tx_descriptors = document.value("port", "tx_descriptors", 1024, descriptors);
        let mempool = document.optional("port", "mempool", value::number(1..=16_777_215));

        let (profile, address) = (profile?, address?);
        let device = check_device(document, profile, device, output.as_deref());
        Some(Self {
            profile,
            device,
            output,
            devargs,
            address,
            gateway: check_gateway(document, address, gateway),
            mtu: check_mtu(document, profile, mtu),
            rx_descriptors,
            tx_descriptors,
            mempool,
        })
    }
}

impl PortSettings {
    /// Tell of a topology that the driver has no queues for.
    pub(crate) fn check_queues(&self, document: &mut Document<'_>, topology: &Topology) {
        let (rx, tx) = (topology.rx_queues(), topology.tx_queues());
        let (fits, wanted) = match self.profile {
            Profile::Ena | Profile::Null => (true, ""),
            Profile::Ring => {
                (rx <= 16 && tx <= 16, "must be at most 16, as cores.rx: net_ring has 16 queues")
            }
            Profile::Pcap => (rx == 1 && tx == 1, "must be one core, as cores.rx: a capture is one queue"),
            Profile::Tap => (rx == tx, "must be as many cores as cores.rx: a TAP queue is for both ways"),
            Profile::AfPacket | Profile::AfXdp => {
                (tx <= rx, "must be at most as many cores as cores.rx: a socket is a queue for both ways")
            }
        };
        if !fits {
            document.wrong("cores.tx", wanted);
        }
    }
}

fn check_device(
    document: &mut Document<'_>,
    profile: Profile,
    device: Option<String>,
    output: Option<&str>,
) -> String {
    if output.is_some() && profile != Profile::Pcap {
        document.wrong("port.output", "is for profile \"pcap\" alone");
    }
    if output.is_some() && output == device.as_deref() {
        document.wrong("port.output", "is the device that is read: write to another file");
    }
    let wanted = match profile {
        Profile::Ena => "the PCI address of the ENA device, such as \"0000:00:06.0\"",
        Profile::AfPacket | Profile::AfXdp => "the kernel interface, such as \"eth1\"",
        Profile::Pcap => "the capture file to read",
        Profile::Tap => return interface(document, device.unwrap_or_else(|| "sluice0".into())),
        Profile::Ring | Profile::Null => {
            if device.is_some() {
                document.wrong("port.device", "is not used by this profile: leave it out");
            }
            return String::new();
        }
    };
    match (device, profile) {
        (None, _) if document.stands("port.device") => String::new(),
        (None, _) => {
            document.wrong("port.device", format!("is required: {wanted}"));
            String::new()
        }
        (Some(device), Profile::Ena) => pci_address(&device).unwrap_or_else(|| {
            document.wrong("port.device", format!("must be {wanted}"));
            device
        }),
        (Some(device), Profile::Pcap) => path(document, device),
        (Some(device), _) => interface(document, device),
    }
}

/// A kernel interface's name: at most 15 bytes, no slash and no space (Linux, `dev_valid_name`).
fn interface(document: &mut Document<'_>, device: String) -> String {
    let good = device.len() <= 15 && !device.contains(|c: char| c == '/' || c == ',' || c.is_whitespace());
    if !good {
        document.wrong(
            "port.device",
            "must be a kernel interface's name: at most 15 bytes, no slash, comma or space",
        );
    }
    device
}

/// DPDK separates device arguments by commas, so a file's name cannot have one.
fn path(document: &mut Document<'_>, device: String) -> String {
    if device.contains(',') {
        document.wrong("port.device", "must have no comma: DPDK separates device arguments by it");
    }
    device
}

/// The address in full, `domain:bus:device.function`, hexadecimal; the domain may be left out.
fn pci_address(text: &str) -> Option<String> {
    let full = if text.matches(':').count() == 1 { format!("0000:{text}") } else { text.to_string() };
    let shape = b"hhhh:hh:hh.h";
    let fits =
        |(byte, wanted): (u8, &u8)| if *wanted == b'h' { byte.is_ascii_hexdigit() } else { byte == *wanted };
    (full.len() == shape.len() && full.bytes().zip(shape).all(fits)).then_some(full)
}

fn check_gateway(document: &mut Document<'_>, address: Ipv4Net, gateway: Option<Ipv4Addr>) -> Ipv4Addr {
    let first = Ipv4Addr::from(u32::from(address.network()).saturating_add(1));
    let gateway = gateway.unwrap_or(first);
    if gateway == address.addr() {
        let wanted = match document.stands("port.gateway") {
            true => "is the port's own address: it must be the subnet's router",
            false => {
                "is not given, and the subnet's first address is the port's own: name the subnet's router"
            }
        };
        document.wrong("port.gateway", wanted);
    } else if !address.contains(&gateway) {
        document.wrong("port.gateway", format!("must be inside the port's subnet {}", address.trunc()));
    }
    gateway
}

fn check_mtu(document: &mut Document<'_>, profile: Profile, mtu: Option<u16>) -> u16 {
    let (default, most) = match profile {
        Profile::AfXdp => (1500, AF_XDP_MTU),
        Profile::Tap => (TAP_MTU, TAP_MTU),
        _ => return mtu.unwrap_or(8500),
    };
    let mtu = mtu.unwrap_or(default);
    if mtu > most {
        document.wrong(
            "port.mtu",
            format!("must be at most {most} with this profile; af_packet carries jumbo frames"),
        );
    }
    mtu
}

fn descriptors(value: &DeValue<'_>) -> Result<u16, String> {
    value::power_of_two(128..=16384)(value).and_then(narrow)
}

fn narrow(number: u32) -> Result<u16, String> {
    u16::try_from(number).map_err(|error| error.to_string())
}

fn devargs(value: &DeValue<'_>) -> Result<String, String> {
    let wanted = "must be device arguments as DPDK writes them, \"key=value,key=value\", or empty";
    let text = value.as_str().ok_or(wanted)?;
    let good =
        |part: &str| part.split_once('=').is_some_and(|(key, _)| !key.is_empty()) && !part.contains(' ');
    (text.is_empty() || text.split(',').all(good)).then(|| text.into()).ok_or_else(|| wanted.into())
}
