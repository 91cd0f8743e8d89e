//! The pattern by which a rule is found among all rules.

use policy::{Buffer, BufferTests, Content, FastPattern, PayloadTest};

use crate::matcher::Literal;

/// The literal that stands in the buffer, transforms done, whenever these tests hold; `None` if there is none.
///
/// The one that the rule names, or else the longest, and of two as long the one with more different bytes. A negated
/// pattern finds nothing, and tests that also hold where the buffer is absent cannot be found by what is in it.
#[must_use]
pub fn fast_pattern(tests: &BufferTests) -> Option<Literal> {
    let absent = tests.tests.iter().any(|test| matches!(test, PayloadTest::Absent { .. }));
    if absent || tests.buffer == Buffer::Base64Data {
        return None;
    }
    let contents = || {
        tests.tests.iter().filter_map(|test| match test {
            PayloadTest::Content(content) if !content.negated => Some(content),
            _ => None,
        })
    };
    let named = contents().find(|content| content.fast_pattern.is_some());
    let best = || contents().max_by_key(|content| (content.bytes.len(), strength(&content.bytes)));
    named.or_else(best).map(literal)
}

fn literal(content: &Content) -> Literal {
    let piece = match content.fast_pattern {
        Some(FastPattern::Piece(offset, length)) => {
            let offset = usize::from(offset);
            content.bytes.get(offset..offset + usize::from(length)).filter(|piece| !piece.is_empty())
        }
        _ => None,
    };
    Literal { bytes: piece.unwrap_or(&content.bytes).into(), nocase: content.nocase }
}

/// How rarely a pattern stands in a text by chance: each byte that is new to it counts more than one repeated, and one
/// that text seldom has more than a letter.
pub(crate) fn strength(bytes: &[u8]) -> u32 {
    let weight = |(at, byte): (usize, &u8)| match byte {
        _ if bytes[..at].contains(byte) => 1,
        b'a'..=b'z' | b'A'..=b'Z' => 3,
        b' '..=b'~' | 0 | 1 | 0xff => 4,
        _ => 6,
    };
    // A pattern has 8192 bytes at most; beyond a few dozen, more make no difference.
    bytes.iter().take(64).enumerate().map(weight).sum()
}
