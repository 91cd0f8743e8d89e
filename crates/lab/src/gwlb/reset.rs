//! The TCP reset with which a node answers a segment that has no flow, or none any more.

use std::net::IpAddr;

use etherparse::PacketBuilder;
use wire::{Inner, TcpFlags, Transport};

/// How far a reset may travel; AWS does not say what its nodes send.
const HOPS: u8 = 64;

/// A reset for the sender of this packet, as RFC 9293 §3.10.7.1 forms it. None for a reset, and for what is not TCP.
#[must_use]
pub fn answer(inner: &Inner<'_>) -> Option<Vec<u8>> {
    let Transport::Tcp(tcp) = inner.transport else { return None };
    if tcp.flags.contains(TcpFlags::RST) {
        return None;
    }
    let tuple = &inner.tuple;
    let ends = (tuple.destination.to_ip(tuple.version), tuple.source.to_ip(tuple.version));
    let builder = match ends {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), HOPS),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), HOPS),
        _ => return None,
    };
    let (source, destination) = (tuple.destination_port, tuple.source_port);
    let reset = if tcp.flags.contains(TcpFlags::ACK) {
        builder.tcp(source, destination, tcp.acknowledgment, 0).rst()
    } else {
        let marks = [TcpFlags::SYN, TcpFlags::FIN].iter().filter(|flag| tcp.flags.contains(**flag)).count();
        let length = u32::try_from(tcp.payload.len() + marks).ok()?;
        builder.tcp(source, destination, 0, 0).rst().ack(tcp.sequence.wrapping_add(length))
    };
    let mut bytes = Vec::with_capacity(reset.size(0));
    reset.write(&mut bytes, &[]).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use wire::ProtocolType;

    use super::*;

    fn segment(ack: bool) -> Vec<u8> {
        let builder = PacketBuilder::ipv4([10, 0, 1, 10], [203, 0, 113, 10], 9).tcp(4000, 80, 1000, 500);
        let builder = if ack { builder.ack(77) } else { builder.syn() };
        let mut bytes = Vec::new();
        builder.write(&mut bytes, b"four").unwrap();
        bytes
    }

    fn answered(segment: &[u8]) -> (String, TcpFlags, u32, u32) {
        let reply = answer(&Inner::parse(segment, ProtocolType::Ipv4).unwrap()).unwrap();
        let inner = Inner::parse(&reply, ProtocolType::Ipv4).unwrap();
        let Transport::Tcp(tcp) = inner.transport else { panic!("not TCP") };
        assert!(answer(&inner).is_none(), "a reset must not be answered");
        (inner.tuple.to_string(), tcp.flags, tcp.sequence, tcp.acknowledgment)
    }

    #[test]
    fn a_segment_with_ack_is_answered_with_the_number_it_expects() {
        let (tuple, flags, sequence, _) = answered(&segment(true));
        assert_eq!(tuple, "203.0.113.10 80 -> 10.0.1.10 4000 proto 6");
        assert_eq!((flags, sequence), (TcpFlags::RST, 77));
    }

    #[test]
    fn a_segment_without_ack_is_acknowledged_to_its_end() {
        let (_, flags, sequence, acknowledgment) = answered(&segment(false));
        assert_eq!((flags, sequence, acknowledgment), (TcpFlags::RST | TcpFlags::ACK, 0, 1005));
    }
}
