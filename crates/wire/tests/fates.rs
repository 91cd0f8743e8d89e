//! Every frame of the table of fates goes where the table says.

#![cfg(test)]

use std::collections::HashSet;
use std::mem::discriminant;
use std::net::Ipv4Addr;

use wire::testkit::{Case, Fate, OUR_ADDRESS, fates};
use wire::{Arrival, Inner, Ipv4Prefix, TunnelEnd, classify, reflect};

fn end() -> TunnelEnd {
    let sources = vec![Ipv4Prefix::new(Ipv4Addr::new(10, 100, 0, 0), 16).unwrap()];
    TunnelEnd { address: Some(OUR_ADDRESS), sources, ..TunnelEnd::default() }
}

fn fate(frame: &[u8], end: &TunnelEnd) -> Fate {
    match classify(frame, end) {
        Err(error) => Fate::Refused(error),
        Ok(Arrival::Local(local)) => Fate::Local(local),
        Ok(Arrival::Gwlb(gwlb)) => match Inner::parse(gwlb.inner(), gwlb.protocol_type()) {
            Err(error) => Fate::Malformed(error),
            Ok(inner) => Fate::Inspected(inner.tuple.source_port, inner.tuple.destination_port),
        },
    }
}

#[test]
fn every_frame_meets_its_fate() {
    for Case { name, frame, fate: expected } in fates() {
        assert_eq!(fate(&frame, &end()), expected, "{name}\n{frame:02x?}");
    }
}

#[test]
fn no_two_rows_have_one_name() {
    let mut names = HashSet::new();
    for case in fates() {
        assert!(names.insert(case.name), "{} stands twice", case.name);
    }
}

#[test]
fn every_reason_has_a_row() {
    let (mut frame, mut inner, mut local) = (HashSet::new(), HashSet::new(), HashSet::new());
    for case in fates() {
        match case.fate {
            Fate::Refused(error) => frame.insert(discriminant(&error)),
            Fate::Malformed(error) => inner.insert(discriminant(&error)),
            Fate::Local(kind) => local.insert(discriminant(&kind)),
            Fate::Inspected(..) => true,
        };
    }
    assert_eq!((frame.len(), inner.len(), local.len()), (20, 10, 3), "a reason was added without a row");
}

#[test]
fn an_inspected_frame_goes_back_with_its_macs_and_addresses_swapped_and_no_other_byte_changed() {
    for case in fates().into_iter().filter(|case| matches!(case.fate, Fate::Inspected(..))) {
        let mut back = case.frame.clone();
        reflect(&mut back);
        assert_eq!(back[..6], case.frame[6..12], "{}", case.name);
        assert_eq!(back[6..12], case.frame[..6], "{}", case.name);
        assert_eq!(back[26..30], case.frame[30..34], "{}", case.name);
        assert_eq!(back[30..34], case.frame[26..30], "{}", case.name);
        assert_eq!((&back[12..26], &back[34..]), (&case.frame[12..26], &case.frame[34..]), "{}", case.name);
        let sender = TunnelEnd { address: Some(Ipv4Addr::new(10, 100, 1, 20)), ..TunnelEnd::default() };
        assert_eq!(fate(&back, &sender), case.fate, "{}: both checksums are still right", case.name);
    }
}

#[test]
fn without_an_address_every_destination_is_ours_and_without_sources_every_source_is_allowed() {
    let anyone = TunnelEnd::default();
    for case in fates() {
        let expected = match case.name {
            "another address" | "source not allowed" => Fate::Inspected(49152, 443),
            "an ARP request for another" | "a gratuitous ARP of another" => Fate::Local(wire::Local::Arp),
            "a ping for another" => Fate::Local(wire::Local::Echo),
            "a health check for another" => Fate::Local(wire::Local::Health),
            _ => case.fate,
        };
        assert_eq!(fate(&case.frame, &anyone), expected, "{}", case.name);
    }
}
