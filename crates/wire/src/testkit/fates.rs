//! The table of fates: one frame at least for each way in which a frame can go, and where it must go.

use std::net::Ipv4Addr;

use super::{arp, gwlb, icmp, ip, plain, set_outer_checksum, tcp, udp};
use crate::{FrameError, GWLB_CLASS, InnerError, Local};

/// The outer address that the table's frames take for ours.
pub const OUR_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 100, 1, 30);

/// What must become of a frame for [`OUR_ADDRESS`] whose sources are limited to 10.100.0.0/16.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// Inspected as a packet of a flow with these inner udp or tcp ports; 0 and 0 make a 3-tuple flow.
    Inspected(u16, u16),
    /// Dropped for its outer headers.
    Refused(FrameError),
    /// Dropped for its inner packet.
    Malformed(InnerError),
    /// Handed to the local lane.
    Local(Local),
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is special about the frame.
    pub name: &'static str,
    /// The frame.
    pub frame: Vec<u8>,
    /// Where it must go.
    pub fate: Fate,
}

/// All rows, the good ones first.
#[must_use]
pub fn fates() -> Vec<Case> {
    [inspected(), outer(), geneve(), tags(), malformed(), local()].concat()
}

fn case(name: &'static str, frame: Vec<u8>, fate: Fate) -> Case {
    Case { name, frame, fate }
}

/// Any inner packet that is right: a TCP segment of ports 49152 and 443.
fn segment() -> Vec<u8> {
    tcp("10.1.2.10:49152", "192.0.2.80:443").payload(b"hello").build()
}

const ENDPOINT: (u16, u8, &[u8]) = (GWLB_CLASS, 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
const ATTACHMENT: (u16, u8, &[u8]) = (GWLB_CLASS, 2, &[0, 0, 0, 0, 0, 0, 0, 9]);
const COOKIE: (u16, u8, &[u8]) = (GWLB_CLASS, 3, &[0x5e, 0xed, 0x12, 0x34]);

fn inspected() -> Vec<Case> {
    let good = |name, frame: super::FrameBuilder| case(name, frame.build(), Fate::Inspected(49152, 443));
    let usual = || gwlb().inner(&segment());
    let mut rows = vec![
        good("the usual form", usual()),
        good("options in another order", usual().options(&[COOKIE, ATTACHMENT, ENDPOINT])),
        good("an unknown option among the others", usual().option(0x0103, 0x05, &[1, 2, 3, 4])),
        good("an unknown kind of GWLB's own class", usual().option(GWLB_CLASS, 4, &[])),
        good("no attachment id", usual().without(2)),
        good(
            "an equal copy of an option",
            usual().option(ENDPOINT.0, 1, &0x0123_4567_89ab_cdef_u64.to_be_bytes()),
        ),
        good(
            "sixty-three words of options",
            usual().options(&[ENDPOINT, COOKIE, (1, 1, &[0; 124]), (1, 2, &[0; 96])]),
        ),
        good("a VNI", usual().vni(0xab_cdef)),
        good("reserved bits set", usual().flags(0x3f)),
        good("the C bit without a critical option", usual().flags(0x40)),
        good("a right UDP checksum", usual().udp_checksum()),
        good("source udp port 0", usual().udp_ports(0, 6081)),
        good("outer IPv4 options", usual().ipv4_options(&[1, 1, 1, 0])),
        good("padding", usual().padding(6)),
        case("a UDP checksum over a jumbo frame", jumbo(), Fate::Inspected(53, 53)),
    ];
    for (name, packet, ports) in inner_packets() {
        rows.push(case(name, gwlb().inner(&packet).build(), Fate::Inspected(ports.0, ports.1)));
    }
    rows
}

/// The largest inner packet of GWLB, 8,500 bytes.
fn jumbo() -> Vec<u8> {
    let payload: Vec<u8> = (0..8472_u32).map(|i| (i % 251) as u8).collect();
    gwlb().udp_checksum().inner(&udp("10.1.2.10:53", "192.0.2.80:53").payload(&payload).build()).build()
}

fn inner_packets() -> Vec<(&'static str, Vec<u8>, (u16, u16))> {
    let (a, b) = ("10.1.2.10", "192.0.2.80");
    let (a6, b6) = ("2001:db8::a", "2001:db8::b");
    let tcp6 = || tcp("[2001:db8::a]:49152", "[2001:db8::b]:443");
    let mut padded = segment();
    padded.extend([0; 7]);
    vec![
        (
            "inner IPv4 options",
            tcp("10.1.2.10:1", "192.0.2.80:2").ip_options(&[148, 4, 0, 0]).build(),
            (1, 2),
        ),
        ("inner IPv6", tcp6().build(), (49152, 443)),
        (
            "inner IPv6 extension headers",
            tcp6().extension(0, &[]).extension(60, &[0; 20]).build(),
            (49152, 443),
        ),
        ("inner IPv6 authentication header", tcp6().extension(51, &[0; 14]).build(), (49152, 443)),
        ("inner IPv6 atomic fragment", tcp6().fragment(0, false).build(), (49152, 443)),
        ("inner UDP without payload", udp("10.1.2.10:5000", "192.0.2.80:53").build(), (5000, 53)),
        ("inner padding", padded, (49152, 443)),
        (
            "inner first fragment",
            udp("10.1.2.10:5000", "192.0.2.80:53").fragment(0, true).payload(&[0; 64]).build(),
            (5000, 53),
        ),
        (
            "inner later fragment",
            udp("10.1.2.10:5000", "192.0.2.80:53").fragment(72, false).payload(&[0; 3]).build(),
            (0, 0),
        ),
        ("inner IPv6 later fragment", tcp6().fragment(1448, true).payload(&[0; 8]).build(), (0, 0)),
        ("inner ICMP echo", icmp(a, b, 8, 0).build(), (0, 0)),
        ("inner ICMP error", icmp(b, a, 3, 4).payload(&segment()).build(), (0, 0)),
        ("inner ICMP timestamp request without timestamps", icmp(a, b, 13, 0).build(), (0, 0)),
        ("inner ICMPv6 error", icmp(a6, b6, 2, 0).payload(&[0x60; 60]).build(), (0, 0)),
        ("inner ESP", ip(a, b, 50).payload(&[1; 40]).build(), (0, 0)),
        ("inner GRE", ip(a, b, 47).payload(&[0, 0, 8, 0]).build(), (0, 0)),
        ("inner SCTP", ip(a, b, 132).payload(&[0; 12]).build(), (0, 0)),
        ("inner unknown protocol", ip(a, b, 253).build(), (0, 0)),
        ("inner IPv6 without next header", ip(a6, b6, 59).build(), (0, 0)),
    ]
}

fn outer() -> Vec<Case> {
    let frame = || gwlb().inner(&segment()).build();
    let refused = |name, frame, error| case(name, frame, Fate::Refused(error));
    // Change bytes of a good frame, with the outer checksum made right again.
    let changed = |at: usize, bytes: &[u8]| {
        let mut frame = frame();
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        set_outer_checksum(&mut frame);
        frame
    };
    let mut checksum = frame();
    checksum[22] ^= 1;
    let outer_found = u16::from_be_bytes([checksum[24], checksum[25]]);
    let length = |stated, have| FrameError::Ipv4Length { stated, have };
    let udp_length = |stated| FrameError::UdpLength { stated, have: 93 };
    let mut udp_checksum = gwlb().inner(&segment()).udp_checksum().build();
    *udp_checksum.last_mut().expect("a frame has bytes") ^= 1;
    let found = u16::from_be_bytes([udp_checksum[40], udp_checksum[41]]);
    let mut jumbo_checksum = jumbo();
    jumbo_checksum[8000] ^= 1;
    let jumbo_found = u16::from_be_bytes([jumbo_checksum[40], jumbo_checksum[41]]);
    let (node, stranger) = (Ipv4Addr::new(10, 100, 1, 20), Ipv4Addr::new(10, 101, 1, 20));
    let to = |source, destination| gwlb().between(source, destination).inner(&segment()).build();
    let first = |len: usize| frame()[..len].to_vec();
    let mut tagged = frame();
    tagged.splice(12..12, [0x81, 0x00, 0x00, 0x07]);
    vec![
        refused("nothing", Vec::new(), FrameError::NotOurs),
        refused("less than an Ethernet header", first(13), FrameError::NotOurs),
        refused("Ethernet only", first(14), length(20, 0)),
        refused("cut within the outer IPv4 header", first(33), length(20, 19)),
        refused("cut within the UDP header", first(40), length(113, 26)),
        refused("cut within the inner packet", first(100), length(113, 86)),
        refused("outer IP version 5", changed(14, &[0x55]), FrameError::Ipv4Header(0x55)),
        refused("outer IPv4 header of 16 bytes", changed(14, &[0x44]), FrameError::Ipv4Header(0x44)),
        refused("outer total length less than the header", changed(16, &[0, 19]), length(19, 113)),
        refused("outer total length beyond the frame", changed(16, &[0xff, 0xff]), length(0xffff, 113)),
        refused("outer header checksum wrong", checksum, FrameError::Ipv4Checksum(outer_found)),
        refused("outer first fragment", changed(20, &[0x20, 0]), FrameError::OuterFragment),
        refused("outer last fragment", changed(20, &[0, 1]), FrameError::OuterFragment),
        refused("UDP length less than a header", changed(38, &[0, 7]), udp_length(7)),
        refused("UDP length beyond the packet", changed(38, &[0xff, 0xff]), udp_length(0xffff)),
        refused("UDP checksum wrong", udp_checksum, FrameError::UdpChecksum(found)),
        refused("UDP checksum of a jumbo frame wrong", jumbo_checksum, FrameError::UdpChecksum(jumbo_found)),
        refused("source not allowed", to(stranger, OUR_ADDRESS), FrameError::SourceNotAllowed(stranger)),
        refused("another address", to(node, stranger), FrameError::NotOurs),
        refused(
            "another udp port",
            gwlb().udp_ports(50123, 4789).inner(&segment()).build(),
            FrameError::NotOurs,
        ),
        refused(
            "6081 as the source",
            gwlb().udp_ports(6081, 50123).inner(&segment()).build(),
            FrameError::NotOurs,
        ),
        refused("a VLAN tag", tagged, FrameError::NotOurs),
        refused("plain IPv6", changed(12, &[0x86, 0xdd]), FrameError::NotOurs),
    ]
}

fn geneve() -> Vec<Case> {
    let usual = || gwlb().inner(&segment());
    let refused = |name, frame: super::FrameBuilder, error| case(name, frame.build(), Fate::Refused(error));
    let with = |at: usize, value: u8| {
        let mut frame = usual().build();
        frame[at] = value;
        frame
    };
    let past_end = |stated, have| FrameError::GenevePastEnd { stated, have };
    let critical = FrameError::OptionCritical { class: 0x0103, kind: 0x85 };
    let own = FrameError::OptionCritical { class: GWLB_CLASS, kind: 0x81 };
    vec![
        refused("GENEVE version 1", usual().version(1), FrameError::GeneveVersion(1)),
        refused("GENEVE version 3", usual().version(3), FrameError::GeneveVersion(3)),
        refused("the O bit", usual().flags(0x80), FrameError::GeneveControl),
        refused(
            "protocol type Ethernet",
            usual().protocol_type(0x6558),
            FrameError::GeneveProtocolType(0x6558),
        ),
        refused("an unknown critical option", usual().flags(0x40).option(0x0103, 0x85, &[]), critical),
        refused("an unknown critical option, C bit clear", usual().option(0x0103, 0x85, &[]), critical),
        refused("an endpoint id with the critical bit", usual().option(GWLB_CLASS, 0x81, &[0; 8]), own),
        case("options beyond the end", with(42, 0x3f), Fate::Refused(past_end(260, 85))),
        case("no GENEVE header", no_geneve(), Fate::Refused(past_end(8, 7))),
        case("an option beyond the options", with(77, 2), Fate::Refused(FrameError::OptionLengths)),
        case("an option header beyond the options", with(42, 7), Fate::Refused(FrameError::OptionLengths)),
    ]
}

/// A UDP datagram to 6081 whose payload is seven bytes long.
fn no_geneve() -> Vec<u8> {
    let mut frame = gwlb().build();
    frame.truncate(42 + 7);
    frame[16..18].copy_from_slice(&35_u16.to_be_bytes());
    frame[38..40].copy_from_slice(&15_u16.to_be_bytes());
    set_outer_checksum(&mut frame);
    frame
}

fn tags() -> Vec<Case> {
    let with = |name, options: &[(u16, u8, &[u8])], error| {
        case(name, gwlb().inner(&segment()).options(options).build(), Fate::Refused(error))
    };
    let eight = [9; 8];
    vec![
        with("no options at all", &[], FrameError::EndpointMissing),
        with("no endpoint id", &[ATTACHMENT, COOKIE], FrameError::EndpointMissing),
        with("an endpoint id of another class", &[(0x0109, 1, &eight), COOKIE], FrameError::EndpointMissing),
        with("an endpoint id of 4 bytes", &[(GWLB_CLASS, 1, &[0; 4]), COOKIE], FrameError::EndpointLength(4)),
        with("an empty endpoint id", &[(GWLB_CLASS, 1, &[]), COOKIE], FrameError::EndpointLength(0)),
        with("no flow cookie", &[ENDPOINT, ATTACHMENT], FrameError::CookieMissing),
        with("a flow cookie of 8 bytes", &[ENDPOINT, (GWLB_CLASS, 3, &eight)], FrameError::CookieLength(8)),
        with(
            "an attachment id of 12 bytes",
            &[ENDPOINT, (GWLB_CLASS, 2, &[0; 12]), COOKIE],
            FrameError::AttachmentLength(12),
        ),
        with("two endpoint ids", &[ENDPOINT, COOKIE, (GWLB_CLASS, 1, &eight)], FrameError::OptionConflict(1)),
        with(
            "two flow cookies",
            &[ENDPOINT, COOKIE, (GWLB_CLASS, 3, &[0; 4])],
            FrameError::OptionConflict(3),
        ),
    ]
}

fn malformed() -> Vec<Case> {
    let case = |name, packet: &[u8], protocol_type, error| {
        let frame = gwlb().inner(packet).protocol_type(protocol_type).build();
        Case { name, frame, fate: Fate::Malformed(error) }
    };
    let changed = |packet: Vec<u8>, at: usize, bytes: &[u8]| {
        let mut packet = packet;
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        packet
    };
    let segment6 = || tcp("[2001:db8::a]:49152", "[2001:db8::b]:443").build();
    let datagram = || udp("10.1.2.10:5000", "192.0.2.80:53").payload(&[0; 8]).build();
    let echo = icmp("10.1.2.10", "192.0.2.80", 8, 0).build();
    let (v4, v6) = (0x0800, 0x86dd);
    let long = (0..9).fold(tcp("[2001:db8::a]:1", "[2001:db8::b]:2"), |packet, _| packet.extension(60, &[]));
    let cut_extension = ip("2001:db8::a", "2001:db8::b", 43).payload(&[6, 1, 0, 0, 0, 0, 0, 0]).build();
    let tiny = |packet: super::PacketBuilder| packet.fragment(0, true).payload(&[0; 8]).build();
    vec![
        case("inner packet missing", &[], v4, InnerError::Truncated { need: 20, have: 0 }),
        case("inner IPv4 header cut", &segment()[..19], v4, InnerError::Truncated { need: 20, have: 19 }),
        case("inner IPv4 packet cut", &segment()[..44], v4, InnerError::Truncated { need: 45, have: 44 }),
        case("inner IPv6 header cut", &segment6()[..39], v6, InnerError::Truncated { need: 40, have: 39 }),
        case("inner IPv6 packet cut", &segment6()[..59], v6, InnerError::Truncated { need: 60, have: 59 }),
        case("inner version 5", &changed(segment(), 0, &[0x55]), v4, InnerError::Version(5)),
        case("IPv6 announced as IPv4", &segment6(), v4, InnerError::Version(6)),
        case("IPv4 announced as IPv6", &segment(), v6, InnerError::Version(4)),
        case("inner header of 16 bytes", &changed(segment(), 0, &[0x44]), v4, InnerError::HeaderLength(4)),
        case(
            "inner length within the header",
            &changed(segment(), 2, &[0, 19]),
            v4,
            InnerError::TotalLength(19),
        ),
        case("inner extension header cut", &cut_extension, v6, InnerError::ExtensionTruncated(43)),
        case("nine inner extension headers", &long.build(), v6, InnerError::ExtensionChain(8)),
        case(
            "inner TCP header cut",
            &changed(segment(), 2, &[0, 39])[..39],
            v4,
            InnerError::TransportTruncated(6),
        ),
        case("inner TCP offset 4", &changed(segment(), 32, &[0x40]), v4, InnerError::TcpOffset(4)),
        case(
            "inner TCP offset past the end",
            &changed(segment(), 32, &[0xf0]),
            v4,
            InnerError::TcpOffset(15),
        ),
        case(
            "inner UDP header cut",
            &changed(datagram(), 2, &[0, 27]),
            v4,
            InnerError::TransportTruncated(17),
        ),
        case("inner UDP length 7", &changed(datagram(), 24, &[0, 7]), v4, InnerError::UdpLength(7)),
        case(
            "inner UDP length past the end",
            &changed(datagram(), 24, &[0, 17]),
            v4,
            InnerError::UdpLength(17),
        ),
        case("inner ICMP header cut", &changed(echo, 2, &[0, 23]), v4, InnerError::TransportTruncated(1)),
        case(
            "inner tiny first fragment",
            &changed(tiny(ip("10.1.2.10", "192.0.2.80", 253)), 9, &[6]),
            v4,
            InnerError::TinyFragment(6),
        ),
    ]
}

fn local() -> Vec<Case> {
    let (node, other) = (Ipv4Addr::new(10, 100, 1, 20), Ipv4Addr::new(10, 100, 1, 31));
    let is = |name, frame, local| case(name, frame, Fate::Local(local));
    let not_ours = |name, frame| case(name, frame, Fate::Refused(FrameError::NotOurs));
    let mut ipv6_arp = arp(1, node, OUR_ADDRESS);
    ipv6_arp[16..18].copy_from_slice(&[0x86, 0xdd]);
    let cut = |packet: Vec<u8>, len: u8| {
        let mut frame = plain(&packet[..usize::from(len)]);
        frame[17] = len;
        set_outer_checksum(&mut frame);
        frame
    };
    let check = tcp("10.100.1.20:40000", "10.100.1.30:80").build();
    vec![
        is("an ARP request for us", arp(1, node, OUR_ADDRESS), Local::Arp),
        is("an ARP reply to us", arp(2, node, OUR_ADDRESS), Local::Arp),
        not_ours("an ARP request for another", arp(1, node, other)),
        not_ours("a gratuitous ARP of another", arp(1, other, other)),
        not_ours("an unknown ARP operation", arp(8, node, OUR_ADDRESS)),
        not_ours("ARP for another protocol", ipv6_arp),
        not_ours("ARP cut short", arp(1, node, OUR_ADDRESS)[..41].to_vec()),
        is("a ping", plain(&icmp("10.100.9.9", "10.100.1.30", 8, 0).payload(b"abc").build()), Local::Echo),
        is(
            "a ping from outside GWLB's subnets",
            plain(&icmp("198.51.100.1", "10.100.1.30", 8, 0).build()),
            Local::Echo,
        ),
        not_ours("a ping for another", plain(&icmp("10.100.1.20", "10.100.1.31", 8, 0).build())),
        not_ours("a ping's reply", plain(&icmp("10.100.1.20", "10.100.1.30", 0, 0).build())),
        not_ours("a ping cut short", cut(icmp("10.100.1.20", "10.100.1.30", 8, 0).build(), 27)),
        is("a health check", plain(&check), Local::Health),
        not_ours("a health check for another", plain(&tcp("10.100.1.20:40000", "10.100.1.31:80").build())),
        not_ours("TCP to another port", plain(&tcp("10.100.1.20:40000", "10.100.1.30:22").build())),
        not_ours("a TCP header cut short", cut(check, 23)),
        not_ours("DNS", plain(&udp("10.100.1.20:53", "10.100.1.30:53").build())),
        not_ours(
            "an unknown protocol",
            plain(&ip("10.100.1.20", "10.100.1.30", 132).payload(&[0; 12]).build()),
        ),
    ]
}
