//! The life of TCP flows: states, ends, new beginnings, and what comes from amid.

use std::time::Duration;

use crate::common::{ACK, FIN, RST, SYN, Shot, World, key, shot};
use flow::Direction::{Down, Up};
use flow::{Direction, EndReason, FlowState, Midstream, NoFlow, Settings, Timeouts};

/// The state after these packets of one flow.
fn state_after(packets: &[(Direction, u8)]) -> Option<FlowState> {
    let (mut world, key) = (World::with_room_for(1), key(1, 6));
    for &(direction, tcp_flags) in packets {
        world.see(Shot { tcp_flags, ..shot(key, direction) }).ok()?;
    }
    world.table.account(&key, world.now).map(|account| account.state)
}

#[test]
fn every_state_is_reached_by_its_packets() {
    let open = [(Up, SYN), (Down, SYN | ACK), (Up, ACK)];
    let then = |more: &[(Direction, u8)]| [&open[..], more].concat();
    let table = [
        (open[..1].to_vec(), FlowState::Opening),
        (vec![(Up, SYN), (Up, SYN)], FlowState::Opening),
        (vec![(Up, SYN | 0xc0)], FlowState::Opening), // ECN set-up: RFC 3168 §6.1.1
        (open[..2].to_vec(), FlowState::Answered),
        (vec![(Up, SYN), (Down, ACK)], FlowState::Established), // the SYN ACK went another way
        (open.to_vec(), FlowState::Established),
        (then(&[(Down, SYN | ACK), (Up, SYN)]), FlowState::Established), // late copies
        (then(&[(Up, FIN | ACK)]), FlowState::ClosingByInitiator),
        (then(&[(Up, FIN | ACK), (Down, ACK), (Up, FIN | ACK)]), FlowState::ClosingByInitiator),
        (then(&[(Down, FIN | ACK)]), FlowState::ClosingByResponder),
        (then(&[(Down, FIN | ACK), (Up, FIN | ACK)]), FlowState::LastAck),
        (then(&[(Up, FIN | ACK), (Down, FIN | ACK), (Up, ACK)]), FlowState::Closed),
        (then(&[(Up, FIN | ACK), (Down, FIN | ACK), (Down, FIN | ACK)]), FlowState::LastAck),
        (then(&[(Up, FIN | ACK), (Down, FIN | ACK), (Up, ACK), (Down, ACK)]), FlowState::Closed),
        (vec![(Up, SYN), (Down, RST | ACK)], FlowState::Reset),
        (then(&[(Up, RST)]), FlowState::Reset),
        (then(&[(Up, RST), (Down, ACK)]), FlowState::Reset),
        (vec![(Up, ACK)], FlowState::Established),
        (vec![(Up, FIN | ACK)], FlowState::ClosingByInitiator),
        (vec![(Up, RST)], FlowState::Reset),
        (vec![(Up, 0xff)], FlowState::Reset),
        (vec![(Up, 0)], FlowState::Established),
    ];
    for (packets, state) in table {
        assert_eq!(state_after(&packets), Some(state), "after {packets:?}");
    }
}

#[test]
fn the_sender_of_a_lone_syn_ack_is_the_responder() {
    let (mut world, key) = (World::with_room_for(1), key(1, 6));
    world.see(Shot { tcp_flags: SYN | ACK, ..shot(key, Down) }).unwrap();
    let account = world.table.account(&key, world.now).unwrap();
    assert_eq!((account.initiator, account.state), (Up, FlowState::Answered));
}

#[test]
fn without_tcp_an_answer_establishes_a_flow() {
    for protocol in [17, 1, 50] {
        let (mut world, key) = (World::with_room_for(1), key(1, protocol));
        world.see(shot(key, Down)).unwrap();
        world.see(shot(key, Down)).unwrap();
        assert!(!world.table.account(&key, world.now).unwrap().state.is_established());
        world.see(shot(key, Up)).unwrap();
        assert!(world.table.account(&key, world.now).unwrap().state.is_established());
    }
}

#[test]
fn a_syn_after_the_end_begins_another_flow() {
    for (last, why) in [(RST, EndReason::Reset), (ACK, EndReason::Closed)] {
        let (mut world, key) = (World::with_room_for(1), key(1, 6));
        for (direction, tcp_flags) in [(Up, SYN), (Down, FIN | ACK), (Up, FIN | ACK), (Down, last)] {
            *world.see(Shot { tcp_flags, ..shot(key, direction) }).unwrap().memo = 9;
        }
        let tracked = world.see(Shot { tcp_flags: SYN, ..shot(key, Down) }).unwrap();
        let ended = tracked.ended.unwrap();
        assert_eq!((tracked.is_new, *tracked.memo, ended.why, ended.flow.memo), (true, 0, why, 9));
        assert_eq!(ended.flow.tallies.map(|tally| tally.packets()), [2, 2]);
        let account = world.table.account(&key, world.now).unwrap();
        assert_eq!((account.initiator, account.state), (Down, FlowState::Opening));
        assert_eq!(account.tallies.map(|tally| tally.packets()), [0, 1]);
        assert_eq!(world.table.len(), 1);
    }
}

#[test]
fn a_syn_under_another_cookie_begins_another_flow_and_one_under_the_same_does_not() {
    let (mut world, key) = (World::with_room_for(1), key(1, 6));
    world.see(Shot { tcp_flags: SYN, ..shot(key, Up) }).unwrap();
    world.see(Shot { tcp_flags: SYN | ACK, ..shot(key, Down) }).unwrap();
    world.see(shot(key, Up)).unwrap();
    assert!(!world.see(Shot { tcp_flags: SYN, ..shot(key, Up) }).unwrap().is_new);
    let tracked = world.see(Shot { tcp_flags: SYN, cookie: 8, ..shot(key, Up) }).unwrap();
    assert!(tracked.is_new && tracked.cookie_changed);
    assert_eq!(tracked.ended.unwrap().why, EndReason::Replaced);
}

#[test]
fn another_cookie_amid_a_flow_is_taken_over_and_the_flow_goes_on() {
    let (mut world, key) = (World::with_room_for(1), key(1, 6));
    world.see(Shot { tcp_flags: SYN, ..shot(key, Up) }).unwrap();
    let tracked = world.see(Shot { cookie: 8, ..shot(key, Up) }).unwrap();
    assert!(!tracked.is_new && tracked.cookie_changed && tracked.ended.is_none());
    assert!(!world.see(Shot { cookie: 8, ..shot(key, Up) }).unwrap().cookie_changed);
    assert_eq!(world.table.wrapping(&key, Up).unwrap().cookie.0, 8);
}

#[test]
fn midstream_packets_begin_a_flow_only_if_the_operator_lets_them() {
    let (mut pass, key) = (World::with_room_for(4), key(1, 6));
    assert!(pass.see(shot(key, Up)).unwrap().is_midstream);
    assert!(!pass.see(shot(key, Up)).unwrap().is_midstream);
    let settings = Settings { flows: 4, midstream: Midstream::Drop, ..Settings::default() };
    for tcp_flags in [ACK, SYN | ACK, FIN | ACK, RST, SYN | RST, 0] {
        let mut drop = World::new(&settings, pass.hasher);
        assert_eq!(drop.see(Shot { tcp_flags, ..shot(key, Up) }).err(), Some(NoFlow::Midstream));
        assert!(drop.table.is_empty());
        drop.see(Shot { tcp_flags: SYN, ..shot(key, Up) }).unwrap();
        drop.see(Shot { tcp_flags, ..shot(key, Down) }).unwrap();
    }
}

#[test]
fn later_fragments_of_tcp_are_never_midstream() {
    let settings = Settings { flows: 4, midstream: Midstream::Drop, ..Settings::default() };
    let mut world = World::new(&settings, flow::FlowHasher::random());
    let mut tuple = key(1, 6).tuple(Up);
    (tuple.source_port, tuple.destination_port) = (0, 0);
    let (key, direction) = flow::FlowKey::new(wire::EndpointId(5), &tuple);
    assert!(world.see(Shot { tcp_flags: 0, ..shot(key, direction) }).unwrap().is_new);
}

#[test]
fn a_flow_is_forgotten_after_its_own_timeout() {
    let timeouts = Timeouts {
        tcp_opening: Duration::from_secs(10),
        tcp: Duration::from_secs(350),
        tcp_closed: Duration::from_secs(5),
        udp: Duration::from_secs(60),
        other: Duration::from_secs(120),
    };
    let settings = Settings { flows: 1, timeouts, ..Settings::default() };
    let opened = [(Up, SYN), (Down, SYN | ACK), (Up, ACK)];
    let table = [
        (6, opened[..1].to_vec(), 10),
        (6, opened[..2].to_vec(), 10),
        (6, opened.to_vec(), 350),
        (6, vec![(Up, SYN), (Down, RST)], 5),
        (17, vec![(Up, 0)], 60),
        (1, vec![(Up, 0)], 120),
    ];
    for (protocol, packets, seconds) in table {
        let key = key(1, protocol);
        let mut world = World::new(&settings, flow::FlowHasher::random());
        for &(direction, tcp_flags) in &packets {
            world.see(Shot { tcp_flags, ..shot(key, direction) }).unwrap();
        }
        world.wait(Duration::from_secs(seconds));
        world.table.expire(world.now, 1, |_| panic!("not yet"));
        world.wait(Duration::from_secs(4) + Duration::from_millis(40));
        let mut ended = Vec::new();
        world.table.expire(world.now, 1, |flow| ended.push(flow));
        assert_eq!((ended.len(), world.table.len()), (1, 0), "protocol {protocol} after {packets:?}");
    }
}

#[test]
fn an_idle_flow_that_the_sweep_has_not_met_is_over_all_the_same() {
    let settings = Settings { flows: 1, midstream: Midstream::Drop, ..Settings::default() };
    let (mut world, key) = (World::new(&settings, flow::FlowHasher::random()), key(1, 6));
    world.see(Shot { tcp_flags: SYN, ..shot(key, Up) }).unwrap();
    world.wait(Duration::from_secs(351));
    assert_eq!(world.see(shot(key, Up)).err(), Some(NoFlow::Midstream));
    let tracked = world.see(Shot { tcp_flags: SYN, ..shot(key, Up) }).unwrap();
    assert_eq!(tracked.ended.unwrap().why, EndReason::Idle);
}
