//! `[policy]` and `[[endpoint]]`: where the operator's rules are, how they are read, and for whom they hold.

use std::path::PathBuf;

use policy::{DefaultAction, Order, Variables};
use toml::de::DeValue;

use crate::anomalies;
use crate::document::Document;
use crate::lists::ListSettings;
use crate::value;

/// Rules and how they are read: those of `[policy]`, or of one endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicySettings {
    /// Rule files; those that were relative to the configuration file are below its directory now.
    pub files: Vec<PathBuf>,
    /// A `classification.config` with the operator's classes and words for them.
    pub classification: Option<PathBuf>,
    /// The lists that hold, behind the rules of files.
    pub lists: Vec<ListSettings>,
    /// How their rules are read and tried.
    pub rules: policy::Settings,
}

/// `[[endpoint]]`: one VPC endpoint with rules of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EndpointSettings {
    /// Its id, as GWLB sends it in GENEVE option 1.
    pub id: u64,
    /// What holds for it; what it does not say itself is as in `[policy]`.
    pub policy: PolicySettings,
    /// Flows that it may have at a time, all workers together; `None`: as many as there is room for.
    pub flows: Option<u32>,
    /// Likewise flows that are looked into.
    pub sessions: Option<u32>,
}

/// What becomes of flows that are under way when new rules come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RunningFlows {
    /// What was decided stays decided; flows that are still looked into are judged by the new rules from here on.
    Keep,
    /// Each is judged anew with its next packet.
    Rejudge,
    /// Each ends, and its next packet begins another: amid a connection, for TCP.
    Flush,
}

impl PolicySettings {
    pub(crate) fn read(document: &mut Document<'_>, known: &[ListSettings]) -> Self {
        let none = Self {
            files: Vec::new(),
            classification: None,
            lists: known.to_vec(),
            rules: policy::Settings::default(),
        };
        none.or_as_in(document, "policy", known)
    }

    /// What a table says, and for what it does not say, this.
    /// `known`: all lists.
    fn or_as_in(&self, document: &mut Document<'_>, table: &str, known: &[ListSettings]) -> Self {
        let actions = [
            ("forward", DefaultAction::Forward),
            ("drop", DefaultAction::Drop),
            ("drop-established", DefaultAction::DropEstablished),
            ("drop-established-app", DefaultAction::DropEstablishedApp),
        ];
        let orders = [("strict", Order::Strict), ("action", Order::Action)];
        let files = document.optional(table, "rules", value::list(value::text));
        let files = files.map(|files| files.iter().map(|file| document.beside(file)).collect());
        let classification = document.optional(table, "classification", value::text_or_none);
        let classification = classification.flatten().map(|file| document.beside(&file));
        let list = |value: &DeValue<'_>| {
            let name = value::text(value)?;
            let found = known.iter().find(|list| list.listing.name == name);
            found.cloned().ok_or_else(|| format!("must be names of lists; no `[[list]]` is called {name:?}"))
        };
        let lists = document.optional(table, "lists", value::list(list));
        let mut rules = policy::Settings {
            order: document.value(table, "order", self.rules.order, value::choice(&orders)),
            default_action: document.value(
                table,
                "default",
                self.rules.default_action,
                value::choice(&actions),
            ),
            suspicions: anomalies::read(document, table, &self.rules.suspicions),
            ..self.rules.clone()
        };
        let vars = format!("{table}.vars");
        for name in document.free_keys(&vars) {
            let set = |value: &DeValue<'_>| set_variable(&mut rules.variables, &name, &value::text(value)?);
            // The value is set where it is read, or wrong.
            let _ = document.optional(&vars, &name, set);
        }
        Self {
            files: files.unwrap_or_else(|| self.files.clone()),
            classification: classification.or_else(|| self.classification.clone()),
            lists: lists.unwrap_or_else(|| self.lists.clone()),
            rules,
        }
    }
}

impl EndpointSettings {
    /// Every `[[endpoint]]`, with what `[policy]` says for what it does not.
    pub(crate) fn read(
        document: &mut Document<'_>,
        usual: &PolicySettings,
        known: &[ListSettings],
    ) -> Vec<Self> {
        let mut endpoints: Vec<Self> = Vec::new();
        for table in document.tables("endpoint") {
            let id = document.required(&table, "id", "the endpoint's id, as events name it", endpoint_id);
            let policy = usual.or_as_in(document, &table, known);
            let mut most = |key| {
                let most = document.value(&table, key, 0, value::number(0..=1 << 28));
                Some(most).filter(|most| *most > 0)
            };
            let (flows, sessions) = (most("flows"), most("sessions"));
            let Some(id) = id else { continue };
            if endpoints.iter().any(|endpoint| endpoint.id == id) {
                document.wrong(&format!("{table}.id"), "has its rules already");
            }
            endpoints.push(Self { id, policy, flows, sessions });
        }
        endpoints
    }
}

impl RunningFlows {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let choices = [("keep", Self::Keep), ("rejudge", Self::Rejudge), ("flush", Self::Flush)];
        document.value("policy", "running_flows", Self::Rejudge, value::choice(&choices))
    }
}

/// An endpoint's id: sixteen hexadecimal digits, or as AWS writes it, with a zero and `vpce-` before them.
fn endpoint_id(value: &DeValue<'_>) -> Result<u64, String> {
    let wanted = || "must be an endpoint's id such as \"vpce-00123456789abcdef\"".to_owned();
    let text = value.as_str().ok_or_else(wanted)?;
    let digits = text.strip_prefix("vpce-").unwrap_or(text);
    let whole = matches!(digits.len(), 1..=17) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if whole { u64::from_str_radix(digits, 16).map_err(|_| wanted()) } else { Err(wanted()) }
}

/// A variable is a list of addresses or of ports, whichever its text is; a text that is both is both.
fn set_variable(variables: &mut Variables, name: &str, list: &str) -> Result<(), String> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("is no variable's name: letters, digits and _".into());
    }
    let ports = variables.set_ports(name, list);
    match (variables.set_addresses(name, list), ports) {
        (Err(addresses), Err(ports)) => {
            Err(format!("is no list of addresses ({addresses}) nor of ports ({ports})"))
        }
        _ => Ok(()),
    }
}
