//! The system's allocator, but for large blocks, which it lays on huge pages where the kernel has them to spare
//! (`madvise(2)`, `MADV_HUGEPAGE`).
//!
//! Flow tables are hundreds of megabytes, read at random: on pages of 4 KiB nearly every packet misses the TLB, and a miss
//! in a virtual machine is a walk through two page tables (DESIGN.md, "appliance"). An allocator, because the tables' own
//! crates have no `unsafe`, and because glibc's tunable for it must be in the environment before the process starts.

use std::alloc::{GlobalAlloc, Layout, System};

/// Blocks of at least this many bytes are large.
const LARGE: usize = 4 << 20;
/// A huge page.
const HUGE_PAGE: usize = 2 << 20;

/// The allocator. Blocks of 4 MiB and more begin at a multiple of 2 MiB, and the kernel is asked for huge pages there.
#[derive(Clone, Copy, Debug)]
pub struct LargePages;

/// The layout with which the system is asked for a block.
fn wide(layout: Layout) -> Layout {
    if layout.size() < LARGE { layout } else { layout.align_to(HUGE_PAGE).unwrap_or(layout) }
}

// SAFETY: every block is the system allocator's, asked for and given back with the same function of its layout; a larger
// alignment than asked for is no less aligned. Advice to the kernel does not change what memory holds.
unsafe impl GlobalAlloc for LargePages {
    // SAFETY: the caller's layout has a size.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout has a size, and a wider one has the same.
        let block = unsafe { System.alloc(wide(layout)) };
        if layout.size() >= LARGE && !block.is_null() {
            // SAFETY: the range is the block. Where the kernel has no huge pages it says so, and nothing is lost.
            unsafe { libc::madvise(block.cast(), layout.size(), libc::MADV_HUGEPAGE) };
        }
        block
    }

    // SAFETY: the caller gives back what this allocator gave, with its layout.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was asked for with this layout.
        unsafe { System.dealloc(block, wide(layout)) }
    }

    // SAFETY: the caller's layout has a size.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE {
            // SAFETY: the caller's layout, unchanged.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's layout has a size.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block is ours and has so many bytes.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    // SAFETY: the caller gives what this allocator gave, with its layout, and a new size that is not zero.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size() < LARGE && size < LARGE {
            // SAFETY: the caller's block and layout, unchanged; neither is large.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: the caller guarantees that the new size, rounded up to the alignment, is a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the new size is not zero, as the caller guarantees.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both blocks have as many bytes as the smaller, and are not the same block.
            unsafe { moved.copy_from_nonoverlapping(block, layout.size().min(size)) };
            // SAFETY: the old block, by its own layout.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_blocks_begin_at_huge_pages_and_keep_their_bytes_when_they_grow_and_shrink() {
        let small = Layout::from_size_align(1000, 8).unwrap();
        // SAFETY: each block is used within its size and given back with the layout it has by then.
        unsafe {
            let block = LargePages.alloc(small);
            block.write_bytes(7, 1000);
            let grown = LargePages.realloc(block, small, LARGE + 5);
            assert!(grown.addr().is_multiple_of(HUGE_PAGE) && *grown.add(999) == 7);
            let large = Layout::from_size_align(LARGE + 5, 8).unwrap();
            let shrunk = LargePages.realloc(grown, large, 999);
            assert_eq!(*shrunk.add(998), 7);
            LargePages.dealloc(shrunk, Layout::from_size_align(999, 8).unwrap());
            let zeroed = LargePages.alloc_zeroed(large);
            assert!(zeroed.addr().is_multiple_of(HUGE_PAGE) && *zeroed.add(LARGE + 4) == 0);
            LargePages.dealloc(zeroed, large);
        }
    }
}
