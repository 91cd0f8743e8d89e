//! What real rules ask of buffers can be judged: their expressions compile, and their tests become programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs};

use inspect::payload::sets::Sets;
use inspect::payload::{Context, Program};
use inspect::regex::Regex;
use policy::{PayloadTest, Pcre, Rule, RuleOption};

/// The rules of the Emerging Threats set, which stands beside the project, or where `SLUICE_SHARED` says.
fn emerging_threats() -> Option<Vec<Rule>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = env::var_os("SLUICE_SHARED").map_or(beside, PathBuf::from);
    let Ok(text) = fs::read(shared.join("rules/et-open.rules")) else {
        eprintln!("rules/et-open.rules is not beside the project: not tried");
        return None;
    };
    let text = String::from_utf8_lossy(&text);
    let rules = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    Some(rules.filter_map(|line| line.parse().ok()).collect())
}

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
    let Some(rules) = emerging_threats() else { return };
    let (mut seen, mut linear, mut memory, mut refused) = (0, 0, 0, BTreeMap::<String, String>::new());
    for rule in &rules {
        for pcre in expressions(rule) {
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

#[test]
fn the_tests_of_the_emerging_threats_set_become_programs_where_it_is_at_hand() {
    let Some(rules) = emerging_threats() else { return };
    let (mut sets, mut context) = (Sets::default(), Context::default());
    let (mut refused, mut all) = (BTreeMap::<u32, String>::new(), Vec::new());
    let start = Instant::now();
    for rule in &rules {
        match Program::all_of(&rule.options, &mut sets) {
            Ok(programs) => all.extend(programs),
            Err(error) => {
                refused.insert(rule.about.sid, error.to_string());
            }
        }
    }
    let took = start.elapsed();
    eprintln!(
        "{} rules, {} programs in {took:.1?}, {} refused: {refused:#?}",
        rules.len(),
        all.len(),
        refused.len()
    );
    assert!(rules.len() > 10_000 && refused.len() * 100 <= rules.len());
    let text: Vec<u8> = (0..4096u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let matched = all.iter().filter(|program| program.matches(&text, &mut context)).count();
    eprintln!("{matched} of them hold of 4 KB of noise; {} KB of context", context.memory() >> 10);
    assert!(matched < all.len() / 10);
}
