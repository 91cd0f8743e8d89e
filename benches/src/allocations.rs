//! The appliance's allocator, counting, under the whole bench: allocations of the calling thread.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

use appliance::LargePages;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the appliance's allocator as it came; the counter is a plain thread-local number, which neither
// allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: the caller's layout has a size.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps `GlobalAlloc`'s contract, and it is passed on unchanged.
        unsafe { LargePages.alloc(layout) }
    }

    // SAFETY: the caller gives back what `alloc` gave, with its layout.
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory is that allocator's, since `alloc` took it there.
        unsafe { LargePages.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of this thread so far.
pub(crate) fn so_far() -> u64 {
    ALLOCATIONS.get()
}
