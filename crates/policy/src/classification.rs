//! Classes of events: what `classtype` means for a rule's priority, and the words that events use for it.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Priority of a rule without a class, or with one that nobody names.
pub const PRIORITY_DEFAULT: u8 = 3;

/// The classes that rules may name.
///
/// The names and priorities of the usual classes are built in; the words for them come with the operator's own
/// `classification.config`, as does any other class.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Classification(BTreeMap<String, Class>);

/// One class.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Class {
    /// What events call it.
    pub description: Arc<str>,
    /// How grave it is; 1 is gravest.
    pub priority: u8,
}

impl Default for Classification {
    fn default() -> Self {
        let class = |name: &str, priority| {
            let description = name.replace('-', " ").into();
            (name.to_owned(), Class { description, priority })
        };
        Self(
            (1u8..)
                .zip(USUAL)
                .flat_map(|(priority, names)| names.iter().map(move |name| class(name, priority)))
                .collect(),
        )
    }
}

impl Classification {
    /// Adds the classes of a `classification.config`: lines `config classification: name,description,priority`.
    /// Lines that are none are passed over; a class known before is replaced.
    pub fn add(&mut self, text: &[u8]) {
        for line in String::from_utf8_lossy(text).lines() {
            let Some(rest) = line.trim().strip_prefix("config classification:") else { continue };
            let mut fields = rest.split(',').map(str::trim);
            if let (Some(name), Some(description), Some(Ok(priority @ 1..))) =
                (fields.next(), fields.next(), fields.next().map(str::parse))
            {
                let class = Class { description: description.into(), priority };
                self.0.insert(name.to_owned(), class);
            }
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.0.get(name)
    }
}

/// The usual classes by priority, 1 first.
const USUAL: [&[&str]; 4] = [
    &[
        "attempted-admin",
        "attempted-user",
        "command-and-control",
        "credential-theft",
        "domain-c2",
        "exploit-kit",
        "policy-violation",
        "shellcode-detect",
        "successful-admin",
        "successful-user",
        "targeted-activity",
        "trojan-activity",
        "unsuccessful-user",
        "web-application-attack",
    ],
    &[
        "attempted-dos",
        "attempted-recon",
        "bad-unknown",
        "coin-mining",
        "default-login-attempt",
        "denial-of-service",
        "external-ip-check",
        "misc-attack",
        "non-standard-protocol",
        "pup-activity",
        "rpc-portmap-decode",
        "social-engineering",
        "successful-dos",
        "successful-recon-largescale",
        "successful-recon-limited",
        "suspicious-filename-detect",
        "suspicious-login",
        "system-call-detect",
        "unusual-client-port-connection",
        "web-application-activity",
    ],
    &[
        "icmp-event",
        "misc-activity",
        "network-scan",
        "not-suspicious",
        "protocol-command-decode",
        "string-detect",
        "unknown",
    ],
    &["tcp-connection"],
];

#[cfg(test)]
mod tests {
    use super::{Class, Classification};

    #[test]
    fn a_file_adds_classes_and_replaces_the_usual_ones() {
        let mut classes = Classification::default();
        assert_eq!(classes.class("trojan-activity").map(|class| class.priority), Some(1));
        classes.add(b"# comment\nconfig classification: trojan-activity,Ours, 2\nconfig classification: odd\nconfig classification: zero,Zero,0\n");
        let ours = Class { description: "Ours".into(), priority: 2 };
        assert_eq!(classes.class("trojan-activity"), Some(&ours));
        assert_eq!((classes.class("odd"), classes.class("zero")), (None, None));
    }
}
