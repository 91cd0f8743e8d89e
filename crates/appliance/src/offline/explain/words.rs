//! The words of an explanation: what a rule's condition was, and what became of a match.

use inspect::matcher::Literal;
use inspect::witness::{Failed, Fate};
use inspect::{Detector, Sought};
use policy::{FlowTest, LoadedRule, Protocol, RuleIndex, RuleOption, RuleSet, Way};
use wire::{EndpointId, FiveTuple};

/// Why a rule did not match when it was asked.
pub(super) fn failed(rule: &LoadedRule, failed: Failed, app: Option<Protocol>) -> String {
    let options = &rule.rule.options;
    let option = |nth: usize| options.get(nth).map(ToString::to_string).unwrap_or_default();
    let first = |is: fn(&RuleOption) -> bool| {
        options.iter().find(|option| is(option)).map(ToString::to_string).unwrap_or_default()
    };
    match failed {
        Failed::Again => "it had matched there before".to_owned(),
        Failed::Elsewhere => "it does not look there: at packets of a stream, or behind its start".to_owned(),
        Failed::Protocol => {
            let spoken = app.map_or_else(|| "not known".to_owned(), |app| app.to_string());
            format!("protocol {}: what the flow speaks is {spoken}", rule.rule.header.protocol)
        }
        Failed::Flow => {
            format!("{} does not hold", first(|option| matches!(option, RuleOption::Flow(_))))
        }
        Failed::Option(nth) => format!("{} does not hold", option(nth)),
        Failed::Absent(nth) => match options.get(nth) {
            Some(RuleOption::Buffer(tests)) => format!("there is no {}", tests.buffer),
            _ => "the buffer is not there".to_owned(),
        },
        Failed::Test { option: nth, test } => match options.get(nth) {
            Some(RuleOption::Buffer(tests)) => {
                let test = tests.tests.get(test).map(ToString::to_string).unwrap_or_default();
                format!("{}: {test} does not hold", tests.buffer)
            }
            _ => format!("{} does not hold", option(nth)),
        },
        Failed::Filter => {
            let filter = first(|option| matches!(option, RuleOption::DetectionFilter(_)));
            format!("all of it holds, but not often enough for {filter}")
        }
    }
}

/// Why a rule was never asked in a flow, whose packets have these ends to the server and to the client. Short, so that
/// rules can be counted by it; and what more there is to say.
pub(super) fn unasked(
    detector: &Detector,
    (endpoint, index, rule): (EndpointId, RuleIndex, &LoadedRule),
    ways: [FiveTuple; 2],
) -> (String, Option<String>) {
    let way = rule.rule.options.iter().find_map(|option| match option {
        RuleOption::Flow(FlowTest { way, .. }) => *way,
        _ => None,
    });
    let asked = [Way::ToServer, Way::ToClient].into_iter().zip(ways);
    let asked = asked.filter(|(of, _)| way.is_none_or(|way| way == *of));
    // One way that matches is enough; if none does, the one that comes farthest tells most.
    let mismatch = asked
        .map(|(way, tuple)| rule.mismatch(&tuple, way))
        .min_by_key(|field| (field.is_some(), std::cmp::Reverse(*field)));
    let mismatch = mismatch.flatten();
    if let Some(field) = mismatch {
        return (format!("header: {field}"), Some(format!("the flow does not match {}", rule.rule.header)));
    }
    match detector.sought(endpoint, index) {
        None => ("it cannot be judged".to_owned(), None),
        Some(Sought::Pattern(buffer, literal)) => {
            let pattern = quoted(&literal);
            ("pattern never seen".to_owned(), Some(format!("{pattern} was never seen in {buffer}")))
        }
        Some(Sought::Always) => ("never asked".to_owned(), Some("nothing came that it looks at".to_owned())),
    }
}

/// What became of a match.
pub(super) fn fate(fate: Fate, rules: &RuleSet) -> String {
    match fate {
        Fate::Told => "matched and told".to_owned(),
        Fate::Silent => "matched; by noalert, or because it passes, it is told to nobody".to_owned(),
        Fate::Withheld => "matched; its threshold kept it from being told".to_owned(),
        Fate::Overruled(by) => {
            let by = rules.get(by);
            let sid = by.map_or(0, |by| by.rule.about.sid);
            let action = by.map_or("", |by| by.rule.action.name());
            format!("matched; overruled by {action} of sid {sid}")
        }
        Fate::Unroomed => format!("matched; {} others of this packet were told", policy::ALERTS_MAX),
    }
}

/// A pattern as rules write it.
fn quoted(literal: &Literal) -> String {
    let mut text = String::from("content:\"");
    let mut in_hex = false;
    for byte in &literal.bytes {
        let plain = (b' '..=b'~').contains(byte) && !b"\"\\;:|".contains(byte);
        if plain == in_hex {
            text.push('|');
            in_hex = !in_hex;
        } else if in_hex {
            text.push(' ');
        }
        match plain {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("{byte:02X}")),
        }
    }
    text.push_str(if in_hex { "|\"" } else { "\"" });
    if literal.nocase { text + "; nocase;" } else { text + ";" }
}
