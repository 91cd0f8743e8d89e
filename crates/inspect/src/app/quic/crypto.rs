//! The handshake's bytes put in order.

use super::frame::Crypto;
use crate::app::Anomaly;

/// Bytes that are kept until what is before them comes, and in how many pieces.
const AHEAD_BYTES: usize = 65_536;
const AHEAD_PIECES: usize = 256;

/// One way of the handshake: what is whole goes on, what is ahead waits.
#[derive(Clone, Debug, Default)]
pub(super) struct CryptoStream {
    /// All before this went on.
    next: u64,
    ahead: Vec<(u64, Vec<u8>)>,
    held: usize,
}

impl CryptoStream {
    /// A piece; `each` is given what is in order now. What came first stands where pieces overlap.
    pub(super) fn push(&mut self, piece: Crypto<'_>, mut each: impl FnMut(&[u8])) -> Result<(), Anomaly> {
        if piece.offset > self.next {
            return self.keep(piece);
        }
        self.advance(piece.offset, piece.bytes, &mut each);
        while let Some(place) = self.ahead.iter().position(|(offset, _)| *offset <= self.next) {
            let (offset, bytes) = self.ahead.remove(place);
            self.held -= bytes.len();
            self.advance(offset, &bytes, &mut each);
        }
        Ok(())
    }

    /// Bytes that it holds.
    pub(super) fn memory(&self) -> usize {
        self.held + self.ahead.capacity() * size_of::<(u64, Vec<u8>)>()
    }

    fn advance(&mut self, offset: u64, bytes: &[u8], each: &mut impl FnMut(&[u8])) {
        let known = usize::try_from(self.next - offset).unwrap_or(usize::MAX);
        let Some(fresh) = bytes.get(known..).filter(|fresh| !fresh.is_empty()) else { return };
        self.next += u64::try_from(fresh.len()).unwrap_or(0);
        each(fresh);
    }

    fn keep(&mut self, piece: Crypto<'_>) -> Result<(), Anomaly> {
        let Crypto { offset, bytes } = piece;
        let repeated = |(at, kept): &(u64, Vec<u8>)| *at == offset && kept.len() >= bytes.len();
        if bytes.is_empty() || self.ahead.iter().any(repeated) {
            return Ok(());
        }
        if self.ahead.len() == AHEAD_PIECES || self.held + bytes.len() > AHEAD_BYTES {
            return Err(Anomaly::QuicCryptoTooScattered);
        }
        self.held += bytes.len();
        self.ahead.push((offset, bytes.to_vec()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_in_any_order_and_several_times_give_the_stream(
            stream in prop::collection::vec(any::<u8>(), 1..600),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            order in any::<[u8; 32]>(),
        ) {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
            ends.extend([0, stream.len()]);
            ends.sort_unstable();
            let mut pieces: Vec<(usize, usize)> = ends.windows(2).map(|pair| (pair[0], pair[1])).collect();
            pieces.push((0, stream.len() / 2));
            pieces.sort_by_key(|(start, end)| order[(start * 7 + end) % 32]);
            let mut whole = Vec::new();
            let mut crypto = CryptoStream::default();
            for (start, end) in pieces {
                let piece = Crypto { offset: start as u64, bytes: &stream[start..end] };
                crypto.push(piece, |bytes| whole.extend_from_slice(bytes)).unwrap();
            }
            prop_assert_eq!(whole, stream);
            prop_assert_eq!(crypto.held, 0);
        }
    }

    #[test]
    fn what_is_ahead_is_bounded() {
        let mut crypto = CryptoStream::default();
        let far = |offset| Crypto { offset, bytes: &[7; 1000] };
        let refused = (1..100).filter(|nth| crypto.push(far(nth * 2000), |_| ()).is_err()).count();
        assert_eq!(refused, 99 - AHEAD_BYTES / 1000);
        let mut crypto = CryptoStream::default();
        let scattered = |nth: u64| Crypto { offset: nth * 2, bytes: &[7] };
        let refused = (1..1000).filter(|nth| crypto.push(scattered(*nth), |_| ()).is_err()).count();
        assert_eq!(refused, 999 - AHEAD_PIECES);
        assert!(crypto.memory() < 16_384, "{}", crypto.memory());
    }
}
