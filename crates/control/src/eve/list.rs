//! Which list an alert's name is on.

use inspect::app::Transaction;
use policy::{DatasetCommand, Lists, PayloadTest, Rule, RuleOption, Way};
use serde_json::{Value, json};

/// The list that a rule asked and the entry on it that includes the transaction's name, if that is why it matched. Looked up
/// again, here where nobody waits for it, so that no worker carries it.
pub(crate) fn list(lists: &Lists, rule: &Rule, transaction: &Transaction) -> Option<Value> {
    let tests = rule.options.iter().filter_map(|option| match option {
        RuleOption::Buffer(tests) => Some(tests),
        _ => None,
    });
    let asked = tests.flat_map(|buffer| buffer.tests.iter().map(|test| (buffer.buffer, test)));
    asked
        .filter_map(|(buffer, test)| match test {
            PayloadTest::Dataset(asked) if asked.command == DatasetCommand::IsSet => {
                Some((buffer, &asked.name))
            }
            _ => None,
        })
        .find_map(|(buffer, name)| {
            let domains = lists.find(name)?;
            let entry = transaction.values(buffer, Way::ToServer).find_map(|value| domains.find(value))?;
            Some(json!({ "name": name, "entry": entry }))
        })
}
