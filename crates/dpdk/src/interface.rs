//! The kernel interface under a packet or XDP socket, for what their drivers do not tell or do.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_ulong, ifreq};

/// An interface of the network namespace in which its port was started, whatever thread asks later.
#[derive(Debug)]
pub(crate) struct Interface {
    index: u32,
    socket: OwnedFd,
}

impl Interface {
    pub(crate) fn new(index: u32) -> io::Result<Self> {
        // SAFETY: makes a socket or returns -1.
        let socket = check(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: a descriptor that was just made is nobody else's.
        Ok(Self { index, socket: unsafe { OwnedFd::from_raw_fd(socket) } })
    }

    /// Sees to it that the interface carries packets of `mtu` bytes, and leaves it alone if it does already.
    pub(crate) fn raise_mtu(&self, mtu: u16) -> io::Result<()> {
        let mut request = self.request()?;
        self.ask(libc::SIOCGIFMTU, &mut request)?;
        // SAFETY: SIOCGIFMTU wrote this field.
        if unsafe { request.ifr_ifru.ifru_mtu } >= mtu.into() {
            return Ok(());
        }
        request.ifr_ifru.ifru_mtu = mtu.into();
        self.ask(libc::SIOCSIFMTU, &mut request)
    }

    /// Whether the interface is up and has a carrier.
    pub(crate) fn is_running(&self) -> io::Result<bool> {
        let mut request = self.request()?;
        self.ask(libc::SIOCGIFFLAGS, &mut request)?;
        // SAFETY: SIOCGIFFLAGS wrote this field.
        let flags = i32::from(unsafe { request.ifr_ifru.ifru_flags });
        Ok(flags & libc::IFF_UP != 0 && flags & libc::IFF_RUNNING != 0)
    }

    /// A question about this interface, which may have another name by now.
    fn request(&self) -> io::Result<ifreq> {
        // SAFETY: numbers and a name; all zeros is an empty request.
        let mut request: ifreq = unsafe { std::mem::zeroed() };
        request.ifr_ifru.ifru_ifindex = self.index.cast_signed();
        self.ask(libc::SIOCGIFNAME, &mut request)?;
        Ok(request)
    }

    fn ask(&self, question: c_ulong, request: &mut ifreq) -> io::Result<()> {
        // SAFETY: the kernel reads and writes one `ifreq` for the questions asked here.
        check(unsafe { libc::ioctl(self.socket.as_raw_fd(), question, std::ptr::from_mut(request)) })
            .map(drop)
    }
}

fn check(code: i32) -> io::Result<i32> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(code) }
}
