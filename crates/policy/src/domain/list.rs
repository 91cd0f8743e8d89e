//! Domain lists as files have them: one domain a line, or a hosts file.

use std::net::IpAddr;

use super::entry::Domain;
use super::set::{DOMAINS_MAX, Domains};
use crate::fault::Why;

/// How many bad lines are told; all are counted.
const TOLD_MAX: usize = 100;

/// What a file of domains holds.
#[derive(Clone, Debug)]
pub struct DomainList {
    /// Every domain in it.
    pub domains: Domains,
    /// How many lines had something else.
    pub bad: usize,
    /// The first hundred of those: line, from 1, and what is wrong.
    pub told: Vec<(usize, Why)>,
}

impl DomainList {
    /// Reads a list. What follows `#`, `;`, a comma or white space on a line does not count, but that an address may stand
    /// before the name, as in a hosts file. Bad lines are passed over.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let (mut bad, mut told, mut entries) = (0, Vec::new(), 0);
        let lines = text.split(|byte| *byte == b'\n').enumerate();
        let domains = lines
            .filter_map(|(index, line)| {
                let domain = match entries < DOMAINS_MAX {
                    true => domain_of(line)?,
                    false => Err(Why::TooMuch { what: "the domains of a list", limit: DOMAINS_MAX }),
                };
                match domain {
                    Ok(domain) => {
                        entries += 1;
                        Some(domain)
                    }
                    Err(why) => {
                        bad += 1;
                        if told.len() < TOLD_MAX {
                            told.push((index + 1, why));
                        }
                        None
                    }
                }
            })
            .collect();
        Self { domains, bad, told }
    }
}

/// What a line says; `None` if nothing.
fn domain_of(line: &[u8]) -> Option<Result<Domain, Why>> {
    let said = line.split(|byte| b"#;,".contains(byte)).next().unwrap_or_default();
    let mut words = said.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let first = String::from_utf8_lossy(words.next()?);
    let name = match (first.parse::<IpAddr>(), words.next()) {
        (Ok(_), Some(name)) => String::from_utf8_lossy(name),
        _ => first,
    };
    Some(Domain::parse(&name))
}
