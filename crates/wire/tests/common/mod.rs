//! Packets and frames of every kind that the testkit can build, for property tests.

use proptest::collection::vec;
use proptest::prelude::*;
use wire::TcpFlags;
use wire::testkit::{FrameBuilder, Mutation, PacketBuilder, gwlb, icmp, ip, tcp, udp};

/// Two ends of one IP version, each an address and a port.
fn ends() -> impl Strategy<Value = (String, String)> {
    let v4 = (any::<[u8; 4]>(), any::<u16>())
        .prop_map(|(a, port)| format!("{}:{port}", std::net::Ipv4Addr::from(a)));
    let v6 = (any::<[u8; 16]>(), any::<u16>())
        .prop_map(|(a, port)| format!("[{}]:{port}", std::net::Ipv6Addr::from(a)));
    prop_oneof![(v4.clone(), v4), (v6.clone(), v6)]
}

fn without_ports(ends: &(String, String)) -> (String, String) {
    let address = |end: &String| end.parse::<std::net::SocketAddr>().unwrap().ip().to_string();
    (address(&ends.0), address(&ends.1))
}

/// A whole packet of any protocol, without extension headers.
pub(crate) fn whole_packet() -> impl Strategy<Value = PacketBuilder> {
    let segment = (ends(), any::<u8>(), any::<[u32; 2]>(), vec(any::<u8>(), 0..=40)).prop_map(
        |((a, b), flags, [sequence, acknowledgment], options)| {
            let segment =
                tcp(&a, &b).flags(TcpFlags(flags)).sequence(sequence).acknowledgment(acknowledgment);
            segment.options(&options)
        },
    );
    let datagram = ends().prop_map(|(a, b)| udp(&a, &b));
    let message = (ends(), any::<[u8; 2]>()).prop_map(|(ends, [kind, code])| {
        let (a, b) = without_ports(&ends);
        icmp(&a, &b, kind, code)
    });
    // Protocols that nobody reads further.
    let other = (ends(), prop_oneof![Just(47_u8), Just(50), Just(59), Just(132), Just(253)]).prop_map(
        |(ends, protocol)| {
            let (a, b) = without_ports(&ends);
            ip(&a, &b, protocol)
        },
    );
    let packet = prop_oneof![3 => segment, 2 => datagram, 1 => message, 1 => other];
    let ip_options = prop_oneof![4 => Just(Vec::new()), 1 => vec(any::<u8>(), 0..=40)];
    (packet, ip_options, vec(any::<u8>(), 0..64))
        .prop_map(|(packet, options, payload)| packet.ip_options(&options).payload(&payload))
}

/// A packet of any protocol, some with extension headers (which IPv4 ignores), some a fragment.
pub(crate) fn packet() -> impl Strategy<Value = PacketBuilder> {
    let kind = prop_oneof![Just(0_u8), Just(43), Just(51), Just(60), Just(135), Just(139), Just(140)];
    let extensions = vec((kind, vec(any::<u8>(), 0..20)), 0..4);
    let fragment = prop_oneof![3 => Just(None), 1 => (0_u16..=8191, any::<bool>()).prop_map(Some)];
    (whole_packet(), extensions, fragment).prop_map(|(packet, extensions, fragment)| {
        let packet = extensions.iter().fold(packet, |packet, (kind, body)| packet.extension(*kind, body));
        match fragment {
            Some((place, more)) => packet.fragment(place * 8, more),
            None => packet,
        }
    })
}

/// A frame from GWLB round any packet.
pub(crate) fn frame() -> impl Strategy<Value = FrameBuilder> {
    let tags = (any::<u64>(), any::<u64>(), any::<u32>());
    let udp = (any::<u16>(), any::<bool>());
    (packet(), tags, udp, 0_usize..8, 0_u32..1 << 24).prop_map(
        |(packet, (endpoint, attachment, cookie), (udp_source_port, checksum), padding, vni)| {
            let frame = gwlb().endpoint(endpoint).attachment(attachment).cookie(cookie).vni(vni);
            let frame = frame.udp_ports(udp_source_port, 6081).padding(padding).inner(&packet.build());
            if checksum { frame.udp_checksum() } else { frame }
        },
    )
}

/// Up to four changes.
pub(crate) fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let place = any::<u16>().prop_map(usize::from);
    // Headers stand at the start: most changes should hit them.
    let near = prop_oneof![4 => 0_usize..128, 1 => place.clone()];
    let mutation = prop_oneof![
        place.clone().prop_map(Mutation::Truncate),
        near.clone().prop_map(|at| Mutation::Flip(at * 8 + at % 7)),
        (near.clone(), any::<u8>()).prop_map(|(at, value)| Mutation::Set(at, value)),
        (near.clone(), any::<u8>()).prop_map(|(at, value)| Mutation::Insert(at, value)),
        near.prop_map(Mutation::Remove),
        (place.clone(), place).prop_map(|(from, to)| Mutation::Repeat(from, to)),
    ];
    vec(mutation, 0..=4)
}

/// Bytes after changes.
pub(crate) fn mutated(bytes: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    mutations.iter().fold(bytes.to_vec(), |bytes, mutation| mutation.apply(&bytes))
}
