//! From a frame to what the rest of the way needs of it: the one place where headers are read for every packet.

use flow::{Encapsulation, FlowHasher, FlowKey};
use wire::{
    Arrival, ETHERNET_LEN, Geneve, GwlbTags, Inner, Ipv4, Transport, TunnelEnd, Udp, Usual, classify,
};

use crate::{About, Packet, Verdict};

/// Read a frame's headers, outer and inner, and write into `packet` what they tell: all about it, or its fate if it is
/// not a customer's packet, [`Verdict::Punt`] or a drop with its reason.
///
/// In place, and each way for itself: what both returned would be written once to the stack and once more to the packet.
#[inline]
pub fn learn(frame: &[u8], end: &TunnelEnd, hasher: &FlowHasher, packet: &mut Packet) {
    match Usual::read(frame, end) {
        Some(usual) => packet.about = Some(about(&usual, hasher)),
        None => learn_any(frame, end, hasher, packet),
    }
}

#[inline(always)] // its result would go through memory
fn about(usual: &Usual<'_>, hasher: &FlowHasher) -> About {
    let source = (usual.source, usual.source_port);
    let destination = (usual.destination, usual.destination_port);
    let (key, direction) = FlowKey::ipv4(usual.endpoint, usual.protocol, source, destination);
    About {
        key,
        hash: hasher.hash(&key),
        mark: hasher.mark(usual.geneve, usual.node, usual.udp_source_port),
        direction,
        tcp_flags: usual.tcp_flags.0,
        inner_len: usual.inner_len,
        inner_at: Usual::INNER_AT,
    }
}

/// The general way: any frame.
#[inline(never)]
fn learn_any(frame: &[u8], end: &TunnelEnd, hasher: &FlowHasher, packet: &mut Packet) {
    match read_any(frame, end, hasher) {
        Ok(about) => packet.about = Some(about),
        Err(verdict) => packet.verdict = verdict,
    }
}

fn read_any(frame: &[u8], end: &TunnelEnd, hasher: &FlowHasher) -> Result<About, Verdict> {
    let gwlb = match classify(frame, end)? {
        Arrival::Gwlb(gwlb) => gwlb,
        Arrival::Local(_) => return Err(Verdict::Punt),
    };
    let inner = Inner::parse(gwlb.inner(), gwlb.protocol_type())?;
    // All parts of a datagram must reach one worker, and only the first shows its ports.
    let key_of = if inner.fragment.is_some() { FlowKey::of_fragments } else { FlowKey::new };
    let (key, direction) = key_of(gwlb.tags().endpoint, &inner.tuple);
    Ok(About {
        key,
        hash: hasher.hash(&key),
        mark: hasher.mark(gwlb.geneve().header(), gwlb.source().octets(), gwlb.udp_source_port()),
        direction,
        tcp_flags: match inner.transport {
            Transport::Tcp(tcp) => tcp.flags.0,
            _ => 0,
        },
        inner_len: u16::try_from(inner.packet.len()).unwrap_or(u16::MAX),
        inner_at: gwlb.inner_at(),
    })
}

/// How GWLB wrapped a frame that [`learn`] has accepted; read again when its mark is new.
pub(crate) fn encapsulation(frame: &[u8]) -> Option<Encapsulation<'_>> {
    let (ipv4, payload) = Ipv4::new_checked(frame.get(ETHERNET_LEN..)?).ok()?;
    let (udp, payload) = Udp::new_checked(payload).ok()?;
    let (geneve, _) = Geneve::new_checked(payload).ok()?;
    let tags = GwlbTags::read(&geneve).ok()?;
    Some(Encapsulation {
        node: ipv4.source(),
        udp_source_port: udp.source_port(),
        cookie: tags.cookie,
        attachment: tags.attachment.unwrap_or_default(),
        header: geneve.header(),
    })
}

#[cfg(test)]
mod tests {
    use wire::testkit::{gwlb, tcp, udp};

    use super::*;

    #[test]
    fn usual_frames_tell_the_same_on_both_ways() {
        let (end, hasher) = (TunnelEnd::default(), FlowHasher::random());
        for inner in [
            tcp("10.0.0.1:80", "10.0.0.2:81"),
            tcp("10.9.0.1:80", "10.0.0.2:81"),
            udp("10.0.0.9:1", "10.0.0.2:2"),
        ] {
            let frame = gwlb().cookie(77).inner(&inner.payload(&[1; 30]).build()).build();
            assert!(Usual::read(&frame, &end).is_some());
            let mut told = [Packet::UNREAD; 2];
            learn(&frame, &end, &hasher, &mut told[0]);
            learn_any(&frame, &end, &hasher, &mut told[1]);
            assert_eq!(format!("{:?}", told[0]), format!("{:?}", told[1]));
            assert!(told[0].about.is_some());
        }
    }
}
