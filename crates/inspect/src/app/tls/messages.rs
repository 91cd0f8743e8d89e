//! Handshake messages put together from the pieces in which they come.

use super::{CERTIFICATE, CLIENT_HELLO, SERVER_HELLO};

/// Longest handshake message that is read, in bytes: a client hello with everything in it, or a chain of twenty
/// certificates.
pub const MESSAGE_MAX: usize = 65_536;

/// Kind and length before every message (RFC 8446 §4).
const HEADER: usize = 4;

/// One handshake message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::app) enum Message<'a> {
    /// All of it.
    Whole {
        /// Its kind.
        kind: u8,
        /// What is behind the header.
        body: &'a [u8],
    },
    /// One that nobody reads: it was passed over.
    Passed {
        /// Its kind.
        kind: u8,
    },
    /// One that would be read and is longer than [`MESSAGE_MAX`]; it is passed over.
    TooLong,
}

/// The unfinished message of one way.
#[derive(Clone, Debug, Default)]
pub(in crate::app) struct Messages {
    kept: Vec<u8>,
    /// Bytes still to be passed over.
    pass: u32,
}

impl Messages {
    /// The next bytes, in order; `each` is told of every message as soon as it is whole.
    pub(in crate::app) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Message<'_>)) {
        while !bytes.is_empty() {
            if self.pass > 0 {
                let passed = bytes.len().min(usize::try_from(self.pass).unwrap_or(usize::MAX));
                bytes = bytes.get(passed..).unwrap_or_default();
                self.pass -= u32::try_from(passed).unwrap_or(self.pass);
                continue;
            }
            if self.kept.is_empty()
                && let Some((kind, length)) = header(bytes)
                && is_read(kind)
                && let Some(body) = bytes.get(HEADER..HEADER + length)
                && length <= MESSAGE_MAX
            {
                each(Message::Whole { kind, body });
                bytes = bytes.get(HEADER + length..).unwrap_or_default();
                continue;
            }
            self.keep(&mut bytes, HEADER);
            let Some((kind, length)) = header(&self.kept) else { return };
            if !is_read(kind) || length > MESSAGE_MAX {
                each(if is_read(kind) { Message::TooLong } else { Message::Passed { kind } });
                self.pass = u32::try_from(length).unwrap_or(u32::MAX);
                self.kept = Vec::new();
                continue;
            }
            self.keep(&mut bytes, HEADER + length);
            if self.kept.len() == HEADER + length {
                each(Message::Whole { kind, body: self.kept.get(HEADER..).unwrap_or_default() });
                self.kept = Vec::new();
            }
        }
    }

    /// Bytes that it holds.
    pub(in crate::app) fn memory(&self) -> usize {
        self.kept.capacity()
    }

    /// Take from `bytes` until so many are kept.
    fn keep(&mut self, bytes: &mut &[u8], until: usize) {
        let wanted = until.saturating_sub(self.kept.len()).min(bytes.len());
        if let Some((taken, rest)) = bytes.split_at_checked(wanted) {
            self.kept.extend_from_slice(taken);
            *bytes = rest;
        }
    }
}

fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let [kind, a, b, c] = *bytes.first_chunk()?;
    Some((kind, usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?))
}

/// Whether anybody looks into messages of that kind.
const fn is_read(kind: u8) -> bool {
    matches!(kind, CLIENT_HELLO | SERVER_HELLO | CERTIFICATE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(messages: &mut Messages, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut found = Vec::new();
        messages.push(bytes, |message| {
            found.push(match message {
                Message::Whole { kind, body } => (kind, body.to_vec()),
                Message::Passed { kind } => (kind, b"passed".to_vec()),
                Message::TooLong => (0, b"too long".to_vec()),
            });
        });
        found
    }

    fn message(kind: u8, length: usize) -> Vec<u8> {
        let mut bytes = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        bytes[0] = kind;
        bytes.resize(HEADER + length, kind);
        bytes
    }

    proptest! {
        #[test]
        fn messages_are_the_same_however_they_are_cut(
            sizes in prop::collection::vec((prop::sample::select(vec![1_u8, 2, 4, 11, 14]), 0_usize..300), 1..8),
            cuts in prop::collection::vec(1_usize..90, 1..40),
        ) {
            let stream: Vec<u8> = sizes.iter().flat_map(|(kind, length)| message(*kind, *length)).collect();
            let whole = told(&mut Messages::default(), &stream);
            let mut cut = Messages::default();
            let mut found = Vec::new();
            let mut rest = stream.as_slice();
            for length in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*length).min(rest.len()));
                found.extend(told(&mut cut, piece));
                rest = behind;
                if rest.is_empty() { break }
            }
            prop_assert_eq!(whole.len(), sizes.len());
            prop_assert_eq!(whole, found);
            prop_assert_eq!(cut.memory(), 0);
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let mut messages = Messages::default();
        let bomb = message(CERTIFICATE, MESSAGE_MAX + 1);
        assert_eq!(told(&mut messages, &bomb[..50_000]), [(0, b"too long".to_vec())]);
        assert_eq!(messages.memory(), 0);
        let mut rest = bomb[50_000..].to_vec();
        rest.extend(message(SERVER_HELLO, 3));
        assert_eq!(told(&mut messages, &rest), [(SERVER_HELLO, vec![2; 3])]);
    }

    #[test]
    fn what_is_kept_grows_with_what_came_and_not_with_what_was_announced() {
        let mut messages = Messages::default();
        told(&mut messages, &message(CLIENT_HELLO, MESSAGE_MAX)[..200]);
        assert!(messages.memory() <= 512, "{}", messages.memory());
    }
}
