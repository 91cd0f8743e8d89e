//! Why a rule was refused, and where: one value per refused rule, made to be read by the operator who wrote it.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Longest piece of a rule that a message quotes, in characters.
const QUOTED_MAX: usize = 64;

/// What is wrong with a rule. The values quoted are clipped and free of control characters.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Why {
    /// The first word is no action.
    #[error("unknown action `{0}`")]
    Action(String),
    /// The second word is no protocol.
    #[error("unknown protocol `{0}`")]
    Protocol(String),
    /// Known to the language, but not judged by this appliance: loading it would be weaker than what it says.
    #[error("{0} is not supported yet")]
    Unsupported(String),
    /// The rule ends before the part named.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Something else stands where the part named was due.
    #[error("expected {expected}, found `{found}`")]
    Expected {
        /// What was due.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Neither an address, a prefix, nor a range of addresses.
    #[error("`{0}` is not an address, a prefix or a range of addresses")]
    Address(String),
    /// Neither a port nor a range of ports.
    #[error("`{0}` is not a port (0 to 65535) or a range of ports")]
    Port(String),
    /// The low end is above the high end.
    #[error("the range `{0}` runs backwards")]
    Backwards(String),
    /// No such variable in the settings.
    #[error("variable `${0}` is not defined")]
    Undefined(String),
    /// A variable that needs itself.
    #[error("variable `${0}` is defined by itself")]
    Cyclic(String),
    /// A variable whose own text is wrong.
    #[error("variable `${name}` cannot be used: {why}")]
    Variable {
        /// The variable, without the dollar sign.
        name: String,
        /// What is wrong with its text.
        why: Box<Self>,
    },
    /// Nothing can ever be in this list, so the rule could never match.
    #[error("`{0}` is empty: it excludes everything it includes")]
    Empty(String),
    /// More than a bound of the language allows; the bound is given.
    #[error("{what} exceed the limit of {limit}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// No option of that name.
    #[error("unknown keyword `{0}`")]
    Keyword(String),
    /// The option's value is not what the keyword takes.
    #[error("`{value}` is not {expected}")]
    Value {
        /// The value as written.
        value: String,
        /// What the keyword takes.
        expected: &'static str,
    },
    /// The keyword needs a value and has none.
    #[error("a value is missing: {0}")]
    NoValue(&'static str),
    /// The keyword stands alone and got a value.
    #[error("the keyword takes no value, `{0}` given")]
    NeedlessValue(String),
    /// The keyword may stand once in a rule.
    #[error("given twice")]
    Twice,
    /// The options of a rule contradict each other or stand in the wrong order.
    #[error("{0}")]
    Conflict(&'static str),
    /// The rule was written for another reader: it is left out and not refused.
    #[error("it requires `{0}`")]
    Unmet(String),
    /// An equal signature id was loaded before.
    #[error("sid {sid} is already taken at {at}")]
    Duplicate {
        /// The signature id.
        sid: u32,
        /// Where the first rule stands.
        at: Place,
    },
}

/// A place in a rule file; lines and columns (in bytes) count from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file's name, as it was given.
    pub file: Arc<str>,
    /// The line.
    pub line: usize,
    /// The column, in bytes.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A rule that was not loaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Where the trouble is.
    pub place: Place,
    /// The rule's signature id, if it could be read.
    pub sid: Option<u32>,
    /// The option at fault; `None` for the header.
    pub option: Option<String>,
    /// What is wrong.
    pub why: Why,
    /// What the operator may have meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(sid) = self.sid {
            write!(f, "sid {sid}: ")?;
        }
        if let Some(option) = &self.option {
            write!(f, "option `{option}`: ")?;
        }
        write!(f, "{}", self.why)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// A trouble inside one rule's text, before it is known which line that is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    /// Offset in the rule's joined text.
    pub(crate) at: usize,
    pub(crate) option: Option<String>,
    pub(crate) why: Why,
    pub(crate) suggestion: Option<String>,
}

impl Fault {
    pub(crate) fn new(at: usize, why: Why) -> Self {
        Self { at, option: None, why, suggestion: None }
    }

    pub(crate) fn suggest(self, suggestion: Option<String>) -> Self {
        Self { suggestion, ..self }
    }

    pub(crate) fn option(self, option: &str) -> Self {
        Self { option: Some(option.to_owned()), ..self }
    }
}

/// A piece of a rule as a message may show it.
pub(crate) fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..4 * QUOTED_MAX).unwrap_or(text));
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().map(clean).take(QUOTED_MAX).collect();
    if text.chars().nth(QUOTED_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// "did you mean", for the candidate nearest to `word`, if one is near enough to be a slip of the hand.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if word.len() > QUOTED_MAX {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let allowed = ((word.len() + 1) / 3).min(3);
    let near =
        candidates.into_iter().map(|name| (distance(&word, &name.to_ascii_lowercase()), name)).min()?;
    (near.0 <= allowed).then(|| format!("did you mean `{}`?", near.1))
}

/// Edit distance with adjacent letters swapped counting once (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut before: Vec<usize> = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut now = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let mut cost =
                (last[column] + usize::from(a != b)).min(last[column + 1] + 1).min(now[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                cost = cost.min(before[column - 1] + 1);
            }
            now.push(cost);
        }
        before = std::mem::replace(&mut last, now);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest, quoted};

    #[test]
    fn one_slip_of_the_hand_is_one_step() {
        for slip in ["msgs", "mg", "mag", "mgs"] {
            assert_eq!(distance("msg", slip), 1, "{slip}");
        }
    }

    #[test]
    fn far_words_are_not_suggested() {
        assert_eq!(nearest("flwo", ["flow", "sid"]), Some("did you mean `flow`?".to_owned()));
        assert_eq!(nearest("banana", ["flow", "sid"]), None);
    }

    #[test]
    fn what_a_message_quotes_is_short_and_printable() {
        assert_eq!(quoted(b"a\x1b[31mb"), "a\u{fffd}[31mb");
        assert_eq!(quoted(&[b'x'; 1 << 20]).chars().count(), 65);
    }
}
