//! Settings to the values that the other crates are made from.

use std::fs;
use std::sync::Arc;

use config::{EndpointSettings, Machine, PortSettings, Profile, SessionsFull, Settings, StreamFull};
use dpdk::{EalArgs, Memory, MempoolSpec, PortSpec, Vdev};
use inspect::stream::{self, AtBound, Urgent};
use inspect::{AtFull, Limits, Share, Tenants, fragments, hold};
use wire::{EndpointId, Ipv4Prefix, TunnelEnd};

/// This machine, read before DPDK pins anything.
pub(crate) fn machine() -> Machine {
    let mut cpus: Vec<usize> =
        core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    cpus.sort_unstable();
    Machine { cpus, huge_page_bytes: free_huge_pages() }
}

/// Free huge pages of all sizes, in bytes; Linux tells them under `/sys/kernel/mm/hugepages/hugepages-NkB`.
fn free_huge_pages() -> u64 {
    let sizes = fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().flatten();
    sizes
        .filter_map(|size| {
            let name = size.file_name().into_string().ok()?;
            let kilobytes: u64 = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
            let free: u64 =
                fs::read_to_string(size.path().join("free_hugepages")).ok()?.trim().parse().ok()?;
            Some(kilobytes * 1024 * free)
        })
        .sum()
}

/// What a frame must be addressed to.
pub(crate) fn tunnel_end(settings: &Settings) -> TunnelEnd {
    let tunnel = settings.tunnel();
    // `Ipv4Net` holds a length of at most 32, so every prefix is one of ours too.
    let prefix = |net: &ipnet::Ipv4Net| Ipv4Prefix::new(net.network(), net.prefix_len()).ok();
    TunnelEnd {
        address: Some(settings.port().address.addr()),
        udp_port: tunnel.udp_port,
        sources: tunnel.sources.iter().filter_map(prefix).collect(),
        health_port: settings.health().tcp_port,
    }
}

/// How each of `workers` flow tables is built.
pub(crate) fn flows(settings: &Settings, workers: usize) -> flow::Settings {
    let wanted = settings.flow();
    let capacity = usize::try_from(wanted.capacity).unwrap_or(usize::MAX);
    flow::Settings {
        flows: capacity.div_ceil(workers.max(1)),
        timeouts: flow::Timeouts {
            tcp_opening: wanted.tcp_timeout,
            tcp: wanted.tcp_timeout,
            udp: wanted.other_timeout,
            other: wanted.other_timeout,
            tcp_closed: wanted.closed_timeout,
        },
        midstream: match wanted.midstream {
            config::Midstream::Pass => flow::Midstream::Pass,
            config::Midstream::Drop => flow::Midstream::Drop,
        },
    }
}

/// What each of `workers` holds of clients' first flights.
pub(crate) fn hold(settings: &Settings, workers: usize) -> hold::Settings {
    let wanted = settings.hold();
    let share = usize::from(wanted.packets) / workers.max(1);
    hold::Settings {
        bytes: wanted.bytes as usize,
        time: wanted.time,
        packets: u16::try_from(share).unwrap_or(u16::MAX),
        at_bound: match wanted.at_bound {
            config::AtHoldBound::Drop => hold::AtBound::Drop,
            config::AtHoldBound::Release => hold::AtBound::Release,
        },
    }
}

/// What each worker's inspector may keep.
pub(crate) fn limits(settings: &Settings) -> Limits {
    let wanted = settings.inspection();
    let bytes = |count: u32, shift: u32| (count as usize) << shift;
    let share = |endpoint: &EndpointSettings| {
        let most = |limit: Option<u32>| limit.map_or(u64::MAX, u64::from);
        let share = Share { flows: most(endpoint.flows), sessions: most(endpoint.sessions) };
        let is_limited = endpoint.flows.or(endpoint.sessions).is_some();
        is_limited.then_some((EndpointId(endpoint.id), share))
    };
    Limits {
        sessions: wanted.sessions as usize,
        at_full: match wanted.sessions_full {
            SessionsFull::Headers => AtFull::Headers,
            SessionsFull::Drop => AtFull::Drop,
        },
        stream_bytes: bytes(wanted.stream_memory, 20),
        streams: stream::Settings {
            bytes: bytes(wanted.stream_window, 10),
            at_bound: match wanted.stream_full {
                StreamFull::Drop => AtBound::Drop,
                StreamFull::Gap => AtBound::Gap,
                StreamFull::Bypass => AtBound::Bypass,
            },
            urgent: if wanted.drops_urgent { Urgent::Drop } else { Urgent::Inline },
            ..stream::Settings::default()
        },
        fragments: fragments::Settings {
            datagrams: wanted.fragments as usize,
            bytes: bytes(wanted.fragment_memory, 10),
            life: wanted.fragment_timeout,
        },
        tenants: Arc::new(Tenants::new(settings.endpoints().iter().filter_map(share))),
    }
}

/// What is thought of packets inside customers' packets.
pub(crate) fn tunnels(settings: &Settings) -> inspect::Tunnels {
    match settings.flow().tunnels {
        config::Tunnels::Inspect => inspect::Tunnels::LookInside,
        config::Tunnels::Opaque => inspect::Tunnels::Opaque,
    }
}

/// What DPDK is started with.
pub(crate) fn eal_args(settings: &Settings) -> EalArgs {
    let (plan, port) = (settings.plan(), settings.port());
    EalArgs {
        memory: if plan.huge_pages { Memory::HugePages } else { Memory::Ordinary },
        memory_mb: u32::try_from(plan.memory_mb).unwrap_or(u32::MAX),
        pci: if port.profile == Profile::Ena { vec![with_devargs(&port.device, port)] } else { Vec::new() },
        ..EalArgs::default()
    }
}

/// The packet pool.
pub(crate) fn mempool_spec(settings: &Settings) -> MempoolSpec {
    let pool = &settings.plan().mempool;
    let mbufs = u32::try_from(pool.mbufs).unwrap_or(u32::MAX);
    MempoolSpec { name: "packets".to_owned(), mbufs, cache: pool.cache, data_room: pool.data_room }
}

/// The port and its queues, one for each core that receives or transmits.
pub(crate) fn port_spec(settings: &Settings) -> PortSpec {
    let (plan, port) = (settings.plan(), settings.port());
    let topology = &settings.cores().topology;
    let (rx_queues, tx_queues) = (topology.rx_queues(), topology.tx_queues());
    let queues = narrow(rx_queues.max(tx_queues));
    let interface = port.device.as_str();
    let vdev = |vdev: Vdev<'_>| with_devargs(&vdev.to_string(), port);
    let device = match port.profile {
        Profile::Ena => with_devargs(interface, port),
        Profile::AfPacket => vdev(Vdev::AfPacket {
            interface,
            queues,
            data_room: plan.mempool.data_room,
            slots: port.rx_descriptors,
        }),
        Profile::AfXdp => vdev(Vdev::AfXdp { interface, queues }),
        Profile::Tap => vdev(Vdev::Tap { interface }),
        Profile::Pcap => vdev(Vdev::Pcap { input: interface, output: port.output.as_deref() }),
        Profile::Ring => vdev(Vdev::Ring),
        Profile::Null => vdev(Vdev::Null),
    };
    PortSpec {
        device,
        rx_queues: narrow(rx_queues),
        tx_queues: narrow(tx_queues),
        rx_descriptors: port.rx_descriptors,
        tx_descriptors: port.tx_descriptors,
        mtu: plan.outer_mtu,
    }
}

fn with_devargs(device: &str, port: &PortSettings) -> String {
    if port.devargs.is_empty() { device.to_owned() } else { format!("{device},{}", port.devargs) }
}

/// A number that valid settings keep below 2^16.
fn narrow<T: TryInto<u16>>(number: T) -> u16 {
    number.try_into().unwrap_or(u16::MAX)
}
