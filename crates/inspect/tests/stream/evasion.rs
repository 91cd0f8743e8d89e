//! The tricks of Ptacek and Newsham, and of Handley and Paxson: the server must read nothing that was not inspected.

use inspect::stream::{Misfit, Segment, Settings, Taken, Urgent};
use policy::Way;

use crate::common::*;

#[test]
fn a_retransmission_with_other_bytes_does_not_reach_its_receiver() {
    let mut talk = Talk::inline();
    talk.ask(0, b"GOOD");
    assert_eq!(talk.ask(0, b"EVIL"), dropped(Misfit::Conflict));
    assert_eq!(talk.ask(0, b"GOOD"), Taken::Plain, "a real one does");
    assert_eq!(talk.ask(2, b"OD!"), Taken::Fresh, "and one that brings more");
    assert_eq!(talk.asked(), "GOOD!");
    assert_eq!((talk.room.counts().conflicts, talk.room.counts().duplicates), (1, 1));
}

#[test]
fn bytes_that_were_inspected_are_compared_until_their_receiver_has_them() {
    let mut talk = Talk::inline();
    talk.ask(0, &[b'a'; 3000]);
    talk.ask(3000, &[b'b'; 3000]);
    assert_eq!(talk.ask(100, b"EVIL"), dropped(Misfit::Conflict));
    talk.acknowledge(3000);
    assert_eq!(talk.ask(100, b"EVIL"), Taken::Plain, "its receiver throws it away");
    assert_eq!(talk.ask(2999, b"EVIL"), dropped(Misfit::Conflict));
    assert!(!talk.stream.is_settled(Way::ToServer));
}

#[test]
fn bytes_behind_a_hole_are_compared_as_well() {
    let mut talk = Talk::inline();
    talk.ask(4, b"GOOD");
    assert_eq!(talk.ask(6, b"EVIL"), dropped(Misfit::Conflict));
    assert_eq!(talk.ask(0, b"1234EVIL"), dropped(Misfit::Conflict));
    assert_eq!(talk.ask(0, b"1234"), Taken::Fresh);
    assert_eq!(talk.asked(), "1234GOOD");
}

#[test]
fn for_a_listener_the_bytes_seen_first_stand() {
    let mut talk = Talk::passive();
    talk.ask(0, b"GOOD");
    assert_eq!(talk.ask(0, b"EVIL"), Taken::Plain);
    assert_eq!(talk.ask(1, b"EVI!"), Taken::Fresh);
    talk.ask(7, b"cd");
    talk.ask(5, b"abXXef");
    assert_eq!(talk.asked(), "", "nobody has acknowledged anything");
    talk.acknowledge(11);
    assert_eq!(talk.asked(), "GOOD!abcdef");
}

#[test]
fn a_segment_with_a_wrong_checksum_is_not_read() {
    let segment = Segment {
        way: Way::ToServer,
        flags: ACK,
        sequence: CLIENT + 1,
        acknowledgment: SERVER + 1,
        window: 1,
        scale: None,
        timestamp: None,
        payload: b"GOOD",
        intact: false,
    };
    let mut talk = Talk::inline();
    assert_eq!(talk.give(&segment), dropped(Misfit::Checksum));
    let mut talk = Talk::passive();
    assert_eq!(talk.give(&segment), ignored(Misfit::Checksum));
    talk.ask(0, b"EVIL");
    talk.acknowledge(4);
    assert_eq!(talk.asked(), "EVIL");
}

#[test]
fn data_without_ack_are_not_read() {
    let mut talk = Talk::inline();
    assert_eq!(talk.client(wire::TcpFlags(0), CLIENT + 1, 0, b"x"), dropped(Misfit::NoAck));
    assert_eq!(talk.client(wire::TcpFlags::PSH, CLIENT + 1, 0, b"x"), dropped(Misfit::NoAck));
}

#[test]
fn data_beyond_the_window_are_not_read() {
    let mut talk = Talk::inline();
    assert_eq!(talk.ask(8193, b"x"), dropped(Misfit::Window));
    assert_eq!(talk.ask(u32::MAX / 3, b"x"), dropped(Misfit::Window));
    assert_eq!(talk.ask(8000, &[b'x'; 500]), Taken::Buffered, "hosts differ about what begins inside");
}

#[test]
fn data_with_an_acknowledgment_of_what_was_never_sent_are_not_read() {
    let mut talk = Talk::inline();
    assert_eq!(talk.client(ACK, CLIENT + 1, SERVER + 90_000, b"x"), dropped(Misfit::Ack));
    assert_eq!(talk.client(ACK, CLIENT + 1, SERVER + 90_000, b""), ignored(Misfit::Ack));
}

#[test]
fn a_syn_amid_the_connection_changes_nothing() {
    let mut talk = Talk::inline();
    talk.ask(0, b"GO");
    assert_eq!(talk.client(SYN, 77_000, 0, b""), ignored(Misfit::Syn));
    assert_eq!(talk.client(SYN, 77_000, 0, b"x"), dropped(Misfit::Syn));
    assert_eq!(talk.client(ACK, 77_001, SERVER + 1, b"EVIL"), dropped(Misfit::Window));
    assert_eq!(talk.ask(2, b"OD"), Taken::Fresh);
    assert_eq!(talk.asked(), "GOOD");
}

#[test]
fn a_rst_outside_the_window_does_not_reach_its_receiver_and_none_ends_the_reading() {
    let mut talk = Talk::inline();
    assert_eq!(talk.client(RST, CLIENT + 20_000, 0, b""), dropped(Misfit::Rst));
    assert_eq!(talk.client(RST, CLIENT.wrapping_sub(20_000), 0, b""), dropped(Misfit::Rst));
    assert!(talk.stream.state().is_established());
    assert_eq!(talk.client(RST, CLIENT + 1, 0, b"bye"), Taken::Plain);
    assert!(talk.stream.state().is_over());
    assert_eq!(talk.ask(0, b"EVIL"), Taken::Fresh, "if the server did not believe it, we read what it reads");
    assert_eq!(talk.asked(), "EVIL", "and data of a RST are no part of the stream");
}

#[test]
fn a_fin_before_the_end_and_data_behind_it_do_not_reach_their_receiver() {
    let mut talk = Talk::inline();
    talk.ask(0, b"abcd");
    assert_eq!(talk.client(FIN, CLIENT + 3, SERVER + 1, b""), dropped(Misfit::Fin));
    assert_eq!(talk.client(FIN, CLIENT + 5, SERVER + 1, b""), Taken::Plain);
    assert_eq!(talk.ask(4, b"EVIL"), dropped(Misfit::PastFin));
    assert_eq!(talk.client(FIN, CLIENT + 9, SERVER + 1, b""), dropped(Misfit::PastFin));
    assert_eq!(talk.client(FIN, CLIENT + 5, SERVER + 1, b""), Taken::Plain, "sent again");
}

#[test]
fn data_with_an_old_timestamp_are_not_read() {
    let mut talk = Talk::new(Settings::default());
    talk.timestamp = Some(1000);
    talk.shake_hands();
    talk.ask(0, b"GO");
    talk.timestamp = Some(999);
    assert_eq!(talk.ask(2, b"AT"), dropped(Misfit::Timestamp));
    talk.timestamp = Some(1001);
    assert_eq!(talk.ask(2, b"OD"), Taken::Fresh);
    assert_eq!(talk.asked(), "GOOD");
}

#[test]
fn data_of_a_server_before_its_handshake_are_not_read() {
    let mut talk = Talk::new(Settings::default());
    talk.client(SYN, CLIENT, 0, b"");
    assert_eq!(talk.server(ACK, 99, CLIENT + 1, b"x"), dropped(Misfit::Early));
    talk.server(SYN_ACK, SERVER, CLIENT + 1, b"");
    talk.client(ACK, CLIENT + 1, SERVER + 1, b"");
    assert_eq!(talk.server(ACK, SERVER + 1, CLIENT + 1, b"real"), Taken::Fresh);
    assert_eq!(talk.answered(), "real");
}

#[test]
fn of_two_handshakes_the_one_that_is_answered_counts() {
    let mut talk = Talk::new(Settings::default());
    talk.client(SYN, CLIENT, 0, b"");
    talk.client(SYN, CLIENT + 100, 0, b"");
    talk.server(SYN_ACK, SERVER + 7, CLIENT + 1, b"");
    talk.server(SYN_ACK, SERVER, CLIENT + 1, b"");
    talk.client(ACK, CLIENT + 1, SERVER + 1, b"");
    assert_eq!(talk.ask(0, b"abc"), Taken::Fresh);
    assert_eq!(talk.server(ACK, SERVER + 1, CLIENT + 4, b"def"), Taken::Fresh);

    let mut talk = Talk::new(Settings::default());
    talk.client(SYN, CLIENT, 0, b"prefix");
    assert_eq!(
        talk.client(SYN, CLIENT + 6, 0, b""),
        dropped(Misfit::Syn),
        "its answer would cut the prefix off"
    );
}

#[test]
fn urgent_data_are_read_as_all_others_or_not_at_all() {
    let mut talk = Talk::inline();
    assert_eq!(talk.client(URG, CLIENT + 1, SERVER + 1, b"abc"), Taken::Fresh);
    assert_eq!(talk.asked(), "abc");
    talk.settings.urgent = Urgent::Drop;
    assert_eq!(talk.client(URG, CLIENT + 4, SERVER + 1, b"abc"), dropped(Misfit::Urgent));
}
