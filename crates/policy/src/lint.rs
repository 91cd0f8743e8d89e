//! What is allowed but probably not meant, found by looking at whole rules and at rules beside each other.

use std::collections::HashSet;
use std::sync::Arc;

use crate::address::AddressSet;
use crate::caution::{Caution, Warning};
use crate::fault::Place;
use crate::header::Arrow;
use crate::index::Ends;
use crate::list::Set;
use crate::load::{Order, TOLD_MAX};
use crate::option::bits::BitCommand;
use crate::option::buffer::Buffer;
use crate::option::content::Content;
use crate::option::transform::Transform;
use crate::option::{BufferTests, PayloadTest, RuleOption};
use crate::port::PortSet;
use crate::protocol::Protocol;
use crate::rule::{Action, Rule};
use crate::rule_set::LoadedRule;

/// How many pairs of rules are compared to find rules that are never asked; bounds the time on sets of any size.
const PAIRS_MAX: usize = 1_000_000;

/// Looks at rules as they come, whether they are loaded in the end or not.
#[derive(Debug, Default)]
pub(crate) struct Lint {
    warnings: Vec<Warning>,
    /// Flowbits that some rule sets, and those that rules ask for.
    set: HashSet<String>,
    asked: Vec<(String, Place, u32)>,
    /// Rules that pass TCP flows whole, and whether some rule looks inside flows.
    passes: Vec<(Place, u32)>,
    looks_inside: bool,
}

impl Lint {
    /// Takes note of one thing about a rule.
    pub(crate) fn note(&mut self, place: Place, sid: u32, caution: Caution) {
        if self.warnings.len() < TOLD_MAX {
            self.warnings.push(Warning { place, sid, caution });
        }
    }

    /// Looks at one rule.
    pub(crate) fn rule(&mut self, rule: &Rule, place: &Place) {
        let sid = rule.about.sid;
        let has_pattern = rule.options.iter().any(|option| matches!(option, RuleOption::Buffer(tests) if tests.tests.iter().any(is_positive_pattern)));
        let mut inside = rule.header.protocol.is_application();
        let mut has_flow = false;
        for option in &rule.options {
            match option {
                RuleOption::Buffer(tests) => {
                    inside = true;
                    let cautions = buffer_cautions(tests, has_pattern);
                    self.warnings.extend(cautions.into_iter().map(|caution| Warning {
                        place: place.clone(),
                        sid,
                        caution,
                    }));
                }
                RuleOption::Flow(_) | RuleOption::FlowSize(_) | RuleOption::App(_) => has_flow = true,
                RuleOption::Flowbits(bits) => match bits.command {
                    BitCommand::Set | BitCommand::Toggle => self.set.extend(bits.names.iter().cloned()),
                    BitCommand::IsSet => {
                        self.asked.extend(bits.names.iter().map(|name| (name.clone(), place.clone(), sid)));
                    }
                    BitCommand::Unset | BitCommand::IsNotSet => {}
                },
                _ => {}
            }
        }
        self.looks_inside |= inside;
        let whole_flow =
            matches!(rule.header.protocol, Protocol::Ip | Protocol::Ipv4 | Protocol::Ipv6 | Protocol::Tcp);
        if rule.action == Action::Pass && whole_flow && !inside && !has_flow {
            self.passes.push((place.clone(), sid));
        }
    }

    /// Looks at the rules beside each other, and gives all warnings, in no particular order.
    pub(crate) fn finish(mut self, loaded: &[LoadedRule], order: Order) -> Vec<Warning> {
        for (name, place, sid) in std::mem::take(&mut self.asked) {
            if !self.set.contains(&name) {
                self.note(place, sid, Caution::NeverSet(name));
            }
        }
        if self.looks_inside {
            for (place, sid) in std::mem::take(&mut self.passes) {
                self.note(place, sid, Caution::PassesHandshake);
            }
        }
        self.warnings.extend(shadowed(loaded, order));
        self.warnings.truncate(TOLD_MAX);
        self.warnings
    }
}

fn is_positive_pattern(test: &PayloadTest) -> bool {
    matches!(test, PayloadTest::Content(content) if !content.negated)
}

fn buffer_cautions(tests: &BufferTests, has_pattern: bool) -> Vec<Caution> {
    let exact = tests.tests.iter().any(|test| matches!(test, PayloadTest::Size(_)));
    let mut cautions = Vec::new();
    for test in &tests.tests {
        match test {
            PayloadTest::Content(content) => {
                let capitals = content.bytes.iter().any(u8::is_ascii_uppercase);
                if tests.buffer == Buffer::HttpHost && capitals && !content.nocase && !content.negated {
                    cautions.push(Caution::HostInCapitals);
                }
                if !exact && is_bare_suffix(tests, content) {
                    cautions.push(Caution::SuffixWithoutDot(crate::fault::quoted(&content.bytes)));
                }
            }
            PayloadTest::Pcre(pcre) if !has_pattern && !pcre.negated => {
                cautions.push(Caution::LoneExpression)
            }
            _ => {}
        }
    }
    cautions
}

/// Whether a pattern is meant for a domain and its subdomains, and matches other domains too.
fn is_bare_suffix(tests: &BufferTests, content: &Content) -> bool {
    let names =
        [Buffer::DnsQuery, Buffer::DnsQueriesRrname, Buffer::HttpHost, Buffer::TlsSni, Buffer::QuicSni];
    let placed = content.startswith || content.depth.is_some() || content.is_relative();
    names.contains(&tests.buffer)
        && content.endswith
        && !placed
        && content.bytes.first() != Some(&b'.')
        && content.bytes.contains(&b'.')
        && !tests.transforms.contains(&Transform::Dotprefix)
}

/// The rules that are never asked, because an earlier one passes or drops every packet of their header.
fn shadowed(loaded: &[LoadedRule], order: Order) -> Vec<Warning> {
    let ends_it = |action| match order {
        Order::Strict => matches!(action, Action::Pass | Action::Drop | Action::Reject(_)),
        // A drop does not keep later alerts from being told.
        Order::Action => action == Action::Pass,
    };
    let mut ending: Vec<&LoadedRule> = Vec::new();
    let mut warnings = Vec::new();
    let mut pairs = 0usize;
    for later in loaded {
        pairs += ending.len();
        if pairs > PAIRS_MAX {
            break;
        }
        if let Some(earlier) = ending.iter().find(|earlier| covers(earlier, later)) {
            let caution = Caution::Shadowed { action: earlier.rule.action.name(), by: earlier.place.clone() };
            warnings.push(Warning { place: later.place.clone(), sid: later.rule.about.sid, caution });
        } else if later.rule.is_header_only() && ends_it(later.rule.action) {
            ending.push(later);
        }
    }
    warnings
}

/// Whether every packet of the later rule's header is one of the earlier's.
fn covers(earlier: &LoadedRule, later: &LoadedRule) -> bool {
    let (earlier_header, later_header) = (&earlier.rule.header, &later.rule.header);
    let one_way = |ends: &Ends| {
        ends_cover(&earlier.ends, ends)
            || (earlier_header.arrow != Arrow::OneWay && ends_cover(&earlier.ends.swapped(), ends))
    };
    one_way(&later.ends)
        && (later_header.arrow == Arrow::OneWay || one_way(&later.ends.swapped()))
        && protocol_covers(earlier_header.protocol, later_header.protocol)
}

fn ends_cover(earlier: &Ends, later: &Ends) -> bool {
    ports_cover(&earlier.destination_port, &later.destination_port)
        && addresses_cover(&earlier.destination, &later.destination)
        && addresses_cover(&earlier.source, &later.source)
        && ports_cover(&earlier.source_port, &later.source_port)
}

fn addresses_cover(earlier: &Arc<AddressSet>, later: &Arc<AddressSet>) -> bool {
    Arc::ptr_eq(earlier, later) || earlier.is_any() || (later.len() <= 4096 && earlier.covers(later))
}

fn ports_cover(earlier: &Arc<PortSet>, later: &Arc<PortSet>) -> bool {
    Arc::ptr_eq(earlier, later) || earlier.covers(later)
}

fn protocol_covers(earlier: Protocol, later: Protocol) -> bool {
    let all = |protocol: Protocol| {
        [4, 6]
            .into_iter()
            .flat_map(move |version| (0..=u8::MAX).map(move |number| protocol.includes(version, number)))
    };
    earlier == later
        || earlier == Protocol::Ip
        || all(earlier).zip(all(later)).all(|(earlier, later)| earlier || !later)
}
