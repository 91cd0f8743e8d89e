//! `requires`: what a rule needs of its reader. A rule whose needs are not met was not written for this one: it is left
//! out, whatever else stands in it.

use crate::fault::{Fault, Why, quoted};
use crate::option::field::Field;
use crate::option::keywords;
use crate::option::raw::RawOption;

/// The version of the reference whose language this is.
const VERSION: [u32; 3] = [8, 0, 6];

/// What the reference calls features, of those that are here.
const FEATURES: [&str; 3] = ["geoip", "ja3", "ja4"];

const EXPECTED: &str = "`version` and comparisons, `feature` or `keyword` and a name";

/// Checks that all that an option requires is here.
pub(crate) fn check(option: &RawOption<'_>) -> Result<(), Fault> {
    for need in Field::list(option, EXPECTED)? {
        let met = match (need.after("version"), need.word()) {
            (Some(alternatives), _) => version(alternatives)?,
            (None, ("feature", name)) => FEATURES.contains(&name.text),
            (None, ("keyword", name)) => keywords::is_judged(name.text),
            _ => false,
        };
        if !met {
            return Err(Fault::new(need.at, Why::Unmet(quoted(need.text.as_bytes()))));
        }
    }
    Ok(())
}

/// Whether one of several lists of comparisons holds of our version: `>= 7.0.3 < 8 | >= 8.0.3`.
fn version(alternatives: Field<'_>) -> Result<bool, Fault> {
    let mut any = false;
    for alternative in alternatives.split('|')? {
        any |= all_hold(alternative)?;
    }
    Ok(any)
}

fn all_hold(mut rest: Field<'_>) -> Result<bool, Fault> {
    let mut all = true;
    while !rest.text.is_empty() {
        let signs = rest.text.find(|c: char| !"<>=".contains(c)).unwrap_or(rest.text.len());
        let (sign, number) = rest.text.split_at(signs);
        let (number, after) = Field { at: rest.at + signs, text: number }.trimmed().word();
        let order = VERSION.cmp(&parts(number).ok_or_else(|| rest.wrong("a version such as 8.0.1"))?);
        all &= match sign {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            "=" => order.is_eq(),
            _ => return Err(rest.wrong("`<`, `<=`, `>` or `>=` and a version")),
        };
        rest = after;
    }
    Ok(all)
}

/// A version's three numbers; those left out are 0.
fn parts(text: &str) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    let mut pieces = text.split('.');
    for (nth, number) in numbers.iter_mut().enumerate() {
        match pieces.next() {
            Some(piece) => *number = piece.parse().ok()?,
            None if nth > 0 => break,
            None => return None,
        }
    }
    pieces.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(value: &str) -> Option<bool> {
        let option = RawOption { at: 0, keyword: b"requires", value_at: 0, value: Some(value.as_bytes()) };
        match check(&option) {
            Ok(()) => Some(true),
            Err(Fault { why: Why::Unmet(_), .. }) => Some(false),
            Err(_) => None,
        }
    }

    #[test]
    fn versions_features_and_keywords_are_looked_up() {
        for (value, expected) in [
            ("version >= 7.0.3 < 8 | >= 8.0.3", Some(true)),
            ("version >= 7.0.3 < 8", Some(false)),
            ("version>=8, version <9", Some(true)),
            ("version > 8.0.6", Some(false)),
            ("version <= 8.0.6", Some(true)),
            ("feature ja4", Some(true)),
            ("feature ja4, feature teleport", Some(false)),
            ("keyword http.uri", Some(true)),
            ("keyword modbus", Some(false)),
            ("foo bar", Some(false)),
            ("version ~ 8", None),
            ("version >= eight", None),
            ("", None),
        ] {
            assert_eq!(met(value), expected, "{value}");
        }
    }
}
