mod hostile;
mod reference;

use policy::{BufferTests, Rule, RuleOption};

use super::sets::Sets;
use super::{Context, Program, fast_pattern};

fn rule(options: &str) -> Rule {
    format!("alert tcp any any -> any any ({options} sid:1;)")
        .parse()
        .unwrap_or_else(|refusal| panic!("{options}: {refusal}"))
}

fn tests(options: &str) -> BufferTests {
    let found = rule(options).options.into_iter().find_map(|option| match option {
        RuleOption::Buffer(tests) => Some(tests),
        _ => None,
    });
    found.unwrap()
}

fn programs(options: &str) -> Vec<Program> {
    Program::all_of(&rule(options).options, &mut Sets::default()).unwrap()
}

/// Whether all buffers' tests hold of the same text.
fn holds(options: &str, text: &[u8]) -> bool {
    let mut context = Context::default();
    programs(options).iter().all(|program| program.matches(text, &mut context))
}

#[test]
fn patterns_stand_where_their_modifiers_say() {
    for (options, text, expected) in [
        ("content:\"b\";", "abc", true),
        ("content:\"B\";", "abc", false),
        ("content:\"B\"; nocase;", "abc", true),
        ("content:!\"b\";", "abc", false),
        ("content:!\"d\";", "abc", true),
        // Offset and depth.
        ("content:\"b\"; offset:1;", "abc", true),
        ("content:\"b\"; offset:2;", "abc", false),
        ("content:\"c\"; depth:2;", "abc", false),
        ("content:\"c\"; depth:3;", "abc", true),
        ("content:\"c\"; offset:1; depth:2;", "abc", true),
        ("content:\"c\"; offset:1; depth:1;", "abc", false),
        ("content:\"bc\"; depth:2;", "abc", false),
        ("content:!\"c\"; depth:2;", "abc", true),
        ("content:!\"c\"; offset:3;", "abc", true),
        ("content:!\"c\"; offset:60000;", "abc", true),
        ("content:\"c\"; offset:60000;", "abc", false),
        // Start and end.
        ("content:\"ab\"; startswith;", "abc", true),
        ("content:\"bc\"; startswith;", "abc", false),
        ("content:\"bc\"; endswith;", "abc", true),
        ("content:\"bc\"; endswith;", "bcbc", true),
        ("content:\"ab\"; endswith;", "abc", false),
        ("content:\"abc\"; startswith; endswith;", "abc", true),
        ("content:\"abc\"; startswith; endswith;", "abcabc", false),
        ("content:!\"bc\"; endswith;", "bcd", true),
        ("content:!\"bc\"; endswith;", "abc", false),
        ("content:\"c\"; offset:1; endswith;", "abc", true),
        ("content:\"c\"; offset:3; endswith;", "abc", false),
        ("content:\"b\"; depth:2; endswith;", "ab", true),
        ("content:\"b\"; depth:2; endswith;", "abb", false),
        // Distance and within.
        ("content:\"a\"; content:\"c\"; distance:0;", "abc", true),
        ("content:\"a\"; content:\"c\"; distance:1;", "abc", true),
        ("content:\"a\"; content:\"c\"; distance:2;", "abc", false),
        ("content:\"c\"; content:\"a\"; distance:0;", "abc", false),
        ("content:\"c\"; content:\"a\"; distance:-3;", "abc", true),
        ("content:\"c\"; content:\"a\"; distance:-2;", "abc", false),
        ("content:\"c\"; content:\"a\"; distance:-1000000;", "abc", true),
        ("content:\"a\"; content:\"c\"; within:1;", "abc", false),
        ("content:\"a\"; content:\"c\"; within:2;", "abc", true),
        ("content:\"a\"; content:\"bc\"; within:2;", "abc", true),
        ("content:\"a\"; content:\"d\"; distance:1; within:1;", "abcd", false),
        ("content:\"a\"; content:\"d\"; distance:1; within:2;", "abcd", true),
        ("content:\"a\"; content:!\"c\"; within:1;", "abc", true),
        ("content:\"a\"; content:!\"c\"; within:2;", "abc", false),
        ("content:\"a\"; content:!\"c\"; distance:1000000;", "abc", true),
        ("content:\"b\"; within:2;", "abc", true),
        ("content:\"c\"; within:2;", "abc", false),
        // An earlier pattern is found again further on until what follows it holds.
        ("content:\"a\"; content:\"c\"; within:1;", "ab ac", true),
        ("content:\"a\"; content:\"b\"; distance:0; content:\"c\"; within:1;", "ab ab abc", true),
        ("content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", "ab acb abc", true),
        ("content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", "ab acb abd", false),
        ("content:\"aa\"; content:\"b\"; within:1;", "aaab", true),
        ("content:\"a\"; content:!\"b\"; within:1;", "abab", false),
        ("content:\"a\"; content:!\"b\"; within:1;", "abac", true),
        ("content:\"A\"; nocase; content:\"b\"; within:1;", "aca aB Ab", true),
    ] {
        assert_eq!(holds(options, text.as_bytes()), expected, "{options} on {text}");
    }
}

#[test]
fn expressions_count_from_the_last_match_and_are_found_again() {
    for (options, text, expected) in [
        ("pcre:\"/^b/\";", "ab", false),
        ("content:\"a\"; pcre:\"/^b/R\";", "ab", true),
        ("content:\"a\"; pcre:\"/^b/R\";", "acb", false),
        ("content:\"a\"; pcre:\"/^b/R\";", "acab", true),
        ("content:\"a\"; pcre:!\"/^b/R\";", "ab", false),
        ("content:\"a\"; pcre:!\"/^b/R\";", "abac", true),
        ("pcre:\"/a./\"; content:\"d\"; within:1;", "abacd", true),
        ("pcre:\"/a./\"; content:\"d\"; within:1;", "abac d", false),
        ("pcre:\"/^a./\"; content:\"d\"; within:1;", "abacd", false),
        ("content:\"x\"; pcre:\"/a./R\"; content:\"d\"; within:1;", "acd xabacd", true),
        ("pcre:\"/(a|b)(?=c)/\"; content:\"cd\"; within:2;", "bc acd", true),
        ("pcre:\"/b$/\"; isdataat:!1,relative;", "ab\n", false),
        ("pcre:\"/c$/\"; content:\"|0a|\"; within:1;", "abc\n", true),
    ] {
        assert_eq!(holds(options, text.as_bytes()), expected, "{options} on {text}");
    }
}

#[test]
fn lengths_and_places_are_measured_as_the_language_measures_them() {
    for (options, text, expected) in [
        // Absolute: more bytes than that. Relative: at least as many.
        ("isdataat:3;", "abc", false),
        ("isdataat:2;", "abc", true),
        ("isdataat:0;", "", false),
        ("content:\"a\"; isdataat:2,relative;", "abc", true),
        ("content:\"a\"; isdataat:3,relative;", "abc", false),
        ("content:\"c\"; isdataat:!1,relative;", "abc", true),
        ("content:\"b\"; isdataat:!1,relative;", "abc", false),
        ("content:\"b\"; isdataat:!1,relative;", "abcb", true),
        ("isdataat:!3;", "abc", true),
        ("file.data; bsize:3;", "abc", true),
        ("file.data; bsize:>3;", "abc", false),
        ("file.data; bsize:2<>4;", "abc", true),
        ("file.data; bsize:<4; content:\"c\"; endswith;", "abc", true),
        ("file.data; absent;", "abc", false),
        ("file.data; absent:or_else; content:\"b\";", "abc", true),
        ("file.data; absent:or_else; content:!\"b\";", "abc", false),
    ] {
        assert_eq!(holds(options, text.as_bytes()), expected, "{options} on {text}");
    }
}

#[test]
fn numbers_are_read_compared_jumped_by_and_named() {
    for (options, text, expected) in [
        ("byte_test:1,=,97,0;", "abc", true),
        ("byte_test:1,!=,97,0;", "abc", false),
        ("byte_test:2,>,0x6161,0;", "abc", true),
        ("byte_test:2,=,0x6261,0,little;", "abc", true),
        ("byte_test:1,<,98,0;", "abc", true),
        ("byte_test:1,<=,97,0;", "abc", true),
        ("byte_test:1,>=,98,0;", "abc", false),
        ("byte_test:1,&,0x60,0;", "abc", true),
        ("byte_test:1,!&,0x80,0;", "abc", true),
        ("byte_test:1,^,97,0;", "abc", false),
        ("byte_test:4,=,1,0;", "abc", false),
        ("byte_test:4,!=,1,0;", "abc", false),
        ("byte_test:1,=,65,214748364;", "abc", false),
        ("byte_test:1,=,97,-1;", "abc", false),
        ("content:\"b\"; byte_test:1,=,99,0,relative;", "abc", true),
        ("content:\"b\"; byte_test:1,=,97,-2,relative;", "abc", true),
        ("content:\"b\"; byte_test:1,=,97,-3,relative;", "abc", false),
        ("byte_test:1,=,7,0,bitmask 0xF8;", "8", true),
        ("byte_test:3,=,123,0,string,dec;", "123", true),
        ("byte_test:4,=,123,0,string,dec;", "123x", true),
        ("byte_test:3,=,0,0,string,dec;", "abc", false),
        ("byte_test:4,=,255,0,string,hex;", "0xff", true),
        ("byte_test:2,=,8,0,string,oct;", "10", true),
        // A pattern before a failing test is found again.
        ("content:\"=\"; byte_test:1,>,5,0,relative,string,dec;", "=1=9", true),
        // Jumps: the number, then as many bytes on from its end.
        ("byte_jump:1,0; content:\"c\"; within:1;", "\x02abc", true),
        ("byte_jump:1,0; content:\"b\"; within:1;", "\x02abc", false),
        ("byte_jump:1,0; isdataat:!1,relative;", "\x03abc", true),
        ("byte_jump:1,0; isdataat:!1,relative;", "\x04abc", false),
        ("byte_jump:1,0,from_beginning; content:\"a\"; within:1;", "\x01abc", true),
        ("byte_jump:1,0,from_end,post_offset -3; content:\"b\"; within:1;", "\x01abc", true),
        ("byte_jump:1,0,align; content:\"d\"; within:1;", "\x01abcde", false),
        ("byte_jump:1,0,align; content:\"e\"; within:1;", "\x01abcde", true),
        ("byte_jump:1,0,multiplier 2; content:\"c\"; within:1;", "\x01abcde", true),
        ("byte_jump:1,0,post_offset 1; content:\"c\"; within:1;", "\x01abcde", true),
        ("content:\"c\"; byte_jump:0,0,relative,post_offset -2; content:\"b\"; within:1;", "abc", true),
        ("content:\"c\"; byte_jump:0,0,relative,post_offset -4; content:\"a\"; within:1;", "abc", true),
        ("content:\"c\"; byte_jump:0,0,relative,post_offset -4; content:\"b\"; within:1;", "abc", false),
        ("byte_jump:1,0,string,dec; content:\"c\"; within:1;", "2abc", true),
        ("content:\"a\"; byte_jump:1,0,relative; content:\"z\"; within:1;", "a\x01b a\x00z", true),
        // Names.
        ("byte_extract:1,0,n; content:\"c\"; offset:n;", "\x03abc", true),
        ("byte_extract:1,0,n; content:\"b\"; offset:n;", "\x03abc", false),
        ("byte_extract:1,0,n; content:\"b\"; depth:n;", "\x03abc", true),
        ("byte_extract:1,0,n; content:\"c\"; depth:n;", "\x03abc", false),
        ("byte_extract:1,0,n; content:\"c\"; distance:n;", "\x02abc", true),
        ("byte_extract:1,0,n; content:\"b\"; distance:n;", "\x02abc", false),
        ("byte_extract:1,0,n; content:\"c\"; within:n;", "\x03abc", true),
        ("byte_extract:1,0,n; content:\"c\"; within:n;", "\x02abc", false),
        ("byte_extract:1,0,n; isdataat:n,relative;", "\x03abc", true),
        ("byte_extract:1,0,n; isdataat:n,relative;", "\x04abc", false),
        ("byte_extract:1,0,n; byte_test:1,=,n,1;", "\x02\x02", true),
        ("byte_extract:1,0,n; byte_test:n,=,0x6162,1;", "\x02ab", true),
        ("byte_extract:1,0,n,multiplier 2,align 4; byte_test:1,=,n,1;", "\x03\x08", true),
        ("byte_extract:2,0,n,string,dec; byte_test:1,=,n,2;", "12\x0c", true),
        ("byte_math:bytes 1, offset 0, oper +, rvalue 5, result n; byte_test:1,=,n,1;", "\x02\x07", true),
        ("byte_math:bytes 1, offset 0, oper -, rvalue 2, result n; byte_test:1,=,n,1;", "\x02\x00", true),
        ("byte_math:bytes 1, offset 0, oper *, rvalue 3, result n; byte_test:1,=,n,1;", "\x02\x06", true),
        ("byte_math:bytes 1, offset 0, oper /, rvalue 2, result n; byte_test:1,=,n,1;", "\x05\x02", true),
        ("byte_math:bytes 1, offset 0, oper <<, rvalue 2, result n; byte_test:1,=,n,1;", "\x01\x04", true),
        ("byte_math:bytes 1, offset 0, oper >>, rvalue 1, result n; byte_test:1,=,n,1;", "\x04\x02", true),
        ("byte_extract:1,0,n; byte_math:bytes 1, offset 1, oper /, rvalue n, result m;", "\x00\x02", false),
        // Numbers of an earlier buffer.
        ("file.data; byte_extract:1,0,n; http.uri; byte_test:1,=,n,1;", "\x02\x02", true),
    ] {
        assert_eq!(holds(options, text.as_bytes()), expected, "{options} on {text:?}");
    }
}

#[test]
fn decoded_base64_is_looked_into() {
    for (options, text, expected) in [
        ("content:\"q=\"; base64_decode:relative; base64_data; content:\"this\";", "q=dGhpcw==", true),
        ("content:\"q=\"; base64_decode:relative; base64_data; content:\"that\";", "q=dGhpcw==", false),
        (
            "base64_decode:bytes 4, offset 2; base64_data; content:\"thi\"; startswith; endswith;",
            "q=dGhpcw",
            true,
        ),
        ("content:\"=\"; base64_decode:relative; base64_data; content:\"thi\";", "=!=dGhp", true),
        ("base64_decode; base64_data; pcre:\"/^t.i$/\";", "dGhp", true),
        ("base64_decode:offset 60000; base64_data; content:\"a\";", "dGhp", false),
    ] {
        assert_eq!(holds(options, text.as_bytes()), expected, "{options} on {text}");
    }
    let options = rule("base64_data; content:\"a\";").options;
    let refused = Program::all_of(&options, &mut Sets::default()).unwrap_err();
    assert!(refused.to_string().contains("`base64_decode`"), "{refused}");
}

#[test]
fn transforms_come_before_the_tests() {
    for (transforms, text, expected) in [
        ("dotprefix;", "x.com", ".x.com"),
        ("to_lowercase;", "AbC\u{c4}", "abc\u{c4}"),
        ("to_uppercase;", "aBc", "ABC"),
        ("strip_whitespace;", " a\tb\r\nc\x0b", "abc"),
        ("compress_whitespace;", "a \t b\r\nc", "a b c"),
        ("url_decode;", "a%20b+c%zz%4", "a b c%zz%4"),
        ("header_lowercase;", "Host: A\r\nX-Y: B\r\n", "host: A\r\nx-y: B\r\n"),
        ("strip_pseudo_headers;", ":method: GET\r\nhost: a\r\n:path: /\r\n", "host: a\r\n"),
        ("domain;", "www.Example.co.uk", "Example.co.uk"),
        ("tld;", "www.example.co.uk", "co.uk"),
        ("domain;", "localhost", "localhost"),
        ("xor:\"2020\";", "AbC", "aBc"),
        ("pcrexform:\"([a-z]+)=\";", "1ab=2", "ab"),
        ("pcrexform:\"([a-z]+)=\";", "1ab2", "1ab2"),
        ("from_base64: offset 2;", "q=dGhpcw==", "this"),
        ("from_base64: bytes 6, offset 2;", "q=dGhpcw==", "this"),
        ("from_base64: mode strict;", "!dGhp", "!dGhp"),
        ("dotprefix; to_uppercase;", "x.com", ".X.COM"),
        ("dotprefix; dotprefix; strip_whitespace;", "a b", "..ab"),
    ] {
        let hex: String = expected.bytes().map(|byte| format!("{byte:02x}")).collect();
        let options = format!("http.uri; {transforms} content:\"|{hex}|\"; startswith; endswith;");
        assert!(holds(&options, text.as_bytes()), "{transforms} on {text}");
    }
    for (transform, digest) in [
        ("to_md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("to_sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("to_sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ] {
        assert!(holds(
            &format!("http.uri; {transform}; content:\"|{digest}|\"; startswith; endswith;"),
            b"abc"
        ));
    }
}

#[test]
fn what_failed_farthest_is_told_as_it_is_written() {
    let mut context = Context::default();
    for (options, text, expected) in [
        ("content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", "xyz", Some(0)),
        ("content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", "ac ac", Some(1)),
        ("content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", "ab ac", Some(2)),
        ("content:\"a\"; content:\"b\"; within:1; content:\"c\"; within:1;", "abc", None),
        ("http.uri; absent:or_else; content:\"a\"; content:\"b\";", "a", Some(2)),
        ("http.uri; dataset:isset,s,type string; content:\"b\";", "a", Some(1)),
        ("http.uri; dataset:isset,s,type string; content:\"b\";", "b", Some(0)),
    ] {
        let programs = programs(options);
        assert_eq!(programs[0].farthest(text.as_bytes(), &mut context), expected, "{options} on {text}");
    }
}

#[test]
fn the_pattern_that_finds_a_rule_is_the_named_the_longest_or_the_most_diverse() {
    for (options, expected) in [
        ("content:\"abc\"; content:\"abcd\";", Some(("abcd", false))),
        ("content:\"abc\"; fast_pattern; content:\"abcd\";", Some(("abc", false))),
        ("content:\"abcdef\"; fast_pattern:2,3; content:\"abcdefg\";", Some(("cde", false))),
        ("content:\"aaaa\"; content:\"aB1-\"; nocase;", Some(("aB1-", true))),
        ("content:!\"abcdefgh\"; content:\"a\";", Some(("a", false))),
        ("content:!\"abcdefgh\";", None),
        ("pcre:\"/abc/\";", None),
        ("http.uri; absent:or_else; content:\"abc\";", None),
    ] {
        let found = fast_pattern(&tests(options));
        let found = found.map(|literal| (String::from_utf8(literal.bytes.into()).unwrap(), literal.nocase));
        assert_eq!(found, expected.map(|(text, nocase)| (text.to_owned(), nocase)), "{options}");
    }
}
