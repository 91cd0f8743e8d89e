//! Any bytes as DNS: nothing panics, what is held is bounded, and a stream says the same however it was cut. The first
//! byte says how it is carried and cut.
#![no_main]

use inspect::app::dns::{Dns, DnsCarrier};
use inspect::app::{Transaction, Transactions, Wanted};
use libfuzzer_sys::fuzz_target;
use policy::Way;

const MEMORY_MAX: usize = 1 << 20;

fn told(carrier: DnsCarrier, bytes: &[u8], step: usize) -> Vec<Transaction> {
    let (mut dns, mut all) = (Dns::new(carrier), Transactions::default());
    let (there, back) = bytes.split_at(bytes.len() / 2);
    for (way, bytes) in [(Way::ToServer, there), (Way::ToClient, back)] {
        for part in bytes.chunks(step) {
            dns.feed(way, part, Wanted::ALL, &mut all);
            assert!(dns.memory() < MEMORY_MAX);
        }
        dns.end(way, &mut all);
    }
    all.open().to_vec()
}

fuzz_target!(|input: &[u8]| {
    let [how, bytes @ ..] = input else { return };
    let step = usize::from(how >> 2) + 1;
    match how & 3 {
        0 => drop(told(DnsCarrier::Multicast, bytes, usize::MAX)),
        1 => drop(told(DnsCarrier::Datagram, bytes, usize::MAX)),
        _ => assert_eq!(told(DnsCarrier::Stream, bytes, step), told(DnsCarrier::Stream, bytes, usize::MAX)),
    }
});
