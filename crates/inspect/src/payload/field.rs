//! A number that stands in a text, as bytes or as digits.

use policy::{Base, ByteField};

use super::context::VARIABLES_MAX;
use super::number::Number;
use super::program::{Names, ProgramError};

/// Most digits that a number in digits may have.
const DIGITS_MAX: usize = 23;

/// Where a number stands, and how it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    bytes: Number,
    offset: Number,
    pub(super) relative: bool,
    little: bool,
    string: Option<Base>,
    bitmask: Option<u32>,
}

/// A number as it was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) value: u64,
    /// Where it ends.
    pub(super) end: usize,
}

impl Field {
    pub(super) fn new(field: &ByteField, names: &Names) -> Result<Self, ProgramError> {
        if field.dce {
            return Err(ProgramError::Unsupported("the byte order of DCE/RPC"));
        }
        Ok(Self {
            bytes: Number::new(&field.bytes, names)?,
            offset: Number::new(&field.offset, names)?,
            relative: field.relative,
            little: field.little,
            string: field.string,
            bitmask: field.bitmask,
        })
    }

    pub(super) fn uses_variables(&self) -> bool {
        self.bytes.is_variable() || self.offset.is_variable()
    }

    /// Reads it; `None` if it does not stand whole in the text, or if there are no digits where digits must be.
    pub(super) fn read(&self, text: &[u8], last: usize, variables: &[u64; VARIABLES_MAX]) -> Option<Found> {
        let base = if self.relative { i64::try_from(last).ok()? } else { 0 };
        let start = usize::try_from(base.checked_add(self.offset.value(variables))?).ok()?;
        let rest = text.get(start..)?;
        let length = usize::try_from(self.bytes.value(variables)).ok()?;
        let (value, taken) = match self.string {
            Some(base) => {
                let most = if length == 0 { rest.len().min(DIGITS_MAX) } else { length.min(DIGITS_MAX) };
                digits(rest.get(..most)?, base)?
            }
            None => (bytes(rest.get(..length).filter(|bytes| bytes.len() <= 8)?, self.little), length),
        };
        let value = match self.bitmask {
            Some(mask) => (value & u64::from(mask)) >> mask.trailing_zeros().min(63),
            None => value,
        };
        Some(Found { value, end: start + taken })
    }
}

fn bytes(bytes: &[u8], little: bool) -> u64 {
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    match little {
        true => bytes.iter().rev().fold(0, add),
        false => bytes.iter().fold(0, add),
    }
}

/// A number in digits as C's `strtoull` takes it: white space, a sign, `0x` before hexadecimal digits, and then the digits
/// up to what is none. Gives it and how many bytes that were; `None` without a digit, or above 64 bits.
fn digits(text: &[u8], base: Base) -> Option<(u64, usize)> {
    let radix = match base {
        Base::Decimal => 10,
        Base::Hexadecimal => 16,
        Base::Octal => 8,
    };
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let mut at = text.iter().take_while(|byte| blank(byte)).count();
    let negative = text.get(at) == Some(&b'-');
    at += usize::from(matches!(text.get(at), Some(b'-' | b'+')));
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(radix));
    let prefixed = text.get(at..).is_some_and(|rest| rest.starts_with(b"0x") || rest.starts_with(b"0X"));
    if radix == 16 && prefixed && digit(at + 2).is_some() {
        at += 2;
    }
    let first = at;
    let mut value = 0u64;
    while let Some(digit) = digit(at) {
        value = value.checked_mul(radix.into())?.checked_add(digit.into())?;
        at += 1;
    }
    (at > first).then_some((if negative { value.wrapping_neg() } else { value }, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_c_reads_them() {
        for (text, base, expected) in [
            ("123abc", Base::Decimal, Some((123, 3))),
            ("  42", Base::Decimal, Some((42, 4))),
            ("-1", Base::Decimal, Some((u64::MAX, 2))),
            ("+7 ", Base::Decimal, Some((7, 2))),
            ("abc", Base::Decimal, None),
            ("", Base::Decimal, None),
            ("0x1F", Base::Hexadecimal, Some((31, 4))),
            ("1fg", Base::Hexadecimal, Some((31, 2))),
            ("0xg", Base::Hexadecimal, Some((0, 1))),
            ("0778", Base::Octal, Some((63, 3))),
            ("18446744073709551615", Base::Decimal, Some((u64::MAX, 20))),
            ("18446744073709551616", Base::Decimal, None),
        ] {
            assert_eq!(digits(text.as_bytes(), base), expected, "{text}");
        }
    }

    #[test]
    fn bytes_are_read_from_either_end() {
        assert_eq!((bytes(&[1, 2, 3], false), bytes(&[1, 2, 3], true)), (0x01_0203, 0x03_0201));
        assert_eq!(bytes(&[0xff; 8], false), u64::MAX);
    }
}
