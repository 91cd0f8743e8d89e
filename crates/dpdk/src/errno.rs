//! What DPDK says when it fails: a negative errno, or a null pointer and `rte_errno`.

use std::ffi::c_int;
use std::{fmt, io};

/// An errno value, positive, as `errno(3)` and DPDK's `rte_errno.h` number them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Errno(pub i32);

impl Errno {
    /// The calling thread's `rte_errno`, for functions that return a null pointer or -1.
    pub(crate) fn last() -> Self {
        // SAFETY: reads a thread-local integer.
        Self(unsafe { dpdk_sys::shim_errno() })
    }

    /// The code of a function that returns a negative errno, or what it returned.
    pub(crate) fn check(code: c_int) -> Result<c_int, Self> {
        if code < 0 { Err(Self(-code)) } else { Ok(code) }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

impl std::error::Error for Errno {}
