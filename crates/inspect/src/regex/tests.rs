use super::*;

fn expression(text: &str) -> policy::Rule {
    let quoted = text.replace(';', "\\;");
    format!("alert tcp any any -> any any (pcre:\"{quoted}\"; sid:1;)").parse().unwrap()
}

fn regex(text: &str) -> Result<Regex, RegexError> {
    let rule = expression(text);
    let tests = rule.options.iter().find_map(|option| match option {
        policy::RuleOption::Buffer(tests) => tests.tests.first(),
        _ => None,
    });
    match tests {
        Some(policy::PayloadTest::Pcre(pcre)) => Regex::new(pcre),
        other => panic!("{other:?}"),
    }
}

fn find(text: &str, subject: &[u8]) -> Option<Range<usize>> {
    let regex = regex(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    regex.find(subject, 0, &mut Caches::default()).unwrap()
}

/// An expression, a text, and the match.
type Row = (&'static str, &'static [u8], Option<Range<usize>>);

/// What `pcre2test` says of the same, its `pcre2pattern` page where it speaks of the case.
#[test]
fn expressions_mean_what_they_mean_to_pcre() {
    let table: &[Row] = &[
        ("/ab+c/", b"xabbbc", Some(1..6)),
        ("/ab+c/", b"xABBBC", None),
        ("/ab+c/i", b"xABBBC", Some(1..6)),
        // Braces that begin no repetition, and one that PCRE2 before 10.43 takes literally.
        ("/a{x}/", b"a{x}", Some(0..4)),
        ("/{1/", b"{1", Some(0..2)),
        ("/a{,3}/", b"aaa a{,3}", Some(4..9)),
        ("/a{2,3}/", b"aaaa", Some(0..3)),
        ("/a{2}?b/", b"aab", Some(0..3)),
        // Classes.
        (r"/[\s-x]/", b"-", Some(0..1)),
        (r"/[\w-]+/", b"a-b c", Some(0..3)),
        ("/[]a]+/", b"]a[", Some(0..2)),
        ("/[^]]+/", b"ab]", Some(0..2)),
        ("/[[a]+/", b"[a]", Some(0..2)),
        ("/[a&&b]+/", b"a&b", Some(0..3)),
        ("/[+--]/", b",", Some(0..1)),
        ("/[[:alpha:]_]+/", b"1ab_2", Some(1..4)),
        ("/[[:^digit:]]+/", b"12ab3", Some(2..4)),
        (r"/[\x00-\x1f\x80-\xff]+/", b"a\x00\xff\x7f", Some(1..3)),
        (r"/[^\x3c]/", b"<\xe9", Some(1..2)),
        ("/[K-M]/i", b"l", Some(0..1)),
        ("/[^a]/i", b"A", None),
        (r"/[\b]/", b"\x08", Some(0..1)),
        (r"/[a\]b]+/", b"a]b", Some(0..3)),
        // Dots and newlines.
        ("/a.c/", b"a\nc", None),
        ("/a.c/s", b"a\nc", Some(0..3)),
        ("/a.c/", b"a\xffc", Some(0..3)),
        (r"/a\Nc/s", b"a\nc", None),
        // Ends.
        ("/c$/", b"abc\n", Some(2..3)),
        ("/c$/E", b"abc\n", None),
        ("/c$/", b"abc\n\n", None),
        ("/c$/m", b"abc\nd", Some(2..3)),
        ("/^d/m", b"abc\nd", Some(4..5)),
        ("/^d/", b"abc\nd", None),
        ("/^x?/m", b"a\nxb\n", Some(0..0)),
        ("/b|^$/m", b"a\n", None),
        ("/^$/m", b"a\n\n", Some(2..2)),
        (r"/c\Z/", b"abc\n", Some(2..3)),
        (r"/c\z/", b"abc\n", None),
        ("/(?:c|d)$/", b"abc\n", Some(2..3)),
        ("/c.*$/s", b"abc\n", Some(2..4)),
        ("/c$\\n/", b"abc\n", Some(2..4)),
        ("/(?:^|x)a$/", b"a\n", Some(0..1)),
        // Flags inside, and where they end.
        ("/a(?i)b/", b"aB", Some(0..2)),
        ("/(?:(?i)a)b/", b"AB", None),
        ("/(?i:a)b/", b"Ab", Some(0..2)),
        ("/(?i)a(?-i)b/", b"Ab", Some(0..2)),
        ("/(a(?i)b|c)d/", b"Cd", Some(0..2)),
        ("/a b #c d/x", b"abd", Some(0..2)),
        ("/[a b]+/x", b"a b", Some(0..3)),
        (r"/a\ b/x", b"a b", Some(0..3)),
        ("/a+/G", b"aaa", Some(0..1)),
        ("/a+?/G", b"aaa", Some(0..3)),
        ("/b/A", b"ab", None),
        ("/a(?#a note)b/", b"ab", Some(0..2)),
        // Escapes.
        (r"/\x41\x4/", b"A\x04", Some(0..2)),
        (r"/\x{41}\103\0/", b"AC\0", Some(0..3)),
        (r"/\cA\e\a\t/", b"\x01\x1b\x07\t", Some(0..4)),
        (r"/\Qa.b\E+/", b"a.bb", Some(0..4)),
        (r"/[\Qa-]\E]+/", b"b-]a", Some(1..4)),
        (r"/(?=b)*a/", b"a", Some(0..1)),
        (r"/\h\v/", b"\xa0\x85", Some(0..2)),
        (r"/a\Rb/", b"a\r\nb", Some(0..4)),
        (r"/\/\-\_\%\@/", b"/-_%@", Some(0..5)),
        (r"/\bfoo\b/", b"a foo\xff", Some(2..5)),
        // What only backtracking can do.
        ("/a(?=b)/", b"acab", Some(2..3)),
        ("/a(?!b)/", b"abac", Some(2..3)),
        ("/(?<=a)b/", b"bab", Some(2..3)),
        ("/(?<!a)b/", b"abb", Some(2..3)),
        (r"/(a|b)\1/", b"abb", Some(1..3)),
        (r"/(a)\1/i", b"aA", Some(0..2)),
        (r"/(?P<q>['\x22]).*?(?P=q)/", b"x'a\"b'", Some(1..6)),
        (r"/(?<q>x)\k<q>\g{q}\g1\g{-1}/", b"xxxxx", Some(0..5)),
        ("/(?>a+)ab/", b"aaab", None),
        ("/a++b/", b"aaab", Some(0..4)),
        ("/a*+a/", b"aaa", None),
        ("/(a)?(?(1)b|c)/", b"xc ab", Some(1..2)),
        (r"/(?=.)[\x80-\xff]+/", b"\xc3\xa9\xff", Some(0..3)),
        (r"/(.)\1/s", b"\xc3\xe9\xe9", Some(1..3)),
    ];
    for (text, subject, expected) in table {
        assert_eq!(find(text, subject), *expected, "{text} on {:?}", String::from_utf8_lossy(subject));
    }
}

#[test]
fn a_search_from_the_middle_still_sees_what_stands_before_it() {
    let mut caches = Caches::default();
    let mut from = |text: &str, subject: &[u8], from: usize| {
        regex(text).unwrap().find(subject, from, &mut caches).unwrap()
    };
    assert_eq!(from("/^a/", b"aa", 1), None);
    assert_eq!(from(r"/\ba/", b"aa a", 1), Some(3..4));
    assert_eq!(from("/(?<=a)a/", b"aa", 1), Some(1..2));
    assert_eq!(from("/a/A", b"ba", 1), Some(1..2));
    assert_eq!(from("/a*/", b"b", 1), Some(1..1));
    assert_eq!(from("/a*/", b"b", 2), None);
}

#[test]
fn what_cannot_be_judged_is_refused_with_the_reason() {
    for (text, reason) in [
        ("/a(b/", "wrong at byte 3: `(` without `)`"),
        ("/a)b/", "wrong at byte 1: `)` without `(`"),
        ("/[a/", "wrong at byte 2: `[` without `]`"),
        ("/*a/", "wrong at byte 1: a repetition of nothing"),
        ("/a{3,2}/", "wrong at byte 6: a repetition's numbers are out of order"),
        ("/a{70000}/", "wrong at byte 8: a repetition is too long"),
        ("/[z-a]/", "wrong at byte 4: a range runs backwards"),
        (r"/\2(a)/", "wrong at byte 5: it names a group that is not there"),
        (r"/\y/", "wrong at byte 2: an unknown escape"),
        (r"/\p{L}/", "not supported, at byte 2: \\G, \\K, \\X, and Unicode properties"),
        ("/(?R)/", "not supported, at byte 2: recursion and callouts"),
        ("/(*UTF8)a/", "not supported, at byte 1: verbs such as (*SKIP)"),
        ("/(a)/,flow:name", "keeping what the expression's groups match (`flow:name`) is not supported"),
    ] {
        let said = regex(text).unwrap_err().to_string();
        assert!(said.contains(reason), "{text}: {said}");
    }
}

#[test]
fn an_expression_of_a_billion_states_is_refused() {
    let text = "/(?:(?:(?:[ab]{1000}){1000}){1000})/";
    assert!(matches!(regex(text), Err(RegexError::Refused(_))), "{text}");
    let deep = format!("/{}a{}/", "(".repeat(5000), ")".repeat(5000));
    assert!(matches!(regex(&deep), Err(RegexError::Syntax { .. })));
}

#[test]
fn a_search_that_backtracks_without_end_gives_up_and_is_counted() {
    let (regex, mut caches) = (regex(r"/(?=a)(a*)*(a*)*\1\2c/").unwrap(), Caches::default());
    assert_eq!(regex.find(&[b'a'; 4000], 0, &mut caches), Err(Exhausted));
    assert_eq!(caches.exhausted, 1);
}

#[test]
fn what_look_around_reads_counts_too() {
    let mut caches = Caches::default();
    for text in ["/(?=[a-z]+1)[ab]/", "/a(?!.*x)b/s", r"/(a+)\1+b/", "/(?<!x)(a*)*c/"] {
        assert_eq!(regex(text).unwrap().find(&[b'a'; 64 << 10], 0, &mut caches), Err(Exhausted), "{text}");
    }
    assert_eq!(caches.exhausted, 4);
    assert!(caches.memory() < 8 << 20, "{}", caches.memory());
    // A long text that offers nothing is no trouble.
    assert_eq!(regex(r"/(\w+)=\1/").unwrap().find(&[b'-'; 1 << 20], 0, &mut caches), Ok(None));
}

#[test]
fn look_behind_has_a_length_and_groups_in_loops_are_those_of_the_last_round() {
    let error = regex("/(?<=a+)b/").unwrap_err();
    assert!(error.to_string().contains("a look-behind of no fixed length"), "{error}");
    for (text, subject, expected) in [
        ("/(?<=a|bc)d/", "bcd", Some(2..3)),
        ("/(?<!a|bc)d/", "bcd ad d", Some(7..8)),
        (r"/(?:(a)(b)?)+\2/", "abab", Some(0..4)),
        (r"/(?:(a)(b)?)+\2/", "abaabb", Some(0..6)),
        ("/(?:a{0,2}b?){2,4}c/", "aabac", Some(0..5)),
        (r"/(?=(a+))\1b/", "aab", Some(0..3)),
        ("/(?:(?=a)a*)*b/", "aaab", Some(0..4)),
    ] {
        assert_eq!(find(text, subject.as_bytes()), expected, "{text} on {subject}");
    }
}

#[test]
fn the_first_group_is_what_pcrexform_asks_for() {
    let mut caches = Caches::default();
    let uri = Regex::with_group(r"[a-zA-Z]+\s+(.*)\s+HTTP").unwrap();
    assert_eq!(uri.first_group(b"GET /a b HTTP/1.1", &mut caches), Ok(Some(4..8)));
    assert_eq!(uri.first_group(b"nothing", &mut caches), Ok(None));
    let quoted = Regex::with_group(r"(?<=')([^']*)'").unwrap();
    assert_eq!(quoted.first_group(b"a 'b' c", &mut caches), Ok(Some(3..4)));
}

#[test]
fn working_memory_stays_within_its_bound_however_many_expressions_are_searched() {
    let all: Vec<Regex> = (0..600).map(|number| regex(&format!("/a{number}[bc]+d/")).unwrap()).collect();
    let mut caches = Caches::default();
    for regex in &all {
        assert_eq!(regex.find(b"xa7bcbd", 0, &mut caches).unwrap().is_some(), std::ptr::eq(regex, &all[7]));
    }
    assert!(caches.memory() < 64 << 20, "{}", caches.memory());
}
