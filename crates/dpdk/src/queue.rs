//! A port's queues: frames in, frames out, a burst at a time. Each belongs to one thread.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrayvec::ArrayVec;

use crate::Mbuf;
use crate::port::Device;

/// Where a port's frames come from.
#[derive(Debug)]
pub struct RxQueue {
    device: Arc<Device>,
    queue: u16,
}

/// Where a port's frames go.
#[derive(Debug)]
pub struct TxQueue {
    device: Arc<Device>,
    queue: u16,
}

impl RxQueue {
    pub(crate) fn new(device: Arc<Device>, queue: u16) -> Self {
        Self { device, queue }
    }

    /// Appends what has come, as far as `burst` has room, and says how many frames that is.
    ///
    /// A frame in several segments is freed and counted in [`crate::PortStats::rx_refused`]: it is longer than the port's MTU
    /// allows, and its first segment alone would be a lie about its length.
    pub fn recv<const N: usize>(&mut self, burst: &mut ArrayVec<Mbuf, N>) -> usize {
        let held = burst.len();
        let room = u16::try_from(burst.remaining_capacity()).unwrap_or(u16::MAX);
        // SAFETY: `held` elements are in use, so the pointer stays within the array.
        let free = unsafe { burst.as_mut_ptr().add(held) };
        // SAFETY: the port runs (`device`), this is the queue's only handle, and there is room for `room` pointers.
        let came = unsafe { dpdk_sys::shim_rx_burst(self.device.id, self.queue, free.cast(), room) };
        // SAFETY: the driver wrote `came` pointers to mbufs that are ours now; an `Mbuf` is such a pointer.
        unsafe { burst.set_len(held + usize::from(came)) };
        // Of all at once: nearly always all are.
        if !burst[held..].iter().fold(true, |all, mbuf| all & mbuf.is_single()) {
            self.refuse(held, burst);
        }
        burst.len() - held
    }

    #[cold]
    fn refuse<const N: usize>(&mut self, held: usize, burst: &mut ArrayVec<Mbuf, N>) {
        let came = burst.len();
        let mut at = 0;
        burst.retain(|mbuf| {
            at += 1;
            at <= held || mbuf.is_single()
        });
        let refused = (came - burst.len()) as u64;
        self.device.refused.fetch_add(refused, Ordering::Relaxed);
    }
}

impl TxQueue {
    pub(crate) fn new(device: Arc<Device>, queue: u16) -> Self {
        Self { device, queue }
    }

    /// Gives the driver as many frames as it takes, from the front, and says how many. The rest stay in `burst`, in
    /// order.
    pub fn send<const N: usize>(&mut self, burst: &mut ArrayVec<Mbuf, N>) -> usize {
        let offered = u16::try_from(burst.len()).unwrap_or(u16::MAX);
        // SAFETY: the port runs (`device`), this is the queue's only handle, and the pointers are mbufs of ours.
        let sent = unsafe {
            dpdk_sys::shim_tx_burst(self.device.id, self.queue, burst.as_mut_ptr().cast(), offered)
        };
        // The first `sent` belong to the driver, which frees them when they are out.
        if sent == offered {
            // SAFETY: what the driver took is not ours to drop; this forgets it, and nothing else was there.
            unsafe { burst.set_len(0) };
        } else {
            burst.drain(..usize::from(sent)).for_each(mem::forget);
        }
        usize::from(sent)
    }
}
