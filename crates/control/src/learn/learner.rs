//! Who asked for which names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use inspect::Event;
use inspect::app::Facts;
use policy::{Buffer, Domain, Protocol, Way};
use wire::EndpointId;

use super::allow_list::allow_list;

/// Most names that are kept, of all endpoints together: some 30 MB.
const NAMES_MAX: usize = 100_000;
/// So many names below one domain are learnt as that domain and all that is below it.
const COLLAPSE: usize = 3;
/// Where names are said: TLS, QUIC, HTTP.
const PLACES: [Buffer; 3] = [Buffer::TlsSni, Buffer::QuicSni, Buffer::HttpHost];

/// Notes the names of transactions, and writes a list for each endpoint.
#[derive(Debug)]
pub struct Learner {
    file: PathBuf,
    names: BTreeMap<EndpointId, BTreeSet<Domain>>,
    kept: usize,
    lost: u64,
}

impl Learner {
    /// Learns for this file.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self { file, names: BTreeMap::new(), kept: 0, lost: 0 }
    }

    /// Notes what a transaction asked for. Names that no list can have are passed over; those beyond the bound are counted.
    pub fn note(&mut self, event: &Event) {
        let Event::Transaction(ended) = event else { return };
        for place in PLACES {
            for value in ended.transaction.values(place, Way::ToServer) {
                self.hear(ended.key.endpoint(), value);
            }
        }
        // Buffers of DNS are made for rules alone; what it says is in its facts, multicast's too, which is nobody's to allow.
        if let (Protocol::Dns, Facts::Dns(facts)) = (ended.app, &ended.transaction.facts)
            && let Some(query) = &facts.query
        {
            for question in &query.questions {
                self.hear(ended.key.endpoint(), query.question_name(question));
            }
        }
    }

    /// Names that found no room.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Writes the lists: to the file if one endpoint asked for names, else to one for each, with the endpoint's id behind its
    /// name. Whoever reads sees the old file or the new one, whole. Gives back what was written.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub fn write(&self) -> io::Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for (endpoint, names) in &self.names {
            let file = match self.names.len() {
                1 => self.file.clone(),
                _ => with(&self.file, &format!(".{:016x}", endpoint.0)),
            };
            replace(&file, &self.text(*endpoint, names))?;
            written.push(file);
        }
        Ok(written)
    }

    fn hear(&mut self, endpoint: EndpointId, name: &[u8]) {
        let name = std::str::from_utf8(name).ok().and_then(|name| Domain::parse(name).ok());
        // A dot before a name would mean more than was asked for.
        if let Some(name) = name.filter(|name| !name.as_str().starts_with('.')) {
            self.keep(endpoint, name);
        }
    }

    fn keep(&mut self, endpoint: EndpointId, name: Domain) {
        let names = self.names.entry(endpoint).or_default();
        if names.contains(&name) {
            return;
        }
        if self.kept == NAMES_MAX {
            self.lost += 1;
            return;
        }
        self.kept += 1;
        names.insert(name);
    }

    fn text(&self, endpoint: EndpointId, names: &BTreeSet<Domain>) -> String {
        let list = allow_list(names, COLLAPSE);
        let lost = match self.lost {
            0 => String::new(),
            lost => format!("# Not whole: {lost} times there was no room for another name.\n"),
        };
        let head = format!(
            "# Learnt of endpoint {:016x}: {} names, {} entries.\n",
            endpoint.0,
            names.len(),
            list.len()
        );
        list.into_iter().fold(head + &lost, |text, entry| text + entry.as_str() + "\n")
    }
}

/// Puts a text in a file's place at once.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let new = with(file, ".new");
    fs::write(&new, text)?;
    fs::rename(&new, file)
}

/// A path with more behind its name.
fn with(file: &Path, more: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(more);
    name.into()
}
