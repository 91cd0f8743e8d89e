//! How a node's packets are sent to targets: at once, or late where `gwlb-lab fault slow` asks for it.
//!
//! The delay is made here because a kernel need not have netem, and because here it is one target's alone.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::net::SendFlags;
use wire::{Checksum, ETHERNET_LEN, GwlbHeader};

use super::flow::UDP;

/// Packets that wait for a slow target at most: some seconds of a busy link; more are lost, as in any queue.
const MOST_LATE: usize = 16 * 1024;

/// Where the UDP header of a frame stands, behind an Ethernet and an IPv4 header without options.
const UDP_AT: usize = ETHERNET_LEN + 20;

/// How packets are sent to targets.
#[derive(Default)]
pub(super) struct Sending {
    /// Whether what is sent has a UDP checksum.
    checksums: bool,
    /// How late packets to some targets are sent.
    slow: HashMap<Ipv4Addr, Duration>,
    /// Those that wait, by their time and the order in which they came.
    late: BTreeMap<(Instant, u64), (Ipv4Addr, Vec<u8>)>,
    delayed: u64,
}

impl Sending {
    /// Fill in UDP checksums from now on, or leave them zero.
    pub(super) fn set_checksums(&mut self, on: bool) {
        self.checksums = on;
    }

    /// Send to `target` that much late; zero ends it.
    pub(super) fn slow(&mut self, target: Ipv4Addr, by: Duration) {
        self.slow.insert(target, by);
        self.slow.retain(|_, by| !by.is_zero());
    }

    /// Send a frame that [`GwlbHeader::write`] has begun, now or later; whether that went well so far.
    pub(super) fn send(&mut self, raw: &OwnedFd, header: &GwlbHeader, frame: &mut [u8]) -> bool {
        if self.checksums {
            fill_checksum(header, frame);
        }
        let target = header.destination;
        let Some(by) = self.slow.get(&target) else { return send(raw, target, frame) };
        if self.late.len() >= MOST_LATE {
            return false;
        }
        self.delayed += 1;
        self.late.insert((Instant::now() + *by, self.delayed), (target, frame.to_vec()));
        true
    }

    /// A frame whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Ipv4Addr, Vec<u8>)> {
        let first = self.late.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// How long until the next one's has, if any waits.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        self.late.keys().next().map(|(at, _)| at.saturating_duration_since(now))
    }
}

/// Send a whole frame; whether the kernel took it.
pub(super) fn send(raw: &OwnedFd, target: Ipv4Addr, frame: &[u8]) -> bool {
    // the kernel makes the Ethernet header, so what is sent begins behind it
    let whole = frame.get(ETHERNET_LEN..).unwrap_or_default();
    rustix::net::sendto(raw, whole, SendFlags::empty(), &SocketAddrV4::new(target, 0)).is_ok()
}

/// Put the checksum into the UDP header of a frame that [`GwlbHeader::write`] has begun (RFC 768: one of zero is sent as
/// all ones).
fn fill_checksum(header: &GwlbHeader, frame: &mut [u8]) {
    let Some(datagram) = frame.get_mut(UDP_AT..) else { return };
    let Ok(length) = u16::try_from(datagram.len()) else { return };
    let pseudo = Checksum::default().over_pseudo_v4(header.source, header.destination, UDP, length);
    let sum = match pseudo.over(datagram).finish() {
        0 => u16::MAX,
        sum => sum,
    };
    if let Some(field) = datagram.get_mut(6..8) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use wire::testkit::{gwlb, tcp};
    use wire::{EndpointId, GENEVE_UDP_PORT};

    use super::*;

    #[test]
    fn what_is_late_keeps_its_order_and_comes_in_its_time() {
        let frame = |n| vec![0, n];
        let mut sending = Sending::default();
        let (now, target) = (Instant::now(), Ipv4Addr::new(10, 1, 2, 11));
        for (n, after) in [(1, 30), (2, 10), (3, 10)] {
            let at = now + Duration::from_millis(after);
            sending.late.insert((at, u64::from(n)), (target, frame(n)));
        }
        assert_eq!(sending.pause(now), Some(Duration::from_millis(10)));
        assert_eq!(sending.due(now), None);
        let later = now + Duration::from_millis(20);
        let came: Vec<_> = std::iter::from_fn(|| sending.due(later)).map(|(_, frame)| frame[1]).collect();
        assert_eq!(came, [2, 3]);
        assert_eq!(sending.pause(later), Some(Duration::from_millis(10)));
    }

    #[test]
    fn a_checksum_that_is_filled_in_is_the_one_that_a_reader_wants() {
        let bare = gwlb().inner(&tcp("10.0.0.1:1", "192.0.2.1:2").payload(b"odd").build());
        let (mut frame, right) = (bare.clone().build(), bare.udp_checksum().build());
        assert_ne!(frame, right);
        let header = GwlbHeader {
            destination_mac: [0; 6],
            source_mac: [0; 6],
            source: Ipv4Addr::from(<[u8; 4]>::try_from(&frame[26..30]).unwrap()),
            destination: Ipv4Addr::from(<[u8; 4]>::try_from(&frame[30..34]).unwrap()),
            udp_source_port: 0,
            udp_destination_port: GENEVE_UDP_PORT,
            tags: wire::GwlbTags { endpoint: EndpointId(1), attachment: None, cookie: wire::FlowCookie(1) },
            protocol_type: wire::ProtocolType::Ipv4,
        };
        fill_checksum(&header, &mut frame);
        assert_eq!(frame, right);
    }
}
