//! The options of a rule as text: `(keyword; keyword:value; …)` cut at its semicolons, nothing understood yet.
//!
//! A semicolon ends an option unless a backslash stands directly before it, inside quotes or not: that is how the
//! reference cuts, and patterns are written with it in mind.

use crate::fault::{Fault, Why, quoted};

/// How many options one rule may have.
const OPTIONS_MAX: usize = 512;

/// One option as text. Offsets are those of the rule's text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RawOption<'a> {
    /// Where the keyword starts.
    pub(crate) at: usize,
    /// The keyword as written.
    pub(crate) keyword: &'a [u8],
    /// Where the value starts; after the keyword if there is none.
    pub(crate) value_at: usize,
    /// What follows the colon, white space at the ends left out.
    pub(crate) value: Option<&'a [u8]>,
}

impl<'a> RawOption<'a> {
    /// The keyword as text.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(self.keyword).into_owned()
    }

    /// The value of a keyword that needs one.
    pub(crate) fn needed(&self, expected: &'static str) -> Result<&'a [u8], Fault> {
        match self.value {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(Fault::new(self.value_at, Why::NoValue(expected))),
        }
    }

    /// That the keyword stands alone.
    pub(crate) fn alone(&self) -> Result<(), Fault> {
        match self.value {
            None => Ok(()),
            Some(value) => Err(Fault::new(self.value_at, Why::NeedlessValue(quoted(value)))),
        }
    }

    /// A whole number as the value.
    pub(crate) fn number(&self, expected: &'static str) -> Result<u32, Fault> {
        let value = self.needed(expected)?;
        let digits =
            std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|text| text.parse().ok()).ok_or_else(|| self.wrong(expected))
    }

    /// The value between double quotes.
    pub(crate) fn in_quotes(&self, expected: &'static str) -> Result<&'a [u8], Fault> {
        let value = self.needed(expected)?;
        let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        inner.ok_or_else(|| {
            let opened = value.starts_with(b"\"");
            let hint = "a semicolon inside quotes is written `\\;`, or `|3b|` in a pattern".to_owned();
            self.wrong(expected).suggest(opened.then_some(hint))
        })
    }

    /// The fault that the value is not what the keyword takes.
    pub(crate) fn wrong(&self, expected: &'static str) -> Fault {
        Fault::new(self.value_at, Why::Value { value: quoted(self.value.unwrap_or_default()), expected })
    }
}

/// The options of a rule's text, from the parenthesis at `open` on, and what ended the reading early.
pub(crate) fn options(text: &[u8], open: usize) -> (Vec<RawOption<'_>>, Option<Fault>) {
    let mut found = Vec::new();
    if text.get(open) != Some(&b'(') {
        let rest = text.get(open..).unwrap_or_default();
        let why = match rest.is_empty() {
            true => Why::Missing("the options in parentheses"),
            false => Why::Expected { expected: "`(` and the options", found: quoted(rest) },
        };
        return (found, Some(Fault::new(open, why)));
    }
    let mut at = open + 1;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += rest.len() - rest.trim_ascii_start().len();
        let rest = rest.trim_ascii_start();
        if rest.trim_ascii_end() == b")" {
            return (found, None);
        }
        let Some(end) = end_of_option(rest) else {
            return (found, Some(unended(rest, at)));
        };
        if found.len() == OPTIONS_MAX {
            let why = Why::TooMuch { what: "the options of a rule", limit: OPTIONS_MAX };
            return (found, Some(Fault::new(at, why)));
        }
        let option = rest.get(..end).unwrap_or_default();
        if !option.is_empty() {
            found.push(split(option, at));
        }
        at += end + 1;
    }
}

fn end_of_option(rest: &[u8]) -> Option<usize> {
    (0..rest.len()).find(|at| rest[*at] == b';' && (*at == 0 || rest[*at - 1] != b'\\'))
}

fn unended(rest: &[u8], at: usize) -> Fault {
    if rest.is_empty() {
        return Fault::new(at, Why::Missing("`)` at the end"));
    }
    let end = rest.trim_ascii_end();
    let why = match end.strip_suffix(b")") {
        Some(_) => Why::Missing("`;` after the last option"),
        None => Why::Missing("`;` and `)` at the end"),
    };
    Fault::new(at + end.len(), why)
}

fn split(option: &[u8], at: usize) -> RawOption<'_> {
    let colon = option.iter().position(|byte| *byte == b':');
    let keyword = option.get(..colon.unwrap_or(option.len())).unwrap_or_default().trim_ascii_end();
    let Some(colon) = colon else {
        return RawOption { at, keyword, value_at: at + keyword.len(), value: None };
    };
    let value = option.get(colon + 1..).unwrap_or_default();
    let indent = value.len() - value.trim_ascii_start().len();
    RawOption { at, keyword, value_at: at + colon + 1 + indent, value: Some(value.trim_ascii()) }
}

#[cfg(test)]
mod tests {
    use super::options;

    fn cut(text: &str) -> Vec<(String, Option<String>)> {
        let (found, fault) = options(text.as_bytes(), 0);
        assert_eq!(fault, None, "{text}");
        let value = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        found.iter().map(|option| (option.name(), option.value.map(value))).collect()
    }

    #[test]
    fn options_are_cut_at_semicolons_that_no_backslash_escapes() {
        let all = cut(r#"( msg : "a\;b" ;nocase;; pcre:"/x:y/" ; ) "#);
        let expected = [("msg", Some(r#""a\;b""#)), ("nocase", None), ("pcre", Some(r#""/x:y/""#))];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))));
    }

    #[test]
    fn offsets_lead_back_to_the_text() {
        let text = b"( sid : 12 ;)";
        let (found, _) = options(text, 0);
        assert_eq!((found[0].at, found[0].value_at), (2, 8));
    }

    #[test]
    fn an_end_that_is_missing_is_named() {
        for (text, expected) in [
            ("(sid:1;", "`)` at the end is missing"),
            ("(sid:1)", "`;` after the last option is missing"),
            ("(sid:1", "`;` and `)` at the end is missing"),
            ("sid:1;", "expected `(` and the options, found `sid:1;`"),
            ("", "the options in parentheses is missing"),
        ] {
            let (_, fault) = options(text.as_bytes(), 0);
            assert_eq!(fault.map(|fault| fault.why.to_string()), Some(expected.to_owned()), "{text}");
        }
    }
}
