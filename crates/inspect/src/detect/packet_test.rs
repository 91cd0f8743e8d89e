//! The tests of a packet's headers.

use policy::{Comparison, HeaderNumber, PacketTest};
use wire::{Tcp, Transport};

use super::sight::Sight;

/// TCP options (RFC 9293 §3.2): end, no operation, maximum segment size, window scale (RFC 7323 §2.2).
const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;

/// Whether a packet passes.
pub(super) fn holds(test: &PacketTest, sight: &Sight<'_>) -> bool {
    match test {
        // Without a payload there is none that has another length: so the reference reads `dsize:!9`.
        PacketTest::Number(HeaderNumber::PayloadLength, compares @ Comparison::Not(_)) => {
            !sight.payload.is_empty() && compares.holds(sight.payload.len() as u64)
        }
        PacketTest::Number(number, compares) => {
            value(*number, sight).is_some_and(|value| compares.holds(value))
        }
        PacketTest::IpProto(compares) => compares.holds(sight.tuple.protocol.into()),
        PacketTest::SameIp => sight.tuple.source == sight.tuple.destination,
        PacketTest::IpOption(option) => has_ip_option(sight, option.kind()),
        PacketTest::FragmentBits(flags) => {
            let packet = packet_of(sight);
            sight.tuple.version == 4 && packet.get(6).is_some_and(|byte| flags.hold(*byte))
        }
        PacketTest::TcpFlags(flags) => tcp(sight).is_some_and(|tcp| flags.hold(tcp.flags.0)),
    }
}

/// A number in the headers, if the packet has it.
fn value(number: HeaderNumber, sight: &Sight<'_>) -> Option<u64> {
    let packet = packet_of(sight);
    let v4 = sight.tuple.version == 4;
    let v4_word = |at: usize| v4.then(|| word(packet, at)).flatten();
    let icmp = || match sight.inner?.transport {
        Transport::Icmp(icmp) => Some(icmp),
        _ => None,
    };
    match number {
        HeaderNumber::PayloadLength => Some(sight.payload.len() as u64),
        HeaderNumber::Ttl => packet.get(if v4 { 8 } else { 7 }).map(|byte| u64::from(*byte)),
        HeaderNumber::IpId => v4_word(4),
        HeaderNumber::Tos => packet.get(1).filter(|_| v4).map(|byte| u64::from(*byte)),
        HeaderNumber::FragmentOffset => v4_word(6).map(|word| word & 0x1fff),
        HeaderNumber::TcpSequence => tcp(sight).map(|tcp| tcp.sequence.into()),
        HeaderNumber::TcpAcknowledgement => tcp(sight).map(|tcp| tcp.acknowledgment.into()),
        HeaderNumber::TcpWindow => tcp(sight).map(|tcp| tcp.window.into()),
        HeaderNumber::TcpMss => word(tcp_option(tcp(sight)?.options, MSS)?, 0),
        HeaderNumber::TcpWindowScale => {
            tcp_option(tcp(sight)?.options, WINDOW_SCALE)?.first().map(|byte| u64::from(*byte))
        }
        HeaderNumber::IcmpType => icmp().map(|icmp| icmp.kind.into()),
        HeaderNumber::IcmpCode => icmp().map(|icmp| icmp.code.into()),
        HeaderNumber::IcmpId => {
            icmp().filter(|icmp| has_id(v4, icmp.kind)).and_then(|icmp| word(icmp.body, 0))
        }
        HeaderNumber::IcmpSequence => {
            icmp().filter(|icmp| has_id(v4, icmp.kind)).and_then(|icmp| word(icmp.body, 2))
        }
        // Packet Too Big (RFC 4443 §3.2).
        HeaderNumber::Icmpv6Mtu => {
            let icmp = icmp().filter(|icmp| !v4 && icmp.kind == 2)?;
            Some(word(icmp.body, 0)? << 16 | word(icmp.body, 2)?)
        }
    }
}

/// The packet's bytes; none at the end of a flow.
fn packet_of<'a>(sight: &Sight<'a>) -> &'a [u8] {
    sight.inner.map_or(&[], |inner| inner.packet)
}

/// Whether messages of that type have an identifier and a sequence number (RFC 792, RFC 950, RFC 4443 §4).
fn has_id(v4: bool, kind: u8) -> bool {
    if v4 { matches!(kind, 0 | 8 | 13..=18) } else { matches!(kind, 128 | 129) }
}

fn tcp<'a>(sight: &Sight<'a>) -> Option<Tcp<'a>> {
    match sight.inner?.transport {
        Transport::Tcp(tcp) => Some(tcp),
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    match bytes.get(at..)? {
        [high, low, ..] => Some(u64::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// What follows kind and length of the first option of that kind.
fn tcp_option(options: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = options;
    loop {
        rest = match *rest {
            [] | [END, ..] => return None,
            [NOP, ref after @ ..] => after,
            [kind, length, ..] => {
                let option = rest.get(2..usize::from(length))?;
                if kind == wanted {
                    return Some(option);
                }
                rest.get(usize::from(length)..)?
            }
            [_] => return None,
        };
    }
}

/// Whether the IPv4 header has an option of that kind, or any at all (RFC 791 §3.1).
fn has_ip_option(sight: &Sight<'_>, wanted: Option<u8>) -> bool {
    if sight.tuple.version != 4 {
        return false;
    }
    let packet = packet_of(sight);
    let end = packet.first().map_or(0, |first| usize::from(first & 0xf) * 4);
    let mut rest = packet.get(20..end).unwrap_or_default();
    while let [kind, after @ ..] = rest {
        if wanted.is_none_or(|wanted| wanted == *kind) {
            return true;
        }
        let next = match (*kind, after.first()) {
            (END, _) => return false,
            (NOP, _) => Some(after),
            (_, Some(length)) if *length >= 2 => rest.get(usize::from(*length)..),
            _ => None,
        };
        let Some(next) = next else { return false };
        rest = next;
    }
    false
}

/// Whether a comparison passes on both sides, on one of them, or on a given one.
pub(super) fn sides_hold(side: policy::Side, compares: Comparison, [to_server, to_client]: [u64; 2]) -> bool {
    match side {
        policy::Side::ToServer => compares.holds(to_server),
        policy::Side::ToClient => compares.holds(to_client),
        policy::Side::Both => compares.holds(to_server) && compares.holds(to_client),
        policy::Side::Either => compares.holds(to_server) || compares.holds(to_client),
    }
}
