//! etherparse's own walk over a whole inner packet must tell the same of it as our reading does.
//!
//! Where the two may differ is written down here, each with its reason; any other difference fails the test.

use std::net::IpAddr;

use etherparse::err::ipv6_exts::HeaderError;
use etherparse::err::packet::SliceError;
use etherparse::{IpSlice, SlicedPacket, TransportSlice};

use crate::{Address, FiveTuple, Inner, InnerError, ProtocolType, Transport};

/// Read an inner packet both ways; its version says which of the two it is.
///
/// # Panics
/// If the two readings differ without a reason.
pub fn check_against_etherparse(bytes: &[u8]) {
    let protocol_type = match bytes.first().map(|first| first >> 4) {
        Some(4) => ProtocolType::Ipv4,
        Some(6) => ProtocolType::Ipv6,
        _ => return,
    };
    let theirs = SlicedPacket::from_ip(bytes).map(|sliced| theirs(bytes, &sliced));
    match (Inner::parse(bytes, protocol_type), theirs) {
        (Ok(inner), Ok(theirs)) => {
            if !differs_on_purpose(bytes, theirs.tuple.protocol) && !walks_into_data(&inner) {
                assert_eq!(ours(&inner), theirs, "{bytes:02x?}");
            }
        }
        (Ok(inner), Err(error)) => {
            let purpose = differs_on_purpose(bytes, inner.tuple.protocol) || reads_more(&inner, &error);
            assert!(purpose, "it refuses ({error}) what we read: {inner:?}\n{bytes:02x?}");
        }
        (Err(error), Ok(theirs)) => {
            let purpose =
                differs_on_purpose(bytes, theirs.tuple.protocol) || refuses_more(error, theirs.is_part);
            assert!(purpose, "we refuse ({error}) what it reads\n{bytes:02x?}");
        }
        (Err(_), Err(_)) => {}
    }
}

/// What both readings tell of a packet.
#[derive(Debug, Eq, PartialEq)]
struct Told<'a> {
    tuple: FiveTuple,
    is_part: bool,
    /// TCP flags, sequence and acknowledgment numbers, window; ICMP type and code.
    facts: [u32; 4],
    payload: Option<&'a [u8]>,
}

fn theirs<'a>(bytes: &'a [u8], sliced: &SlicedPacket<'a>) -> Told<'a> {
    let ip = IpSlice::from_slice(bytes).expect("what is whole has an IP header");
    let address = |address| match address {
        IpAddr::V4(address) => Address::from(address),
        IpAddr::V6(address) => Address::from(address),
    };
    let version = if ip.source_addr().is_ipv4() { 4 } else { 6 };
    let (ports, facts, body) = match &sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            let flags = u32::from(tcp.slice()[13]);
            let facts = [flags, tcp.sequence_number(), tcp.acknowledgment_number(), tcp.window_size().into()];
            ((tcp.source_port(), tcp.destination_port()), facts, Some(tcp.payload()))
        }
        Some(TransportSlice::Udp(udp)) => {
            ((udp.source_port(), udp.destination_port()), [0; 4], Some(udp.payload()))
        }
        Some(TransportSlice::Icmpv4(icmp)) => {
            ((0, 0), [icmp.type_u8().into(), icmp.code_u8().into(), 0, 0], Some(&icmp.slice()[4..]))
        }
        Some(TransportSlice::Icmpv6(icmp)) => {
            ((0, 0), [icmp.type_u8().into(), icmp.code_u8().into(), 0, 0], Some(&icmp.slice()[4..]))
        }
        // It reads no fragments, and says nothing of what it does not know.
        Some(TransportSlice::Igmp(_)) | None => ((0, 0), [0; 4], None),
    };
    let tuple = FiveTuple {
        source: address(ip.source_addr()),
        destination: address(ip.destination_addr()),
        source_port: ports.0,
        destination_port: ports.1,
        protocol: ip.payload().ip_number.0,
        version,
    };
    Told { tuple, is_part: ip.payload().fragmented, facts, payload: body }
}

fn ours<'a>(inner: &Inner<'a>) -> Told<'a> {
    let facts = match inner.transport {
        Transport::Tcp(tcp) => [tcp.flags.0.into(), tcp.sequence, tcp.acknowledgment, tcp.window.into()],
        Transport::Icmp(icmp) => [icmp.kind.into(), icmp.code.into(), 0, 0],
        _ => [0; 4],
    };
    let body = match inner.transport {
        Transport::Other(_) | Transport::Hidden(_) => None,
        _ => Some(inner.payload()),
    };
    let told = Told { tuple: inner.tuple, is_part: inner.fragment.is_some(), facts, payload: body };
    if told.is_part {
        // We read a first fragment's transport header, it reads none.
        let tuple = FiveTuple { source_port: 0, destination_port: 0, ..told.tuple };
        return Told { tuple, facts: [0; 4], payload: None, ..told };
    }
    told
}

/// What one of the two reads on purpose and the other does not.
fn differs_on_purpose(bytes: &[u8], protocol: u8) -> bool {
    let v4 = bytes[0] >> 4 == 4;
    // An authentication header in IPv4 is protocol 51 to GWLB's 3-tuple, so it is to us.
    let authenticated_v4 = v4 && bytes[9] == 51;
    // IPv6 without a length: it takes all there is, we take the length at its word (no jumbograms, RFC 2675).
    let no_length = !v4 && bytes.get(4..6) == Some(&[0, 0]);
    // It reads IGMP, and it does not walk over these extension headers (IANA "IPv6 Extension Header Types").
    authenticated_v4 || no_length || protocol == 2 || matches!(protocol, 135 | 139 | 140)
}

/// Behind a later fragment's header stands the middle of a datagram. It walks on if that header names an extension
/// header, we do not.
fn walks_into_data(inner: &Inner<'_>) -> bool {
    let extension = matches!(inner.tuple.protocol, 0 | 43 | 44 | 51 | 60);
    matches!(inner.transport, Transport::Hidden(_)) && inner.tuple.version == 6 && extension
}

/// What it refuses and we read.
fn reads_more(inner: &Inner<'_>, error: &SliceError) -> bool {
    // It asks for each ICMP message's own form; one too short for its type is a packet of a 3-tuple flow all the same.
    let short_icmp = matches!(inner.transport, Transport::Icmp(_));
    // Hosts discard hop-by-hop options that are not the first extension header; to a five-tuple they do nothing.
    let late_hop_by_hop = matches!(error, SliceError::Ipv6Exts(HeaderError::HopByHopNotAtStart));
    short_icmp || late_hop_by_hop || walks_into_data(inner)
}

/// What we refuse and it reads.
fn refuses_more(error: InnerError, is_part: bool) -> bool {
    match error {
        // It reads no transport header in a fragment.
        InnerError::TinyFragment(_) | InnerError::TcpOffset(_) => is_part,
        // It takes UDP's length 0 for "all there is".
        InnerError::UdpLength(len) => len == 0 || is_part,
        // It knows no bound.
        InnerError::ExtensionChain(_) => true,
        _ => false,
    }
}
