//! Bounds, bursts and encapsulations.

use std::time::Duration;

use crate::common::{Shot, World, header, key, shot};
use flow::Direction::{Down, Up};
use flow::{FlowTable, NoFlow, Settings};

#[test]
fn a_flow_takes_at_most_160_bytes_with_all_that_belongs_to_it() {
    for flows in [50_000, 100_000, 1 << 18, 1_000_000] {
        let settings = Settings { flows, ..Settings::default() };
        let table = FlowTable::<u32>::new(&settings, flow::FlowHasher::random());
        let bytes = table.memory() / flows;
        assert!((128..=160).contains(&bytes), "{bytes} bytes per flow of {flows}");
    }
}

#[test]
fn a_full_table_refuses_new_flows_and_goes_on_with_the_old() {
    for room in [1, 7, 1000, 10_000] {
        let mut world = World::with_room_for(room);
        let room = u32::try_from(room).unwrap();
        for n in 0..room {
            assert!(world.see(shot(key(n, 17), Up)).unwrap().is_new);
        }
        assert_eq!(world.see(shot(key(room, 17), Up)).err(), Some(NoFlow::TableFull));
        assert!((0..room).all(|n| !world.see(shot(key(n, 17), Down)).unwrap().is_new));
        assert_eq!(world.table.len(), room as usize);
        assert_eq!(world.table.accounts(world.now).count(), room as usize);
    }
}

#[test]
fn a_table_takes_as_many_flows_as_it_was_made_for_however_they_fall() {
    let mut world = World::with_room_for(200_000);
    for n in 0..200_000 {
        world.see(shot(key(n, 17), Up)).unwrap();
    }
}

#[test]
fn a_burst_may_begin_a_flow_and_go_on_with_it() {
    let mut world = World::with_room_for(100);
    // More than one burst looks ahead for: the rest is found one by one.
    let keys: Vec<_> = (0..40).map(|n| key(n % 5, 17)).collect();
    let candidates = world.table.look_ahead(keys.iter().map(|key| world.hasher.hash(key)));
    let mut begun = 0;
    for (nth, &key) in keys.iter().enumerate() {
        begun += u32::from(world.see_nth(&candidates, nth, shot(key, Up)).unwrap().is_new);
    }
    assert_eq!((begun, world.table.len()), (5, 5));
}

#[test]
fn a_stale_hint_leads_nobody_to_anothers_flow() {
    let mut world = World::with_room_for(1);
    world.see(shot(key(1, 17), Up)).unwrap();
    let candidates = world.table.look_ahead([world.hasher.hash(&key(1, 17))]);
    world.wait(Duration::from_secs(130));
    world.table.expire(world.now, 1, |_| {});
    assert!(world.see(shot(key(2, 17), Up)).unwrap().is_new);
    assert_eq!(world.see_nth(&candidates, 0, shot(key(1, 17), Up)).err(), Some(NoFlow::TableFull));
}

#[test]
fn a_table_that_changes_for_ever_takes_no_more_memory_and_loses_nothing() {
    let mut world = World::with_room_for(4000);
    let memory = world.table.memory();
    for n in 0..200_000 {
        world.wait(Duration::from_millis(40)); // 3000 flows in the 120 s that they live
        assert!(world.see(shot(key(n, 17), Up)).unwrap().is_new);
        world.table.expire(world.now, 128, |_| {});
        let old = n.saturating_sub(2900);
        assert!(world.table.account(&key(old, 17), world.now).is_some(), "{old} is lost at {n}");
    }
    assert!((3000..3200).contains(&world.table.len()));
    assert_eq!(world.table.memory(), memory);
}

#[test]
fn an_injected_packet_is_wrapped_byte_for_byte_like_the_newest_of_its_direction() {
    let (mut world, key) = (World::with_room_for(1), key(1, 17));
    assert!(world.table.wrapping(&key, Up).is_none());
    world.see(Shot { cookie: 1, ..shot(key, Up) }).unwrap();
    let wrapping = |world: &World, direction| world.table.wrapping(&key, direction).unwrap();
    assert_eq!(wrapping(&world, Up).header(), header(&key, 1));
    assert_eq!(wrapping(&world, Down).header(), header(&key, 1), "nothing came down yet");
    let mut unusual = header(&key, 2);
    unusual[0] += 2;
    unusual.extend([0xff, 0xff, 5, 1, 1, 2, 3, 4]);
    world.see(Shot { cookie: 2, header: &unusual, ..shot(key, Down) }).unwrap();
    assert_eq!(wrapping(&world, Down).header(), unusual);
    assert_eq!(wrapping(&world, Up).header(), header(&key, 1));
    unusual[4] = 9; // a VNI
    world.see(Shot { cookie: 2, header: &unusual, ..shot(key, Down) }).unwrap();
    assert_eq!(wrapping(&world, Down).header(), unusual);
    world.see(Shot { cookie: 3, ..shot(key, Down) }).unwrap();
    assert_eq!(wrapping(&world, Down).header(), header(&key, 3));
    assert_eq!(world.table.headers_lost(), 0);
}

#[test]
fn unusual_headers_are_kept_as_long_as_there_is_room_and_room_comes_back() {
    let mut world = World::with_room_for(10); // one unusual header
    let unusual = |n: u32| [header(&key(n, 17), 1), vec![0; 4]].concat();
    world.see(Shot { header: &unusual(1), ..shot(key(1, 17), Up) }).unwrap();
    world.see(Shot { header: &unusual(2), ..shot(key(2, 17), Up) }).unwrap();
    assert_eq!(world.table.headers_lost(), 1);
    assert_eq!(world.table.wrapping(&key(1, 17), Up).unwrap().header(), unusual(1));
    assert_eq!(world.table.wrapping(&key(2, 17), Up).unwrap().header(), header(&key(2, 17), 7));
    world.see(shot(key(1, 17), Up)).unwrap();
    world.see(Shot { header: &unusual(3), ..shot(key(3, 17), Up) }).unwrap();
    assert_eq!(world.table.wrapping(&key(3, 17), Up).unwrap().header(), unusual(3));
    world.wait(Duration::from_secs(130));
    world.table.expire(world.now, 10, |_| {});
    world.see(Shot { header: &unusual(4), ..shot(key(4, 17), Up) }).unwrap();
    assert_eq!(world.table.wrapping(&key(4, 17), Up).unwrap().header(), unusual(4));
    assert_eq!(world.table.headers_lost(), 1);
}
