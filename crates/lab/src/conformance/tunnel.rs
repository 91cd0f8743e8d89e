//! Rules of the tunnel: what must come back and how, and what must not.

use std::net::Ipv4Addr;

use wire::GWLB_CLASS;
use wire::testkit::{FrameBuilder, OUR_ADDRESS, PacketBuilder, gwlb, icmp, ip, set_outer_checksum, tcp, udp};

use super::bench::NODE;
use super::rule::{Check, Level, Part, Rule, Token, token};

const HEADER: &str = "RFC 8926 §3.4";
const OPTIONS: &str = "RFC 8926 §3.5";
const UDP: &str = "RFC 8926 §3.3";
const GWLBTUN: &str = "AWS sample gwlbtun";
const MTU: &str = "AWS, Gateway Load Balancers: MTU";
const FLOWS: &str = "AWS, Gateway Load Balancers: flows";

/// An option's class, kind and data.
type Tlv<'a> = (u16, u8, &'a [u8]);
const ENDPOINT: Tlv<'_> = (GWLB_CLASS, 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
const ATTACHMENT: Tlv<'_> = (GWLB_CLASS, 2, &[0, 0, 0, 0, 0, 0, 0, 9]);
const COOKIE: Tlv<'_> = (GWLB_CLASS, 3, &[0x5e, 0xed, 0x12, 0x34]);

/// All of them.
pub(super) fn rules() -> Vec<Rule> {
    let mut rows = Rows(Vec::new());
    form(&mut rows);
    options(&mut rows);
    flows(&mut rows);
    inner_packets(&mut rows);
    refused_headers(&mut rows);
    refused_frames(&mut rows);
    rows.0
}

/// The rules so far; a rule's token is its place.
struct Rows(Vec<Rule>);

impl Rows {
    fn add(
        &mut self,
        name: &'static str,
        source: &'static str,
        level: Level,
        check: impl Fn(Token) -> Check,
    ) {
        let token = token(self.0.len());
        self.0.push(Rule { name, source, level, check: check(token), token });
    }

    /// A frame of which these parts must be right when it comes back.
    fn returned(
        &mut self,
        name: &'static str,
        source: &'static str,
        parts: &'static [Part],
        frame: impl Fn(Token) -> FrameBuilder,
    ) {
        self.add(name, source, Level::Must, |t| Check::Returned(vec![frame(t).build()], parts));
    }

    /// A frame that must not come back.
    fn dropped(&mut self, name: &'static str, source: &'static str, frame: impl Fn(Token) -> Vec<u8>) {
        self.add(name, source, Level::Must, |t| Check::Dropped(frame(t)));
    }

    /// The same as advice.
    fn better_dropped(&mut self, name: &'static str, source: &'static str, frame: impl Fn(Token) -> Vec<u8>) {
        self.add(name, source, Level::Should, |t| Check::Dropped(frame(t)));
    }
}

/// A TCP segment of one flow.
fn segment(token: Token) -> Vec<u8> {
    tcp("10.1.2.10:49152", "192.0.2.80:443").payload(&token).build()
}

fn usual(token: Token) -> FrameBuilder {
    gwlb().inner(&segment(token))
}

fn form(rows: &mut Rows) {
    rows.returned(
        "returned to the neighbour that sent it",
        "AWS, VPC: the router is the neighbour",
        &[Part::Ethernet],
        usual,
    );
    rows.returned("outer addresses are swapped", GWLBTUN, &[Part::Addresses], usual);
    rows.returned("udp ports are not swapped", UDP, &[Part::UdpPorts], usual);
    rows.returned("the GENEVE header comes back to the byte", GWLBTUN, &[Part::Geneve], usual);
    rows.returned("the inner packet comes back to the byte", GWLBTUN, &[Part::Inner], usual);
    rows.returned(
        "checksums of what is returned are right",
        "RFC 791 §3.1, RFC 768",
        &[Part::Checksums],
        usual,
    );
    rows.returned("a UDP checksum of zero is accepted", UDP, Part::CONTENT, usual);
    rows.returned("a right UDP checksum is accepted, and right when returned", UDP, Part::ALL, |t| {
        usual(t).udp_checksum()
    });
    rows.returned("any source udp port, 0 too", UDP, Part::CONTENT, |t| usual(t).udp_ports(0, 6081));
    rows.returned("any VNI", HEADER, Part::CONTENT, |t| usual(t).vni(0xab_cdef));
    rows.returned("reserved bits are ignored", HEADER, Part::CONTENT, |t| usual(t).flags(0x3f));
    rows.returned("Ethernet padding is no part of the packet", "RFC 894", Part::CONTENT, |t| {
        usual(t).padding(6)
    });
}

fn options(rows: &mut Rows) {
    rows.returned("options in any order", OPTIONS, Part::CONTENT, |t| {
        usual(t).options(&[COOKIE, ATTACHMENT, ENDPOINT])
    });
    rows.returned("an unknown option that is not critical is kept", OPTIONS, Part::CONTENT, |t| {
        usual(t).option(0x0103, 0x05, &[1, 2, 3, 4])
    });
    rows.returned("a kind of GWLB's class that is not known yet is kept", OPTIONS, Part::CONTENT, |t| {
        usual(t).option(GWLB_CLASS, 4, &[])
    });
    rows.returned("an attachment id", GWLBTUN, Part::CONTENT, |t| usual(t).attachment(u64::MAX));
    rows.add("sixty-three words of options", HEADER, Level::Should, |t| {
        let all: [Tlv<'_>; 4] = [ENDPOINT, COOKIE, (1, 1, &[0; 124]), (1, 2, &[0; 96])];
        Check::Returned(vec![usual(t).options(&all).build()], Part::CONTENT)
    });
}

fn flows(rows: &mut Rows) {
    let many = |rows: &mut Rows, name, source, frames: fn(Token) -> Vec<FrameBuilder>| {
        rows.add(name, source, Level::Must, |t| {
            Check::Returned(frames(t).iter().map(FrameBuilder::build).collect(), Part::ALL)
        });
    };
    many(rows, "any flow cookie comes back unchanged", GWLBTUN, |t| {
        [0, 1, 0x8000_0000, u32::MAX].map(|cookie| usual(t).cookie(cookie)).to_vec()
    });
    many(
        rows,
        "a five-tuple that is used again has the cookie of its own packet",
        "AWS sample gwlbtun, PR 15",
        |t| [1, 2, 1].map(|cookie| usual(t).cookie(0x0c00_0000 + cookie)).to_vec(),
    );
    many(rows, "a reply keeps its own udp source port", UDP, |t| {
        let back = tcp("192.0.2.80:443", "10.1.2.10:49152").payload(&t).build();
        vec![usual(t), gwlb().inner(&back).udp_ports(61000, 6081), usual(t)]
    });
    many(rows, "the same addresses behind two endpoints, each with its own", GWLBTUN, |t| {
        [1, 2].map(|endpoint| usual(t).endpoint(endpoint).cookie(7)).to_vec()
    });
    many(rows, "nodes of every zone", "AWS, cross-zone load balancing", |t| {
        [20, 21, 22].map(|node| usual(t).between(Ipv4Addr::new(10, 100, 1, node), OUR_ADDRESS)).to_vec()
    });
}

fn inner_packets(rows: &mut Rows) {
    let (a, b) = ("10.1.2.10", "192.0.2.80");
    let inner = |rows: &mut Rows, name, source, level, packet: &dyn Fn(Token) -> PacketBuilder| {
        rows.add(name, source, level, |t| {
            Check::Returned(vec![gwlb().inner(&packet(t).build()).build()], Part::CONTENT)
        });
    };
    inner(rows, "inner packets of 8500 bytes", MTU, Level::Must, &|t| {
        let payload: Vec<u8> = t.into_iter().cycle().take(8472).collect();
        udp("10.1.2.10:5000", "192.0.2.80:5000").payload(&payload)
    });
    let six = || tcp("[2001:db8::a]:49152", "[2001:db8::b]:443");
    inner(rows, "inner IPv6", "AWS, IP address types", Level::Must, &|t| six().payload(&t));
    inner(rows, "inner IPv6 extension headers", "RFC 8200 §4", Level::Should, &|t| {
        six().extension(0, &[]).payload(&t)
    });
    inner(rows, "inner UDP", FLOWS, Level::Must, &|t| udp("10.1.2.10:5353", "192.0.2.53:53").payload(&t));
    inner(rows, "inner ICMP echo", FLOWS, Level::Must, &|t| icmp(a, b, 8, 0).payload(&t));
    inner(rows, "an inner ICMP error about a flow", FLOWS, Level::Must, &|t| {
        icmp(b, a, 3, 4).payload(&segment(t))
    });
    for (name, protocol) in [("inner GRE", 47), ("inner ESP", 50), ("inner SCTP", 132)] {
        inner(rows, name, FLOWS, Level::Must, &|t| ip(a, b, protocol).payload(&[[0; 8], t].concat()));
    }
    inner(rows, "an inner first fragment", "RFC 791 §3.2", Level::Should, &|t| {
        udp("10.1.2.10:5000", "192.0.2.80:53").fragment(0, true).payload(&[t; 8].concat())
    });
    inner(rows, "an inner later fragment", "RFC 791 §3.2", Level::Should, &|t| {
        udp("10.1.2.10:5000", "192.0.2.80:53").fragment(72, false).payload(&t)
    });
}

/// A usual frame with bytes put in at a place, the outer header's checksum made right again.
fn changed(token: Token, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut frame = usual(token).build();
    for (to, from) in frame.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
    set_outer_checksum(&mut frame);
    frame
}

fn refused_headers(rows: &mut Rows) {
    rows.dropped("another GENEVE version is dropped", HEADER, |t| usual(t).version(1).build());
    rows.dropped("a control message (O bit) is not forwarded", HEADER, |t| usual(t).flags(0x80).build());
    rows.dropped("an unknown critical option is dropped", OPTIONS, |t| {
        usual(t).flags(0x40).option(0x0103, 0x85, &[]).build()
    });
    rows.dropped("a critical option is dropped although the C bit is clear", OPTIONS, |t| {
        usual(t).option(0x0103, 0x85, &[]).build()
    });
    rows.dropped("options beyond the end of the packet are dropped", HEADER, |t| changed(t, 42, &[0x3f]));
    rows.dropped("an option beyond the options is dropped", OPTIONS, |t| changed(t, 77, &[2]));
    rows.dropped("an option header beyond the options is dropped", OPTIONS, |t| changed(t, 42, &[7]));
    rows.dropped("a wrong UDP checksum is dropped", UDP, |t| {
        let mut frame = usual(t).udp_checksum().build();
        if let Some(byte) = frame.get_mut(40) {
            *byte ^= 0x10;
        }
        frame
    });
    rows.better_dropped("anything but IP inside is dropped", GWLBTUN, |t| {
        usual(t).protocol_type(0x6558).build()
    });
    rows.better_dropped("no endpoint id: dropped", GWLBTUN, |t| {
        usual(t).options(&[ATTACHMENT, COOKIE]).build()
    });
    rows.better_dropped("no flow cookie: dropped", GWLBTUN, |t| {
        usual(t).options(&[ENDPOINT, ATTACHMENT]).build()
    });
    rows.better_dropped("a flow cookie of another length is dropped", OPTIONS, |t| {
        usual(t).options(&[ENDPOINT, ATTACHMENT, (GWLB_CLASS, 3, &[9; 8])]).build()
    });
}

fn refused_frames(rows: &mut Rows) {
    rows.dropped("a wrong outer header checksum is dropped", "RFC 1122 §3.2.1.2", |t| {
        let mut frame = usual(t).build();
        if let Some(byte) = frame.get_mut(24) {
            *byte ^= 0x10;
        }
        frame
    });
    rows.dropped("an outer length beyond the frame is dropped", "RFC 791 §3.1", |t| {
        changed(t, 16, &[0xff, 0xff])
    });
    rows.dropped("a UDP length beyond the packet is dropped", "RFC 768", |t| changed(t, 38, &[0xff, 0xff]));
    rows.better_dropped("an outer fragment is dropped", "AWS, Gateway Load Balancers: MTU", |t| {
        changed(t, 20, &[0x20, 0])
    });
    rows.better_dropped("another udp port is not GENEVE", UDP, |t| usual(t).udp_ports(50123, 4789).build());
    rows.dropped("another destination address is not ours", "RFC 1122 §3.2.1.3", |t| {
        usual(t).between(NODE, Ipv4Addr::new(10, 100, 1, 99)).build()
    });
    rows.better_dropped(
        "a source outside the load balancer's networks is dropped",
        "AWS, security groups of targets",
        |t| usual(t).between(Ipv4Addr::new(10, 101, 1, 20), OUR_ADDRESS).build(),
    );
    rows.better_dropped("an inner packet that is cut short is dropped", "RFC 791 §3.1", |t| {
        let whole = segment(t);
        gwlb().inner(whole.get(..whole.len() - 1).unwrap_or_default()).build()
    });
}
