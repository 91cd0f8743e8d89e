//! No allocation per packet, from a frame to its verdict: a counting allocator stands under everything in this test.

use crate::common::Desk;
use inspect::{Burst, learn};
use wire::testkit::{gwlb, tcp};
use wire::{TcpFlags, TunnelEnd};

#[test]
fn no_packet_allocates_not_even_the_first_of_its_flow() {
    let mut desk = Desk::new("alert tcp any any -> any 80 (sid:1;) \n drop tcp any any -> any 23 (sid:2;)");
    let hasher = flow::FlowHasher::new([1 << 60 | 3, 1 << 59 | 5, 1 << 58 | 7, 1 << 57 | 9]);
    let end = TunnelEnd::default();
    let mut inspector = inspect::Inspector::new(
        &flow::Settings::default(),
        hasher,
        std::sync::Arc::clone(desk.inspector.detector()),
    );
    let mut allocations = 0;
    for round in 0..200_u64 {
        let mut burst = Burst::default();
        burst.extend((0..32_u16).map(|n| {
            let client = format!("10.0.{}.{n}:{}", round / 2, 1000 + n);
            let server = format!("192.0.2.1:{}", [23, 80, 443][usize::from(n % 3)]);
            let flags = if round % 5 == 0 { TcpFlags::SYN } else { TcpFlags::ACK };
            gwlb().cookie(u32::from(n)).inner(&tcp(&client, &server).flags(flags).build()).build()
        }));
        let (frames, packets) = burst.parts();
        let judged = allocation_counter::measure(|| {
            for (frame, packet) in frames.iter().zip(&mut *packets) {
                learn(frame, &end, &hasher, packet);
            }
            desk.now.0 += 1 << 33;
            inspector.tick(desk.now);
            inspector.judge(desk.now, frames, packets);
            inspector.events().for_each(drop);
        });
        allocations += judged.count_total;
        assert!(packets.iter().all(|packet| packet.about.is_some()));
    }
    assert_eq!(allocations, 0);
    assert_eq!(inspector.counts().flows_begun, 3200);
    assert!(inspector.counts().flows_idle > 1000 && inspector.counts().alerts > 1000);
}

#[test]
fn bytes_in_order_need_no_memory_but_the_buffer_that_is_there() {
    use inspect::stream::{Room, Segment, Settings, Stream};
    use policy::Way;

    let (settings, mut room, mut stream) = (Settings::default(), Room::new(1 << 20), Stream::default());
    let payload = [7; 1460];
    let mut sequence = 1_u32;
    let mut carry = |round| {
        let segment = |way, sequence, acknowledgment, payload| Segment {
            way,
            flags: TcpFlags::ACK,
            sequence,
            acknowledgment,
            window: u16::MAX,
            scale: None,
            timestamp: None,
            payload,
            intact: true,
        };
        stream.take(
            &segment(Way::ToServer, sequence, 1, &payload),
            flow::Moment(round),
            &settings,
            &mut room,
        );
        stream.consume(Way::ToServer, 100, &mut room);
        sequence = sequence.wrapping_add(1460);
        let acknowledged = segment(Way::ToClient, 1, sequence, &[]);
        stream.take(&acknowledged, flow::Moment(round), &settings, &mut room);
    };
    (0..10).for_each(&mut carry);
    let allocations = allocation_counter::measure(|| (10..1000).for_each(&mut carry));
    assert_eq!(allocations.count_total, 0);
    assert_eq!(stream.sent(Way::ToServer), 1_460_000);
}
