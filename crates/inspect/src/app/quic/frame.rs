//! The frames of an Initial packet.

use crate::app::Anomaly;
use crate::app::reader::Reader;

/// A piece of the handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Crypto<'a> {
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
}

/// The pieces of the handshake in a packet's frames; ends at the first frame that may not be there (RFC 9000 §17.2.2).
pub(super) struct Frames<'a>(Reader<'a>);

impl<'a> Frames<'a> {
    pub(super) const fn new(payload: &'a [u8]) -> Self {
        Self(Reader::new(payload))
    }

    fn crypto(&mut self) -> Option<Crypto<'a>> {
        let offset = self.0.varint()?;
        let length = usize::try_from(self.0.varint()?).ok()?;
        Some(Crypto { offset, bytes: self.0.take(length)? })
    }

    /// Passes over an acknowledgement (RFC 9000 §19.3).
    fn ack(&mut self, with_ecn: bool) -> Option<()> {
        self.0.varint()?;
        self.0.varint()?;
        let ranges = self.0.varint()?;
        self.0.varint()?;
        for _ in 0..ranges {
            self.0.varint()?;
            self.0.varint()?;
        }
        for _ in 0..if with_ecn { 3 } else { 0 } {
            self.0.varint()?;
        }
        Some(())
    }

    /// Passes over a close (RFC 9000 §19.19).
    fn close(&mut self) -> Option<()> {
        self.0.varint()?;
        self.0.varint()?;
        let length = usize::try_from(self.0.varint()?).ok()?;
        self.0.take(length).map(|_| ())
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Crypto<'a>, Anomaly>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let passed = match self.0.u8()? {
                0 | 1 => Some(()),
                kind @ (2 | 3) => self.ack(kind == 3),
                6 => match self.crypto() {
                    Some(crypto) => return Some(Ok(crypto)),
                    None => None,
                },
                0x1c => self.close(),
                _ => None,
            };
            if passed.is_none() {
                self.0 = Reader::new(&[]);
                return Some(Err(Anomaly::QuicFrameInvalid));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_between_other_frames_and_the_first_stranger_ends_them() {
        let payload =
            [1, 6, 0, 2, 7, 8, 2, 5, 0, 1, 0, 1, 1, 0, 3, 1, 0, 0, 0, 1, 1, 1, 6, 2, 1, 9, 0x1e, 6, 0, 0];
        let found: Vec<_> = Frames::new(&payload).collect();
        let expected = [
            Ok(Crypto { offset: 0, bytes: &[7, 8] }),
            Ok(Crypto { offset: 2, bytes: &[9] }),
            Err(Anomaly::QuicFrameInvalid),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_acknowledgement_of_more_ranges_than_there_are_ends_the_frames() {
        let payload = [2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0];
        assert_eq!(Frames::new(&payload).collect::<Vec<_>>(), [Err(Anomaly::QuicFrameInvalid)]);
    }
}
