//! What an attacker sends, and what a careless rule asks for: an answer in bounded steps, and no panic.

use proptest::prelude::*;

use super::{Context, programs};

#[test]
fn a_text_that_offers_a_choice_at_every_byte_is_given_up_and_counted() {
    let chain = "content:\"a\"; distance:0; ".repeat(30);
    let programs = programs(&format!("content:\"a\"; {chain} content:\"b\"; distance:0;"));
    let mut context = Context::default();
    assert!(!programs[0].matches(&[b'a'; 60_000], &mut context));
    assert_eq!(context.exhausted, 1);
    // The next text is not the poorer for it.
    let mut text = vec![b'a'; 40];
    text.push(b'b');
    assert!(programs[0].matches(&text, &mut context));
    assert_eq!(context.exhausted, 1);
}

#[test]
fn a_long_pattern_that_nearly_matches_everywhere_is_given_up_and_counted() {
    let pattern = format!("{}e", "a".repeat(8000));
    let programs = programs(&format!("content:\"{pattern}\"; nocase; content:\"x\"; distance:0;"));
    let mut context = Context::default();
    assert!(!programs[0].matches(&vec![b'a'; 1 << 20], &mut context));
    assert_eq!(context.exhausted, 1);
}

#[test]
fn expressions_over_a_megabyte_of_near_matches_are_given_up_and_counted() {
    let mut context = Context::default();
    for options in [
        "content:\"a\"; pcre:\"/a+b/R\";",
        "content:\"a\"; pcre:\"/(?=a+c)a+b/R\";",
        r#"content:"a"; pcre:"/(a+)\1b/R";"#,
    ] {
        assert!(!programs(options)[0].matches(&vec![b'a'; 1 << 20], &mut context));
    }
    assert!(context.exhausted >= 3, "{} {}", context.exhausted, context.regexes.exhausted);
}

#[test]
fn numbers_at_the_ends_of_their_ranges_overflow_nothing() {
    let full: &[u8] = &[0xff; 64];
    let mut context = Context::default();
    for options in [
        "byte_extract:8,0,n; content:\"a\"; offset:n; ",
        "byte_extract:8,0,n; content:\"a\"; depth:n;",
        "byte_extract:8,0,n; content:\"a\"; distance:n; within:n;",
        "byte_extract:8,0,n; isdataat:n,relative;",
        "byte_extract:8,0,n; isdataat:n;",
        "byte_extract:8,0,n,multiplier 65535,align 4; byte_test:n,=,1,n;",
        "byte_math:bytes 8, offset 0, oper *, rvalue 4294967295, result n; byte_test:8,>,n,n;",
        "byte_math:bytes 8, offset 0, oper <<, rvalue 4294967295, result n; byte_test:8,<,n,0;",
        "byte_jump:8,0,multiplier 65535,align,post_offset 2147483647;",
        "byte_jump:8,0,multiplier 65535,from_end,post_offset -2147483647;",
        "byte_jump:8,0,from_beginning; content:\"a\"; within:1;",
        "content:\"|ff|\"; distance:-1048576; content:\"a\"; distance:1048576; within:1048576;",
        "byte_test:8,=,18,2147483647;",
        "byte_test:8,=,18,-2147483647,relative;",
    ] {
        for text in [full, &[], &[0xff]] {
            programs(options).iter().for_each(|program| {
                program.matches(text, &mut context);
            });
        }
    }
}

#[test]
fn five_hundred_patterns_in_one_rule_are_judged() {
    let options: String = (0..500).map(|number| format!("content:\"p{number:03}\"; ")).collect();
    let text: String = (0..500).rev().map(|number| format!("p{number:03}")).collect();
    let (programs, mut context) = (programs(&options), Context::default());
    assert!(programs[0].matches(text.as_bytes(), &mut context));
    assert!(!programs[0].matches(&text.as_bytes()[4..], &mut context));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_makes_transforms_or_tests_panic(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut context = Context::default();
        for options in [
            "http.uri; dotprefix; to_lowercase; url_decode; content:\"a\"; base64_decode:offset 3,relative; base64_data; content:\"b\";",
            "http.uri; domain; content:!\"a\";",
            "http.uri; tld; content:!\"a\";",
            "http.header; header_lowercase; strip_pseudo_headers; compress_whitespace; strip_whitespace; bsize:>3;",
            "http.uri; xor:\"0d0ac8ff\"; to_uppercase; from_base64: offset 2, mode rfc2045; isdataat:4;",
            "http.uri; pcrexform:\"(.+?)x(?=.)\"; content:\"a\"; nocase;",
            "byte_extract:1,0,a; byte_extract:2,a,b,string,hex; byte_jump:4,b,relative; content:\"a\"; within:a;",
            "content:\"a\"; byte_jump:0,0,relative,string,dec,post_offset -3; pcre:\"/.$/R\"; isdataat:!1,relative;",
        ] {
            programs(options).iter().for_each(|program| {
                program.matches(&text, &mut context);
            });
        }
    }
}
