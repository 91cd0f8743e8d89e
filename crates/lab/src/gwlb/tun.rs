//! A TUN device as a file: one packet for one read, one packet for one write.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::ioctl::{Setter, ioctl};

use crate::net::namespace::{NamespaceError, within};

/// `TUNSETIFF` of `linux/if_tun.h`: `_IOW('T', 202, int)`.
const TUNSETIFF: u32 = 0x4004_54ca;

/// `IFF_TUN | IFF_NO_PI` of `linux/if_tun.h`: IP packets, without a header of the device's own.
const LAYER_3: u16 = 0x0001 | 0x1000;

/// Length of `struct ifreq` on 64-bit Linux; the name is in its first 16 bytes, the flags are in the next two.
const IFREQ: usize = 40;

/// Why a device could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum TunError {
    /// Its namespace cannot be entered.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// The kernel refused it.
    #[error("cannot open the TUN device {device} in {namespace}: {error}")]
    Open {
        /// Its name.
        device: String,
        /// Where.
        namespace: String,
        /// Why.
        error: io::Error,
    },
}

/// Attach to the persistent TUN device `device` of `namespace`; reads and writes do not block.
///
/// # Errors
/// [`TunError`].
pub fn open(namespace: &str, device: &str) -> Result<OwnedFd, TunError> {
    within(namespace, || attach(device))?.map_err(|error| TunError::Open {
        device: device.to_owned(),
        namespace: namespace.to_owned(),
        error,
    })
}

fn attach(device: &str) -> io::Result<OwnedFd> {
    let mut request = [0_u8; IFREQ];
    let name = device.as_bytes();
    let Some(room) = request.get_mut(..name.len()).filter(|_| name.len() < 16) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    room.copy_from_slice(name);
    for (to, from) in request.iter_mut().skip(16).zip(LAYER_3.to_ne_bytes()) {
        *to = from;
    }
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open("/dev/net/tun", flags, Mode::empty())?;
    // SAFETY: TUNSETIFF takes a pointer to one `struct ifreq`, which the array's size and layout are; the kernel copies it.
    unsafe {
        let setter = Setter::<TUNSETIFF, [u8; IFREQ]>::new(request);
        ioctl(file.as_fd(), setter)?;
    }
    Ok(file)
}
