//! The comma-separated fields of an option's value, and the numbers in them; each knows where it stands.

use std::fmt;
use std::ops::RangeInclusive;

use crate::fault::{Fault, Why, quoted};
use crate::option::raw::RawOption;

/// How many fields one value may have.
const FIELDS_MAX: usize = 256;

/// A piece of an option's value, white space at its ends left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// Where it starts in the rule's text.
    pub(crate) at: usize,
    pub(crate) text: &'a str,
}

impl<'a> Field<'a> {
    /// The whole value of an option that needs one.
    pub(crate) fn of(option: &RawOption<'a>, expected: &'static str) -> Result<Self, Fault> {
        let value = option.needed(expected)?;
        let text = std::str::from_utf8(value).map_err(|_| option.wrong(expected))?;
        Ok(Self { at: option.value_at, text })
    }

    /// The pieces between commas.
    pub(crate) fn list(option: &RawOption<'a>, expected: &'static str) -> Result<Vec<Self>, Fault> {
        Self::of(option, expected)?.split(',')
    }

    /// The pieces between separators, none of them empty.
    pub(crate) fn split(self, separator: char) -> Result<Vec<Self>, Fault> {
        let mut fields = Vec::new();
        let mut at = self.at;
        for piece in self.text.split(separator) {
            let field = Self { at, text: piece }.trimmed();
            if field.text.is_empty() {
                return Err(Fault::new(at, Why::Missing("what stands between the separators")));
            }
            if fields.len() == FIELDS_MAX {
                return Err(Fault::new(
                    at,
                    Why::TooMuch { what: "the fields of an option", limit: FIELDS_MAX },
                ));
            }
            fields.push(field);
            at += piece.len() + separator.len_utf8();
        }
        Ok(fields)
    }

    /// The field without white space at its ends.
    pub(crate) fn trimmed(self) -> Self {
        let start = self.text.trim_ascii_start();
        Self { at: self.at + self.text.len() - start.len(), text: start.trim_ascii_end() }
    }

    /// The first word and what follows it.
    pub(crate) fn word(self) -> (&'a str, Self) {
        let end = self.text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        (word, Self { at: self.at + end, text: rest }.trimmed())
    }

    /// The field less what it starts with, if it starts with that.
    pub(crate) fn after(self, prefix: &str) -> Option<Self> {
        let text = self.text.strip_prefix(prefix)?;
        Some(Self { at: self.at + prefix.len(), text }.trimmed())
    }

    /// Whether an exclamation mark stands before the field, and the field without it.
    pub(crate) fn negation(self) -> (bool, Self) {
        match self.after("!") {
            Some(rest) => (true, rest),
            None => (false, self),
        }
    }

    /// A whole number in decimal or, after `0x`, hexadecimal digits.
    pub(crate) fn number(self, range: RangeInclusive<u64>, expected: &'static str) -> Result<u64, Fault> {
        parse_number(self.text).filter(|number| range.contains(number)).ok_or_else(|| self.wrong(expected))
    }

    /// A whole number that may be negative.
    pub(crate) fn signed(self, range: RangeInclusive<i64>, expected: &'static str) -> Result<i64, Fault> {
        let (negative, digits) = match self.text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, self.text.strip_prefix('+').unwrap_or(self.text)),
        };
        let number = parse_number(digits).and_then(|number| i64::try_from(number).ok());
        let number = number.map(|number| if negative { -number } else { number });
        number.filter(|number| range.contains(number)).ok_or_else(|| self.wrong(expected))
    }

    /// A name made of letters, digits, and the marks that names hold.
    pub(crate) fn name(self, expected: &'static str) -> Result<String, Fault> {
        let printable = |byte: u8| byte.is_ascii_graphic() && !b"\"';".contains(&byte);
        match !self.text.is_empty() && self.text.len() <= 255 && self.text.bytes().all(printable) {
            true => Ok(self.text.to_owned()),
            false => Err(self.wrong(expected)),
        }
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        self,
        words: &[(&'static str, T)],
        expected: &'static str,
    ) -> Result<T, Fault> {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(self.text));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let suggestion = crate::fault::nearest(self.text, words.iter().map(|(word, _)| *word));
            self.wrong(expected).suggest(suggestion)
        })
    }

    /// The fault that this field is not what was due.
    pub(crate) fn wrong(self, expected: &'static str) -> Fault {
        Fault::new(self.at, Why::Value { value: quoted(self.text.as_bytes()), expected })
    }
}

fn parse_number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, radix).ok())?
}

/// A number that a rule compares with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `5` or `=5`.
    Equal(u64),
    /// `!5` or `!=5`.
    Not(u64),
    /// `<5`.
    Less(u64),
    /// `<=5`.
    LessOrEqual(u64),
    /// `>5`.
    Greater(u64),
    /// `>=5`.
    GreaterOrEqual(u64),
    /// `5<>10` or `5-10`: above the one and below the other.
    Between(u64, u64),
}

impl Comparison {
    /// Whether a value passes.
    #[must_use]
    pub fn holds(self, value: u64) -> bool {
        match self {
            Self::Equal(other) => value == other,
            Self::Not(other) => value != other,
            Self::Less(other) => value < other,
            Self::LessOrEqual(other) => value <= other,
            Self::Greater(other) => value > other,
            Self::GreaterOrEqual(other) => value >= other,
            Self::Between(low, high) => low < value && value < high,
        }
    }

    /// Reads a comparison with numbers up to `highest`.
    pub(crate) fn parse(field: Field<'_>, highest: u64, expected: &'static str) -> Result<Self, Fault> {
        type Make = fn(u64) -> Comparison;
        let signs: [(&str, Make); 7] = [
            ("<=", Self::LessOrEqual),
            (">=", Self::GreaterOrEqual),
            ("!=", Self::Not),
            ("<", Self::Less),
            (">", Self::Greater),
            ("!", Self::Not),
            ("=", Self::Equal),
        ];
        for (sign, make) in signs {
            if let Some(rest) = field.after(sign) {
                return rest.number(0..=highest, expected).map(make);
            }
        }
        let ends = field.text.split_once("<>").or_else(|| field.text.split_once('-'));
        let Some((low, high)) = ends else {
            return field.number(0..=highest, expected).map(Self::Equal);
        };
        let end = |text: &str| parse_number(text.trim_ascii()).filter(|number| *number <= highest);
        match (end(low), end(high)) {
            (Some(low), Some(high)) if low < high && high - low > 1 => Ok(Self::Between(low, high)),
            (Some(_), Some(_)) => {
                let hint =
                    "the ends are not part of the range, so something must fit between them".to_owned();
                Err(field.wrong(expected).suggest(Some(hint)))
            }
            _ => Err(field.wrong(expected)),
        }
    }

    /// Whether some value up to `highest` passes.
    #[must_use]
    pub fn possible(self, highest: u64) -> bool {
        match self {
            Self::Less(other) => other > 0,
            Self::Greater(other) => other < highest,
            _ => true,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(value) => write!(f, "{value}"),
            Self::Not(value) => write!(f, "!{value}"),
            Self::Less(value) => write!(f, "<{value}"),
            Self::LessOrEqual(value) => write!(f, "<={value}"),
            Self::Greater(value) => write!(f, ">{value}"),
            Self::GreaterOrEqual(value) => write!(f, ">={value}"),
            Self::Between(low, high) => write!(f, "{low}<>{high}"),
        }
    }
}

/// A number written out, or one that an earlier option of the rule takes from the packet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Amount {
    /// The number itself.
    Fixed(i64),
    /// The name that `byte_extract` or `byte_math` gave it.
    Variable(String),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(number) => number.fmt(f),
            Self::Variable(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Comparison, Field};

    fn parse(text: &str) -> Option<Comparison> {
        Comparison::parse(Field { at: 0, text }, 1000, "a number").ok()
    }

    #[test]
    fn comparisons_read_as_the_language_writes_them() {
        for (text, expected) in [
            ("5", Some(Comparison::Equal(5))),
            ("= 5", Some(Comparison::Equal(5))),
            ("!= 0x1f", Some(Comparison::Not(31))),
            ("<= 8", Some(Comparison::LessOrEqual(8))),
            ("5<>10", Some(Comparison::Between(5, 10))),
            ("5 - 10", Some(Comparison::Between(5, 10))),
            ("5<>6", None),
            ("10<>5", None),
            ("1001", None),
            ("-1", None),
            ("+1", None),
            ("0x", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn the_ends_of_a_range_are_not_in_it() {
        let between = Comparison::Between(5, 8);
        assert_eq!((5..9).filter(|value| between.holds(*value)).collect::<Vec<_>>(), [6, 7]);
    }

    proptest! {
        #[test]
        fn a_comparison_prints_as_it_reads(kind in 0usize..7, low in 0u64..900, more in 2u64..100) {
            let all = [
                Comparison::Equal(low), Comparison::Not(low), Comparison::Less(low), Comparison::LessOrEqual(low),
                Comparison::Greater(low), Comparison::GreaterOrEqual(low), Comparison::Between(low, low + more),
            ];
            prop_assert_eq!(parse(&all[kind].to_string()), Some(all[kind]));
        }
    }
}
