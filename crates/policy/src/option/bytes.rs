//! `byte_test`, `byte_jump`, `byte_extract`: numbers read from a buffer.

use std::fmt;

use crate::fault::{Fault, Why};
use crate::option::draft::Names;
use crate::option::field::{Amount, Field};
use crate::option::raw::RawOption;

/// Farthest place that these options may name, in bytes; that no packet has it is no mistake to the reference.
pub(crate) const REACH: i64 = i32::MAX as i64;

/// A number in a buffer: where it stands and how it is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ByteField {
    /// How many bytes or digits it has; 0 digits are as many as there are.
    pub bytes: Amount,
    /// Where it starts, from the buffer's start or the last match's end.
    pub offset: Amount,
    /// Counted from the last match's end.
    pub relative: bool,
    /// Lowest byte first.
    pub little: bool,
    /// Written in digits of that base instead of bytes.
    pub string: Option<Base>,
    /// The byte order is what the DCE/RPC header says.
    pub dce: bool,
    /// Bits that count; the result is shifted right until the mask's lowest bit is the lowest.
    pub bitmask: Option<u32>,
}

/// The base of a number written in digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Base {
    /// Ten.
    Decimal,
    /// Sixteen.
    Hexadecimal,
    /// Eight.
    Octal,
}

/// How `byte_test` compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`
    Equal,
    /// `&`: some bit is in both.
    And,
    /// `^`: some bit is in one alone.
    Xor,
}

/// `byte_test`: a number in the buffer compares so with a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ByteTest {
    /// The number.
    pub field: ByteField,
    /// `!`: it must not compare so.
    pub negated: bool,
    /// How it compares.
    pub operator: Operator,
    /// With what.
    pub value: Amount,
}

/// `byte_jump`: what follows is looked for as far on as a number in the buffer says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ByteJump {
    /// The number.
    pub field: ByteField,
    /// What it is multiplied with.
    pub multiplier: u32,
    /// Rounded up to a multiple of four.
    pub align: bool,
    /// Counted from where.
    pub from: JumpFrom,
    /// Added at last.
    pub post_offset: i32,
}

/// Where a jump counts from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JumpFrom {
    /// The end of the number.
    Here,
    /// The buffer's start.
    Beginning,
    /// The buffer's end.
    End,
}

/// `byte_extract`: a number in the buffer gets a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ByteExtract {
    /// The number.
    pub field: ByteField,
    /// Its name.
    pub name: String,
    /// What it is multiplied with.
    pub multiplier: u32,
    /// What it is rounded up to a multiple of, 2 or 4.
    pub align: Option<u8>,
}

const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
    ("&", Operator::And),
    ("^", Operator::Xor),
];

const BASES: [(&str, Base); 3] = [("dec", Base::Decimal), ("hex", Base::Hexadecimal), ("oct", Base::Octal)];

impl ByteField {
    pub(crate) fn new(bytes: Amount, offset: Amount) -> Self {
        Self { bytes, offset, relative: false, little: false, string: None, dce: false, bitmask: None }
    }

    /// Takes one of the words that say how the number is written; gives back what is none of them.
    pub(crate) fn take<'a>(&mut self, field: Field<'a>) -> Result<Option<Field<'a>>, Fault> {
        match field.word() {
            ("relative", _) => self.relative = true,
            ("little", _) => self.little = true,
            ("big", _) => self.little = false,
            ("dce", _) => self.dce = true,
            ("string", rest) if rest.text.is_empty() => self.string = self.string.or(Some(Base::Decimal)),
            ("string", rest) => self.string = Some(rest.choice(&BASES, "dec, hex or oct")?),
            ("endian", rest) => {
                self.little = rest.choice(&[("little", true), ("big", false)], "little or big")?;
            }
            ("bitmask", rest) => {
                let expected = "a mask of up to 32 bits";
                let mask = rest.number(1..=u32::MAX.into(), expected)?;
                self.bitmask = Some(u32::try_from(mask).map_err(|_| rest.wrong(expected))?);
            }
            (word, _) => match BASES.iter().find(|(name, _)| *name == word) {
                Some((_, base)) => self.string = Some(*base),
                None => return Ok(Some(field)),
            },
        }
        Ok(None)
    }

    /// What is impossible about the number.
    pub(crate) fn check(&self, at: usize) -> Result<(), Fault> {
        let range = if self.string.is_some() { 0..=23 } else { 1..=8 };
        match &self.bytes {
            Amount::Fixed(bytes) if !range.contains(bytes) => {
                let why = Why::Conflict("a number has 1 to 8 bytes, or up to 23 digits with `string`");
                Err(Fault::new(at, why))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for ByteField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = |base: &Base| BASES.iter().find(|(_, known)| known == base).map_or("", |(name, _)| name);
        if self.relative {
            f.write_str(",relative")?;
        }
        if self.little {
            f.write_str(",little")?;
        }
        if let Some(string) = &self.string {
            write!(f, ",string,{}", base(string))?;
        }
        if self.dce {
            f.write_str(",dce")?;
        }
        match self.bitmask {
            Some(mask) => write!(f, ",bitmask {mask:#x}"),
            None => Ok(()),
        }
    }
}

impl ByteTest {
    /// Reads `bytes,[!]operator,value,offset[,…]`.
    pub(crate) fn parse(option: &RawOption<'_>, names: &Names) -> Result<Self, Fault> {
        let expected = "`bytes,[!]operator,value,offset` and words";
        let fields = Field::list(option, expected)?;
        let [bytes, operator, value, offset, words @ ..] = fields.as_slice() else {
            return Err(option.wrong(expected));
        };
        let mut field = ByteField::new(names.amount(*bytes, 0..=23)?, names.amount(*offset, -REACH..=REACH)?);
        for word in words {
            if let Some(word) = field.take(*word)? {
                return Err(word.wrong("a word of byte_test"));
            }
        }
        field.check(bytes.at)?;
        let (negated, sign) = operator.negation();
        let operator = match sign.text {
            "" if negated => Operator::Equal,
            _ => sign.choice(&OPERATORS, "one of < <= > >= = & ^")?,
        };
        let value = names.amount(*value, 0..=i64::MAX)?;
        Ok(Self { field, negated, operator, value })
    }
}

impl fmt::Display for ByteTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS.iter().find(|(_, known)| *known == self.operator).map_or("", |(sign, _)| sign);
        let not = if self.negated { "!" } else { "" };
        let Self { field, value, .. } = self;
        write!(f, "byte_test:{},{not}{sign},{value},{}{field};", field.bytes, field.offset)
    }
}

impl ByteJump {
    /// Reads `bytes,offset[,…]`.
    pub(crate) fn parse(option: &RawOption<'_>, names: &Names) -> Result<Self, Fault> {
        let expected = "`bytes,offset` and words";
        let fields = Field::list(option, expected)?;
        let [bytes, offset, words @ ..] = fields.as_slice() else {
            return Err(option.wrong(expected));
        };
        let field = ByteField::new(names.amount(*bytes, 0..=23)?, names.amount(*offset, -REACH..=REACH)?);
        let mut jump = Self { field, multiplier: 1, align: false, from: JumpFrom::Here, post_offset: 0 };
        for word in words {
            let Some(word) = jump.field.take(*word)? else { continue };
            match word.word() {
                ("align", _) => jump.align = true,
                ("from_beginning", _) => jump.from = JumpFrom::Beginning,
                ("from_end", _) => jump.from = JumpFrom::End,
                ("multiplier", rest) => jump.multiplier = multiplier(rest)?,
                ("post_offset", rest) => {
                    let expected = "a number of bytes that fits 32 bits";
                    let number = rest.signed(-REACH..=REACH, expected)?;
                    jump.post_offset = i32::try_from(number).map_err(|_| rest.wrong(expected))?;
                }
                _ => return Err(word.wrong("a word of byte_jump")),
            }
        }
        if jump.field.bytes != Amount::Fixed(0) {
            jump.field.check(bytes.at)?;
        }
        Ok(jump)
    }
}

impl fmt::Display for ByteJump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        write!(f, "byte_jump:{},{}{field}", field.bytes, field.offset)?;
        if self.multiplier != 1 {
            write!(f, ",multiplier {}", self.multiplier)?;
        }
        if self.align {
            f.write_str(",align")?;
        }
        match self.from {
            JumpFrom::Here => {}
            JumpFrom::Beginning => f.write_str(",from_beginning")?,
            JumpFrom::End => f.write_str(",from_end")?,
        }
        if self.post_offset != 0 {
            write!(f, ",post_offset {}", self.post_offset)?;
        }
        f.write_str(";")
    }
}

impl ByteExtract {
    /// Reads `bytes,offset,name[,…]`.
    pub(crate) fn parse(option: &RawOption<'_>, names: &mut Names) -> Result<Self, Fault> {
        let expected = "`bytes,offset,name` and words";
        let fields = Field::list(option, expected)?;
        let [bytes, offset, name, words @ ..] = fields.as_slice() else {
            return Err(option.wrong(expected));
        };
        let field = ByteField::new(names.amount(*bytes, 0..=23)?, names.amount(*offset, -REACH..=REACH)?);
        let mut extract = Self { field, name: names.define(*name)?, multiplier: 1, align: None };
        for word in words {
            let Some(word) = extract.field.take(*word)? else { continue };
            match word.word() {
                ("multiplier", rest) => extract.multiplier = multiplier(rest)?,
                ("align", rest) => extract.align = Some(rest.choice(&[("2", 2), ("4", 4)], "2 or 4")?),
                _ => return Err(word.wrong("a word of byte_extract")),
            }
        }
        extract.field.check(bytes.at)?;
        Ok(extract)
    }
}

impl fmt::Display for ByteExtract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, name, .. } = self;
        write!(f, "byte_extract:{},{},{name}{field}", field.bytes, field.offset)?;
        if self.multiplier != 1 {
            write!(f, ",multiplier {}", self.multiplier)?;
        }
        match self.align {
            Some(align) => write!(f, ",align {align};"),
            None => f.write_str(";"),
        }
    }
}

fn multiplier(field: Field<'_>) -> Result<u32, Fault> {
    let expected = "a multiplier from 1 to 65535";
    let number = field.number(1..=u16::MAX.into(), expected)?;
    u32::try_from(number).map_err(|_| field.wrong(expected))
}
