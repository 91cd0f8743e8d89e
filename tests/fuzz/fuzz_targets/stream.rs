//! Any segments of one connection: nothing panics, memory is bounded and comes back, a listener drops nothing, and inline
//! a receiver that keeps whatever passes has no byte that was not inspected.
//!
//! Eight bytes are one segment: way and flags, number, acknowledgment, window, length and the byte that fills it.
#![no_main]

use flow::Moment;
use inspect::stream::{AtBound, Room, Segment, Settings, Stream, Taken};
use libfuzzer_sys::fuzz_target;
use policy::Way;
use wire::TcpFlags;

const LIMIT: usize = 256 << 10;
/// Numbers near their wrap, so that streams wrap.
const FIRST: u32 = u32::MAX - 100;

fuzz_target!(|input: &[u8]| {
    let [how, segments @ ..] = input else { return };
    let settings = Settings {
        inline: how & 1 == 0,
        bytes: 4096 << (how >> 1 & 3),
        at_bound: [AtBound::Drop, AtBound::Gap, AtBound::Bypass][usize::from(how >> 3) % 3],
        ..Settings::default()
    };
    let (mut room, mut stream) = (Room::new(LIMIT), Stream::default());
    for segment in segments.as_chunks::<8>().0 {
        let [head, seq, seq_high, ack, ack_high, window, len, byte] = *segment;
        let way = if head & 0x80 == 0 { Way::ToServer } else { Way::ToClient };
        let number = |low, high| FIRST.wrapping_add(u32::from(u16::from_be_bytes([high, low])));
        let payload = [byte; 1024];
        let segment = Segment {
            way,
            flags: TcpFlags(head & 0x3f),
            sequence: number(seq, seq_high & 0x3f),
            acknowledgment: number(ack, ack_high & 0x3f),
            window: u16::from(window) << 6,
            scale: (head & 0x40 != 0).then_some(2),
            timestamp: (byte & 1 != 0).then_some(byte.into()),
            payload: &payload[..usize::from(len) << 2],
            intact: true,
        };
        let taken = stream.take(&segment, Moment::default(), &settings, &mut room);
        assert!(settings.inline || !matches!(taken, Taken::Dropped(_)));
        for way in [Way::ToServer, Way::ToClient] {
            let mut start = 0;
            while let Some(ready) = stream.ready(way) {
                assert!(ready.start >= start && ready.fresh_from <= ready.bytes.len());
                assert!(ready.missing > 0 || ready.fresh_from < ready.bytes.len());
                start = ready.start;
                stream.consume(way, 64, &mut room);
            }
        }
        assert!(room.used() <= LIMIT + (128 << 10), "{} bytes", room.used());
    }
    stream.free(&mut room);
    assert_eq!(room.used(), 0);
});
