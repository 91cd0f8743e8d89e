//! Domain lists by the names that rules know them by.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::set::Domains;

/// Lists by name, for rules that say `dataset:isset,NAME;`.
#[derive(Clone, Debug, Default)]
pub struct Lists(BTreeMap<String, Arc<Domains>>);

impl Lists {
    /// Gives a list a name; replaces what had it.
    pub fn add(&mut self, name: &str, domains: Arc<Domains>) {
        self.0.insert(name.to_owned(), domains);
    }

    /// The list of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Domains>> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Domains>)> {
        self.0.iter().map(|(name, domains)| (name.as_str(), domains))
    }
}

impl Extend<(String, Arc<Domains>)> for Lists {
    fn extend<T: IntoIterator<Item = (String, Arc<Domains>)>>(&mut self, more: T) {
        self.0.extend(more);
    }
}

impl IntoIterator for Lists {
    type Item = (String, Arc<Domains>);
    type IntoIter = std::collections::btree_map::IntoIter<String, Arc<Domains>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
