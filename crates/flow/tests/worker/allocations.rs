//! No allocation once a table is made: a counting allocator stands under everything in this test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use crate::common::{self, Shot, World, key, shot};
use flow::Direction::{Down, Up};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came; the counter is a plain thread-local number, which neither
// allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: the caller's layout has a size.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps `GlobalAlloc`'s contract, and it is passed on unchanged.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: the caller gives back what `alloc` gave, with its layout.
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory is the system allocator's, since `alloc` took it there.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

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
        let before = ALLOCATIONS.get();
        let candidates = world.table.look_ahead(hashes);
        for (nth, (n, direction)) in packets.into_iter().enumerate() {
            let header = if n % 7 == 0 { &unusual } else { &header };
            let shot = Shot { header, cookie: n % 3, ..shot(key(n, 17), direction) };
            full += u32::from(world.see_nth(&candidates, nth, shot).is_err());
        }
        world.table.expire(world.now, 128, |_| ended += 1);
        allocations += ALLOCATIONS.get() - before;
    }
    assert_eq!(allocations, 0);
    assert!(ended > 150_000, "{ended} flows ended, {full} refused");
}
