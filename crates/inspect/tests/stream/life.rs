//! From the handshake to the end, and what is kept meanwhile.

use flow::FlowState;
use inspect::stream::{AtBound, Misfit, Segment, Settings, Taken};
use policy::Way;

use crate::common::*;

#[test]
fn bytes_in_order_are_ready_at_once_both_ways() {
    let mut talk = Talk::inline();
    assert_eq!(talk.ask(0, b"GET "), Taken::Fresh);
    assert_eq!(talk.ask(4, b"/"), Taken::Fresh);
    assert_eq!(talk.server(ACK, SERVER + 1, CLIENT + 6, b"200"), Taken::Fresh);
    assert_eq!((talk.asked().as_str(), talk.answered().as_str()), ("GET /", "200"));
    assert_eq!(talk.stream.state(), FlowState::Established);
}

#[test]
fn bytes_behind_a_hole_wait_until_it_is_filled() {
    let mut talk = Talk::inline();
    assert_eq!(talk.ask(4, b"/ HTTP"), Taken::Buffered);
    assert_eq!(talk.ask(12, b"."), Taken::Buffered);
    assert_eq!(talk.asked(), "");
    assert_eq!(talk.ask(0, b"GET "), Taken::Fresh);
    assert_eq!(talk.asked(), "GET / HTTP");
    assert_eq!(talk.ask(10, b"/1"), Taken::Fresh);
    assert_eq!(talk.asked(), "GET / HTTP/1.");
    assert_eq!(talk.room.counts().buffered, 2);
}

#[test]
fn a_hole_that_the_receiver_acknowledges_is_told_and_left_out() {
    for mut talk in [Talk::inline(), Talk::passive()] {
        talk.ask(0, b"VERY");
        assert_eq!(talk.ask(8, b"DATA"), Taken::Buffered);
        talk.acknowledge(12);
        assert_eq!(talk.asked(), "VERY????DATA");
        assert_eq!((talk.room.counts().gaps, talk.room.counts().missing), (1, 4));
        assert_eq!(talk.ask(4, b"GOOD"), Taken::Plain, "too late");
        assert_eq!(talk.ask(12, b"!"), Taken::Fresh);
        talk.acknowledge(13);
        assert_eq!(talk.asked(), "VERY????DATA!");
    }
}

#[test]
fn a_listener_reads_what_is_acknowledged_and_the_rest_when_the_connection_is_over() {
    let mut talk = Talk::passive();
    talk.ask(0, b"GET / HTTP/1.0");
    assert_eq!(talk.asked(), "");
    talk.acknowledge(5);
    assert_eq!(talk.asked(), "GET /");
    talk.server(RST, SERVER + 1, CLIENT + 6, b"");
    assert_eq!(talk.asked(), "GET / HTTP/1.0");
}

#[test]
fn several_holes_acknowledged_at_once_are_told_one_by_one() {
    let mut talk = Talk::inline();
    talk.ask(2, b"a");
    talk.ask(5, b"b");
    talk.ask(9, b"c");
    talk.acknowledge(6);
    assert_eq!(talk.asked(), "??a??b");
    talk.acknowledge(12);
    assert_eq!(talk.asked(), "??a??b???c??");
}

#[test]
fn a_stream_is_picked_up_in_its_midst() {
    let mut talk = Talk::new(Settings::default());
    assert_eq!(talk.client(ACK, 7000, 9000, b"mid"), Taken::Fresh);
    assert_eq!(talk.server(ACK, 9000, 7003, b"yes"), Taken::Fresh);
    assert_eq!((talk.asked().as_str(), talk.answered().as_str()), ("mid", "yes"));
    assert_eq!((talk.room.counts().midstream, talk.stream.state()), (1, FlowState::Established));
}

#[test]
fn sequence_numbers_wrap_in_the_midst_of_a_stream() {
    let mut talk = Talk::new(Settings::default());
    let start = u32::MAX - 3;
    talk.client(SYN, start.wrapping_sub(1), 0, b"");
    talk.server(SYN_ACK, SERVER, start, b"");
    assert_eq!(talk.client(ACK, start.wrapping_add(6), SERVER + 1, b"ghi"), Taken::Buffered);
    assert_eq!(talk.client(ACK, start, SERVER + 1, b"abc"), Taken::Fresh);
    assert_eq!(talk.client(ACK, start.wrapping_add(3), SERVER + 1, b"def"), Taken::Fresh);
    talk.server(ACK, SERVER + 1, start.wrapping_add(9), b"");
    assert_eq!(talk.asked(), "abcdefghi");
    assert!(talk.stream.is_settled(Way::ToServer));
}

#[test]
fn a_stream_ends_at_its_fin_once_everything_before_it_is_there() {
    let mut talk = Talk::inline();
    assert_eq!(talk.client(FIN, CLIENT + 5, SERVER + 1, b"efg"), Taken::Buffered);
    assert!(!talk.stream.is_ended(Way::ToServer));
    talk.ask(0, b"abcd");
    assert!(talk.stream.is_ended(Way::ToServer) && !talk.stream.is_ended(Way::ToClient));
    talk.server(FIN, SERVER + 1, CLIENT + 9, b"");
    assert!(talk.stream.is_ended(Way::ToClient));
    talk.client(ACK, CLIENT + 9, SERVER + 2, b"");
    assert_eq!(talk.stream.state(), FlowState::Closed);
}

#[test]
fn data_in_a_syn_are_read_and_a_listener_waits_until_they_are_taken() {
    let mut talk = Talk::new(Settings::default());
    assert_eq!(talk.client(SYN, CLIENT, 0, b"GET "), Taken::Fresh);
    assert_eq!(talk.asked(), "GET ");

    for (acked, after) in [(4, "GET /"), (0, "PUT")] {
        let mut talk = Talk::new(Settings::passive());
        talk.client(SYN, CLIENT, 0, b"GET ");
        assert_eq!(talk.asked(), "");
        talk.server(SYN_ACK, SERVER, CLIENT + 1 + acked, b"");
        talk.client(ACK, CLIENT + 1 + acked, SERVER + 1, if acked == 4 { b"/" } else { b"PUT" });
        talk.server(ACK, SERVER + 1, CLIENT + 1 + u32::try_from(after.len()).unwrap(), b"");
        assert_eq!(talk.asked(), after);
        assert_eq!(talk.room.counts().gaps, 0);
    }
}

#[test]
fn a_handshake_of_four_or_five_segments_is_one() {
    for server_first_acks in [false, true] {
        let mut talk = Talk::inline();
        talk.stream = inspect::stream::Stream::default();
        talk.client(SYN, CLIENT, 0, b"");
        if server_first_acks {
            talk.server(ACK, SERVER, CLIENT + 1, b"");
        }
        talk.server(SYN, SERVER, 0, b"");
        talk.client(SYN_ACK, CLIENT, SERVER + 1, b"");
        talk.server(ACK, SERVER + 1, CLIENT + 1, b"");
        assert_eq!(talk.ask(0, b"EVIL"), Taken::Fresh);
        assert_eq!(talk.server(ACK, SERVER + 1, CLIENT + 5, b"fine"), Taken::Fresh);
        assert_eq!((talk.asked().as_str(), talk.answered().as_str()), ("EVIL", "fine"));
        assert_eq!(talk.stream.state(), FlowState::Established);
    }
}

#[test]
fn keep_alives_and_probes_of_a_closed_window_pass() {
    let mut talk = Talk::inline();
    talk.window = 4;
    talk.ask(0, b"");
    talk.ask(0, b"abcd");
    talk.acknowledge(4);
    assert_eq!(talk.ask(3, b""), Taken::Plain, "a keep-alive without data");
    assert_eq!(talk.ask(3, b"\0"), Taken::Plain, "a keep-alive with a byte of garbage (RFC 9293 §3.8.4)");
    talk.window = 0;
    talk.acknowledge(4);
    assert_eq!(talk.asked(), "abcd");
    let mut talk = Talk::new(Settings::default());
    talk.window = 0;
    talk.shake_hands();
    assert_eq!(talk.ask(0, b"p"), Taken::Fresh, "a probe of one byte (RFC 9293 §3.8.6.1)");
    assert_eq!(talk.ask(1, b"pp"), dropped(Misfit::Window));
}

#[test]
fn windows_are_scaled_as_both_agreed() {
    for (scales, fits) in [((Some(3), Some(4)), true), ((None, Some(4)), false), ((Some(3), None), false)] {
        let mut talk = Talk::new(Settings { bytes: 1 << 20, ..Settings::default() });
        let syn = |way, flags, sequence, acknowledgment, scale| Segment {
            way,
            flags,
            sequence,
            acknowledgment,
            window: 1000,
            scale,
            timestamp: None,
            payload: b"",
            intact: true,
        };
        talk.window = 1000;
        talk.give(&syn(Way::ToServer, SYN, CLIENT, 0, scales.0));
        talk.give(&syn(Way::ToClient, SYN_ACK, SERVER, CLIENT + 1, scales.1));
        talk.ask(0, b"");
        talk.acknowledge(0);
        let taken = talk.ask(15_999, b"x");
        assert_eq!(taken == Taken::Buffered, fits, "{taken:?}");
    }
}

#[test]
fn who_is_full_drops_leaves_a_gap_or_lets_everything_pass() {
    let bytes = 8192;
    let taken = |at_bound, inline| {
        let mut talk = Talk::open(Settings { inline, bytes, at_bound, ..Settings::default() });
        talk.window = u16::MAX;
        talk.acknowledge(0);
        assert_eq!(talk.ask(1, &[b'x'; 4000]), Taken::Buffered);
        let taken = talk.ask(4001, &[b'y'; 4000]);
        let counts = talk.room.counts();
        assert_eq!(counts.at_bound, 1);
        (taken, talk.read[0].len(), counts.gaps, counts.bypassed)
    };
    assert_eq!(taken(AtBound::Drop, true), (dropped(Misfit::Bound), 0, 0, 0));
    assert_eq!(taken(AtBound::Gap, true), (Taken::Fresh, 8001, 1, 0));
    assert_eq!(taken(AtBound::Drop, false), (Taken::Fresh, 8001, 1, 0));
    assert_eq!(taken(AtBound::Bypass, true), (Taken::Bypassed, 0, 0, 1));
}

#[test]
fn a_stream_that_is_never_acknowledged_because_one_way_is_not_seen_goes_on() {
    let mut talk = Talk::new(Settings { bytes: 8192, ..Settings::default() });
    let mut at = 1;
    for _ in 0..50 {
        assert_eq!(talk.client(ACK, at, 1, &[b'x'; 1000]), Taken::Fresh);
        at += 1000;
    }
    assert_eq!(talk.read[0].len(), 50_000);
    assert!(talk.room.counts().forgotten > 0);
}

#[test]
fn a_stream_without_memory_of_its_own_holds_none() {
    let mut talk = Talk::inline();
    talk.ask(0, b"abc");
    talk.ask(9, b"xyz");
    assert!(talk.room.used() > 0);
    talk.stream.free(&mut talk.room);
    assert_eq!(talk.room.used(), 0);
}
