//! Any packets as parts of datagrams, one after the other, each with its length before it: nothing panics, what is kept is
//! bounded, and what is put together is read again without a fragment in it.
#![no_main]

use std::time::Duration;

use flow::Moment;
use inspect::fragments::{Fragments, Gathered, Settings};
use libfuzzer_sys::fuzz_target;
use wire::{EndpointId, Inner, ProtocolType};

const BYTES: usize = 16 << 10;

fuzz_target!(|input: &[u8]| {
    let settings = Settings { datagrams: 8, bytes: BYTES, life: Duration::from_secs(1) };
    let (mut all, mut rest, mut now) = (Fragments::new(settings), input, Moment::default());
    while let [len, ticks, packets @ ..] = rest {
        let len = (usize::from(*len) << 2).min(packets.len());
        let (packet, behind) = packets.split_at(len);
        (rest, now) = (behind, Moment(now.0 + (u64::from(*ticks) << 22)));
        let is_v6 = packet.first().is_some_and(|first| first >> 4 == 6);
        let kind = if is_v6 { ProtocolType::Ipv6 } else { ProtocolType::Ipv4 };
        let Ok(inner) = Inner::parse(packet, kind) else { continue };
        if let Ok(Gathered::Whole(whole)) = all.take(EndpointId(0), &inner, now)
            && let Ok(whole) = Inner::parse(whole, kind)
        {
            assert!(is_v6 || whole.fragment.is_none());
        }
        assert!(all.len() <= 8 && all.bytes() <= BYTES + (70 << 10));
    }
});
