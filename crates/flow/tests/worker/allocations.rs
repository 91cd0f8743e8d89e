//! No allocation once a table is made: a counting allocator stands under everything in this test.

use std::time::Duration;

use crate::common::{self, Shot, World, key, shot};
use flow::Direction::{Down, Up};

#[test]
fn a_table_never_allocates_while_flows_come_change_and_go() {
    let mut world = World::with_room_for(3000);
    let unusual = [common::header(&key(0, 17), 1), vec![0; 4]].concat();
    let header = common::header(&key(0, 17), 1);
    let (mut ended, mut full, mut allocations) = (0, 0, 0);
    for n in 0..200_000_u32 {
        world.wait(Duration::from_millis(35));
        let packets = [(n, Up), (n.saturating_sub(9), Down)];
        let hashes = packets.map(|(n, _)| world.hasher.hash(&key(n, 17)));
        let seen = allocation_counter::measure(|| {
            let candidates = world.table.look_ahead(hashes);
            for (nth, (n, direction)) in packets.into_iter().enumerate() {
                let header = if n % 7 == 0 { &unusual } else { &header };
                let shot = Shot { header, cookie: n % 3, ..shot(key(n, 17), direction) };
                full += u32::from(world.see_nth(&candidates, nth, shot).is_err());
            }
            world.table.expire(world.now, 128, |_| ended += 1);
        });
        allocations += seen.count_total;
    }
    assert_eq!(allocations, 0);
    assert!(ended > 150_000, "{ended} flows ended, {full} refused");
}
