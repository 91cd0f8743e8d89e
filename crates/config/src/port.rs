//! `[port]`: the one port that faces the GWLB.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::Serialize;

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
    pub mtu: u32,
    /// Receive queues, shared out among the receive cores.
    pub rx_queues: u32,
    /// Descriptors of each receive queue.
    pub rx_descriptors: u32,
    /// Descriptors of each transmit queue.
    pub tx_descriptors: u32,
    /// Size of the packet pool if the operator fixed it.
    pub mempool: Option<u32>,
}

/// Largest inner packet of an AF_XDP port: the driver attaches up to MTU 3498 (dpdk-config/README.md).
const AF_XDP_MTU: u32 = 3430;

impl PortSettings {
    /// `None` if a required key is missing or wrong; the document then holds the problem.
    pub(crate) fn read(document: &mut Document<'_>, rx_cores: u32) -> Option<Self> {
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
        let mtu = document.optional("port", "mtu", value::number(576..=9000));
        let rx_queues = document.value("port", "rx_queues", rx_cores, value::number(1..=128));
        let rx_descriptors = document.value("port", "rx_descriptors", 1024, value::power_of_two(128..=16384));
        let tx_descriptors = document.value("port", "tx_descriptors", 1024, value::power_of_two(128..=16384));
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
            rx_queues: check_queues(document, rx_queues, rx_cores),
            rx_descriptors,
            tx_descriptors,
            mempool,
        })
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
        (Some(device), Profile::Ena) if !is_pci_address(&device) => {
            document.wrong("port.device", format!("must be {wanted}"));
            device
        }
        (Some(device), Profile::Pcap | Profile::Ena) => path(document, device),
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

/// `domain:bus:device.function` or `bus:device.function`, hexadecimal.
fn is_pci_address(text: &str) -> bool {
    let hex = |part: &str, digits: usize| part.len() == digits && part.chars().all(|c| c.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split(':').collect();
    let (domain, bus, slot) = match parts.as_slice() {
        [domain, bus, slot] => (*domain, *bus, *slot),
        [bus, slot] => ("0000", *bus, *slot),
        _ => return false,
    };
    let slot = slot.split_once('.').is_some_and(|(device, function)| hex(device, 2) && hex(function, 1));
    hex(domain, 4) && hex(bus, 2) && slot
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

fn check_mtu(document: &mut Document<'_>, profile: Profile, mtu: Option<u32>) -> u32 {
    let default = if profile == Profile::AfXdp { 1500 } else { 8500 };
    let mtu = mtu.unwrap_or(default);
    if profile == Profile::AfXdp && mtu > AF_XDP_MTU {
        document.wrong(
            "port.mtu",
            format!("must be at most {AF_XDP_MTU} with AF_XDP; af_packet carries jumbo frames"),
        );
    }
    mtu
}

fn check_queues(document: &mut Document<'_>, rx_queues: u32, rx_cores: u32) -> u32 {
    if rx_queues < rx_cores {
        let wanted = format!("must be at least {rx_cores}: every receive core polls a queue of its own");
        document.wrong("port.rx_queues", wanted);
    }
    rx_queues
}

fn devargs(value: &toml::de::DeValue<'_>) -> Result<String, String> {
    let wanted = "must be device arguments as DPDK writes them, \"key=value,key=value\", or empty";
    let text = value.as_str().ok_or(wanted)?;
    let good =
        |part: &str| part.split_once('=').is_some_and(|(key, _)| !key.is_empty()) && !part.contains(' ');
    (text.is_empty() || text.split(',').all(good)).then(|| text.into()).ok_or_else(|| wanted.into())
}
