//! Any bytes as datagrams of QUIC, and as the frames of packets that open: nothing panics, memory stays bounded, and what
//! is told is told once.
#![no_main]

use inspect::app::quic::Quic;
use inspect::app::{Transactions, Wanted};
use libfuzzer_sys::fuzz_target;
use policy::Way;
use sealed::{Frame, client, server};

#[path = "../../../crates/inspect/tests/sealed/mod.rs"]
mod sealed;

fuzz_target!(|bytes: &[u8]| {
    let (mut quic, mut all) = (Quic::new(), Transactions::default());
    let mut rest = bytes;
    let mut number = 0;
    // Pieces: how it is sent, its length, then so many bytes.
    while let [kind, high, low, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high & 7, *low]));
        let (piece, next) = behind.split_at(length.min(behind.len()));
        rest = next;
        number += 1;
        let way = if kind & 1 == 0 { Way::ToServer } else { Way::ToClient };
        let frames = [Frame::Raw(piece), Frame::Ping, Frame::Padding(usize::from(kind >> 4))];
        let datagram = match (kind >> 1 & 3, way) {
            (0, _) => piece.to_vec(),
            (1, _) => client(1, b"firstid8", number, &[Frame::Crypto(u64::from(*high >> 3) * 64, piece)]),
            (_, Way::ToServer) => client(1, b"firstid8", number, &frames),
            (_, Way::ToClient) => server(1, b"firstid8", number, &frames),
        };
        quic.feed(way, &datagram, Wanted::ALL, &mut all);
    }
    assert!(all.open().len() <= 1);
    assert!(quic.memory() < 300_000, "{}", quic.memory());
});
