//! Any bytes as an inner packet, of either version, and etherparse's reading beside ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::ProtocolType;
use wire::testkit::{check_against_etherparse, check_inner};

fuzz_target!(|packet: &[u8]| {
    check_inner(packet, ProtocolType::Ipv4);
    check_inner(packet, ProtocolType::Ipv6);
    check_against_etherparse(packet);
});
