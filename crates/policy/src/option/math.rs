//! `byte_math` and `base64_decode`: what is made of bytes in a buffer.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::bytes::{ByteField, REACH};
use crate::option::draft::Names;
use crate::option::field::{Amount, Field};
use crate::option::raw::RawOption;

/// `byte_math`: what a number in the buffer and another make gets a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ByteMath {
    /// The number.
    pub field: ByteField,
    /// What is done to it.
    pub operation: MathOperation,
    /// With what.
    pub value: Amount,
    /// The result's name.
    pub name: String,
}

/// What `byte_math` does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MathOperation {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
}

/// `base64_decode`: base64 in the buffer is decoded into `base64_data`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Base64Decode {
    /// How many bytes to decode; all if `None`.
    pub bytes: Option<u32>,
    /// Where it starts.
    pub offset: u32,
    /// Counted from the last match's end.
    pub relative: bool,
}

const OPERATIONS: [(&str, MathOperation); 6] = [
    ("+", MathOperation::Add),
    ("-", MathOperation::Subtract),
    ("*", MathOperation::Multiply),
    ("/", MathOperation::Divide),
    ("<<", MathOperation::ShiftLeft),
    (">>", MathOperation::ShiftRight),
];

impl ByteMath {
    /// Reads `bytes N, offset N, oper O, rvalue N, result name[, …]`, in any order.
    pub(crate) fn parse(option: &RawOption<'_>, names: &mut Names) -> Result<Self, Fault> {
        let expected = "`bytes N, offset N, oper O, rvalue N, result name`";
        let (mut bytes, mut offset, mut operation, mut value, mut result) = (None, None, None, None, None);
        let mut field = ByteField::new(Amount::Fixed(0), Amount::Fixed(0));
        for word in Field::list(option, expected)? {
            let Some(word) = field.take(word)? else { continue };
            match word.word() {
                ("bytes", rest) => bytes = Some(names.amount(rest, 1..=10)?),
                ("offset", rest) => offset = Some(names.amount(rest, -REACH..=REACH)?),
                ("oper", rest) => operation = Some(rest.choice(&OPERATIONS, "one of + - * / << >>")?),
                ("rvalue", rest) => value = Some(names.amount(rest, 0..=i64::from(u32::MAX))?),
                ("result", rest) => result = Some(rest),
                _ => return Err(word.wrong("a word of byte_math")),
            }
        }
        let (Some(bytes), Some(offset), Some(operation), Some(value), Some(result)) =
            (bytes, offset, operation, value, result)
        else {
            return Err(option.wrong(expected));
        };
        if operation == MathOperation::Divide && value == Amount::Fixed(0) {
            return Err(Fault::new(option.value_at, Why::Conflict("the division is by zero")));
        }
        (field.bytes, field.offset) = (bytes, offset);
        field.check(option.value_at)?;
        Ok(Self { field, operation, value, name: names.define(result)? })
    }
}

impl fmt::Display for ByteMath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATIONS.iter().find(|(_, known)| *known == self.operation).map_or("", |(sign, _)| sign);
        let Self { field, value, name, .. } = self;
        let ByteField { bytes, offset, .. } = field;
        write!(f, "byte_math:bytes {bytes},offset {offset},oper {sign},rvalue {value},result {name}{field};")
    }
}

impl Base64Decode {
    /// Reads `[bytes N, offset N, relative]`.
    pub(crate) fn parse(option: &RawOption<'_>) -> Result<Self, Fault> {
        let expected = "`bytes N`, `offset N` or `relative`";
        let mut decode = Self { bytes: None, offset: 0, relative: false };
        if option.value.is_none() {
            return Ok(decode);
        }
        let number = |field: Field<'_>, lowest: u64| {
            let number = field.number(lowest..=u16::MAX.into(), "a number up to 65535")?;
            u32::try_from(number).map_err(|_| field.wrong("a number up to 65535"))
        };
        for field in Field::list(option, expected)? {
            match field.word() {
                ("bytes", rest) => decode.bytes = Some(number(rest, 1)?),
                ("offset", rest) => decode.offset = number(rest, 0)?,
                ("relative", _) => decode.relative = true,
                _ => return Err(field.wrong(expected)),
            }
        }
        Ok(decode)
    }
}

impl fmt::Display for Base64Decode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64_decode:")?;
        if let Some(bytes) = self.bytes {
            write!(f, "bytes {bytes},")?;
        }
        write!(f, "offset {}{};", self.offset, if self.relative { ",relative" } else { "" })
    }
}
