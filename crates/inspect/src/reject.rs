//! What the ends of a rejected packet are told: a TCP RST, or that the way is administratively prohibited.
//!
//! ```text
//!             rejected packet: client ─▶ server
//! source       RST, or ICMP unreachable:  server ─▶ client      as the server would refuse it
//! destination  RST:                       client ─▶ server      as the client would give up
//! ```
//! Nobody is told of a RST, of an ICMP error, of a later fragment, or at an address that is no single host's (RFC 9293
//! §3.10.7.1, RFC 1122 §3.2.2, RFC 4443 §2.4).

use std::net::IpAddr;

use wire::{Checksum, FiveTuple, Inner, Tcp, TcpFlags, Transport};

/// Most of a rejected packet that an ICMP message quotes: with its headers it has at most 576 bytes (RFC 1812 §4.3.2.3).
const QUOTED: usize = 528;
const TTL: u8 = 64;
const TCP: u8 = 6;

/// An end of the packet that was rejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Source,
    Destination,
}

/// Write the packet behind `out` that tells this end of a rejected packet. False if it must not be told, or cannot be.
pub(crate) fn tell(end: End, rejected: &Inner<'_>, out: &mut Vec<u8>) -> bool {
    let tuple = rejected.tuple;
    match rejected.transport {
        Transport::Hidden(_) => false,
        _ if !is_host(tuple.source, tuple.version) || !is_host(tuple.destination, tuple.version) => false,
        Transport::Tcp(tcp) => write_reset(end, (tuple, &tcp), out),
        Transport::Icmp(icmp) if is_error(icmp.kind, tuple.version) => false,
        _ if end == End::Destination => false,
        _ => write_unreachable(rejected, out),
    }
}

/// A RST that its receiver believes: at the number that it expects.
fn write_reset(end: End, (tuple, tcp): (FiveTuple, &Tcp<'_>), out: &mut Vec<u8>) -> bool {
    if tcp.flags.contains(TcpFlags::RST) {
        return false;
    }
    let len = u32::try_from(tcp.payload.len()).unwrap_or(0)
        + u32::from(tcp.flags.contains(TcpFlags::SYN))
        + u32::from(tcp.flags.contains(TcpFlags::FIN));
    let acked = tcp.flags.contains(TcpFlags::ACK);
    let (from, flags, sequence, acknowledgment) = match end {
        // As if there were no connection (RFC 9293 §3.10.7.1).
        End::Source if acked => (turned(tuple), TcpFlags::RST, tcp.acknowledgment, 0),
        End::Source => (turned(tuple), TcpFlags::RST | TcpFlags::ACK, 0, tcp.sequence.wrapping_add(len)),
        // In the place of the packet that does not arrive.
        End::Destination if acked => (tuple, TcpFlags::RST | TcpFlags::ACK, tcp.sequence, tcp.acknowledgment),
        End::Destination => (tuple, TcpFlags::RST, tcp.sequence, 0),
    };
    write_ip(from, TCP, 20, out);
    let at = out.len();
    out.extend(from.source_port.to_be_bytes());
    out.extend(from.destination_port.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend(acknowledgment.to_be_bytes());
    out.extend([5 << 4, flags.0, 0, 0, 0, 0, 0, 0]);
    finish(at + 16, over_pseudo_header(from, TCP, 20).over(out.get(at..).unwrap_or_default()), out);
    true
}

/// "Communication administratively prohibited" (RFC 1812 §5.2.7.1, RFC 4443 §3.1), in the destination's name.
fn write_unreachable(rejected: &Inner<'_>, out: &mut Vec<u8>) -> bool {
    let quoted = rejected.packet.get(..QUOTED).unwrap_or(rejected.packet);
    let from = turned(rejected.tuple);
    let (protocol, kind, code) = if from.version == 4 { (1, 3, 13) } else { (58, 1, 1) };
    let len = u16::try_from(quoted.len() + 8).unwrap_or(0);
    write_ip(from, protocol, len, out);
    let at = out.len();
    out.extend([kind, code, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(quoted);
    let pseudo = match from.version {
        4 => Checksum::default(), // RFC 792 sums the message alone
        _ => over_pseudo_header(from, protocol, len),
    };
    finish(at + 2, pseudo.over(out.get(at..).unwrap_or_default()), out);
    true
}

/// An IP header for so many bytes behind it.
fn write_ip(tuple: FiveTuple, protocol: u8, len: u16, out: &mut Vec<u8>) {
    let at = out.len();
    match (tuple.source.to_ip(tuple.version), tuple.destination.to_ip(tuple.version)) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let [high, low] = (len + 20).to_be_bytes();
            out.extend([0x45, 0, high, low, 0, 0, 0x40, 0, TTL, protocol, 0, 0]);
            out.extend(source.octets());
            out.extend(destination.octets());
            finish(at + 10, Checksum::default().over(out.get(at..).unwrap_or_default()), out);
        }
        _ => {
            let [high, low] = len.to_be_bytes();
            out.extend([0x60, 0, 0, 0, high, low, protocol, TTL]);
            out.extend(tuple.source.0);
            out.extend(tuple.destination.0);
        }
    }
}

/// Put a checksum where zeros were while it was summed.
fn finish(at: usize, sum: Checksum, out: &mut [u8]) {
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&sum.finish().to_be_bytes());
    }
}

/// The pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1); what a mapped address has more than an IPv4 one adds nothing.
fn over_pseudo_header(tuple: FiveTuple, protocol: u8, len: u16) -> Checksum {
    let [high, low] = len.to_be_bytes();
    Checksum::default().over(&tuple.source.0).over(&tuple.destination.0).over(&[high, low, 0, protocol])
}

fn turned(tuple: FiveTuple) -> FiveTuple {
    FiveTuple {
        source: tuple.destination,
        destination: tuple.source,
        source_port: tuple.destination_port,
        destination_port: tuple.source_port,
        ..tuple
    }
}

/// Whether one host can have this address.
fn is_host(address: wire::Address, version: u8) -> bool {
    match address.to_ip(version) {
        IpAddr::V4(v4) => !(v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unspecified()),
    }
}

/// Whether an ICMP message is an error, of which there must be no error (RFC 1122 §3.2.2, RFC 4443 §2.1).
fn is_error(kind: u8, version: u8) -> bool {
    if version == 4 { matches!(kind, 3 | 4 | 5 | 11 | 12) } else { kind < 128 }
}

#[cfg(test)]
mod tests {
    use wire::testkit::{icmp, tcp, udp};
    use wire::{ProtocolType, TcpFlags};

    use super::*;

    const ENDS: [(&str, &str); 2] =
        [("10.0.0.1:1025", "192.0.2.7:80"), ("[2001:db8::1]:1025", "[2001:db8::2]:80")];

    fn read(bytes: &[u8]) -> Inner<'_> {
        let is_v6 = bytes[0] >> 4 == 6;
        Inner::parse(bytes, if is_v6 { ProtocolType::Ipv6 } else { ProtocolType::Ipv4 }).unwrap()
    }

    fn told(end: End, packet: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        tell(end, &read(packet), &mut out).then_some(out)
    }

    /// Flags, sequence and acknowledgment numbers of a RST whose checksums are right.
    fn reset(end: End, packet: &[u8]) -> (TcpFlags, u32, u32) {
        let bytes = told(end, packet).unwrap();
        let (reply, tuple) = (read(&bytes), read(packet).tuple);
        assert_eq!(reply.tuple, if end == End::Source { turned(tuple) } else { tuple });
        assert!(reply.has_right_checksums());
        let Transport::Tcp(tcp) = reply.transport else { panic!("no TCP") };
        assert!(tcp.payload.is_empty());
        (tcp.flags, tcp.sequence, tcp.acknowledgment)
    }

    #[test]
    fn both_ends_of_a_connection_believe_their_reset() {
        let rst_ack = TcpFlags::RST | TcpFlags::ACK;
        for (client, server) in ENDS {
            let syn = tcp(client, server).flags(TcpFlags::SYN).sequence(1000).build();
            assert_eq!(reset(End::Source, &syn), (rst_ack, 0, 1001), "a SYN counts as one");
            assert_eq!(reset(End::Destination, &syn), (TcpFlags::RST, 1000, 0));
            let data = tcp(client, server)
                .flags(TcpFlags::ACK | TcpFlags::PSH)
                .sequence(u32::MAX)
                .acknowledgment(77)
                .payload(b"hello")
                .build();
            assert_eq!(reset(End::Source, &data), (TcpFlags::RST, 77, 0));
            assert_eq!(reset(End::Destination, &data), (rst_ack, u32::MAX, 77));
        }
    }

    #[test]
    fn who_sent_no_tcp_is_told_that_it_is_prohibited() {
        for (client, server) in ENDS {
            for len in [0, 5, 2000] {
                let packet = udp(client, server).payload(&vec![7; len]).build();
                let bytes = told(End::Source, &packet).unwrap();
                let reply = read(&bytes);
                assert!(reply.has_right_checksums());
                assert!(bytes.len() <= 576);
                let Transport::Icmp(icmp) = reply.transport else { panic!("no ICMP") };
                let v4 = reply.tuple.version == 4;
                assert_eq!((icmp.kind, icmp.code), if v4 { (3, 13) } else { (1, 1) });
                assert!(packet.starts_with(&icmp.body[4..]) && icmp.body.len() >= 4 + packet.len().min(28));
                assert_eq!(reply.tuple.destination, read(&packet).tuple.source);
                assert_eq!(told(End::Destination, &packet), None);
            }
        }
    }

    #[test]
    fn nobody_is_told_of_errors_fragments_and_groups() {
        let fragment = udp(ENDS[0].0, ENDS[0].1).payload(&[0; 64]).fragment(64, true).build();
        for packet in [
            tcp(ENDS[0].0, ENDS[0].1).flags(TcpFlags::RST).build(),
            icmp("10.0.0.1", "192.0.2.7", 3, 1).build(),
            icmp("2001:db8::1", "2001:db8::2", 1, 0).build(),
            udp("10.0.0.1:5353", "224.0.0.251:5353").build(),
            udp("[2001:db8::1]:5353", "[ff02::fb]:5353").build(),
            fragment,
        ] {
            assert_eq!(told(End::Source, &packet), None);
        }
        assert!(told(End::Source, &icmp("10.0.0.1", "192.0.2.7", 8, 0).build()).is_some());
    }
}
