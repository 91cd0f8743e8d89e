//! A socket for whole frames on one device (`AF_PACKET`, packet(7)).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{bind, netdevice, recv, send, socket_with};

/// `ETH_P_ALL` of `linux/if_ether.h`: frames of every kind, our own excepted.
const EVERY_KIND: u16 = 0x0003;

/// `AF_PACKET` of `linux/socket.h`.
const AF_PACKET: u16 = 17;

/// The longest frame: 9001 bytes (EC2's jumbo MTU) and the Ethernet header.
const LONGEST: usize = 9_100;

/// A device's frames.
#[derive(Debug)]
pub(super) struct Link(OwnedFd);

/// `struct sockaddr_ll` as its bytes: family, protocol, interface; the rest is not asked for.
struct Device([u8; 20]);

// SAFETY: `with_sockaddr` hands out the array's address and its length, which are those of a `struct sockaddr_ll`; the array
// lives through the call.
unsafe impl SocketAddrArg for Device {
    unsafe fn with_sockaddr<R>(&self, f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        f(self.0.as_ptr().cast(), 20)
    }
}

impl Link {
    /// The frames of `device` in the calling thread's namespace.
    pub(super) fn open(device: &str) -> io::Result<Self> {
        let kind = std::num::NonZeroU32::new(u32::from(EVERY_KIND.to_be())).map(Protocol::from_raw);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, kind)?;
        let index = netdevice::name_to_index(&socket, device)?;
        let mut address = [0; 20];
        let head = AF_PACKET.to_ne_bytes().into_iter().chain(EVERY_KIND.to_be_bytes());
        for (to, from) in address.iter_mut().zip(head.chain(index.to_ne_bytes())) {
            *to = from;
        }
        bind(&socket, &Device(address))?;
        Ok(Self(socket))
    }

    pub(super) fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(&self.0, frame, SendFlags::empty())?;
        Ok(())
    }

    /// The next frame, if one comes before `until`.
    pub(super) fn receive(&self, until: Instant) -> io::Result<Option<Vec<u8>>> {
        let mut frame = vec![0; LONGEST];
        loop {
            match recv(&self.0, &mut frame[..], RecvFlags::empty()) {
                Ok((length, _)) => {
                    frame.truncate(length);
                    return Ok(Some(frame));
                }
                Err(rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Ok(None);
            }
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            poll(&mut [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)], Some(&left))?;
        }
    }
}
