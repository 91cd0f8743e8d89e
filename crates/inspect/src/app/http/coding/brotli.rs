//! Brotli (RFC 7932).

use brotli::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState, HeapAlloc, HuffmanCode, SliceWrapper,
    SliceWrapperMut,
};

use super::{Broken, Step};

/// Largest window that is kept, with what the decoder puts behind it. Browsers and servers code with up to 4 MB; a window
/// may be announced up to 16 MB, and its memory is taken by what is announced.
const WINDOW_MAX: usize = 4 * 1024 * 1024 + 1024;

/// One brotli stream.
pub(super) struct Brotli {
    state: BrotliState<Bounded, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>,
    made: usize,
}

impl Default for Brotli {
    fn default() -> Self {
        let codes = HeapAlloc::new(HuffmanCode::default());
        Self { state: BrotliState::new_strict(Bounded, HeapAlloc::new(0), codes), made: 0 }
    }
}

impl Brotli {
    pub(super) fn step(&mut self, bytes: &[u8], scratch: &mut [u8]) -> Step {
        let (mut left, mut used) = (bytes.len(), 0);
        let (mut room, mut made) = (scratch.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut used,
            bytes,
            &mut room,
            &mut made,
            scratch,
            &mut self.made,
            &mut self.state,
        );
        let end = match result {
            BrotliResult::ResultSuccess => Some(Ok(())),
            BrotliResult::ResultFailure => Some(Err(Broken)),
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => None,
        };
        Step { used: if end == Some(Err(Broken)) { bytes.len() } else { used }, made, end }
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.state.ringbuffer.slice().len()
    }
}

/// Memory for the window, within the bound: what is refused, the decoder takes for a broken stream.
struct Bounded;

/// Memory of the decoder.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl SliceWrapper<u8> for Bytes {
    fn slice(&self) -> &[u8] {
        &self.0
    }
}

impl SliceWrapperMut<u8> for Bytes {
    fn slice_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Allocator<u8> for Bounded {
    type AllocatedMemory = Bytes;

    fn alloc_cell(&mut self, length: usize) -> Bytes {
        Bytes(if length <= WINDOW_MAX { vec![0; length] } else { Vec::new() })
    }

    fn free_cell(&mut self, _: Bytes) {}
}
