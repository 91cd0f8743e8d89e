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

/// `A.B[0].C` of `value`.
fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, step| match step.split_once('[') {
        Some((name, index)) => &value[name][index.trim_end_matches(']').parse::<usize>().unwrap()],
        None => &value[step],
    })
}

#[test]
fn every_answer_has_the_members_that_are_documented_and_only_noted_others() {
    let Some(lab) = Lab::up("documented", &["--no-network"]) else { return };
    let mut lines = include_str!("documented.txt").lines().filter(|l| !l.starts_with('#')).peekable();
    let (mut kept, mut calls, mut wrong) = (String::new(), 0, Vec::new());
    while let (Some(line), Some(noted)) = (lines.next(), lines.next()) {
        let (call, keep) = line.split_once(" => ").unwrap_or((line, ""));
        let said = lab.well(&format!("{kept}aws {call} --output json"));
        let answer: Value = match said.trim() {
            "" => Value::Object(Map::new()),
            json => serde_json::from_str(json).unwrap_or_else(|_| panic!("{call} does not show JSON alone: {json}")),
        };
        if let Some((name, path)) = keep.split_once('=') {
            let value = at(&answer, path).as_str().unwrap_or_else(|| panic!("{path} in {answer}"));
            writeln!(kept, "{name}={value}").unwrap();
        }
        let (seen, wanted) = (members(&answer), format!("{{{}}}", ours(noted).replace("(nothing)", "")));
        if seen != wanted {
            wrong.push(format!("{call}\n  seen   {seen}\n  wanted {wanted}"));
        }
        calls += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(calls >= 80, "{calls}");
}

/// The tools' own model of the two APIs: what it does not know, the command line leaves out without a word.
#[test]
fn the_model_of_the_command_line_knows_every_element_of_every_answer() {
    let Some(python) = command::aws().and_then(|aws| aws.parent().map(|bin| bin.join("python3"))) else { return };
    let Some(lab) = Lab::up("model", &["--no-network"]) else { return };
    let env = String::from_utf8(lab.command(&["env"]).stdout).unwrap();
    let script = format!("{env}\nexec {} {}", python.display(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model.py"));
    let done = Command::new("bash").args(["-euc", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    assert!(said.contains("elements of 8"), "{said}");
}

#[test]
fn a_notation_is_read_without_what_only_the_example_has() {
    assert_eq!(ours("A -B +C[D! -E] F"), "A C[D!] F");
    assert_eq!(ours("-A B{C# -D} +E[]"), "B{C#} E[]");
    let value = serde_json::json!({"B": [{"x": 1}, {"y": true}], "A": "t"});
    assert_eq!(members(&value), "{A B[x# y!]}");
}
