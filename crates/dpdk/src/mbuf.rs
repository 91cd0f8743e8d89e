//! One frame in DPDK's memory.

use std::ptr::NonNull;
use std::{fmt, slice};

use arrayvec::ArrayVec;
use dpdk_sys::{rte_mbuf, shim_mbuf};

use crate::Mempool;

/// A frame, owned: one segment, one reference, freed on drop. Eight bytes, as is `Option<Mbuf>`.
///
/// `as_ref()` is the whole frame: [`crate::RxQueue`] refuses what a driver spread over several segments.
#[repr(transparent)]
pub struct Mbuf(NonNull<rte_mbuf>);

/// Why there is no mbuf for these bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MbufError {
    /// Every mbuf of the pool is in use.
    #[error("the mempool is exhausted")]
    Exhausted,
    /// The frame does not fit one mbuf.
    #[error("a frame of {len} bytes does not fit a mbuf with room for {room}")]
    TooLong {
        /// The frame's length.
        len: usize,
        /// The pool's data room less the headroom.
        room: usize,
    },
}

// SAFETY: the mbuf and its data belong to this value alone, and pools take mbufs back from any thread.
unsafe impl Send for Mbuf {}

impl Mbuf {
    /// A frame with these bytes.
    ///
    /// # Errors
    /// The pool is exhausted, or the bytes do not fit.
    pub fn from_bytes(pool: Mempool, bytes: &[u8]) -> Result<Self, MbufError> {
        // SAFETY: pools live for ever; an mbuf that the pool gives is ours alone.
        let raw = unsafe { dpdk_sys::shim_mbuf_alloc(pool.as_ptr()) };
        let mut mbuf = Self(NonNull::new(raw).ok_or(MbufError::Exhausted)?);
        let hot = mbuf.hot_mut();
        let room = hot.buf_len - hot.data_off;
        let too_long = || MbufError::TooLong { len: bytes.len(), room: usize::from(room) };
        hot.data_len = u16::try_from(bytes.len()).ok().filter(|len| *len <= room).ok_or_else(too_long)?;
        hot.pkt_len = u32::from(hot.data_len);
        mbuf.as_mut().copy_from_slice(bytes);
        Ok(mbuf)
    }

    /// Frees a burst with one return to the pool instead of one per mbuf: the way to drop in a flood.
    pub fn free_burst<const N: usize>(burst: &mut ArrayVec<Self, N>) {
        let count = burst.len();
        // SAFETY: nothing of them is dropped again: this forgets them, and the next line frees them.
        unsafe { burst.set_len(0) };
        // SAFETY: an `Mbuf` is a non-null pointer to an mbuf (`repr(transparent)`), and the first `count` were ours.
        unsafe {
            dpdk_sys::rte_pktmbuf_free_bulk(burst.as_mut_ptr().cast(), u32::try_from(count).unwrap_or(0))
        };
    }

    /// Whether the frame is whole in this segment.
    pub(crate) fn is_single(&self) -> bool {
        self.hot().nb_segs == 1
    }

    fn hot(&self) -> &shim_mbuf {
        // SAFETY: shim.c asserts that this view's fields lie where the mbuf has them; the mbuf is ours.
        unsafe { self.0.cast().as_ref() }
    }

    fn hot_mut(&mut self) -> &mut shim_mbuf {
        // SAFETY: as in `hot`, and this is the only handle.
        unsafe { self.0.cast().as_mut() }
    }
}

impl AsRef<[u8]> for Mbuf {
    fn as_ref(&self) -> &[u8] {
        let hot = self.hot();
        // SAFETY: a driver, or `from_bytes`, left `data_len` bytes at `data_off` of the buffer, which is ours.
        unsafe {
            slice::from_raw_parts(hot.buf_addr.cast::<u8>().add(hot.data_off.into()), hot.data_len.into())
        }
    }
}

impl AsMut<[u8]> for Mbuf {
    fn as_mut(&mut self) -> &mut [u8] {
        let hot = self.hot();
        // SAFETY: as in `as_ref`, and this is the only handle.
        unsafe {
            slice::from_raw_parts_mut(hot.buf_addr.cast::<u8>().add(hot.data_off.into()), hot.data_len.into())
        }
    }
}

impl Drop for Mbuf {
    fn drop(&mut self) {
        // SAFETY: the mbuf was ours, whole chain, and nobody names it any more.
        unsafe { dpdk_sys::shim_mbuf_free(self.0.as_ptr()) };
    }
}

impl fmt::Debug for Mbuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mbuf({} bytes)", self.as_ref().len())
    }
}
