//! Domains, held against asking every entry in turn.

use policy::{Domain, DomainList, Domains, Why};
use proptest::prelude::*;

fn set(entries: &[&str]) -> Domains {
    entries.iter().flat_map(|entry| Domain::parse(entry)).collect()
}

#[test]
fn a_name_stands_for_itself_and_with_a_dot_before_it_for_what_is_below_it_too() {
    let domains = set(&[".example.com", "www.example.org", ".co.uk"]);
    for (name, entry) in [
        ("example.com", Some(".example.com")),
        ("a.b.example.com", Some(".example.com")),
        ("EXAMPLE.com.", Some(".example.com")),
        ("evilexample.com", None),
        ("example.com.evil.net", None),
        ("www.example.org", Some("www.example.org")),
        ("WWW.example.ORG.", Some("www.example.org")),
        ("a.www.example.org", None),
        ("example.org", None),
        ("bbc.co.uk", Some(".co.uk")),
        ("uk", None),
        ("com", None),
        ("", None),
        (".", None),
        ("..", None),
    ] {
        assert_eq!(domains.find(name.as_bytes()), entry, "{name}");
        assert_eq!(domains.contains(name.as_bytes()), entry.is_some(), "{name}");
    }
}

#[test]
fn names_that_no_resolver_would_take_are_looked_up_in_bounded_time() {
    let domains = set(&[".example.com", "a"]);
    let long = |tail: &str| [vec![b'x'; 64 << 10], tail.as_bytes().to_vec()].concat();
    assert_eq!(domains.find(&long(".example.com")), Some(".example.com"));
    assert_eq!(domains.find(&long("example.com")), None);
    assert_eq!(domains.find(&[b'.'; 64 << 10]), None);
    assert_eq!(domains.find(&"a.".repeat(32 << 10).into_bytes()), None);
    assert_eq!(domains.find(b"\xff\xfe.example.com"), Some(".example.com"));
    assert_eq!(domains.find(b"\xff.\x00.com"), None);
    assert_eq!(domains.find(b".example.com"), Some(".example.com"));
    assert_eq!(domains.find(b"a..example.com"), Some(".example.com"));
}

#[test]
fn what_is_no_domain_is_refused_and_says_why() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", &label[..61]);
    assert_eq!(set(&[&longest]).find(longest.as_bytes()), Some(longest.as_str()));
    assert_eq!(set(&[&format!(".{longest}.")]).len(), 1);
    let too_long = [format!("{longest}a"), format!("{label}a.com"), "a".repeat(300), format!("..{longest}")];
    let wrong =
        ["", ".", "..", "a..b", "a b", "a/b", "[::1]", "*.example.com", "*", "bücher.example", "a:80"];
    for text in too_long.iter().map(String::as_str).chain(wrong) {
        assert!(matches!(Domain::parse(text), Err(Why::Value { .. })), "{text}");
    }
    let why = Domain::parse("*.example.com").unwrap_err().to_string();
    assert!(why.contains("`.example.com` stands for"), "{why}");
}

#[test]
fn a_file_of_domains_has_comments_further_columns_and_addresses_of_a_hosts_file() {
    let text = b"# list\r\n\nexample.com # why\n.Example.ORG,2026-01-01\n0.0.0.0 ads.example.net tracker\n\
                 10.0.0.1\nno/domain\n  b.example ; c\n*.d.example\nexample.com.\n";
    let list = DomainList::read(text);
    let mut entries: Vec<&str> = list.domains.iter().collect();
    entries.sort_unstable();
    assert_eq!(entries, [".example.org", "10.0.0.1", "ads.example.net", "b.example", "example.com"]);
    assert_eq!((list.domains.len(), list.bad), (5, 2));
    assert_eq!(list.told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [7, 9]);
}

#[test]
fn a_hundred_thousand_names_take_little_more_than_their_bytes() {
    let names: Vec<String> = (0..100_000).map(|n| format!("host-{n}.example-{}.com", n % 7919)).collect();
    let bytes: usize = names.iter().map(String::len).sum();
    let domains: Domains = names.iter().map(|name| Domain::parse(name).unwrap()).collect();
    assert_eq!(domains.len(), names.len());
    assert!(names.iter().all(|name| domains.find(name.as_bytes()) == Some(name)));
    assert!(names.iter().all(|name| !domains.contains(format!("x{name}").as_bytes())));
    // A byte each for mark and length, ten bits in the filter, and a quarter of a bucket.
    assert!(domains.memory() < bytes + names.len() * 5, "{}", domains.memory());
}

/// The same, by asking every entry.
fn naive<'a>(entries: &'a [String], name: &[u8]) -> Vec<&'a str> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(b".").unwrap_or(&name);
    let includes = |entry: &&str| match entry.strip_prefix('.') {
        Some(base) => name == base.as_bytes() || name.ends_with(entry.as_bytes()),
        None => name == entry.as_bytes(),
    };
    entries.iter().map(String::as_str).filter(includes).collect()
}

/// Names of few letters and labels, so that many include each other.
fn name() -> impl Strategy<Value = String> {
    prop::collection::vec("[abAB]{1,2}|[a-c]{7,9}", 1..5).prop_map(|labels| labels.join("."))
}

proptest! {
    #[test]
    fn what_is_found_is_what_asking_every_entry_finds(
        entries in prop::collection::vec((any::<bool>(), name()), 0..40),
        names in prop::collection::vec(name(), 40),
        noise in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab..\xff".to_vec()), 0..12), 20),
    ) {
        let entries: Vec<String> = entries
            .into_iter()
            .map(|(below, name)| format!("{}{}", if below { "." } else { "" }, name.to_ascii_lowercase()))
            .collect();
        let domains: Domains = entries.iter().map(|entry| Domain::parse(entry).unwrap()).collect();
        for name in names.iter().map(|name| name.as_bytes()).chain(noise.iter().map(Vec::as_slice)) {
            let expected = naive(&entries, name);
            match domains.find(name) {
                Some(found) => prop_assert!(expected.contains(&found), "{found} of {expected:?}"),
                None => prop_assert!(expected.is_empty(), "{expected:?}"),
            }
        }
    }

    #[test]
    fn noise_never_panics(text in prop::collection::vec(any::<u8>(), 0..300), name: Vec<u8>) {
        let list = DomainList::read(&text);
        prop_assert!(list.told.len() <= list.bad);
        let _ = list.domains.find(&name);
        for entry in list.domains.iter() {
            prop_assert!(list.domains.contains(entry.as_bytes()));
        }
    }
}
