//! What a stream must know of one TCP segment.

use policy::Way;
use wire::{Tcp, TcpFlags};

/// A TCP segment on its way.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Which way it goes.
    pub way: Way,
    /// Its flags.
    pub flags: TcpFlags,
    /// Number of the first payload byte, or of SYN.
    pub sequence: u32,
    /// The next number that its sender expects.
    pub acknowledgment: u32,
    /// Receive window, before scaling.
    pub window: u16,
    /// Window scale option, of a SYN (RFC 7323 §2.2).
    pub scale: Option<u8>,
    /// Timestamp option: its sender's clock (RFC 7323 §3.2).
    pub timestamp: Option<u32>,
    /// Its payload.
    pub payload: &'a [u8],
    /// Whether its checksum is right, or nobody verified it.
    pub intact: bool,
}

impl<'a> Segment<'a> {
    /// A segment as its header says.
    #[must_use]
    pub fn new(way: Way, tcp: &Tcp<'a>) -> Self {
        let Options { scale, timestamp } = Options::read(tcp.options);
        Self {
            way,
            flags: tcp.flags,
            sequence: tcp.sequence,
            acknowledgment: tcp.acknowledgment,
            window: tcp.window,
            scale,
            timestamp,
            payload: tcp.payload,
            intact: true,
        }
    }

    /// Whether all of these flags are set.
    pub(crate) fn has(&self, flags: TcpFlags) -> bool {
        self.flags.contains(flags)
    }
}

/// The options that a stream follows. Broken ones end the list, as they do for hosts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Options {
    scale: Option<u8>,
    timestamp: Option<u32>,
}

impl Options {
    fn read(mut bytes: &[u8]) -> Self {
        // As every segment of most connections has it (RFC 7323, appendix A).
        if let [1, 1, 8, 10, a, b, c, d, _, _, _, _] = bytes {
            return Self { scale: None, timestamp: Some(u32::from_be_bytes([*a, *b, *c, *d])) };
        }
        let mut options = Self::default();
        loop {
            bytes = match bytes {
                [] | [0, ..] => return options,
                [1, rest @ ..] => rest,
                [3, 3, scale, rest @ ..] => {
                    options.scale = Some((*scale).min(14)); // RFC 7323 §2.3
                    rest
                }
                [8, 10, a, b, c, d, _, _, _, _, rest @ ..] => {
                    options.timestamp = Some(u32::from_be_bytes([*a, *b, *c, *d]));
                    rest
                }
                [_, len, ..] if *len >= 2 => bytes.get(usize::from(*len)..).unwrap_or_default(),
                _ => return options,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_wherever_they_stand_and_broken_ones_end_the_list() {
        let read = |bytes: &[u8]| {
            let Options { scale, timestamp } = Options::read(bytes);
            (scale, timestamp)
        };
        assert_eq!(read(&[2, 4, 5, 180, 1, 3, 3, 7, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0]), (Some(7), Some(256)));
        assert_eq!(read(&[1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0]), (None, Some(9)));
        assert_eq!(read(&[3, 3, 200]), (Some(14), None), "RFC 7323 §2.3: 14 is the most");
        for broken in [&[3, 3][..], &[8, 10, 0], &[5, 1, 3, 3, 7], &[5, 0, 3, 3, 7], &[0, 3, 3, 7], &[9]] {
            assert_eq!(read(broken), (None, None), "{broken:?}");
        }
    }
}
