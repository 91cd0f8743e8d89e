//! Any bytes as the two ways of a stream, in pieces: nothing panics, memory stays bounded, and the same bytes in other
//! pieces tell the same.
#![no_main]

use inspect::app::{App, GUESS_BYTES, Ports, Wanted};
use libfuzzer_sys::fuzz_target;
use policy::Way;

/// Ports at which marks hold that hold nowhere else.
const PORTS: [u16; 16] = [443, 80, 53, 25, 21, 110, 143, 88, 502, 20_000, 44_818, 5432, 389, 2049, 139, 3128];

/// What one flow may hold: two unfinished messages of every sort, and what transactions keep of what came.
const MEMORY: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Some((port, mut rest)) = bytes.split_first() else { return };
    let responder = PORTS[usize::from(*port) % PORTS.len()];
    let ports = Ports { initiator: 50_000, responder };
    let (mut whole, mut cut) = (App::new(ports), App::new(ports));
    // Pieces: a way and a length, then so many bytes.
    while let [head, length, behind @ ..] = rest {
        let way = if head & 1 == 0 { Way::ToServer } else { Way::ToClient };
        let (piece, next) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = next;
        whole.stream(way, piece, Wanted::ALL);
        piece.chunks(usize::from(head >> 1) % 7 + 1).for_each(|part| cut.stream(way, part, Wanted::ALL));
    }
    assert_eq!(whole.flow_protocol(), cut.flow_protocol());
    assert_eq!(whole.anomalies(), cut.anomalies());
    for way in [Way::ToServer, Way::ToClient] {
        assert_eq!(whole.protocol(way), cut.protocol(way));
        whole.end(way);
        cut.end(way);
    }
    assert_eq!(whole.transactions().open(), cut.transactions().open());
    assert!(whole.memory() < MEMORY + 2 * GUESS_BYTES + 64 * bytes.len(), "{}", whole.memory());
});
