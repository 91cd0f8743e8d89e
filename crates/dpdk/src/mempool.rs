//! Pools of mbufs: all the packet memory there is, reserved at start.

use std::ffi::CString;
use std::ptr::NonNull;

use crate::{Eal, Errno, eal};

/// What a pool holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MempoolSpec {
    /// Its name, unique in the process, at most 25 bytes.
    pub name: String,
    /// How many mbufs. 2ⁿ - 1 wastes no memory.
    pub mbufs: u32,
    /// How many of them each lcore may keep aside, at most 512 and at most `mbufs` / 1.5; 0 for none.
    pub cache: u32,
    /// Bytes of each mbuf for its frame, [`MempoolSpec::headroom`] included.
    pub data_room: u16,
}

/// A pool of mbufs. Never freed, so that no mbuf outlives its pool: this is a name, to be copied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mempool(NonNull<dpdk_sys::rte_mempool>);

/// What a packet socket's slot holds beside the IP packet: 66 bytes of its own, 14 of Ethernet, 4 of a VLAN tag.
const SLOT_OVERHEAD: u16 = 84;

/// Why a pool was not made.
#[derive(Debug, thiserror::Error)]
pub enum MempoolError {
    /// The name holds a zero byte.
    #[error("mempool name {0:?} holds a zero byte")]
    Name(String),
    /// DPDK refused: out of memory, a name taken or too long, a cache larger than allowed.
    #[error("mempool {name:?} of {mbufs} mbufs with {data_room} bytes each, cache {cache}: {errno}", name = .spec.name,
            mbufs = .spec.mbufs, data_room = .spec.data_room, cache = .spec.cache)]
    Refused {
        /// What was asked for.
        spec: MempoolSpec,
        /// DPDK's reason.
        errno: Errno,
    },
}

// SAFETY: DPDK's default pool is a ring of many producers and many consumers, plus one cache per lcore id, and no two
// threads have one lcore id.
unsafe impl Send for Mempool {}
// SAFETY: as above.
unsafe impl Sync for Mempool {}

impl MempoolSpec {
    /// Bytes in front of a received frame. We reflect in place and need none of them; drivers may.
    #[must_use]
    pub fn headroom() -> u16 {
        // SAFETY: returns a constant of the headers.
        unsafe { dpdk_sys::shim_headroom() }
    }

    /// The `data_room` with which a frame of this MTU (the outer IP length) fits one mbuf, Ethernet and a VLAN tag
    /// included, whatever the driver: a packet socket's slot ([`crate::Vdev::AfPacket`]) is the largest of them, and
    /// comes in steps of 512 bytes. `None` beyond what a mbuf can hold.
    #[must_use]
    pub fn data_room_for(mtu: u16) -> Option<u16> {
        mtu.checked_add(SLOT_OVERHEAD)?.checked_next_multiple_of(512)?.checked_add(Self::headroom())
    }
}

impl Mempool {
    /// Makes a pool on the calling thread's NUMA node, or wherever there is memory.
    ///
    /// # Errors
    /// What DPDK refuses, with its reason.
    pub fn create(_running: &Eal, spec: &MempoolSpec) -> Result<Self, MempoolError> {
        let name = CString::new(spec.name.as_str()).map_err(|_| MempoolError::Name(spec.name.clone()))?;
        let _alone = eal::control();
        // SAFETY: `name` is a C string, which DPDK copies; -1 is "any node"; no private area; DPDK checks the numbers.
        let pool = unsafe {
            dpdk_sys::rte_pktmbuf_pool_create(name.as_ptr(), spec.mbufs, spec.cache, 0, spec.data_room, -1)
        };
        let refused = || MempoolError::Refused { spec: spec.clone(), errno: Errno::last() };
        NonNull::new(pool).map(Self).ok_or_else(refused)
    }

    /// How many mbufs are in the pool and its caches. Walks the caches: for reports, not per packet.
    #[must_use]
    pub fn available(self) -> u32 {
        // SAFETY: pools live for ever.
        unsafe { dpdk_sys::rte_mempool_avail_count(self.0.as_ptr()) }
    }

    /// Bytes of each mbuf for its frame, headroom included.
    #[must_use]
    pub fn data_room(self) -> u16 {
        // SAFETY: pools live for ever.
        unsafe { dpdk_sys::shim_data_room(self.0.as_ptr()) }
    }

    pub(crate) fn as_ptr(self) -> *mut dpdk_sys::rte_mempool {
        self.0.as_ptr()
    }
}
