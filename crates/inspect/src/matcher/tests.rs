use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Literal, Matcher, MatcherError, Scratch};

fn found(matcher: &Matcher, text: &[u8], scratch: &mut Scratch) -> BTreeSet<(u32, usize)> {
    let mut all = BTreeSet::new();
    matcher
        .scan(text, scratch, |number, end| {
            all.insert((number, end));
        })
        .unwrap();
    all
}

fn by_hand(literals: &[Literal], text: &[u8]) -> BTreeSet<(u32, usize)> {
    let mut all = BTreeSet::new();
    for (number, literal) in (0..).zip(literals) {
        for end in 1..=text.len() {
            if literal.ends(&text[..end]) {
                all.insert((number, end));
            }
        }
    }
    all
}

#[test]
fn every_match_is_told_overlaps_and_both_cases_in_one_set() {
    let literals = [
        Literal::exact(*b"aba"),
        Literal::nocase(*b"AbA"),
        Literal::exact(*b"a"),
        Literal::exact(*b"\0\xff"),
        Literal::exact(*b"aba"),
    ];
    let text = b"ababa ABA \0\xff";
    let (all, mut scratch) = (by_hand(&literals, text), Scratch::default());
    assert_eq!(found(&Matcher::new(&literals).unwrap(), text, &mut scratch), all);
    assert_eq!(found(&Matcher::portable(&literals).unwrap(), text, &mut scratch), all);
    assert_eq!(all.iter().filter(|(number, _)| *number == 1).count(), 3);
}

#[test]
fn an_empty_set_finds_nothing_and_an_empty_literal_is_refused() {
    let nothing = Matcher::new(&[]).unwrap();
    assert!(nothing.is_empty() && found(&nothing, b"text", &mut Scratch::default()).is_empty());
    let literals = [Literal::exact(*b"a"), Literal::exact(*b"")];
    assert_eq!(Matcher::new(&literals).unwrap_err(), MatcherError::Empty(1));
}

#[test]
fn one_scratch_serves_matchers_of_any_size_in_any_order() {
    let few = [Literal::exact(*b"needle"), Literal::nocase(*b"HAY"), Literal::exact(*b"z")];
    let many: Vec<Literal> =
        (0..10_000u32).map(|number| Literal::nocase(format!("n{number:05}").into_bytes())).collect();
    let (few_matcher, many_matcher) = (Matcher::new(&few).unwrap(), Matcher::new(&many).unwrap());
    let text = b"a needle in the hay N00007n09999";
    let mut scratch = Scratch::default();
    for _ in 0..2 {
        assert_eq!(found(&few_matcher, text, &mut scratch), by_hand(&few, text));
        assert_eq!(found(&many_matcher, text, &mut scratch), BTreeSet::from([(7, 26), (9_999, 32)]));
    }
    let later = Matcher::new(&few).unwrap();
    drop(few_matcher);
    assert_eq!(found(&later, text, &mut scratch), by_hand(&few, text));
}

#[test]
fn ten_thousand_literals_match_as_the_portable_engine_says() {
    let many: Vec<Literal> = (0..10_000u32)
        .map(|number| {
            let mixed = number.wrapping_mul(2_654_435_761);
            let bytes = mixed.to_be_bytes()[..1 + number as usize % 4].to_vec();
            Literal { bytes: bytes.into(), nocase: number % 3 == 0 }
        })
        .collect();
    let text: Vec<u8> =
        (0..2_000u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let mut scratch = Scratch::default();
    let portable = found(&Matcher::portable(&many).unwrap(), &text, &mut scratch);
    assert_eq!(found(&Matcher::new(&many).unwrap(), &text, &mut scratch), portable);
    assert!(portable.len() > 10_000);
}

fn literal() -> impl Strategy<Value = Literal> {
    let letters = prop::collection::vec(prop::sample::select(&b"abAB\0\xc3@"[..]), 1..6);
    let long = prop::collection::vec(prop::sample::select(&b"aB"[..]), 1..40);
    (prop_oneof![4 => letters, 1 => long], any::<bool>())
        .prop_map(|(bytes, nocase)| Literal { bytes: bytes.into(), nocase })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn both_engines_find_what_looking_at_every_place_finds(
        literals in prop::collection::vec(literal(), 1..30),
        text in prop::collection::vec(prop::sample::select(&b"abAB\0\xc3@"[..]), 0..200),
    ) {
        let (all, mut scratch) = (by_hand(&literals, &text), Scratch::default());
        prop_assert_eq!(&found(&Matcher::new(&literals).unwrap(), &text, &mut scratch), &all);
        prop_assert_eq!(&found(&Matcher::portable(&literals).unwrap(), &text, &mut scratch), &all);
    }
}
