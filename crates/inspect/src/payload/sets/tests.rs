use std::net::IpAddr;
use std::sync::Arc;
use std::{env, fs, process};

use policy::{Rule, RuleOption};

use super::{Countries, Places, Reputation, SetError, Sets};
use crate::payload::{Context, Program};

/// A directory that is removed with it.
struct Directory(std::path::PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("sluice-sets-{name}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(self, file: &str, text: &str) -> Self {
        fs::write(self.0.join(file), text).unwrap();
        self
    }

    fn places(&self) -> Places {
        Places { load: vec![self.0.clone()], save: Some(self.0.clone()) }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rule(options: &str) -> Rule {
    format!("alert tcp any any -> any any ({options} sid:1;)").parse().unwrap()
}

fn program(options: &str, sets: &mut Sets) -> Result<Program, String> {
    let made = Program::all_of(&rule(options).options, sets);
    made.map(|mut programs| programs.remove(0)).map_err(|error| error.to_string())
}

#[test]
fn values_of_a_file_are_in_the_set_and_lines_that_say_nothing_are_passed_over() {
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let directory = Directory::new("load")
        .with("names", "Y3VybC83LjQzLjA=\nY3VybC83Lj!QzLjA=\n\n# note\nYQ==,7\r\n")
        .with("sums", md5)
        .with("addresses", "10.0.0.1\n2001:db8::1\nno\n");
    let (mut sets, mut context) = (Sets::new(directory.places()), Context::default());
    let mut ask =
        |options: &str, text: &[u8]| program(options, &mut sets).unwrap().matches(text, &mut context);
    let names = "http.user_agent; dataset:isset,names,type string,load names;";
    assert!(ask(names, b"curl/7.43.0") && ask(names, b"a") && !ask(names, b"b"));
    assert!(ask("http.user_agent; dataset:isnotset,names;", b"b"));
    assert!(ask("http.user_agent; to_md5; dataset:isset,sums,type md5,load sums;", b"abc"));
    assert!(!ask("http.user_agent; dataset:isset,sums;", b"abc"));
    assert!(ask("http.user_agent; dataset:isset,addresses,type ip,load addresses;", &[10, 0, 0, 1]));
    let reputation = "http.user_agent; datarep:names,>,6;";
    assert!(ask(reputation, b"a") && !ask(reputation, b"curl/7.43.0") && !ask(reputation, b"b"));
    assert_eq!(sets.iter().map(|set| set.skipped).sum::<usize>(), 2);
}

#[test]
fn what_rules_write_is_seen_by_all_and_kept_for_the_next_policy_and_the_next_start() {
    let directory = Directory::new("write").with("seen", "YQ==\n");
    let (mut sets, mut context) = (Sets::new(directory.places()), Context::default());
    let add = program("dns.query; dataset:set,seen,type string,state seen;", &mut sets).unwrap();
    let remove = program("dns.query; dataset:unset,seen;", &mut sets).unwrap();
    let isset = program("dns.query; dataset:isset,seen;", &mut sets).unwrap();
    assert!(add.writes() && remove.writes() && !isset.writes());
    assert!(!add.matches(b"a", &mut context), "it is in the file");
    assert!(add.matches(b"b", &mut context) && !add.matches(b"b", &mut context));
    assert!(isset.matches(b"b", &mut context));
    assert!(remove.matches(b"a", &mut context) && !isset.matches(b"a", &mut context));
    assert!(!remove.matches(b"a", &mut context) && add.matches(b"a", &mut context));
    assert!(remove.matches(b"a", &mut context));

    let mut next = Sets::after(&sets);
    let isset = program("dns.query; dataset:isset,seen,type string,state seen;", &mut next).unwrap();
    let writes = program("dns.query; dataset:set,seen;", &mut next).unwrap();
    assert!(isset.matches(b"b", &mut context) && !isset.matches(b"a", &mut context));
    assert!(writes.matches(b"c", &mut context));
    next.save().unwrap();
    assert_eq!(fs::read_to_string(directory.0.join("seen")).unwrap(), "Yg==\nYw==\n");
}

#[test]
fn a_set_asked_for_with_others_is_asked_last_and_left_alone_if_they_fail() {
    let (mut sets, mut context) = (Sets::default(), Context::default());
    let add = program("dns.query; dataset:set,s,type string; content:\"x\";", &mut sets).unwrap();
    let isset = program("dns.query; dataset:isset,s;", &mut sets).unwrap();
    assert!(!add.matches(b"a", &mut context) && !isset.matches(b"a", &mut context));
    assert!(add.matches(b"x", &mut context) && isset.matches(b"x", &mut context));
}

#[test]
fn a_full_set_takes_no_more_and_counts() {
    let (mut sets, mut context) = (Sets::default(), Context::default());
    let add = program("dns.query; dataset:set,s,type string,memcap 200;", &mut sets).unwrap();
    let taken = (0..10u8).filter(|name| add.matches(&[*name], &mut context)).count();
    assert_eq!((taken, sets.iter().map(|set| set.refused()).sum::<u64>()), (3, 7));
}

#[test]
fn a_set_that_cannot_be_had_says_why() {
    let directory = Directory::new("why").with("big", "YWFhYWFhYWFh\nYmJiYmJiYmJi\n");
    let mut sets = Sets::new(directory.places());
    program("dns.query; dataset:isset,known,type string;", &mut sets).unwrap();
    for (options, expected) in [
        ("dataset:isset,s;", "set `s` is new here and has no `type`"),
        ("dataset:isset,known,type md5;", "set `known` has type string elsewhere"),
        ("dataset:isset,s,type number;", "set `s`: `type number` is not supported"),
        ("dataset:isset,s,type string,format ndjson;", "set `s`: `format ndjson` is not supported"),
        ("dataset:isset,s,type string,match subdomain;", "set `s`: `match subdomain` is not supported"),
        ("dataset:isset,s,type string,load missing;", "set `s`: missing: "),
        ("dataset:set,s,type string,save ../out;", "set `s`: `../out` is not a place below"),
        ("dataset:set,s,type string,state /tmp/out;", "set `s`: `/tmp/out` is not a place below"),
        ("dataset:isset,s,type string,load big,memcap 100b;", "set `s` takes more than 100 bytes"),
    ] {
        let error = program(&format!("dns.query; {options}"), &mut sets).unwrap_err();
        assert!(error.starts_with(expected), "{options}: {error}");
    }
}

fn addresses(source: &str, destination: &str) -> (IpAddr, IpAddr) {
    (source.parse().unwrap(), destination.parse().unwrap())
}

#[test]
fn reputation_is_that_of_the_longest_prefix_and_of_the_side_asked_for() {
    let mut reputation = Reputation::default();
    reputation.load_categories("# known\n1,CnC,command and control\n2,Spam,\n").unwrap();
    reputation.load("10.0.0.0/8,1,20\n10.1.2.3,1,100\n2001:db8::/32,2,5\n0.0.0.0/0,2,1\n").unwrap();
    let reputation = Arc::new(reputation);
    for (test, (source, destination), expected) in [
        ("src,CnC,>,50", addresses("10.1.2.3", "192.0.2.1"), true),
        ("src,CnC,>,50", addresses("10.1.2.4", "192.0.2.1"), false),
        ("src,CnC,=,20", addresses("10.1.2.4", "192.0.2.1"), true),
        ("dst,CnC,isset", addresses("10.1.2.4", "192.0.2.1"), false),
        ("dst,CnC,isnotset", addresses("10.1.2.4", "192.0.2.1"), true),
        ("any,CnC,isset", addresses("192.0.2.1", "10.9.9.9"), true),
        ("both,CnC,isset", addresses("192.0.2.1", "10.9.9.9"), false),
        ("dst,Spam,<,6", addresses("2001:db9::1", "2001:db8::1"), true),
        ("src,Spam,<,6", addresses("2001:db9::1", "2001:db8::1"), false),
        ("src,Spam,=,1", addresses("198.51.100.1", "192.0.2.1"), true),
    ] {
        let options = rule(&format!("iprep:{test};")).options;
        let Some(RuleOption::Iprep(iprep)) = options.first() else { panic!("{options:?}") };
        assert_eq!(reputation.test(iprep).unwrap().holds(source, destination), expected, "{test}");
    }
    let options = rule("iprep:src,Unknown,isset;").options;
    let Some(RuleOption::Iprep(iprep)) = options.first() else { panic!("{options:?}") };
    assert!(matches!(reputation.test(iprep), Err(SetError::Category(_))));
}

#[test]
fn a_broken_list_is_refused_at_its_line() {
    let mut reputation = Reputation::default();
    for text in ["10.0.0.1,1,5\n10.0.0.1,1", "a,1,5", "10.0.0.1,1,128", "10.0.0.1/33,1,5", "10.0.0.1,0,5"] {
        let line = text.lines().count();
        match reputation.load(text) {
            Err(SetError::Line { line: at, .. }) => assert_eq!(at, line),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(Countries::new(b"no data base".to_vec()), Err(SetError::Countries(_))));
}
