//! Names as DNS writes them: labels with their lengths, and pointers to what was written before.

use super::message::Malformed;

/// Longest name, its lengths included (RFC 1035 §3.1).
const NAME_MAX: usize = 255;
/// Most pointers followed for one name. Whoever compresses points to a whole name: one is usual, three are many.
const POINTERS_MAX: u32 = 16;

/// What a name showed beside its text.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Oddities {
    /// More than [`NAME_MAX`]; the text is cut there.
    pub(super) too_long: bool,
    /// Pointers forward, to themselves, or too many; the text ends there.
    pub(super) looped: bool,
}

/// Write the name at `at` of a message behind what is in `text`, its labels joined by points, without one at its end.
/// Gives back where the bytes behind it begin.
pub(super) fn read(
    message: &[u8],
    at: usize,
    text: &mut Vec<u8>,
    odd: &mut Oddities,
) -> Result<usize, Malformed> {
    let (mut at, mut after, mut pointers) = (at, None, 0);
    // A pointer leads to before the labels that it stands behind, so every name ends.
    let mut begin = at;
    let mut length = 1;
    let start = text.len();
    loop {
        let kind = *message.get(at).ok_or(Malformed)?;
        match kind {
            0 => return Ok(after.unwrap_or(at + 1)),
            1..=0x3F => {
                let end = at + 1 + usize::from(kind);
                let label = message.get(at + 1..end).ok_or(Malformed)?;
                length += 1 + label.len();
                if length <= NAME_MAX {
                    if text.len() > start {
                        text.push(b'.');
                    }
                    text.extend_from_slice(label);
                } else {
                    odd.too_long = true;
                }
                at = end;
            }
            0xC0.. => {
                let low = *message.get(at + 1).ok_or(Malformed)?;
                after = after.or(Some(at + 2));
                let to = usize::from(u16::from_be_bytes([kind & 0x3F, low]));
                pointers += 1;
                if to >= begin || pointers > POINTERS_MAX {
                    odd.looped = true;
                    return after.ok_or(Malformed);
                }
                (at, begin) = (to, to);
            }
            // Never assigned (0x80) or withdrawn (0x40, RFC 6891 §5).
            0x40..=0xBF => return Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &[u8], at: usize) -> (Vec<u8>, Result<usize, Malformed>, Oddities) {
        let (mut text, mut odd) = (Vec::new(), Oddities::default());
        let after = read(message, at, &mut text, &mut odd);
        (text, after, odd)
    }

    #[test]
    fn labels_are_joined_and_pointers_followed() {
        let message = b"\x03com\x00\x07example\xC0\x00\x03www\xC0\x05!";
        assert_eq!(text(message, 15), (b"www.example.com".to_vec(), Ok(21), Oddities::default()));
        assert_eq!(text(message, 4), (Vec::new(), Ok(5), Oddities::default()));
    }

    #[test]
    fn pointers_that_lead_nowhere_but_on_end_the_name() {
        for message in [&b"\xC0\x00"[..], b"\xC0\x02\xC0\x00", b"\x01a\xC0\x00", b"\xC0\x7F"] {
            let (_, after, odd) = text(message, 0);
            assert!(odd.looped, "{message:?}");
            assert!(after.is_ok());
        }
    }

    #[test]
    fn a_long_name_is_cut_and_read_to_its_end() {
        let mut message = Vec::new();
        for _ in 0..10 {
            message.push(63);
            message.extend([b'a'; 63]);
        }
        message.push(0);
        let (cut, after, odd) = text(&message, 0);
        assert!(odd.too_long && cut.len() <= NAME_MAX);
        assert_eq!(after, Ok(message.len()));
    }

    #[test]
    fn a_name_that_is_cut_off_is_malformed() {
        for message in [&b""[..], b"\x03co", b"\x03com", b"\xC0", b"\x40a\x00", b"\x80a\x00"] {
            assert_eq!(text(message, 0).1, Err(Malformed), "{message:?}");
        }
    }
}
