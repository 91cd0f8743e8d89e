use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::fault::{Fault, Service};

/// The most parameters in a request.
const MOST_PARAMETERS: usize = 2000;
/// The largest list index.
const MOST_ITEMS: usize = 1000;

/// The parameters of a request, or of one item of a list in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    service: Service,
    /// By name, lists flattened: `Targets.member.1.Id`.
    pairs: BTreeMap<String, String>,
}

impl Form {
    /// Reads a form body.
    ///
    /// # Errors
    /// `MalformedQueryString` for a name that comes twice, text that is not UTF-8 or holds control characters, or too many names.
    pub(crate) fn parse(service: Service, body: &[u8]) -> Result<Self, Fault> {
        let mut pairs = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if pairs.len() >= MOST_PARAMETERS {
                return Err(malformed(&format!("more than {MOST_PARAMETERS} parameters")));
            }
            if bad_text(&name) || bad_text(&value) {
                return Err(malformed(&format!("the parameter '{name}' is not plain UTF-8 text")));
            }
            if pairs.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(malformed(&format!("the parameter '{name}' comes twice")));
            }
        }
        Ok(Self { service, pairs })
    }

    /// Which API this was sent to.
    pub(crate) const fn service(&self) -> Service {
        self.service
    }

    /// The same parameters, read as another API's.
    pub(crate) fn of(self, service: Service) -> Self {
        Self { service, ..self }
    }

    /// Every parameter's name, with list indexes written `N`, beside its name as sent and its value.
    pub(crate) fn shapes(&self) -> impl Iterator<Item = (String, &str, &str)> {
        self.pairs.iter().map(|(name, value)| {
            let shape: Vec<&str> =
                name.split('.').map(|p| if index(p).is_some() { "N" } else { p }).collect();
            (shape.join("."), name.as_str(), value.as_str())
        })
    }

    /// A parameter's value. An empty one counts as none.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.text(name).ok_or_else(|| Fault::missing(self.service, name))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Fault::invalid(self.service, name, other, "It must be true or false.")),
        }
    }

    /// A whole number within `range`.
    pub(crate) fn number(&self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, Fault> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<u32>() {
            Ok(n) if range.contains(&n) => Ok(Some(n)),
            _ => {
                let why = format!("It must be a whole number from {} to {}.", range.start(), range.end());
                Err(Fault::invalid(self.service, name, text, &why))
            }
        }
    }

    /// One of the given words.
    pub(crate) fn word<'w>(&self, name: &str, words: &[&'w str]) -> Result<Option<&'w str>, Fault> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match words.iter().find(|w| **w == text) {
            Some(word) => Ok(Some(*word)),
            None => {
                let why = format!("The lab knows: {}.", words.join(", "));
                Err(Fault::invalid(self.service, name, text, &why))
            }
        }
    }

    /// The values `NAME.1`, `NAME.2` …, in the order of their indexes.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<(usize, &str)> =
            self.under(name).filter_map(|(rest, value)| Some((index(rest)?, value))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// The items `NAME.1.…`, `NAME.2.…` …, in the order of their indexes.
    pub(crate) fn items(&self, name: &str) -> Vec<Self> {
        let mut found: BTreeMap<usize, BTreeMap<String, String>> = BTreeMap::new();
        for (rest, value) in self.under(name) {
            if let Some((n, rest)) = rest.split_once('.')
                && let Some(n) = index(n)
            {
                found.entry(n).or_default().insert(rest.to_owned(), value.to_owned());
            }
        }
        found.into_values().map(|pairs| Self { service: self.service, pairs }).collect()
    }

    /// The parameters below `NAME.`.
    pub(crate) fn below(&self, name: &str) -> Self {
        let pairs = self.under(name).map(|(rest, value)| (rest.to_owned(), value.to_owned())).collect();
        Self { service: self.service, pairs }
    }

    /// Whether any parameter is `name` or below it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.text(name).is_some() || self.under(name).next().is_some()
    }

    fn under<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let start = format!("{name}.");
        let skip = start.len();
        self.pairs
            .range(start.clone()..)
            .take_while(move |(key, _)| key.starts_with(&start))
            .filter_map(move |(key, value)| Some((key.get(skip..)?, value.as_str())))
    }
}

fn malformed(why: &str) -> Fault {
    Fault::new("MalformedQueryString", format!("The request body cannot be read: {why}"))
}

fn bad_text(text: &str) -> bool {
    text.chars().any(|c| c == '\u{fffd}' || (c.is_control() && !matches!(c, '\t' | '\n' | '\r')))
}

/// A list index as AWS writes it: 1, 2 …, no leading zero.
fn index(text: &str) -> Option<usize> {
    let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| plain && (1..=MOST_ITEMS).contains(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Form {
        Form::parse(Service::Ec2, body.as_bytes()).unwrap()
    }

    #[test]
    fn lists_come_in_the_order_of_their_indexes() {
        assert_eq!(form("A.10=j&A.2=b&A.1=a").list("A"), ["a", "b", "j"]);
    }

    #[test]
    fn items_keep_their_own_parameters() {
        let form = form("Filter.1.Name=vpc-id&Filter.1.Value.1=v&Filter.1.Value.2=w&Filter.2.Name=state");
        let filters = form.items("Filter");
        assert_eq!(filters[0].list("Value"), ["v", "w"]);
        assert_eq!(filters[1].text("Name"), Some("state"));
    }

    #[test]
    fn a_name_that_comes_twice_is_refused() {
        assert_eq!(Form::parse(Service::Elb, b"A=1&A=2").unwrap_err().code, "MalformedQueryString");
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        assert_eq!(Form::parse(Service::Elb, b"A=%ff").unwrap_err().code, "MalformedQueryString");
    }

    #[test]
    fn numbers_out_of_range_are_refused_by_name_and_value() {
        let fault = form("Port=70000").number("Port", 1..=65535).unwrap_err();
        assert!(fault.message.contains("70000") && fault.message.contains("port"), "{}", fault.message);
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_read_or_refused(body: Vec<u8>) {
            if let Ok(form) = Form::parse(Service::Ec2, &body) {
                let _ = form.shapes().count();
                let _ = form.items("Filter");
            }
        }
    }
}
