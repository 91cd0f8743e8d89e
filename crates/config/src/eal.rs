//! `[eal]`: memory for DPDK.

use toml::de::DeValue;

use crate::document::Document;
use crate::machine::Machine;
use crate::value;

/// `[eal]`: memory for DPDK's environment abstraction layer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EalSettings {
    /// MiB if the operator fixed it.
    pub memory: Option<u32>,
    /// Whether to use huge pages if the operator fixed it.
    pub huge_pages: Option<bool>,
    /// Free huge pages of the machine, in bytes.
    pub huge_page_bytes: u64,
}

impl EalSettings {
    pub(crate) fn read(document: &mut Document<'_>, machine: &Machine) -> Self {
        let huge_pages = |value: &DeValue<'_>| match value.as_str() {
            Some("auto") => Ok(None),
            _ => value.as_bool().map(Some).ok_or_else(|| "must be \"auto\", true or false".to_string()),
        };
        Self {
            memory: document.optional("eal", "memory", value::number(1..=1_048_576)),
            huge_pages: document.value("eal", "huge_pages", None, huge_pages),
            huge_page_bytes: machine.huge_page_bytes,
        }
    }
}
