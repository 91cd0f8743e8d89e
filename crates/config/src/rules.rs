//! `[policy]`: where the operator's rules are, and how they are read.

use std::path::PathBuf;

use policy::{DefaultAction, Order, Variables};
use toml::de::DeValue;

use crate::document::Document;
use crate::value;

/// `[policy]`: the operator's rules.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PolicySettings {
    /// Rule files; those that were relative to the configuration file are below its directory now.
    pub files: Vec<PathBuf>,
    /// How their rules are read and tried.
    pub rules: policy::Settings,
}

impl PolicySettings {
    pub(crate) fn read(document: &mut Document<'_>) -> Self {
        let actions = [("forward", DefaultAction::Forward), ("drop", DefaultAction::Drop)];
        let orders = [("strict", Order::Strict), ("action", Order::Action)];
        let files = document.value("policy", "rules", Vec::new(), value::list(value::text));
        let mut rules = policy::Settings {
            order: document.value("policy", "order", Order::Strict, value::choice(&orders)),
            default_action: document.value(
                "policy",
                "default",
                DefaultAction::Forward,
                value::choice(&actions),
            ),
            ..policy::Settings::default()
        };
        for name in document.free_keys("policy.vars") {
            let set = |value: &DeValue<'_>| set_variable(&mut rules.variables, &name, &value::text(value)?);
            // The value is set where it is read, or wrong.
            let _ = document.optional("policy.vars", &name, set);
        }
        Self { files: files.into_iter().map(|file| document.beside(&file)).collect(), rules }
    }
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
