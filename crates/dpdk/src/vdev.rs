//! Software devices: what they are, and how DPDK is asked for them.

use std::fmt;

use crate::MempoolSpec;

/// A device that DPDK makes when its port starts. `to_string()` is [`crate::PortSpec::device`]; more arguments of the
/// driver may follow, each after a comma, and the last one of a name holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Vdev<'a> {
    /// A kernel interface through packet sockets (`packet(7)`), for frames of any length.
    AfPacket {
        /// The interface.
        interface: &'a str,
        /// Sockets, each a receive and a transmit queue. The kernel spreads flows over all of them, so the port must
        /// have exactly this many receive queues: what nobody fetches is lost.
        queues: u16,
        /// The data room of the pool that the port fills from: a slot of the socket's ring must fit one mbuf.
        data_room: u16,
        /// Slots of each ring; rounded up to a multiple of eight.
        slots: u16,
    },
    /// A kernel interface through XDP sockets, for frames up to 3498 bytes of MTU.
    AfXdp {
        /// The interface; it must have that many queues.
        interface: &'a str,
        /// Queues, each a socket.
        queues: u16,
    },
    /// A TAP interface, made and unmade with the port.
    Tap {
        /// The interface's name in the kernel.
        interface: &'a str,
    },
    /// Captures.
    Pcap {
        /// The capture whose frames come in, once. No comma in its name.
        input: &'a str,
        /// The capture that is written; without one, what is sent is counted and gone. No comma in its name.
        output: Option<&'a str>,
    },
    /// What is sent comes back, each transmit queue on the receive queue of its number. Sixteen queues.
    Ring,
    /// Empty frames without end come in; what is sent is counted and gone.
    Null,
}

/// How much less than a slot of a packet socket's ring the driver wants of a mbuf: `TPACKET2_HDRLEN` (52) less a link
/// layer address (20).
const SLOT_HEADER: u16 = 32;

impl fmt::Display for Vdev<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfPacket { interface, queues, data_room, slots } => {
                let slot = slot(*data_room);
                let block = 8 * u32::from(slot);
                let slots = slots.div_ceil(8).saturating_mul(8);
                write!(f, "net_af_packet0,iface={interface},qpairs={queues},qdisc_bypass=1")?;
                write!(f, ",framesz={slot},blocksz={block},framecnt={slots}")
            }
            // Without busy polling: 25 µs instead of 69 µs on a veth whose other end shares the core.
            Self::AfXdp { interface, queues } => {
                write!(f, "net_af_xdp0,iface={interface},queue_count={queues},busy_budget=0")
            }
            Self::Tap { interface } => write!(f, "net_tap0,iface={interface}"),
            Self::Pcap { input, output } => {
                write!(f, "net_pcap0,rx_pcap={input}")?;
                output.map_or(Ok(()), |output| write!(f, ",tx_pcap={output}"))
            }
            Self::Ring => f.write_str("net_ring0"),
            Self::Null => f.write_str("net_null0"),
        }
    }
}

/// The largest slot that fits a mbuf. The driver takes slots to lie one after the other, the kernel lays them into
/// blocks of whole pages: eight slots of a multiple of 512 bytes are both.
fn slot(data_room: u16) -> u16 {
    (data_room.saturating_sub(MempoolSpec::headroom()).saturating_add(SLOT_HEADER) & !511).max(512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_is_asked_for_by_name_and_arguments() {
        let af_packet = Vdev::AfPacket { interface: "eth1", queues: 2, data_room: 8832, slots: 1001 };
        let cases = [
            (
                af_packet,
                "net_af_packet0,iface=eth1,qpairs=2,qdisc_bypass=1,framesz=8704,blocksz=69632,framecnt=1008",
            ),
            (
                Vdev::AfXdp { interface: "eth1", queues: 1 },
                "net_af_xdp0,iface=eth1,queue_count=1,busy_budget=0",
            ),
            (Vdev::Tap { interface: "tap0" }, "net_tap0,iface=tap0"),
            (Vdev::Pcap { input: "in", output: None }, "net_pcap0,rx_pcap=in"),
            (Vdev::Pcap { input: "in", output: Some("out") }, "net_pcap0,rx_pcap=in,tx_pcap=out"),
            (Vdev::Ring, "net_ring0"),
            (Vdev::Null, "net_null0"),
        ];
        for (vdev, device) in cases {
            assert_eq!(vdev.to_string(), device);
        }
    }

    #[test]
    fn a_slot_of_a_packet_sockets_ring_holds_the_mtu_the_data_room_was_sized_for() {
        // The kernel puts a frame 66 bytes into its slot (`tpacket_rcv`).
        for mtu in 68..=9216 {
            let room = MempoolSpec::data_room_for(mtu).unwrap();
            assert!(slot(room) >= 66 + 14 + mtu, "{mtu}");
            assert!(slot(room) - SLOT_HEADER <= room - MempoolSpec::headroom(), "{mtu}");
        }
    }
}
