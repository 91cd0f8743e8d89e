//! Rules with `=>`: what was asked and what was answered, together.
//!
//! Such a rule matches one transaction, each buffer in the way that has it. Nothing else in it may be of one way only, or
//! of packets, which do not belong to transactions.

use crate::fault::{Fault, Why};
use crate::header::Arrow;
use crate::option::RuleOption;
use crate::option::buffer::Buffer;

/// Checks that each buffer's way is clear, `at` being where the rule starts: in a rule with `=>` because the buffer has one
/// way only or the rule names it; in other rules because the packet's way is meant.
pub(crate) fn check(arrow: Arrow, options: &[RuleOption], at: usize) -> Result<(), Fault> {
    let conflict = |what: &'static str| Fault::new(at, Why::Conflict(what));
    let mut buffers = 0;
    for option in options {
        match (option, arrow) {
            (RuleOption::Buffer(tests), Arrow::Exchange) => {
                if tests.buffer == Buffer::Payload || tests.buffer.is_packet_header() {
                    return Err(conflict(
                        "a rule with `=>` is about transactions: patterns need a buffer of one",
                    ));
                }
                if tests.way.or(tests.buffer.way()).is_none() && tests.buffer != Buffer::Base64Data {
                    let hint = format!("say which, as in `{}:to_client;`", tests.buffer);
                    return Err(conflict("both ways have this buffer")
                        .option(tests.buffer.name())
                        .suggest(Some(hint)));
                }
                buffers += 1;
            }
            (RuleOption::Buffer(tests), _) if tests.way.is_some() => {
                let what = "a buffer's way is named in rules with `=>`; in others `flow` names it";
                return Err(conflict(what).option(tests.buffer.name()));
            }
            (RuleOption::Flow(flow), Arrow::Exchange) if flow.way.is_some() => {
                return Err(
                    conflict("a rule with `=>` goes both ways, and its `flow` names one").option("flow")
                );
            }
            _ => {}
        }
    }
    match (arrow, buffers) {
        (Arrow::Exchange, 0) => Err(conflict("a rule with `=>` is about transactions and looks into none")),
        _ => Ok(()),
    }
}
