//! Marks of the protocols that begin with numbers, over streams.

use policy::{Protocol, Way};

use super::{Fit, Head, Mark};

/// In the order in which they are asked: what needs the most bytes to say no comes last.
pub(super) const MARKS: &[Mark] = &[
    (Protocol::Tls, tls),
    (Protocol::Tls, ssl2),
    (Protocol::Smb, smb),
    (Protocol::Rdp, rdp),
    (Protocol::Mqtt, mqtt),
    (Protocol::Dcerpc, dcerpc),
    (Protocol::Dns, dns),
    (Protocol::Krb5, krb5),
    (Protocol::Modbus, modbus),
    (Protocol::Dnp3, dnp3),
    (Protocol::Enip, enip),
    (Protocol::Pgsql, pgsql),
    (Protocol::Ldap, ldap),
    (Protocol::Telnet, telnet),
    (Protocol::Nfs, nfs),
];

/// A record of the handshake and in it a hello, or an alert from the responder (RFC 8446 §5.1, §4, §6).
fn tls(head: &Head<'_>) -> Fit {
    let hello = match head.way {
        Way::ToServer => 1,
        Way::ToClient => 2,
    };
    let version = [head.has(1, &[3]), head.byte(2, |minor| minor <= 4)];
    let handshake = Fit::all([
        head.has(0, &[22]),
        version[0],
        version[1],
        head.number(3, |length| (1..=16_384 + 2048).contains(&length)),
        head.has(5, &[hello]),
    ]);
    let alert = Fit::all([
        Fit::when(head.way == Way::ToClient),
        head.has(0, &[21]),
        version[0],
        version[1],
        head.has(3, &[0, 2]),
        head.byte(5, |level| level == 1 || level == 2),
    ]);
    Fit::any([handshake, alert])
}

/// A client hello as SSL 2 has it (RFC 6101 appendix E.1), of SSL 2 itself or for SSL 3 and TLS.
fn ssl2(head: &Head<'_>) -> Fit {
    Fit::all([
        Fit::when(head.way == Way::ToServer),
        head.byte(0, |length| length & 0x80 != 0),
        head.has(2, &[1]),
        Fit::any([head.has(3, &[0, 2]), Fit::all([head.has(3, &[3]), head.byte(4, |minor| minor <= 3)])]),
        head.number(5, |ciphers| ciphers >= 3 && ciphers % 3 == 0),
        head.number(7, |session| session == 0 || session == 16),
        head.number(9, |challenge| (16..=32).contains(&challenge)),
    ])
}

/// RFC 1002 §4.3.1 and behind it [MS-SMB2] §2.2.1, [MS-CIFS] §2.2.3.1; a session request at its port.
fn smb(head: &Head<'_>) -> Fit {
    let session = Fit::all([Fit::when(head.ports.either(139)), head.has(0, &[0x81, 0])]);
    let message = Fit::all([
        head.has(0, &[0]),
        head.byte(4, |kind| (0xfd..=0xff).contains(&kind)),
        head.has(5, b"SMB"),
    ]);
    Fit::any([message, session])
}

/// A connection request or confirmation of X.224 in a TPKT ([MS-RDPBCGR] §2.2.1.1, §2.2.1.2).
fn rdp(head: &Head<'_>) -> Fit {
    let code = match head.way {
        Way::ToServer => 0xe0,
        Way::ToClient => 0xd0,
    };
    let length = head.bytes.get(3).copied().unwrap_or_default();
    Fit::all([
        head.has(0, &[3, 0, 0]),
        head.byte(4, |indicator| indicator >= 6 && length.checked_sub(5) == Some(indicator)),
        head.byte(5, |kind| kind == code),
    ])
}

/// CONNECT and the protocol's name behind its length (MQTT 5.0 §3.1).
fn mqtt(head: &Head<'_>) -> Fit {
    let Some(end) = head.bytes.iter().skip(1).take(4).position(|byte| byte & 0x80 == 0) else {
        return Fit::all([head.has(0, &[0x10]), if head.bytes.len() < 5 { Fit::Maybe } else { Fit::No }]);
    };
    Fit::all([
        Fit::when(head.way == Way::ToServer),
        head.has(0, &[0x10]),
        Fit::any([head.has(end + 2, b"\0\x04MQTT"), head.has(end + 2, b"\0\x06MQIsdp")]),
    ])
}

/// Version 5 over connections (C706 §12.6.3.1): kind, flags, data representation.
fn dcerpc(head: &Head<'_>) -> Fit {
    Fit::all([
        head.has(0, &[5]),
        head.byte(1, |minor| minor <= 1),
        head.byte(2, |kind| matches!(kind, 0 | 2 | 3 | 11..=19)),
        head.byte(4, |integers| integers == 0x10 || integers == 0),
        head.byte(5, |floats| floats <= 3),
        head.has(6, &[0, 0]),
    ])
}

/// A call of program 100003 (RFC 5531 §9), or at the port of NFS a reply, behind a record mark (§11).
fn nfs(head: &Head<'_>) -> Fit {
    Fit::all([head.byte(0, |mark| mark & 0x7f == 0), rpc(head, 4)])
}

/// A message of RPC for NFS at `offset`.
pub(super) fn rpc(head: &Head<'_>, offset: usize) -> Fit {
    let call = Fit::all([
        head.has(offset + 4, &[0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa3]),
        head.has(offset + 16, &[0, 0, 0]),
        head.byte(offset + 19, |version| (2..=4).contains(&version)),
    ]);
    let reply = Fit::all([Fit::when(head.ports.either(2049)), head.has(offset + 4, &[0, 0, 0, 1])]);
    Fit::any([call, reply])
}

/// A header of DNS (RFC 1035 §4.1.1) at `offset`: an operation that exists, and as many questions as are usual.
pub(super) fn dns_header(head: &Head<'_>, offset: usize) -> Fit {
    Fit::all([
        head.byte(offset + 2, |flags| flags >> 3 & 0xf <= 6),
        head.byte(offset + 3, |flags| flags & 0x40 == 0),
        head.number(offset + 4, |questions| questions <= 32),
        head.byte(offset + 11, |_| true),
    ])
}

/// RFC 1035 §4.2.2, at its port.
fn dns(head: &Head<'_>) -> Fit {
    Fit::all([Fit::when(head.ports.either(53)), head.number(0, |length| length >= 12), dns_header(head, 2)])
}

/// The tag of a message of Kerberos (RFC 4120 §5.10) at `offset`.
pub(super) fn kerberos_tag(head: &Head<'_>, offset: usize) -> Fit {
    Fit::all([
        Fit::when(head.ports.either(88)),
        head.byte(offset, |tag| matches!(tag, 0x6a..=0x6f | 0x74..=0x76 | 0x7e)),
    ])
}

/// RFC 4120 §7.2.2.
fn krb5(head: &Head<'_>) -> Fit {
    Fit::all([kerberos_tag(head, 4), head.has(0, &[0])])
}

/// MODBUS over TCP/IP 1.0b §3.1.3, at its port.
fn modbus(head: &Head<'_>) -> Fit {
    Fit::all([
        Fit::when(head.ports.either(502)),
        head.has(2, &[0, 0]),
        head.number(4, |length| (2..=254).contains(&length)),
    ])
}

/// IEEE 1815 §9.2, at its port.
fn dnp3(head: &Head<'_>) -> Fit {
    Fit::all([
        Fit::when(head.ports.either(20_000)),
        head.has(0, &[5, 0x64]),
        head.byte(2, |length| length >= 5),
    ])
}

/// A command of EtherNet/IP (CIP volume 2 §2-3.2), at its port.
pub(super) fn enip(head: &Head<'_>) -> Fit {
    Fit::all([
        Fit::when(head.ports.either(44_818)),
        head.byte(0, |command| matches!(command, 0x04 | 0x63..=0x66 | 0x6f | 0x70)),
        head.has(1, &[0]),
    ])
}

/// A start-up message or a request for encryption (PostgreSQL, "Message Formats"), at its port.
fn pgsql(head: &Head<'_>) -> Fit {
    let start = Fit::any([
        head.has(4, &[0, 3, 0, 0]),
        head.has(4, &[0x04, 0xd2, 0x16, 0x2f]),
        head.has(4, &[0x04, 0xd2, 0x16, 0x30]),
    ]);
    let first = match head.way {
        Way::ToServer => Fit::all([head.has(0, &[0, 0]), start]),
        Way::ToClient => head.byte(0, |kind| b"RSNE".contains(&kind)),
    };
    Fit::all([Fit::when(head.ports.either(5432)), first])
}

/// A message of LDAP (RFC 4511 §4.1.1) at its ports: a sequence with a number first.
pub(super) fn ldap(head: &Head<'_>) -> Fit {
    let length = head.bytes.get(1).copied().unwrap_or_default();
    let number = match length {
        0x81..=0x84 => usize::from(length & 0x7f) + 2,
        _ => 2,
    };
    Fit::all([
        Fit::when([389, 3268].into_iter().any(|port| head.ports.either(port))),
        head.has(0, &[0x30]),
        head.byte(1, |length| length < 0x80 || (0x81..=0x84).contains(&length)),
        head.has(number, &[2]),
        head.byte(number + 1, |length| (1..=4).contains(&length)),
    ])
}

/// A command of RFC 854 and an option, at once or at the port of Telnet.
fn telnet(head: &Head<'_>) -> Fit {
    Fit::all([
        head.has(0, &[0xff]),
        head.byte(1, |command| (0xfb..=0xfe).contains(&command)),
        head.byte(2, |option| option <= 49),
    ])
}
