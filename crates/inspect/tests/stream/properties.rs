//! However a stream is cut, turned round and repeated, the same bytes are read; whatever is sent, memory is bounded.

use flow::Moment;
use inspect::stream::{AtBound, Misfit, Room, Segment, Settings, Stream, Taken};
use policy::Way;
use proptest::prelude::*;
use wire::TcpFlags;

use crate::common::*;

/// A stream in pieces: where each starts and how long it is, in the order in which they come; all of it, in the end.
fn cuts(len: usize) -> impl Strategy<Value = Vec<(usize, usize)>> {
    let some = prop::collection::vec((0..len, 1..200_usize), 0..60);
    some.prop_map(move |mut cuts| {
        let whole = (0..len).step_by(97).map(|at| (at, 97));
        cuts.extend(whole.rev().collect::<Vec<_>>());
        cuts
    })
}

proptest! {
    #[test]
    fn however_a_stream_is_cut_and_turned_round_the_same_bytes_are_read(
        stream in prop::collection::vec(b'a'..=b'z', 1..3000),
        cuts in cuts(3000),
        first in any::<u32>(),
        acked in prop::collection::vec(any::<bool>(), 100),
        inline in any::<bool>(),
    ) {
        let mut talk = Talk::new(Settings { inline, ..Settings::default() });
        talk.client(SYN, first.wrapping_sub(1), 0, b"");
        talk.server(SYN_ACK, SERVER, first, b"");
        let mut came = vec![false; stream.len()];
        for ((at, len), acked) in cuts.into_iter().zip(acked) {
            let Some(rest) = stream.get(at..) else { continue };
            let payload = &rest[..len.min(rest.len())];
            came[at..at + payload.len()].fill(true);
            let seq = first.wrapping_add(u32::try_from(at).unwrap());
            let taken = talk.client(ACK, seq, SERVER + 1, payload);
            prop_assert!(matches!(taken, Taken::Fresh | Taken::Buffered | Taken::Plain), "{taken:?}");
            if acked {
                let there = came.iter().take_while(|came| **came).count();
                talk.server(ACK, SERVER + 1, first.wrapping_add(u32::try_from(there).unwrap()), b"");
                prop_assert_eq!(talk.read[0].len(), there);
            }
        }
        talk.server(ACK, SERVER + 1, first.wrapping_add(u32::try_from(stream.len()).unwrap()), b"");
        prop_assert_eq!(&talk.read[0], &stream);
        prop_assert_eq!(talk.room.counts().gaps + talk.room.counts().conflicts, 0);
    }

    /// A receiver that takes what passes, first come first kept, and one that lets the last count, read what was inspected.
    #[test]
    fn inline_any_receiver_reads_only_what_was_inspected(
        segments in prop::collection::vec((0..40_u32, prop::collection::vec(b'a'..=b'c', 1..12)), 1..80),
        newest_wins in any::<bool>(),
    ) {
        let mut talk = Talk::inline();
        let mut receiver = [None; 64];
        for (at, payload) in segments {
            let taken = talk.ask(at, &payload);
            if !matches!(taken, Taken::Dropped(_)) {
                let read = talk.read[0].len();
                for (place, byte) in receiver.iter_mut().skip(at as usize).zip(payload) {
                    if place.is_none() || newest_wins {
                        *place = Some(byte);
                    }
                }
                let has: Vec<u8> = receiver.iter().map_while(|byte| *byte).collect();
                prop_assert_eq!(read, has.len(), "both have come as far");
                prop_assert_eq!(&talk.read[0], &has);
            }
        }
    }

    #[test]
    fn whatever_is_sent_memory_is_bounded_and_comes_back(
        segments in prop::collection::vec(
            (any::<bool>(), any::<u8>(), 0..60_000_u32, 0..60_000_u32, 0..1500_usize, any::<bool>(), 0..4_usize),
            1..200,
        ),
        at_bound in prop_oneof![Just(AtBound::Drop), Just(AtBound::Gap), Just(AtBound::Bypass)],
        inline in any::<bool>(),
        consumes in any::<bool>(),
    ) {
        const LIMIT: usize = 64 << 10;
        let settings = Settings { inline, bytes: 16 << 10, at_bound, ..Settings::default() };
        let mut room = Room::new(LIMIT);
        let mut streams: Vec<Stream> = (0..4).map(|_| Stream::default()).collect();
        let payload: Vec<u8> = (0..1500).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for (up, flags, sequence, acknowledgment, len, plain, which) in segments {
            let way = if up { Way::ToServer } else { Way::ToClient };
            let segment = Segment {
                way,
                flags: if plain { ACK } else { TcpFlags(flags) },
                sequence,
                acknowledgment,
                window: u16::MAX,
                scale: None,
                timestamp: None,
                payload: &payload[..len],
                intact: true,
            };
            let stream = &mut streams[which];
            let taken = stream.take(&segment, Moment::default(), &settings, &mut room);
            prop_assert!(inline || !matches!(taken, Taken::Dropped(_)), "a listener drops nothing");
            prop_assert!(at_bound == AtBound::Bypass || taken != Taken::Bypassed);
            prop_assert!(at_bound != AtBound::Bypass || taken != Taken::Dropped(Misfit::Bound));
            if consumes {
                while stream.ready(way).is_some() {
                    stream.consume(way, 16, &mut room);
                }
            }
            prop_assert!(room.used() <= LIMIT + (64 << 10), "{} bytes", room.used());
        }
        for stream in &mut streams {
            stream.free(&mut room);
        }
        prop_assert_eq!(room.used(), 0);
    }
}
