//! `[[list]]`: files of domains or addresses, and what becomes of what is on them.

use std::path::PathBuf;

use policy::{ListAction, ListKind, Listing, NamePlace};
use toml::de::DeValue;

use crate::document::Document;
use crate::value;

/// One list.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ListSettings {
    /// Its file; if that was relative to the configuration file it is below its directory now.
    pub file: PathBuf,
    /// Its name, what is on it, what becomes of that.
    pub listing: Listing,
}

impl ListSettings {
    /// Every `[[list]]`, in the order of the file.
    pub(crate) fn read(document: &mut Document<'_>) -> Vec<Self> {
        let actions = [
            ("allow", ListAction::Allow),
            ("deny", ListAction::Deny),
            ("reject", ListAction::Reject),
            ("alert", ListAction::Alert),
        ];
        let mut lists: Vec<Self> = Vec::new();
        for table in document.tables("list") {
            let name = document.required(&table, "name", "what events call it, and rules in `dataset`", name);
            let file = document.required(&table, "file", "where its entries are, one a line", value::text);
            let wanted = "what becomes of what is on it";
            let action = document.required(&table, "action", wanted, value::choice(&actions));
            let kinds = [("domains", true), ("addresses", false)];
            let domains = document.value(&table, "kind", true, value::choice(&kinds));
            let everywhere = NamePlace::ALL.map(|(_, place)| place).to_vec();
            let places =
                document.value(&table, "names", everywhere, value::list(value::choice(&NamePlace::ALL)));
            let (Some(name), Some(file), Some(action)) = (name, file, action) else { continue };
            if lists.iter().any(|list| list.listing.name == name) {
                document.wrong(&format!("{table}.name"), "is another list's name already");
            }
            let kind = if domains { ListKind::Domains(places) } else { ListKind::Addresses };
            lists.push(Self { file: document.beside(&file), listing: Listing { name, action, kind } });
        }
        lists
    }
}

/// A list's name, which is a variable's name too.
fn name(value: &DeValue<'_>) -> Result<String, String> {
    let fits = |name: &String| {
        name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    value::text(value).ok().filter(fits).ok_or_else(|| "must be letters, digits and _, at most 64".into())
}
