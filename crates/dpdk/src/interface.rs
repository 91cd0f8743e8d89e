//! The kernel interface under a packet socket.

use std::ffi::c_char;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_ulong, ifreq};

/// Sees to it that the interface carries packets of `mtu` bytes, and leaves it alone if it does already.
pub(crate) fn raise_mtu(index: u32, mtu: u16) -> io::Result<()> {
    // SAFETY: makes a socket or returns -1.
    let socket = check(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: a descriptor that was just made is nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: numbers and a name; all zeros is an empty request.
    let mut request: ifreq = unsafe { std::mem::zeroed() };
    let name: *mut c_char = request.ifr_name.as_mut_ptr();
    // SAFETY: an `ifreq` has room for any interface's name.
    if unsafe { libc::if_indextoname(index, name) }.is_null() {
        return Err(io::Error::last_os_error());
    }
    ask(&socket, libc::SIOCGIFMTU, &mut request)?;
    // SAFETY: SIOCGIFMTU wrote this field.
    if unsafe { request.ifr_ifru.ifru_mtu } >= mtu.into() {
        return Ok(());
    }
    request.ifr_ifru.ifru_mtu = mtu.into();
    ask(&socket, libc::SIOCSIFMTU, &mut request)
}

fn ask(socket: &OwnedFd, question: c_ulong, request: &mut ifreq) -> io::Result<()> {
    // SAFETY: the kernel reads and writes one `ifreq` for the questions about an interface's MTU.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), question, std::ptr::from_mut(request)) }).map(drop)
}

fn check(code: i32) -> io::Result<i32> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(code) }
}
