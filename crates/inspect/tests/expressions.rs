//! The regular expressions of real rules compile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use inspect::regex::Regex;
use policy::{PayloadTest, Pcre, Rule, RuleOption};

fn expressions(rule: &Rule) -> impl Iterator<Item = &Pcre> {
    let tests = rule.options.iter().filter_map(|option| match option {
        RuleOption::Buffer(tests) => Some(&tests.tests),
        _ => None,
    });
    tests.flatten().filter_map(|test| match test {
        PayloadTest::Pcre(pcre) => Some(pcre),
        _ => None,
    })
}

#[test]
fn the_expressions_of_the_emerging_threats_set_compile_where_it_is_at_hand() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = env::var_os("SLUICE_SHARED").map_or(beside, PathBuf::from);
    let Ok(text) = fs::read(shared.join("rules/et-open.rules")) else {
        eprintln!("rules/et-open.rules is not beside the project: not tried");
        return;
    };
    let (mut seen, mut linear, mut memory, mut refused) = (0, 0, 0, BTreeMap::<String, String>::new());
    for line in String::from_utf8_lossy(&text).lines().filter(|line| line.contains("pcre")) {
        let Ok(rule) = line.parse::<Rule>() else { continue };
        for pcre in expressions(&rule) {
            seen += 1;
            match Regex::new(pcre) {
                Ok(regex) => {
                    linear += usize::from(regex.is_linear());
                    memory += regex.memory();
                }
                Err(error) => {
                    refused.insert(format!("{}: {pcre}", rule.about.sid), error.to_string());
                }
            }
        }
    }
    eprintln!(
        "{seen} expressions, {linear} linear in {} MB, {} refused: {refused:#?}",
        memory >> 20,
        refused.len()
    );
    assert!(seen > 2000 && refused.len() * 100 <= seen);
}
