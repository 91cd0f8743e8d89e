//! What becomes of what a list names, as rules of the language: few for each list, however long it is.
//!
//! ```text
//! deny, reject, alert    a name that is on the list
//! allow                  drop: a name that is on no list that allows, or none at all; then, where the default action
//!                        drops, pass: a name on the list, and TCP's handshake, which comes before any name
//! ```
//! Why what is dropped stands before what passes: a message may hold several names, and all of them must be allowed.

use std::fmt::Write as _;

use crate::load::{DefaultAction, RuleFile};

/// Where the numbers of these rules begin: above those of rule authors, below those of rule groups.
const SIDS: u32 = 3_900_000_000;

/// A list and what becomes of what it names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listing {
    /// The list's name: letters, digits and `_`.
    pub name: String,
    /// What becomes of what is on it.
    pub action: ListAction,
    /// What is on it.
    pub kind: ListKind,
}

/// What becomes of what is on a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ListAction {
    /// Names that are on no list that allows are dropped. Addresses are passed.
    Allow,
    /// It is dropped.
    Deny,
    /// It is dropped, and who sent it is told.
    Reject,
    /// It is told.
    Alert,
}

/// What is on a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListKind {
    /// Domains, looked for in these places.
    Domains(Vec<NamePlace>),
    /// Addresses and prefixes, at either end of a packet.
    Addresses,
}

/// Where a domain's name is said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NamePlace {
    /// The server's name in TLS.
    Tls,
    /// The server's name in QUIC.
    Quic,
    /// The host of an HTTP request.
    Http,
    /// What a DNS query asks for.
    Dns,
}

impl NamePlace {
    /// All of them, by the words of the configuration.
    pub const ALL: [(&'static str, Self); 4] =
        [("tls", Self::Tls), ("quic", Self::Quic), ("http", Self::Http), ("dns", Self::Dns)];

    /// The protocol that rules name, and the buffer.
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Tls => ["tls", "tls.sni"],
            Self::Quic => ["quic", "quic.sni"],
            Self::Http => ["http", "http.host"],
            Self::Dns => ["dns", "dns.query"],
        }
    }
}

impl Listing {
    /// The rules that lists mean, to stand behind those of files.
    #[must_use]
    pub fn rules(listings: &[Self], default: DefaultAction) -> RuleFile {
        let mut rules = Rules { text: String::new(), sid: SIDS };
        for listing in listings {
            let action = match listing.action {
                ListAction::Allow => continue,
                ListAction::Deny => "drop",
                ListAction::Reject => "reject",
                ListAction::Alert => "alert",
            };
            rules.on(action, listing);
        }
        let allowing = |listing: &&Self| listing.action == ListAction::Allow;
        let allowing: Vec<&Self> = listings.iter().filter(allowing).collect();
        for (_, place) in NamePlace::ALL {
            let names: Vec<&str> = allowing.iter().filter_map(|listing| listing.named_at(place)).collect();
            if !names.is_empty() {
                rules.unlisted(place, &names);
            }
        }
        if default == DefaultAction::Drop
            && allowing.iter().any(|listing| listing.kind != ListKind::Addresses)
        {
            rules.push(
                "pass tcp any any <> any any",
                "msg:\"a handshake, before any name\"; flow:not_established; dsize:0;",
            );
        }
        for listing in allowing {
            if listing.kind == ListKind::Addresses || default != DefaultAction::Forward {
                rules.on("pass", listing);
            }
        }
        RuleFile { name: "[[list]]".into(), text: rules.text.into_bytes() }
    }

    /// The list's name, if it is asked for names that are said there.
    fn named_at(&self, place: NamePlace) -> Option<&str> {
        match &self.kind {
            ListKind::Domains(places) if places.contains(&place) => Some(&self.name),
            _ => None,
        }
    }
}

/// Rules in the making.
struct Rules {
    text: String,
    sid: u32,
}

impl Rules {
    fn push(&mut self, head: &str, options: &str) {
        // Writing to text cannot fail.
        let _ = writeln!(self.text, "{head} ({options} sid:{};)", self.sid);
        self.sid += 1;
    }

    /// What is on the list.
    fn on(&mut self, action: &str, Listing { name, kind, .. }: &Listing) {
        let places = match kind {
            ListKind::Domains(places) => places,
            ListKind::Addresses => {
                let told = format!("msg:\"address on list {name}\";");
                return self.push(&format!("{action} ip any any <> ${name} any"), &told);
            }
        };
        for [protocol, buffer] in places.iter().map(|place| place.words()) {
            self.push(
                &format!("{action} {protocol} any any -> any any"),
                &format!(
                    "msg:\"{protocol} name on list {name}\"; flow:to_server; {buffer}; dataset:isset,{name};"
                ),
            );
        }
    }

    /// A name that is on none of the lists, or no name.
    fn unlisted(&mut self, place: NamePlace, lists: &[&str]) {
        let [protocol, buffer] = place.words();
        let on_none: String = lists.iter().map(|name| format!(" dataset:isnotset,{name};")).collect();
        self.push(
            &format!("drop {protocol} any any -> any any"),
            &format!(
                "msg:\"{protocol} name on no list that allows\"; flow:to_server; {buffer}; absent:or_else;{on_none}"
            ),
        );
    }
}
