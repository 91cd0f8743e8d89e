//! Every answer as the `aws` command line shows it, beside what AWS's own examples show: `documented.txt`.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what a test builds on must be there")]

mod command;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use command::Lab;
use serde_json::{Map, Value};

/// The members of `value` in the notation of `documented.txt`, without the signs `+` and `-`.
fn members(value: &Value) -> String {
    match value {
        Value::Object(all) => format!("{{{}}}", list(all)),
        Value::Array(items) => {
            let mut together = Map::new();
            items.iter().filter_map(Value::as_object).for_each(|item| unite(&mut together, item));
            format!("[{}]", list(&together))
        }
        Value::Bool(_) => "!".to_owned(),
        Value::Number(_) => "#".to_owned(),
        Value::String(_) | Value::Null => String::new(),
    }
}

fn list(all: &Map<String, Value>) -> String {
    let sorted: BTreeMap<_, _> = all.iter().collect();
    let one = |(name, value): (&&String, &&Value)| format!("{name}{}", members(value));
    sorted.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Add what `other` has to `all`.
fn unite(all: &mut Map<String, Value>, other: &Map<String, Value>) {
    for (name, value) in other {
        match (all.get_mut(name), value) {
            (Some(Value::Object(own)), Value::Object(more)) => unite(own, more),
            (Some(Value::Array(own)), Value::Array(more)) => own.extend(more.iter().cloned()),
            (Some(_), _) => {}
            (None, _) => {
                all.insert(name.clone(), value.clone());
            }
        }
    }
}

/// What the lab's answer must have: the notation without what only the example has, and without the signs.
fn ours(noted: &str) -> String {
    let mut text = String::new();
    let mut words = noted.trim().chars().peekable();
    let mut at_start = true;
    while let Some(c) = words.next() {
        match c {
            '+' if at_start => continue,
            '-' if at_start => {
                while words.next_if(|c| c.is_ascii_alphanumeric()).is_some() {}
                words.next_if(|c| *c == ' ');
                continue;
            }
            _ => text.push(c),
        }
        at_start = matches!(c, ' ' | '[' | '{');
    }
    text.replace(" ]", "]").replace(" }", "}").trim_end().to_owned()
}

#[test]
fn every_answer_has_the_members_that_are_documented_and_all_are_known_to_the_command_line() {
    let Some(python) = command::aws().and_then(|aws| aws.parent().map(|bin| bin.join("python3"))) else {
        return;
    };
    let Some(lab) = Lab::up("shown", &["--no-network"]) else { return };
    let env = String::from_utf8(lab.command(&["env"]).stdout).unwrap();
    let caller = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model.py");
    let script = format!("{env}\nexec {} {caller}", python.display());
    let done = Command::new("bash").args(["-euc", &script]).output().unwrap();
    // a warning of the command line would stand here
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    let said = String::from_utf8(done.stdout).unwrap();
    let mut answers = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());

    let mut lines = include_str!("documented.txt").lines().filter(|l| !l.starts_with('#'));
    let (mut calls, mut wrong) = (0, String::new());
    while let (Some(call), Some(noted)) = (lines.next(), lines.next()) {
        let answer = answers.next().unwrap_or_else(|| panic!("nothing shown for {call}"));
        let (seen, wanted) = (members(&answer), format!("{{{}}}", ours(noted).replace("(nothing)", "")));
        if seen != wanted {
            writeln!(wrong, "{call}\n  seen   {seen}\n  wanted {wanted}").unwrap();
        }
        calls += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    let model = answers.next().unwrap();
    assert_eq!(model["wrong"], Value::Array(Vec::new()));
    assert!(calls >= 87 && model["operations"].as_u64() >= Some(85), "{calls} calls, {model}");
}

#[test]
fn a_notation_is_read_without_what_only_the_example_has() {
    assert_eq!(ours("A -B +C[D! -E] F"), "A C[D!] F");
    assert_eq!(ours("-A B{C# -D} +E[]"), "B{C#} E[]");
    let value = serde_json::json!({"B": [{"x": 1}, {"y": true}], "A": "t"});
    assert_eq!(members(&value), "{A B[x# y!]}");
}
