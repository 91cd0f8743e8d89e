//! Base64 as rules want it decoded: what is broken ends it, is passed over, or spoils it all.

use policy::Base64Mode;

/// Most bytes that one decoding makes.
pub(super) const DECODED_MAX: usize = 64 << 10;

/// Appends what the text means. `false` if nothing came of it, or if the mode is strict and the text is not base64.
///
/// A text that ends within a group of four gives the bytes that are whole.
pub(super) fn decode(text: &[u8], mode: Base64Mode, into: &mut Vec<u8>) -> bool {
    let start = into.len();
    let (mut group, mut bits) = (0u32, 0u32);
    let mut padded = false;
    for byte in text {
        if into.len() - start >= DECODED_MAX {
            break;
        }
        match (value(*byte), mode) {
            (Some(value), _) if !padded => {
                group = group << 6 | u32::from(value);
                bits += 6;
                if bits >= 8 {
                    bits -= 8;
                    into.push((group >> bits).to_le_bytes()[0]);
                }
            }
            (None, Base64Mode::Rfc2045) if *byte != b'=' => {}
            (None, _) if *byte == b'=' => padded = true,
            (_, Base64Mode::Strict) => {
                into.truncate(start);
                return false;
            }
            _ => break,
        }
    }
    into.len() > start
}

fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str, mode: Base64Mode) -> Option<Vec<u8>> {
        let mut into = Vec::new();
        decode(text.as_bytes(), mode, &mut into).then_some(into)
    }

    #[test]
    fn what_is_not_base64_ends_it_or_is_passed_over_or_spoils_it() {
        for (text, rfc4648, rfc2045, strict) in [
            ("dGhpcw==", Some("this"), Some("this"), Some("this")),
            ("dGhpc2", Some("this"), Some("this"), Some("this")),
            ("dGhp!cw==", Some("thi"), Some("this"), None),
            ("!dGhpcw==", None, Some("this"), None),
            ("dGhpcw==dGhp", Some("this"), Some("this"), None),
            ("", None, None, None),
            ("d", None, None, None),
        ] {
            let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
            assert_eq!(decoded(text, Base64Mode::Rfc4648), bytes(rfc4648), "{text}");
            assert_eq!(decoded(text, Base64Mode::Rfc2045), bytes(rfc2045), "{text}");
            assert_eq!(decoded(text, Base64Mode::Strict), bytes(strict), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            for mode in [Base64Mode::Rfc4648, Base64Mode::Rfc2045, Base64Mode::Strict] {
                prop_assert_eq!(decoded(&STANDARD.encode(&bytes), mode), Some(bytes.clone()));
            }
        }
    }
}
