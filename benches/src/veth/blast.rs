//! A generator: frames over a packet socket, many per system call, past the queueing discipline, paced or as fast as
//! this core can.

use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Frames per system call.
const BATCH: usize = 64;

/// A packet socket on one interface.
pub(crate) struct Blaster {
    socket: OwnedFd,
}

impl Blaster {
    /// A socket that sends whole frames through `interface`. Needs `CAP_NET_RAW`.
    pub(crate) fn new(interface: &str) -> io::Result<Self> {
        let name = CString::new(interface)?;
        // SAFETY: reads a C string.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        if index == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: takes numbers, returns a descriptor or -1. Protocol 0: this socket receives nothing.
        let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let on: libc::c_int = 1;
        let size = length(size_of_val(&on))?;
        // SAFETY: reads one integer of that size.
        check(unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_QDISC_BYPASS,
                (&raw const on).cast(),
                size,
            )
        })?;
        // SAFETY: a plain structure of numbers, for which zeros are valid.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?;
        address.sll_ifindex = i32::try_from(index).map_err(io::Error::other)?;
        let size = length(size_of_val(&address))?;
        // SAFETY: reads one address of that size.
        check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size) })?;
        Ok(Self { socket })
    }

    /// Send these frames round and round for `time`, at most `rate` per second (0: no limit). How many were sent.
    pub(crate) fn blast(&self, frames: &[Vec<u8>], rate: u64, time: Duration) -> u64 {
        let mut vectors: Vec<libc::iovec> = frames
            .iter()
            .map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() })
            .collect();
        // SAFETY: a plain structure of numbers and pointers, for which zeros are valid: no name, no vector.
        let mut messages: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        let (mut sent, mut next, start) = (0_u64, 0, Instant::now());
        while start.elapsed() < time {
            if rate > 0 && (sent + BATCH as u64) as f64 > start.elapsed().as_secs_f64() * rate as f64 {
                std::hint::spin_loop();
                continue;
            }
            for (nth, message) in messages.iter_mut().enumerate() {
                message.msg_hdr.msg_iov = &raw mut vectors[(next + nth) % frames.len()];
                message.msg_hdr.msg_iovlen = 1;
            }
            // SAFETY: the messages name vectors, and those frames, that outlive the call.
            let took = unsafe {
                libc::sendmmsg(self.socket.as_raw_fd(), messages.as_mut_ptr(), BATCH as libc::c_uint, 0)
            };
            let took = usize::try_from(took).unwrap_or(0); // a refusal is tried again
            (sent, next) = (sent + took as u64, (next + took) % frames.len());
        }
        sent
    }
}

fn check(code: libc::c_int) -> io::Result<()> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn length(size: usize) -> io::Result<libc::socklen_t> {
    libc::socklen_t::try_from(size).map_err(io::Error::other)
}
