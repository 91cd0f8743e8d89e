//! Datagrams in parts: what is put together, what is refused, and what becomes of them under rules.

use std::time::Duration;

use crate::common::{Desk, policy};
use flow::{Moment, Settings};
use inspect::fragments::{self, Fragments, Gathered, Unfit};
use inspect::{DropReason, Verdict};
use policy::DefaultAction;
use proptest::prelude::*;
use wire::testkit::{gwlb, tcp, udp};
use wire::{EndpointId, Inner, ProtocolType, TcpFlags};

const NOW: Moment = Moment(1 << 60);
const DENIED: Verdict = Verdict::Drop(DropReason::Policy);

/// A part of a packet's datagram from `at` to `end`, under this identification.
fn part(packet: &[u8], identification: u16, at: usize, end: usize) -> Vec<u8> {
    let header = if packet[0] >> 4 == 4 { 20 } else { 40 };
    let data = &packet[header..];
    piece(packet, identification, at, &data[at..end.min(data.len())], end < data.len())
}

/// A part with these bytes, wherever they come from.
fn piece(packet: &[u8], identification: u16, at: usize, data: &[u8], more: bool) -> Vec<u8> {
    let len = |more: usize| u16::try_from(data.len() + more).unwrap_or(u16::MAX).to_be_bytes();
    let place = u16::try_from(at).unwrap_or(u16::MAX);
    let mut part;
    if packet[0] >> 4 == 4 {
        part = packet[..20].to_vec();
        part[2..4].copy_from_slice(&len(20));
        part[4..6].copy_from_slice(&identification.to_be_bytes());
        part[6..8].copy_from_slice(&(place >> 3 | u16::from(more) << 13).to_be_bytes());
        part[10..12].fill(0);
        let sum = wire::Checksum::default().over(&part).finish();
        part[10..12].copy_from_slice(&sum.to_be_bytes());
    } else {
        part = packet[..40].to_vec();
        part[4..6].copy_from_slice(&len(8));
        let protocol = std::mem::replace(&mut part[6], 44);
        part.extend([protocol, 0]);
        part.extend((place | u16::from(more)).to_be_bytes());
        part.extend(u32::from(identification).to_be_bytes());
    }
    part.extend_from_slice(data);
    part
}

fn take(all: &mut Fragments, now: Moment, part: &[u8]) -> Result<Option<Vec<u8>>, Unfit> {
    let kind = if part[0] >> 4 == 4 { ProtocolType::Ipv4 } else { ProtocolType::Ipv6 };
    let Ok(inner) = Inner::parse(part, kind) else { return Ok(None) };
    all.take(EndpointId(1), &inner, now).map(|gathered| match gathered {
        Gathered::Waiting => None,
        Gathered::Whole(bytes) => Some(bytes.to_vec()),
    })
}

fn packets() -> [Vec<u8>; 2] {
    let payload: Vec<u8> = (0..2000_u32).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
    [
        udp("10.0.0.1:5000", "192.0.2.80:53").payload(&payload).build(),
        udp("[2001:db8::1]:5000", "[2001:db8::2]:53").payload(&payload).build(),
    ]
}

/// The packet as it comes out again: an IPv4 identification may differ, and nothing says "don't fragment".
fn put_together(packet: &[u8], identification: u16) -> Vec<u8> {
    if packet[0] >> 4 == 6 {
        return packet.to_vec();
    }
    let mut whole = piece(packet, identification, 0, &packet[20..], false);
    whole[6..8].fill(0);
    whole
}

#[test]
fn parts_in_any_order_are_put_together_and_judged_as_the_whole() {
    for packet in packets() {
        let mut all = Fragments::new(fragments::Settings::default());
        let parts = [(0, 800), (800, 1600), (1600, 9000)].map(|(at, end)| part(&packet, 7, at, end));
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            for (nth, at) in order.into_iter().enumerate() {
                let whole = (nth == 2).then(|| put_together(&packet, 7));
                assert_eq!(take(&mut all, NOW, &parts[at]), Ok(whole), "{order:?}");
            }
            assert_eq!((all.bytes(), all.len()), (0, 1), "remembered, without its bytes");
            assert_eq!(take(&mut all, NOW, &parts[1]), Err(Unfit::Settled), "a part that comes once more");
            all = Fragments::new(fragments::Settings::default());
        }
    }
}

#[test]
fn parts_that_overlap_are_refused_with_all_that_follows_but_the_same_again_is_not() {
    for packet in packets() {
        // The classic ones: within, over the end, over the start ("teardrop"), over the ports.
        for (at, len) in [(800, 8), (1000, 800), (400, 800), (0, 1608)] {
            let mut all = Fragments::new(fragments::Settings::default());
            assert_eq!(take(&mut all, NOW, &part(&packet, 7, 800, 1600)), Ok(None));
            assert_eq!(take(&mut all, NOW, &part(&packet, 7, 800, 1600)), Ok(None), "the same again");
            assert_eq!(take(&mut all, NOW, &piece(&packet, 7, at, &vec![1; len], true)), Err(Unfit::Overlap));
            for (at, end) in [(0, 800), (1600, 9000)] {
                assert_eq!(take(&mut all, NOW, &part(&packet, 7, at, end)), Err(Unfit::Settled));
            }
            assert_eq!(all.bytes(), 0);
        }
    }
}

#[test]
fn shapes_that_no_link_makes_are_refused() {
    for packet in packets() {
        let refused = |parts: &[Vec<u8>]| {
            let mut all = Fragments::new(fragments::Settings::default());
            parts.iter().map(|part| take(&mut all, NOW, part)).find_map(Result::err)
        };
        let piece = |at, len, more| piece(&packet, 7, at, &vec![0; len], more);
        assert_eq!(refused(&[piece(65_528, 100, false)]), Some(Unfit::TooLong), "ping of death");
        assert_eq!(refused(&[piece(800, 13, true)]), Some(Unfit::Length));
        assert_eq!(refused(&[piece(800, 0, false)]), Some(Unfit::Length));
        assert_eq!(refused(&[piece(80, 8, false), piece(88, 8, true)]), Some(Unfit::End));
        assert_eq!(refused(&[piece(80, 8, false), piece(160, 8, false)]), Some(Unfit::End));
        assert_eq!(refused(&[piece(160, 8, true), piece(80, 8, false)]), Some(Unfit::End));
        let crumbs: Vec<_> = (1..100).map(|nth| piece(nth * 16, 8, true)).collect();
        assert_eq!(refused(&crumbs), Some(Unfit::Many));
    }
}

#[test]
fn datagrams_are_bounded_in_number_bytes_and_time() {
    let settings = fragments::Settings { datagrams: 10, bytes: 3000, life: Duration::from_secs(60) };
    let [packet, _] = packets();
    let mut all = Fragments::new(settings);
    let crumb = |id| part(&packet, id, 800, 1600);
    let taken: Vec<_> = (0..9).map(|id| take(&mut all, NOW, &crumb(id)).is_ok()).collect();
    assert_eq!(taken.iter().filter(|ok| **ok).count(), 4, "more than 3000 bytes");
    for id in 10..99 {
        assert_eq!(take(&mut all, NOW, &crumb(id)), Err(Unfit::Bound));
    }
    assert_eq!(all.len(), 10);
    let later = Moment(NOW.0 + 61_000_000_000);
    for id in 100..103 {
        let _ = take(&mut all, later, &crumb(id));
    }
    assert_eq!(take(&mut all, later, &crumb(106)), Ok(None));
    assert!(all.counts().expired >= 4 && all.bytes() < 7000);
}

fn judge(desk: &mut Desk, part: &[u8]) -> Verdict {
    desk.judge(&[gwlb().inner(part).build()])[0]
}

#[test]
fn a_rule_on_ports_stops_a_datagram_in_parts_whatever_their_order() {
    for packet in packets() {
        let mut desk = Desk::new("drop udp any any -> any 53 (sid:1;)");
        let (first, last) = (part(&packet, 1, 0, 800), part(&packet, 1, 800, 9000));
        assert_eq!(judge(&mut desk, &first), DENIED);
        assert_eq!(judge(&mut desk, &last), Verdict::Drop(DropReason::FragmentSettled));
        let (first, last) = (part(&packet, 2, 0, 800), part(&packet, 2, 800, 9000));
        assert_eq!(judge(&mut desk, &last), Verdict::Forward, "of no use without the first");
        assert_eq!(judge(&mut desk, &first), DENIED);
        assert_eq!(desk.told().0, [1, 1]);
        assert_eq!(judge(&mut desk, &last), Verdict::Drop(DropReason::FragmentSettled));
    }
}

#[test]
fn a_datagram_in_parts_passes_under_default_drop_if_its_first_part_does() {
    let settings = Settings { flows: 10, ..Settings::default() };
    for packet in packets() {
        let rules = policy("pass udp any any -> any 53 (sid:1;)", DefaultAction::Drop);
        let mut desk = Desk::with(&settings, rules);
        for (at, end) in [(800, 9000), (0, 800)] {
            assert_eq!(judge(&mut desk, &part(&packet, 1, at, end)), Verdict::Forward);
        }
        assert_eq!(desk.inspector.counts().fragments_whole, 1);
    }
    let other = udp("10.0.0.1:5000", "192.0.2.80:54").payload(&[0; 2000]).build();
    let mut desk = Desk::with(&settings, policy("pass udp any any -> any 53 (sid:1;)", DefaultAction::Drop));
    assert_eq!(judge(&mut desk, &part(&other, 1, 0, 800)), DENIED);
    assert_eq!(judge(&mut desk, &part(&other, 1, 800, 9000)), Verdict::Drop(DropReason::FragmentSettled));
}

#[test]
fn all_parts_of_a_datagram_have_one_key_and_nothing_else_has_it() {
    let desk = Desk::new("");
    let key = |packet: &[u8]| desk.learn(&gwlb().inner(packet).build()).about.map(|about| about.key);
    for packet in packets() {
        let parts = [part(&packet, 1, 0, 800), part(&packet, 1, 800, 9000)];
        assert_eq!(key(&parts[0]), key(&parts[1]));
        assert_ne!(key(&parts[0]), key(&packet));
        // Parts of an IPv6 datagram may lie about its protocol.
        if packet[0] >> 4 == 6 {
            let mut lying = parts[1].clone();
            lying[40] = 6;
            assert_eq!(key(&parts[0]), key(&lying));
        }
    }
}

#[test]
fn a_rejected_first_part_is_answered() {
    let packet = tcp("10.0.0.1:5000", "192.0.2.80:23").flags(TcpFlags::ACK).payload(&[0; 2000]).build();
    let mut desk = Desk::new("reject tcp any any -> any 23 (sid:1;)");
    assert_eq!(judge(&mut desk, &part(&packet, 1, 0, 800)), Verdict::Drop(DropReason::Reject));
    assert!(desk.inspector.injections().first().is_some());
}

proptest! {
    /// A receiver that puts together what passes, in whatever way, has only what was judged.
    #[test]
    fn no_receiver_puts_together_what_was_not_judged(
        parts in prop::collection::vec((0..6_usize, 1..4_usize, any::<bool>(), 1..3_u8), 1..24),
        newest_wins: bool,
    ) {
        let [packet, _] = packets();
        let mut all = Fragments::new(fragments::Settings::default());
        let (mut receiver, mut end, mut judged) = ([0_u8; 128], None, None);
        for (at, len, more, byte) in parts {
            let (at, len) = (at * 8, len * 8);
            let data = vec![byte; len];
            if at == 0 && !more {
                continue; // no part: a packet of its own
            }
            let part = piece(&packet, 7, at, &data, more);
            let Ok(whole) = take(&mut all, NOW, &part) else { continue };
            judged = whole.map(|whole| whole[20..].to_vec()).or(judged);
            for place in receiver.iter_mut().skip(at).take(len) {
                if *place == 0 || newest_wins {
                    *place = byte;
                }
            }
            end = if more { end } else { Some(at + len) };
            if let Some(there) = end.and_then(|end| receiver.get(..end)).filter(|there| !there.contains(&0)) {
                prop_assert_eq!(Some(there), judged.as_deref());
            }
        }
    }
}
