use super::fault::{Fault, Service};
use super::form::Form;
use crate::state::Tags;

/// The `Filter.N` of a describe call: an item passes if for every filter one of its values matches one of the filter's.
#[derive(Debug)]
pub(crate) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads the filters; `known` are the names this call has, beside `tag:KEY` and `tag-key`.
    ///
    /// # Errors
    /// `InvalidParameterValue` names a filter that the call does not have.
    pub(crate) fn of(form: &Form, known: &[&str]) -> Result<Self, Fault> {
        let mut filters = Vec::new();
        for filter in form.items("Filter") {
            let name = filter.required("Name")?.to_owned();
            if !known.contains(&name.as_str()) && !name.starts_with("tag:") && name != "tag-key" {
                return Err(Fault::new("InvalidParameterValue", format!("The filter '{name}' is invalid")));
            }
            let values: Vec<String> = filter.list("Value").into_iter().map(str::to_owned).collect();
            if values.is_empty() {
                return Err(Fault::missing(Service::Ec2, &format!("Filter.Value of '{name}'")));
            }
            filters.push((name, values));
        }
        Ok(Self(filters))
    }

    /// Whether an item passes whose values for a filter are what `values` gives, and whose tags are `tags`.
    pub(crate) fn pass(&self, tags: &Tags, values: impl Fn(&str) -> Vec<String>) -> bool {
        self.0.iter().all(|(name, patterns)| {
            let own: Vec<String> = if let Some(key) = name.strip_prefix("tag:") {
                tags.get(key).cloned().into_iter().collect()
            } else if name == "tag-key" {
                tags.keys().cloned().collect()
            } else {
                values(name)
            };
            own.iter().any(|v| patterns.iter().any(|p| matches(p, v)))
        })
    }
}

/// One value for a filter.
pub(crate) fn one(value: impl ToString) -> Vec<String> {
    vec![value.to_string()]
}

/// Whether `text` is what `pattern` says: `*` any characters, `?` one, `\` takes the next as it stands.
fn matches(pattern: &str, text: &str) -> bool {
    enum Part {
        Any,
        One,
        Just(char),
    }
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Just(chars.next().unwrap_or('\\')),
            c => Part::Just(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    // Greedy with one point of return: at worst length of pattern times length of text.
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < text.len() {
        match parts.get(p) {
            Some(Part::Any) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Part::One) => (p, t) = (p + 1, t + 1),
            Some(Part::Just(c)) if text.get(t) == Some(c) => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                (p, t) = (star + 1, from + 1);
            }
        }
    }
    parts.iter().skip(p).all(|part| matches!(part, Part::Any))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, text, is) in [
            ("vpc-*", "vpc-1", true),
            ("*-rtb", "gateway-rtb", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*a*b*", "xxaxxbxx", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }
}
