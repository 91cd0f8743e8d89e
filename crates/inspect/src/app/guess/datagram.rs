//! Marks of the protocols over datagrams.

use policy::{Protocol, Way};

use super::{Fit, Head, Mark, binary, text};

/// In the order in which they are asked.
pub(super) const MARKS: &[Mark] = &[
    (Protocol::Mdns, mdns),
    (Protocol::Dns, dns),
    (Protocol::Quic, quic),
    (Protocol::Ntp, ntp),
    (Protocol::Dhcp, dhcp),
    (Protocol::Snmp, snmp),
    (Protocol::Sip, text::sip),
    (Protocol::Tftp, tftp),
    (Protocol::Ike, ike),
    (Protocol::Krb5, krb5),
    (Protocol::Nfs, nfs),
    (Protocol::Enip, binary::enip),
    (Protocol::Ldap, binary::ldap),
    (Protocol::Dcerpc, dcerpc),
    (Protocol::BittorrentDht, dht),
];

/// RFC 6762 §3.
fn mdns(head: &Head<'_>) -> Fit {
    Fit::all([Fit::when(head.ports.either(5353)), binary::dns_header(head, 0)])
}

fn dns(head: &Head<'_>) -> Fit {
    Fit::all([Fit::when(head.ports.either(53)), binary::dns_header(head, 0)])
}

/// A long header (RFC 8999 §5.1) of a version that exists, or an unknown one in a datagram as long as a client's first
/// must be (RFC 9000 §14.1), at port 443. Google's own versions before those are known by their number, or, up to Q043,
/// by the flags before it.
fn quic(head: &Head<'_>) -> Fit {
    let version =
        head.bytes.get(1..).and_then(<[u8]>::first_chunk).map_or(0, |field| u32::from_be_bytes(*field));
    let ietf = matches!(version, 1 | 0x6b33_43cf | 0xff00_001b..=0xff00_0022);
    let google = version >> 24 == u32::from(b'Q') || version >> 24 == u32::from(b'T');
    let negotiation = version == 0 && head.way == Way::ToClient;
    let unknown = head.ports.responder == 443 && head.way == Way::ToServer && head.bytes.len() >= 1200;
    let long = Fit::all([
        head.byte(0, |flags| flags & 0x80 != 0),
        Fit::when(ietf || google || negotiation || unknown && version != 0),
        head.byte(5, |id| id <= 20 || google),
        Fit::when(negotiation || google || head.bytes.first().is_some_and(|flags| flags & 0x40 != 0)),
    ]);
    let early = Fit::all([
        head.byte(0, |flags| flags & 0xc9 == 0x09),
        head.has(9, b"Q0"),
        head.byte(11, |digit| digit.is_ascii_digit()),
        head.byte(12, |digit| digit.is_ascii_digit()),
    ]);
    Fit::any([long, early])
}

/// RFC 5905 §7.3, at its port.
fn ntp(head: &Head<'_>) -> Fit {
    Fit::all([
        Fit::when(head.ports.either(123)),
        head.byte(0, |first| (1..=4).contains(&(first >> 3 & 7)) && first & 7 != 0),
        Fit::when(head.bytes.len() >= 48 || head.bytes.first().is_some_and(|first| first & 7 >= 6)),
    ])
}

/// RFC 2131 §2 and its cookie (§3).
fn dhcp(head: &Head<'_>) -> Fit {
    Fit::all([
        Fit::when(head.ports.either(67) || head.ports.either(68)),
        head.byte(0, |kind| kind == 1 || kind == 2),
        head.has(236, &[0x63, 0x82, 0x53, 0x63]),
    ])
}

/// A sequence with the version first (RFC 3416 §3, RFC 3412 §6), at its ports.
fn snmp(head: &Head<'_>) -> Fit {
    let length = head.bytes.get(1).copied().unwrap_or_default();
    let version = if length & 0x80 == 0 { 2 } else { usize::from(length & 0x7f).min(4) + 2 };
    Fit::all([
        Fit::when(head.ports.either(161) || head.ports.either(162)),
        head.has(0, &[0x30]),
        head.has(version, &[2, 1]),
        head.byte(version + 2, |version| matches!(version, 0 | 1 | 3)),
    ])
}

/// A request (RFC 1350 §5), at its port: a name and a mode, each before a zero.
fn tftp(head: &Head<'_>) -> Fit {
    let modes: [&[u8]; 3] = [b"octet", b"netascii", b"mail"];
    let mut fields = head.bytes.get(2..).unwrap_or_default().split(|byte| *byte == 0);
    let name = fields.next().unwrap_or_default();
    let mode = fields.next().unwrap_or_default();
    Fit::all([
        Fit::when(head.ports.responder == 69 && head.way == Way::ToServer),
        Fit::any([head.has(0, &[0, 1]), head.has(0, &[0, 2])]),
        Fit::when(!name.is_empty() && modes.iter().any(|known| mode.eq_ignore_ascii_case(known))),
    ])
}

/// A header of IKE whose length is the datagram's (RFC 7296 §3.1, RFC 2408 §3.1), at its ports.
fn ike(head: &Head<'_>) -> Fit {
    let offset = if head.bytes.starts_with(&[0; 4]) { 4 } else { 0 };
    let message = head.bytes.get(offset..).unwrap_or_default();
    let length = message.get(24..).and_then(<[u8]>::first_chunk).map(|field| u32::from_be_bytes(*field));
    Fit::all([
        Fit::when(head.ports.either(500) || head.ports.either(4500)),
        head.byte(offset + 17, |version| version == 0x10 || version == 0x20),
        Fit::when(length.is_some_and(|length| usize::try_from(length) == Ok(message.len()))),
    ])
}

fn krb5(head: &Head<'_>) -> Fit {
    binary::kerberos_tag(head, 0)
}

fn nfs(head: &Head<'_>) -> Fit {
    binary::rpc(head, 0)
}

/// Version 4 without connections (C706 §12.5.2.1): kind, flags, data representation.
fn dcerpc(head: &Head<'_>) -> Fit {
    Fit::all([
        head.has(0, &[4]),
        head.byte(1, |kind| kind <= 10),
        head.byte(3, |flags| flags <= 1),
        head.byte(4, |integers| integers == 0x10 || integers == 0),
        head.byte(5, |floats| floats <= 3),
        head.has(6, &[0]),
        head.byte(79, |_| true),
    ])
}

/// A query, response or error (BEP 5).
fn dht(head: &Head<'_>) -> Fit {
    let starts: [&[u8]; 5] = [b"d1:ad2:id20:", b"d1:rd2:id20:", b"d2:ip6:", b"d2:ip4:", b"d1:eli20"];
    Fit::any(starts.map(|start| head.has(0, start)))
}
