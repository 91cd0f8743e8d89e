//! What holds for every frame, whatever its bytes.

#![cfg(test)]

mod common;

use common::{frame, mutated, mutations, whole_packet};
use proptest::collection::vec;
use proptest::prelude::*;
use wire::testkit::{check_frame, check_inner, check_options, set_outer_checksum};
use wire::{
    Arrival, AttachmentId, Checksum, EndpointId, FlowCookie, GwlbHeader, GwlbTags, Inner, ProtocolType,
    TunnelEnd, classify, reflect,
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..400)) {
        check_frame(&bytes);
        check_inner(&bytes, ProtocolType::Ipv4);
        check_inner(&bytes, ProtocolType::Ipv6);
    }

    #[test]
    fn noise_within_right_outer_headers_never_panics(options in vec(any::<u8>(), 0..300), inner in vec(any::<u8>(), 0..64)) {
        let words = options.len() / 4;
        let mut bytes = wire::testkit::gwlb().inner(&[&options[..words * 4], &inner].concat()).build();
        bytes.drain(50..82);
        let len = u16::try_from(bytes.len()).unwrap();
        bytes[16..18].copy_from_slice(&(len - 14).to_be_bytes());
        bytes[38..40].copy_from_slice(&(len - 34).to_be_bytes());
        bytes[42] = u8::try_from(words.min(63)).unwrap();
        set_outer_checksum(&mut bytes);
        check_frame(&bytes);
    }

    #[test]
    fn a_changed_frame_is_refused_or_read_but_never_panics(
        frame in frame(), changes in mutations(), make_right in any::<bool>(),
    ) {
        let mut bytes = mutated(&frame.build(), &changes);
        if make_right && bytes.len() > 14 && bytes.len() >= 14 + usize::from(bytes[14] & 15).max(5) * 4 {
            set_outer_checksum(&mut bytes);
        }
        check_frame(&bytes);
    }

    #[test]
    fn a_truncated_frame_is_refused(frame in frame().prop_map(|frame| frame.padding(0).build()), at in any::<prop::sample::Index>()) {
        prop_assert!(classify(&frame[..at.index(frame.len())], &TunnelEnd::default()).is_err());
    }

    #[test]
    fn a_frame_with_a_udp_checksum_shows_any_bit_flip_behind_the_udp_header(
        frame in frame().prop_map(|frame| frame.udp_checksum().padding(0).build()), bit in any::<prop::sample::Index>(),
    ) {
        let mut flipped = frame.clone();
        let bit = 42 * 8 + bit.index((frame.len() - 42) * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(matches!(classify(&flipped, &TunnelEnd::default()), Err(wire::FrameError::UdpChecksum(_))));
    }

    #[test]
    fn a_whole_packet_has_right_checksums_until_a_bit_of_its_headers_or_segment_flips(
        packet in whole_packet(), bit in any::<prop::sample::Index>(),
    ) {
        let mut bytes = packet.build();
        let kind = if bytes[0] >> 4 == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
        let Ok(inner) = Inner::parse(&bytes, kind) else { return Ok(()) };
        prop_assert!(inner.has_right_checksums());
        // What stands behind a UDP datagram, and in a protocol that nobody reads, has no checksum; nor has IPv6's header.
        let summed = matches!(inner.transport, wire::Transport::Tcp(_) | wire::Transport::Icmp(_));
        let begin = if summed { bytes.len() - inner.upper.len() } else { 0 };
        let end = if summed { bytes.len() } else if bytes[0] >> 4 == 4 { bytes.len() - inner.upper.len() } else { 0 };
        prop_assume!(begin < end);
        let bit = begin * 8 + bit.index((end - begin) * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!Inner::parse(&bytes, kind).is_ok_and(|inner| inner.has_right_checksums()));
    }

    #[test]
    fn what_was_built_is_what_is_read(
        packet in whole_packet(), tags in (any::<u64>(), any::<u64>(), any::<u32>()), udp_source_port in any::<u16>(),
    ) {
        let packet = packet.build();
        let frame = wire::testkit::gwlb().endpoint(tags.0).attachment(tags.1).cookie(tags.2).inner(&packet);
        let frame = frame.udp_ports(udp_source_port, 6081).build();
        let Ok(Arrival::Gwlb(gwlb)) = classify(&frame, &TunnelEnd::default()) else { panic!("refused: {frame:02x?}") };
        let expected = GwlbTags {
            endpoint: EndpointId(tags.0), attachment: Some(AttachmentId(tags.1)), cookie: FlowCookie(tags.2),
        };
        prop_assert_eq!(gwlb.tags(), expected);
        prop_assert_eq!(gwlb.udp_source_port(), udp_source_port);
        prop_assert_eq!(gwlb.inner(), &packet[..]);
        let inner = Inner::parse(gwlb.inner(), gwlb.protocol_type());
        prop_assert_eq!(inner.map(|inner| inner.packet), Ok(&packet[..]));
    }

    #[test]
    fn the_order_of_options_means_nothing(order in Just([1_u8, 2, 3, 9, 200]).prop_shuffle(), cookie in any::<u32>()) {
        let value = [&[7; 4][..], &cookie.to_be_bytes()].concat();
        let of_kind = |kind| match kind {
            1 => (0x0108_u16, 1_u8, &value[..]),
            2 => (0x0108, 2, &[0; 8][..]),
            3 => (0x0108, 3, &value[4..]),
            9 => (0x0108, 9, &[1; 4][..]),
            _ => (0x0102, 0x7f, &[][..]),
        };
        let frame = wire::testkit::gwlb().options(&order.map(of_kind)).build();
        let Ok(Arrival::Gwlb(gwlb)) = classify(&frame, &TunnelEnd::default()) else { panic!("refused: {frame:02x?}") };
        prop_assert_eq!(gwlb.tags().cookie, FlowCookie(cookie));
        prop_assert_eq!(gwlb.tags().endpoint, EndpointId(0x0707_0707 << 32 | u64::from(cookie)));
        prop_assert_eq!(gwlb.tags().attachment, Some(AttachmentId(0)));
    }

    #[test]
    fn options_end_after_their_first_error_and_leave_out_no_byte(bytes in vec(any::<u8>(), 0..=252)) {
        let words = bytes.len() / 4;
        let header = [&[u8::try_from(words).unwrap(), 0, 8, 0, 0, 0, 0, 0], &bytes[..words * 4]].concat();
        prop_assert!(wire::Geneve::new_checked(&header).is_ok());
        check_options(&header);
    }

    #[test]
    fn a_written_header_is_read_as_it_was_meant(
        macs in any::<[[u8; 6]; 2]>(), addresses in any::<[[u8; 4]; 2]>(), udp_source_port in any::<u16>(),
        tags in (any::<u64>(), any::<u64>(), any::<u32>()), packet in whole_packet(),
    ) {
        let packet = packet.build();
        let header = GwlbHeader {
            destination_mac: macs[0],
            source_mac: macs[1],
            source: addresses[0].into(),
            destination: addresses[1].into(),
            udp_source_port,
            udp_destination_port: 6081,
            tags: GwlbTags { endpoint: EndpointId(tags.0), attachment: Some(AttachmentId(tags.1)), cookie: FlowCookie(tags.2) },
            protocol_type: if packet[0] >> 4 == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 },
        };
        let mut frame = [vec![0xaa; GwlbHeader::LEN], packet.clone()].concat();
        prop_assert_eq!(header.write(packet.len(), &mut frame), Ok(GwlbHeader::LEN));
        let Ok(Arrival::Gwlb(gwlb)) = classify(&frame, &TunnelEnd::default()) else { panic!("refused: {frame:02x?}") };
        prop_assert_eq!((gwlb.source(), gwlb.destination()), (header.source, header.destination));
        prop_assert_eq!((gwlb.udp_source_port(), gwlb.tags()), (udp_source_port, header.tags));
        prop_assert_eq!((gwlb.protocol_type(), gwlb.inner()), (header.protocol_type, &packet[..]));
        prop_assert_eq!([&frame[..6], &frame[6..12]], [&macs[0], &macs[1]]);
    }

    #[test]
    fn reflection_is_its_own_inverse_and_keeps_both_checksums_right(frame in frame().prop_map(|frame| frame.build())) {
        let mut back = frame.clone();
        reflect(&mut back);
        prop_assert!(Checksum::default().over(&back[14..34]).is_right());
        let (Ok(Arrival::Gwlb(there)), Ok(Arrival::Gwlb(returned))) =
            (classify(&frame, &TunnelEnd::default()), classify(&back, &TunnelEnd::default()))
        else { panic!("refused: {frame:02x?}") };
        prop_assert_eq!((there.source(), there.destination()), (returned.destination(), returned.source()));
        prop_assert_eq!((there.tags(), there.inner()), (returned.tags(), returned.inner()));
        reflect(&mut back);
        prop_assert_eq!(frame, back);
    }

    #[test]
    fn what_is_too_short_to_have_addresses_is_not_reflected(bytes in vec(any::<u8>(), 0..34)) {
        let mut back = bytes.clone();
        reflect(&mut back);
        prop_assert_eq!(bytes, back);
    }
}
