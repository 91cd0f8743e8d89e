//! What must hold of any bytes, for property tests and fuzzing: a reading that succeeds is true of the bytes.

use crate::{Arrival, Geneve, GwlbTags, Inner, ProtocolType, TunnelEnd, classify};

/// Read a frame as far as it goes.
///
/// # Panics
/// If what was read is not what stands in the frame.
pub fn check_frame(frame: &[u8]) {
    let Ok(Arrival::Gwlb(gwlb)) = classify(frame, &TunnelEnd::default()) else { return };
    let at = usize::from(gwlb.inner_at());
    assert!(frame[at..].starts_with(gwlb.inner()), "the inner packet stands where the frame says");
    let header = gwlb.geneve().header();
    assert_eq!(&frame[at - header.len()..at], header, "the GENEVE header stands before it");
    assert_eq!(GwlbTags::read(&gwlb.geneve()), Ok(gwlb.tags()));
    check_inner(gwlb.inner(), gwlb.protocol_type());
}

/// Read a GENEVE header and its options, the usual way and one by one.
///
/// # Panics
/// If options overlap, go past the end, follow an error, or if tags come from a header whose options are wrong.
pub fn check_options(header: &[u8]) {
    let Ok((geneve, inner)) = Geneve::new_checked(header) else { return };
    assert_eq!(geneve.header().len() + inner.len(), header.len());
    let (mut len, mut options) = (8, geneve.options());
    while let Some(Ok(option)) = options.next() {
        assert!(option.data.len() % 4 == 0 && option.data.len() <= 124);
        len += 4 + option.data.len();
    }
    assert!(options.next().is_none(), "nothing comes after the end or an error");
    let right = geneve.options().all(|option| option.is_ok());
    assert_eq!(right, len == geneve.header().len(), "options that are right leave out no byte");
    assert!(right || GwlbTags::read(&geneve).is_err(), "no tags from options that do not add up");
}

/// Read an inner packet.
///
/// # Panics
/// If the packet or its payload is not a part of the bytes, or if ports come from where there are none.
pub fn check_inner(bytes: &[u8], protocol_type: ProtocolType) {
    let Ok(inner) = Inner::parse(bytes, protocol_type) else { return };
    assert!(bytes.starts_with(inner.packet), "the packet is a prefix");
    let (packet, payload) = (inner.packet.as_ptr_range(), inner.payload().as_ptr_range());
    assert!(packet.start <= payload.start && payload.end <= packet.end, "the payload is inside the packet");
    let ports = (inner.tuple.source_port, inner.tuple.destination_port);
    let hidden = inner.fragment.is_some_and(|fragment| !fragment.is_first());
    if hidden || !matches!(inner.tuple.protocol, 6 | 17) {
        assert_eq!(ports, (0, 0), "no ports without TCP or UDP");
    }
}
