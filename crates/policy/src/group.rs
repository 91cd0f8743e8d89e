//! Rule groups as AWS Network Firewall's API has them (AWS, "RuleGroup" and "RulesSource" in its API reference), read as
//! rules of the language.
//!
//! ```text
//! RulesString ────────────────────▶ as it is ┐
//! StatefulRules ──────────────────▶ one each │
//! RulesSourceList, a domain list ─▶ its set  ├─▶ RuleFile ─▶ Loading
//! StatelessRules, by priority ────▶ one each ┘
//! RuleVariables ──────────────────▶ Variables
//! ```
//! Why by way of the language: what is refused is told in its words, and one reader judges what a rule means.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use crate::domain::{Domain, Domains, Lists};
use crate::fault::Why;
use crate::load::RuleFile;
use crate::variables::Variables;

/// Most rules that one group makes.
const RULES_MAX: u32 = 1 << 16;
/// Where the numbers of rules that a group does not number itself begin; those of rule authors are far below.
const SIDS: u32 = 4_000_000_000;

/// Why a rule group cannot be read.
#[derive(Debug, Error)]
pub enum GroupError {
    /// It is not JSON, or not a rule group's.
    #[error("no rule group: {0}")]
    Json(#[from] serde_json::Error),
    /// A variable's definition is wrong.
    #[error("variable `{name}`: {why}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong.
        why: Why,
    },
    /// Something that has no counterpart here.
    #[error("{what} `{value}` is not supported")]
    Unsupported {
        /// Where it stands.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// More rules than a group may make.
    #[error("the group makes more than {RULES_MAX} rules")]
    TooMany,
}

/// A rule group, read.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// Its rules.
    pub file: RuleFile,
    /// The domain list that they name, if it has one.
    pub lists: Lists,
    /// What it says that names stand for.
    variables: RuleVariables,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    #[serde(rename_all = "PascalCase")]
    Wrapped {
        rule_group: Group,
    },
    Bare(Group),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    #[serde(default)]
    rule_variables: RuleVariables,
    rules_source: RulesSource,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct RuleVariables {
    #[serde(default, rename = "IPSets")]
    addresses: BTreeMap<String, Definition>,
    #[serde(default, rename = "PortSets")]
    ports: BTreeMap<String, Definition>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    definition: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RulesSource {
    rules_string: Option<String>,
    rules_source_list: Option<DomainList>,
    #[serde(default)]
    stateful_rules: Vec<Stateful>,
    stateless_rules_and_custom_actions: Option<StatelessRules>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DomainList {
    targets: Vec<String>,
    target_types: Vec<String>,
    generated_rules_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stateful {
    action: String,
    header: Header,
    #[serde(default)]
    rule_options: Vec<RuleOption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    protocol: String,
    source: String,
    source_port: String,
    direction: String,
    destination: String,
    destination_port: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleOption {
    keyword: String,
    #[serde(default)]
    settings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatelessRules {
    stateless_rules: Vec<Stateless>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stateless {
    rule_definition: StatelessDefinition,
    priority: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatelessDefinition {
    match_attributes: Attributes,
    actions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    #[serde(default)]
    sources: Vec<AddressDefinition>,
    #[serde(default)]
    destinations: Vec<AddressDefinition>,
    #[serde(default)]
    source_ports: Vec<PortRange>,
    #[serde(default)]
    destination_ports: Vec<PortRange>,
    #[serde(default)]
    protocols: Vec<u8>,
    #[serde(default, rename = "TCPFlags")]
    tcp_flags: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddressDefinition {
    address_definition: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PortRange {
    from_port: u16,
    to_port: u16,
}

impl RuleGroup {
    /// Reads a rule group, alone or under `RuleGroup`, as the command line's `describe-rule-group` prints it. `nth` counts
    /// the groups of a set: rules that have no number of their own get one from it.
    ///
    /// # Errors
    /// See [`GroupError`]. What is wrong with single rules is told when they are loaded.
    pub fn read(name: &str, text: &[u8], nth: u16) -> Result<Self, GroupError> {
        let (Document::Wrapped { rule_group: group } | Document::Bare(group)) = serde_json::from_slice(text)?;
        let first = SIDS + u32::from(nth % 4096) * RULES_MAX;
        let mut rules = Rules { text: String::new(), sid: first, last: first + RULES_MAX - 1 };
        let source = group.rules_source;
        if let Some(stateless) = source.stateless_rules_and_custom_actions {
            rules.stateless(stateless)?;
        }
        if let Some(text) = source.rules_string {
            rules.text.push_str(&text);
            rules.text.push('\n');
        }
        for rule in &source.stateful_rules {
            rules.stateful(rule)?;
        }
        let mut lists = Lists::default();
        if let Some(list) = &source.rules_source_list {
            let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy();
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let called = format!("{}_{nth}", stem.chars().take(64).map(plain).collect::<String>());
            lists.add(&called, rules.domains(&called, list)?);
        }
        let file = RuleFile { name: Arc::from(name), text: rules.text.into_bytes() };
        Ok(Self { file, lists, variables: group.rule_variables })
    }

    /// Lets names stand for what the group says.
    ///
    /// # Errors
    /// [`GroupError::Variable`] for the first that is wrong.
    pub fn define(&self, variables: &mut Variables) -> Result<(), GroupError> {
        let list = |definition: &Definition| format!("[{}]", definition.definition.join(","));
        let wrong = |name: &str, why| GroupError::Variable { name: name.to_owned(), why };
        for (name, definition) in &self.variables.addresses {
            variables.set_addresses(name, &list(definition)).map_err(|why| wrong(name, why))?;
        }
        for (name, definition) in &self.variables.ports {
            variables.set_ports(name, &list(definition)).map_err(|why| wrong(name, why))?;
        }
        Ok(())
    }
}

/// Rules in the making.
struct Rules {
    text: String,
    sid: u32,
    last: u32,
}

impl Rules {
    /// One rule, with a number of its own.
    fn push(&mut self, head: &str, options: &str) -> Result<(), GroupError> {
        if self.sid == self.last {
            return Err(GroupError::TooMany);
        }
        let Self { text, sid, .. } = self;
        // Writing to text cannot fail.
        let _ = writeln!(text, "{} ({} sid:{sid};)", one_line(head), one_line(options));
        *sid += 1;
        Ok(())
    }

    fn stateful(&mut self, rule: &Stateful) -> Result<(), GroupError> {
        let Header { protocol, source, source_port, direction, destination, destination_port } = &rule.header;
        let arrow = if direction.eq_ignore_ascii_case("ANY") { "<>" } else { "->" };
        let [action, protocol] = [&rule.action, protocol].map(|word| word.to_ascii_lowercase());
        let any =
            |word: &str| if word.eq_ignore_ascii_case("ANY") { "any".to_owned() } else { word.to_owned() };
        let [source, source_port, destination, destination_port] =
            [source, source_port, destination, destination_port].map(|word| any(word));
        let head =
            format!("{action} {protocol} {source} {source_port} {arrow} {destination} {destination_port}");
        let mut options = String::new();
        for RuleOption { keyword, settings } in &rule.rule_options {
            let _ = match settings.is_empty() {
                true => write!(options, "{keyword}; "),
                false => write!(options, "{keyword}:{}; ", settings.join(",")),
            };
        }
        if rule.rule_options.iter().any(|option| option.keyword == "sid") {
            let _ = writeln!(self.text, "{} ({})", one_line(&head), one_line(options.trim_end()));
            return Ok(());
        }
        self.push(&head, options.trim_end())
    }

    /// A domain list: one rule for each kind of name, that asks the list. An allow-list drops every other name, and leaves
    /// alone what has none.
    fn domains(&mut self, name: &str, list: &DomainList) -> Result<Arc<Domains>, GroupError> {
        let (action, rest) = match list.generated_rules_type.as_str() {
            "ALLOWLIST" => ("pass", Some("drop")),
            "DENYLIST" => ("drop", None),
            "REJECTLIST" => ("reject", None),
            "ALERTLIST" => ("alert", None),
            other => return Err(unsupported("GeneratedRulesType", other)),
        };
        for kind in &list.target_types {
            let (protocol, buffer, has_name) = match kind.as_str() {
                "TLS_SNI" => ("tls", "tls.sni", "ssl_state:client_hello;"),
                "HTTP_HOST" => ("http", "http.host", "http.request_line; bsize:>0;"),
                other => return Err(unsupported("TargetTypes", other)),
            };
            let head = |action: &str| format!("{action} {protocol} $HOME_NET any -> $EXTERNAL_NET any");
            let options = format!(
                "msg:\"{protocol} name on a list\"; flow:to_server,established; {buffer}; dataset:isset,{name};"
            );
            self.push(&head(action), &options)?;
            if let Some(rest) = rest {
                let options =
                    format!("msg:\"{protocol} name on no list\"; flow:to_server,established; {has_name}");
                self.push(&head(rest), &options)?;
            }
        }
        let domain = |target: &String| Domain::parse(target).map_err(|_| unsupported("Targets", target));
        list.targets.iter().map(domain).collect::<Result<Domains, _>>().map(Arc::new)
    }

    /// Stateless rules by priority. One that forwards to the stateful engine ends their list for what it matches, which
    /// the language cannot say unless it is the last.
    fn stateless(&mut self, rules: StatelessRules) -> Result<(), GroupError> {
        let mut rules = rules.stateless_rules;
        rules.sort_by_key(|rule| rule.priority);
        let forwards =
            |rule: &Stateless| rule.rule_definition.actions.iter().any(|a| a == "aws:forward_to_sfe");
        while rules.last().is_some_and(forwards) {
            rules.pop();
        }
        for Stateless { rule_definition, .. } in &rules {
            let action = rule_definition.actions.iter().find_map(|action| match action.as_str() {
                "aws:pass" => Some("pass"),
                "aws:drop" => Some("drop"),
                _ => None,
            });
            let Some(action) = action else {
                return Err(unsupported("stateless Actions", &rule_definition.actions.join(",")));
            };
            self.five_tuples(action, &rule_definition.match_attributes)?;
        }
        Ok(())
    }

    fn five_tuples(&mut self, action: &str, attributes: &Attributes) -> Result<(), GroupError> {
        if let Some(flags) = attributes.tcp_flags.first() {
            return Err(unsupported("TCPFlags", &flags.to_string()));
        }
        let addresses =
            |all: &[AddressDefinition]| list(all.iter().map(|address| address.address_definition.clone()));
        let ports = |all: &[PortRange]| {
            list(all.iter().map(|range| format!("{}:{}", range.from_port, range.to_port)))
        };
        let (sources, destinations) = (addresses(&attributes.sources), addresses(&attributes.destinations));
        let (source_ports, destination_ports) =
            (ports(&attributes.source_ports), ports(&attributes.destination_ports));
        let with_ports = [&source_ports, &destination_ports].iter().any(|ports| *ports != "any");
        let protocols = match (attributes.protocols.as_slice(), with_ports) {
            ([], true) => vec![6, 17],
            (protocols, _) => protocols.to_vec(),
        };
        let head = |protocol: &str| {
            format!("{action} {protocol} {sources} {source_ports} -> {destinations} {destination_ports}")
        };
        if protocols.is_empty() {
            return self.push(&head("ip"), "msg:\"stateless\";");
        }
        for protocol in protocols {
            let (name, option) = match protocol {
                1 => ("icmpv4", String::new()),
                6 => ("tcp", String::new()),
                17 => ("udp", String::new()),
                other => ("ip", format!(" ip_proto:{other};")),
            };
            self.push(&head(name), &format!("msg:\"stateless\";{option}"))?;
        }
        Ok(())
    }
}

/// A list of the language; none is any.
fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.is_empty() || items.iter().any(|item| item == "0.0.0.0/0" || item == "0:65535") {
        true => "any".to_owned(),
        false => format!("[{}]", items.join(",")),
    }
}

/// What comes out of JSON may hold line ends, and a rule is a line.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn unsupported(what: &'static str, value: &str) -> GroupError {
    GroupError::Unsupported { what, value: crate::fault::quoted(value.as_bytes()) }
}
