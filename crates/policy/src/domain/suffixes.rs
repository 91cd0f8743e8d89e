//! The hashes of all suffixes of a name, in one pass from its end.
//!
//! ```text
//!   w w w . e x | a m p l e . c o | m . o r g .│            words of eight bytes, counted from the end
//!                   H1 ◀────────────── H0 ◀────┘            what is behind a word, hashed once
//!           └ suffix `example.com.org`: H1 and the part of the word behind the dot
//! ```
//! Words and not labels, since what a processor dislikes is loops whose number of rounds it cannot guess: nine names in ten
//! are three or four words, whatever their labels.

/// Two numbers that whoever writes names does not know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Secrets(pub(super) [u64; 2]);

/// One in each byte, and all bits of each but the highest.
const EACH: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f * EACH;

impl Secrets {
    /// Asks for each suffix of a name, shortest first, until there is an answer: with its hash and where it begins. The name
    /// itself is the last. Capitals hash like small letters.
    #[inline]
    pub(super) fn each_suffix<T>(
        self,
        name: &[u8],
        mut ask: impl FnMut(u64, usize) -> Option<T>,
    ) -> Option<T> {
        let Self([mut behind, _]) = self;
        let mut end = name.len();
        loop {
            let word = word_before(name, end);
            let mut dots = dots(word);
            while dots != 0 {
                // The dot nearest to the end.
                let at = dots.ilog2();
                dots ^= 1 << at;
                let part = word & (!0 << at) << 1;
                let start = (end + (at as usize + 1) / 8).saturating_sub(8);
                if let answer @ Some(_) = ask(self.close(behind, part, name.len() - start), start) {
                    return answer;
                }
            }
            if end < 8 {
                return ask(self.close(behind, word, name.len()), 0);
            }
            (behind, end) = (fold(behind ^ word, self.0[1]), end - 8);
        }
    }

    /// The hash of a suffix of so many bytes: what is hashed of its words, and the part of one that begins it.
    #[inline]
    fn close(self, behind: u64, part: u64, len: usize) -> u64 {
        fold(behind ^ part, self.0[1] ^ len as u64)
    }
}

/// Whether two names are the same, capitals or not.
#[inline]
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    let mut end = left.len();
    if end != right.len() {
        return false;
    }
    while word_before(left, end) == word_before(right, end) {
        match end.checked_sub(8) {
            Some(before) => end = before,
            None => return true,
        }
    }
    false
}

/// The eight bytes before a place, fewer at the beginning: the last in the highest bits, capitals made small, zeros before.
#[inline]
fn word_before(name: &[u8], end: usize) -> u64 {
    let read = |from: usize| name.get(from..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let word = match end.checked_sub(8) {
        Some(from) => read(from).unwrap_or(0),
        None if end == 0 => 0,
        // As many of the first eight as stand before the end; a short name has no eight.
        None => read(0).unwrap_or_else(|| short(name)) << (64 - 8 * end),
    };
    lower(word)
}

/// Fewer than eight bytes.
#[inline]
fn short(name: &[u8]) -> u64 {
    name.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The highest bit of each byte that is a dot.
#[inline]
fn dots(word: u64) -> u64 {
    let other = word ^ (u64::from(b'.') * EACH);
    let low = (other & LOW) + LOW;
    !(low | other | LOW)
}

/// Eight bytes with capitals of ASCII made small.
#[inline]
fn lower(word: u64) -> u64 {
    let low = word & LOW;
    let from_a = low + (0x80 - 0x41) * EACH;
    let beyond_z = low + (0x80 - 0x5b) * EACH;
    let capitals = from_a & !beyond_z & !word & !LOW;
    word | capitals >> 2
}

/// All bits of a product, folded into a word.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let (low, high) = a.carrying_mul(b, 0);
    low ^ high
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Secrets;

    const SECRETS: Secrets = Secrets([0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345]);

    fn suffixes(name: &[u8]) -> Vec<(u64, usize)> {
        let mut all = Vec::new();
        SECRETS.each_suffix(name, |hash, start| {
            all.push((hash, start));
            None::<()>
        });
        all
    }

    proptest! {
        #[test]
        fn every_suffix_comes_once_and_hashes_as_it_would_alone(
            name in prop::collection::vec(prop::sample::select(b"aZ@[`{.\xae\x00".to_vec()), 0..40),
        ) {
            let all = suffixes(&name);
            let dots = name.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at + 1);
            let mut starts: Vec<usize> = std::iter::once(0).chain(dots).collect();
            starts.reverse();
            prop_assert_eq!(all.iter().map(|(_, start)| *start).collect::<Vec<_>>(), starts);
            for (hash, start) in all {
                let alone = name[start..].to_ascii_lowercase();
                prop_assert_eq!(suffixes(&alone).last().map(|(hash, _)| *hash), Some(hash));
            }
        }
    }
}
