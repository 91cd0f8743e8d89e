//! One datagram's parts.

use super::Unfit;

/// Most parts: a datagram of 65,535 bytes has 54 at IPv6's least MTU.
const PARTS: usize = 64;
/// The longest that a packet's lengths can say.
const LONGEST: usize = 65_535;

/// What is there of a datagram.
#[derive(Debug, Default)]
pub(super) struct Datagram {
    /// The IP header of the first part, once that came.
    header: Vec<u8>,
    /// Sorted, not overlapping.
    parts: Vec<(usize, Vec<u8>)>,
    /// Where it ends, once the last part came.
    end: Option<usize>,
}

impl Datagram {
    /// Add a part that starts at `at`. `header` is its packet's IP header without extensions, of the version in its
    /// first byte. True if nothing is missing any more.
    pub(super) fn add(&mut self, at: usize, data: &[u8], more: bool, header: &[u8]) -> Result<bool, Unfit> {
        let end = at + data.len();
        if data.is_empty() || (more && !data.len().is_multiple_of(8)) {
            return Err(Unfit::Length);
        }
        if end + header.len() > LONGEST {
            return Err(Unfit::TooLong);
        }
        let nth = self.parts.partition_point(|(start, part)| start + part.len() <= at);
        if let Some((start, part)) = self.parts.get(nth).filter(|(start, _)| *start < end) {
            // The very same again: the network may do that.
            let same = *start == at && part == data && (more || self.end == Some(end));
            return if same { Ok(false) } else { Err(Unfit::Overlap) };
        }
        let last = self.parts.last().map_or(0, |(start, part)| start + part.len());
        if self.end.is_some_and(|known| end > known || !more) || (!more && last > end) {
            return Err(Unfit::End);
        }
        if self.parts.len() == PARTS {
            return Err(Unfit::Many);
        }
        if at == 0 {
            self.header = header.to_vec();
        }
        if !more {
            self.end = Some(end);
        }
        self.parts.insert(nth, (at, data.to_vec()));
        let have = self.parts.iter().map(|(_, part)| part.len()).sum::<usize>();
        Ok(self.end == Some(have))
    }

    /// Bytes that it holds.
    pub(super) fn memory(&self) -> usize {
        let parts = self.parts.iter().map(|(_, part)| part.capacity() + size_of::<(usize, Vec<u8>)>());
        self.header.capacity() + parts.sum::<usize>()
    }

    /// Write the datagram as its sender had it before it was cut.
    pub(super) fn write(&self, protocol: u8, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.header);
        self.parts.iter().for_each(|(_, part)| out.extend_from_slice(part));
        let (len, header_len) = (out.len(), self.header.len());
        match out.as_mut_slice() {
            [first, _, high, low, _, _, flags, offset, _, _, sum_high, sum_low, ..] if *first >> 4 == 4 => {
                [*high, *low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
                (*flags, *offset, *sum_high, *sum_low) = (0, 0, 0, 0);
                let sum = wire::Checksum::default().over(out.get(..header_len).unwrap_or_default()).finish();
                if let Some(place) = out.get_mut(10..12) {
                    place.copy_from_slice(&sum.to_be_bytes());
                }
            }
            [_, _, _, _, high, low, next, ..] => {
                [*high, *low] = u16::try_from(len - header_len).unwrap_or(u16::MAX).to_be_bytes();
                *next = protocol;
            }
            _ => {}
        }
    }
}
