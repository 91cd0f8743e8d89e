//! Any bytes as what two ends say to each other: nothing panics, what is held is bounded, and the same is told however
//! the bytes were cut. A piece is a byte of flags, a length and so many bytes.
#![no_main]

use inspect::app::http::{Http, HttpLimits};
use inspect::app::{Transaction, Transactions, Wanted};
use libfuzzer_sys::fuzz_target;
use policy::Way;

const MEMORY_MAX: usize = 16 << 20;

fn told(mut pieces: &[u8], step: usize) -> Vec<Transaction> {
    let (mut http, mut all) = (Http::new(HttpLimits::default()), Transactions::default());
    while let [flags, length, rest @ ..] = pieces {
        let way = if flags & 1 == 0 { Way::ToServer } else { Way::ToClient };
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        pieces = rest;
        match flags >> 1 & 7 {
            6 => http.gap(way, u64::from(*length), &mut all),
            7 => http.end(way, &mut all),
            _ => piece.chunks(step).for_each(|part| http.feed(way, part, Wanted::ALL, &mut all)),
        }
        assert!(http.memory() + all.memory() < MEMORY_MAX);
    }
    all.open().to_vec()
}

fuzz_target!(|input: &[u8]| {
    let [step, pieces @ ..] = input else { return };
    let whole = told(pieces, 1 << 16);
    // How much of a broken brotli stream is told depends on where it was cut, and when a bomb is called one.
    let is_exact =
        !whole.iter().any(|told| told.anomalies.iter().any(|anomaly| anomaly.name().contains("compression")));
    let cut = told(pieces, usize::from(*step).max(1));
    if is_exact {
        assert_eq!(cut, whole);
    }
});
