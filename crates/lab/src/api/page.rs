use super::fault::{Fault, Service};
use super::form::Form;
use super::xml::Xml;

/// Writes the part of `items` that the request's page asks for, and the token of the next one.
///
/// Each item comes with its key, in the order of keys; a page ends with a key and the next begins after it, so that what
/// was made or deleted in between neither shifts nor repeats the rest.
///
/// # Errors
/// A page size out of range, or a token that no page ended with.
pub(crate) fn page<T>(
    form: &Form,
    out: &mut Xml,
    set: &str,
    mut items: Vec<(String, T)>,
    mut each: impl FnMut(&mut Xml, T),
) -> Result<(), Fault> {
    let (size, token, next, item) = match form.service() {
        Service::Elb => (form.number("PageSize", 1..=400)?, "Marker", "NextMarker", "member"),
        Service::Ec2 => (form.number("MaxResults", 5..=1000)?, "NextToken", "nextToken", "item"),
    };
    if let Some(text) = form.text(token) {
        let after = decode(text)
            .ok_or_else(|| Fault::invalid(form.service(), token, text, "It is not a token of this lab."))?;
        items.retain(|(key, _)| *key > after);
    }
    let size = size.map_or(items.len(), |n| n as usize);
    let more = items.len() > size;
    items.truncate(size);
    let last = items.last().map(|(key, _)| key.clone());
    out.list(set, item, items, |x, (_, i)| each(x, i));
    if let (true, Some(last)) = (more, last) {
        out.text(next, encode(&last));
    }
    Ok(())
}

fn encode(key: &str) -> String {
    key.bytes().map(|b| format!("{b:02x}")).collect()
}

fn decode(token: &str) -> Option<String> {
    let digits: Vec<u8> =
        token.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str, items: &[&str]) -> Result<String, Fault> {
        let form = Form::parse(Service::Ec2, query.as_bytes()).unwrap();
        let items = items.iter().map(|i| ((*i).to_owned(), *i)).collect();
        let mut out = Xml::default();
        page(&form, &mut out, "s", items, |x, i| x.escaped(i))?;
        Ok(Xml::document("a", None, |x| x.append(&out)))
    }

    #[test]
    fn pages_join_to_the_whole_even_when_the_last_item_seen_is_gone() {
        let first = ask("MaxResults=5", &["a", "b", "c", "d", "e", "f"]).unwrap();
        assert!(first.contains("<item>e</item></s><nextToken>65</nextToken>"), "{first}");
        let second = ask("MaxResults=5&NextToken=65", &["a", "b", "f"]).unwrap();
        assert!(second.contains("<s><item>f</item></s></a>"), "{second}");
    }

    #[test]
    fn a_foreign_token_is_refused() {
        assert_eq!(ask("NextToken=zz", &[]).unwrap_err().code, "InvalidParameterValue");
    }
}
