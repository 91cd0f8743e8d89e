//! The smallest list that allows some names, and not much more.

use std::collections::{BTreeMap, BTreeSet};

use policy::Domain;

/// The entries that allow these names. Where `collapse` or more entries stand below one domain, that domain and all that is
/// below it takes their place, the narrowest that does; none is wider than what somebody registered under a public suffix
/// (publicsuffix.org).
#[must_use]
pub fn allow_list(names: &BTreeSet<Domain>, collapse: usize) -> Vec<Domain> {
    let mut entries = names.clone();
    let deepest = names.iter().map(|name| labels(base(name))).max().unwrap_or(0);
    for depth in (2..=deepest).rev() {
        let mut below: BTreeMap<String, Vec<Domain>> = BTreeMap::new();
        for entry in &entries {
            let Some(parent) = suffix(base(entry), depth) else { continue };
            let registered = psl::domain_str(base(entry)).map(labels);
            if registered.is_some_and(|registered| registered <= depth) {
                below.entry(parent.to_owned()).or_default().push(entry.clone());
            }
        }
        for (parent, members) in below {
            // What stands for all below it already is no reason to be wider.
            let collapsed = members.len() >= collapse.max(2);
            if let (true, Ok(wide)) = (collapsed, Domain::below(&parent)) {
                members.iter().for_each(|member| {
                    entries.remove(member);
                });
                entries.insert(wide);
            }
        }
    }
    entries.into_iter().collect()
}

fn base(entry: &Domain) -> &str {
    entry.as_str().trim_start_matches('.')
}

fn labels(name: &str) -> usize {
    name.split('.').count()
}

/// The last so many labels; `None` if there are fewer.
fn suffix(name: &str, depth: usize) -> Option<&str> {
    let before = labels(name).checked_sub(depth)?;
    match before {
        0 => Some(name),
        _ => name.match_indices('.').nth(before - 1).and_then(|(dot, _)| name.get(dot + 1..)),
    }
}

#[cfg(test)]
mod tests {
    use policy::Domains;
    use proptest::prelude::*;

    use super::*;

    fn of(names: &[&str]) -> Vec<String> {
        let names = names.iter().flat_map(|name| Domain::parse(name)).collect();
        allow_list(&names, 3).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_collapse_to_the_narrowest_domain_and_never_above_a_public_suffix() {
        assert_eq!(of(&["a.example.com", "b.example.com"]), ["a.example.com", "b.example.com"]);
        assert_eq!(of(&["a.example.com", "b.example.com", "c.example.com"]), [".example.com"]);
        let cdn = ["a.cdn.example.com", "b.cdn.example.com", "c.cdn.example.com", "www.example.com"];
        assert_eq!(of(&cdn), [".cdn.example.com", "www.example.com"]);
        assert_eq!(of(&["a.co.uk", "b.co.uk", "c.co.uk"]), ["a.co.uk", "b.co.uk", "c.co.uk"]);
        assert_eq!(of(&["a.github.io", "b.github.io", "c.github.io"]).len(), 3);
        assert_eq!(of(&["a", "com", "co.uk"]), ["a", "co.uk", "com"]);
    }

    proptest! {
        #[test]
        fn every_name_is_allowed_and_no_entry_is_above_a_public_suffix(
            names in prop::collection::btree_set("([a-d]\\.){0,3}(example\\.com|b\\.co\\.uk|c\\.github\\.io|com|x)", 0..30),
            collapse in 0usize..6,
        ) {
            let names: BTreeSet<Domain> = names.iter().flat_map(|name| Domain::parse(name)).collect();
            let list = allow_list(&names, collapse);
            prop_assert!(list.len() <= names.len());
            for wide in list.iter().filter(|entry| entry.as_str().starts_with('.')) {
                prop_assert!(psl::domain_str(base(wide)).is_some(), "{}", wide);
            }
            let domains: Domains = list.into_iter().collect();
            for name in &names {
                prop_assert!(domains.contains(name.as_str().as_bytes()), "{}", name);
            }
        }
    }
}
